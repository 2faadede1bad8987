"""Every target of the Makefile names what is there: programs, modules, files, options and pytest's markers.

`make -n` prints the commands of a target without running them. What is cheap is run, in a copy. A new target needs a
line in TRIED.
"""

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from functools import cache
from itertools import takewhile
from pathlib import Path

import pytest

from tests.fake_project import REPO

MAKEFILE = REPO / "Makefile"
BIN = Path(sysconfig.get_path("scripts"))
TARGETS = sorted(set(re.findall(r"^([\w-]+):(?!=)", MAKEFILE.read_text(encoding="utf-8"), flags=re.MULTILINE)))
OPERATORS = {";", "|", "||", "&", "&&", "(", ")", ">", ">>", "<"}
NO_INPUTS = {"touch", "rm", "mv", "test", "cd", "mkdir"}  # they name what may be absent


def make(*arguments: str, folder: Path = REPO) -> str:
    """Run make with this interpreter's folder, and return what it says."""
    done = subprocess.run(
        ["make", f"BIN={BIN}", *arguments],
        cwd=folder,
        env={key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))},  # no sub-make
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def commands_of(recipe: str) -> list[list[str]]:
    """Return the commands of recipe lines as words, without variables that are set before them and redirections."""
    found: list[list[str]] = []
    for line in recipe.replace("\\\n", " ").splitlines():
        words = shlex.shlex(line, posix=True, punctuation_chars=True)
        words.whitespace_split = True
        command: list[str] = []
        skipped = False
        for word in [*words, ";"]:
            if word not in OPERATORS:
                if not skipped and (command or not re.match(r"\w+=", word)):
                    command.append(word)
                skipped = False
            elif word in {">", ">>", "<"}:
                skipped = True
            else:
                found += [command] if command else []
                command = []
    return found


@cache
def help_of(*start: str) -> str:
    """Return what a program of ours says of its options, nothing where it does not start."""
    command = [sys.executable, *start, "--help"]
    return subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False).stdout


def missing(command: list[str], markers: set[str]) -> list[str]:
    """Return what a command names and what is not there."""
    program, *rest = command
    absent = [] if shutil.which(program, path=f"{BIN}:/usr/bin:/bin") or (REPO / program).is_file() else [program]
    if program not in NO_INPUTS:
        absent += [word for word in rest if "/" in word and not word.startswith("-") and not (REPO / word).exists()]
    if Path(program).name.startswith("python") and rest:
        absent += _of_python(rest, markers)
    return absent


def _of_python(rest: list[str], markers: set[str]) -> list[str]:
    start, given = (rest[:2], rest[2:]) if rest[0] == "-m" else (rest[:1], rest[1:])
    if start[0] == "-m" and importlib.util.find_spec(start[1]) is None:
        return start[1:]
    options = [word.split("=")[0] for word in given if word.startswith("--")]
    if start == ["-m", "pytest"]:
        asked = given[given.index("-m") + 1] if "-m" in given else ""
        unknown = sorted(set(re.findall(r"\w+", asked)) - {"not", "and", "or"} - markers)
        return [*(one for one in options if one not in help_of(*start)), *unknown]
    ours = start[0] != "-m" or (REPO / start[1].split(".")[0]).exists()
    if not ours or not options:
        return []  # without options some of ours run, whatever they are asked
    said = help_of(*start, *takewhile(lambda word: not word.startswith("-"), given))
    return [one for one in options if one not in said]


@pytest.mark.parametrize("target", TARGETS)
def test_what_a_target_names_is_there(target: str, pytestconfig: pytest.Config):
    markers = {line.split(":")[0] for line in pytestconfig.getini("markers")}
    commands = commands_of(make("-n", "-B", target))
    assert commands
    assert [(command, absent) for command in commands if (absent := missing(command, markers))] == []


def test_what_is_missing_is_seen():
    said = [
        missing(command, {"slow"})
        for command in commands_of(
            "A=1 no-such-program x | python -m no_such_module\n"
            "python benchmarks/no_such.py > x/y && bash tests/no_such.sh\n"
            "python benchmarks/arms.py --no-such 1\n"
            'python -m pytest tests -m "not slow and not sloww" --no-such\n'
        )
    ]
    assert said == [
        ["no-such-program"], ["no_such_module"], ["benchmarks/no_such.py"], ["tests/no_such.sh"], ["--no-such"],
        ["--no-such", "sloww"],
    ]  # fmt: skip


def test_clean_leaves_data_and_models(tmp_path: Path):
    shutil.copy(MAKEFILE, tmp_path)
    for name in (".pytest_cache", ".scratch", ".ruff_cache", "data/dataset", "models", ".venv"):
        (tmp_path / name).mkdir(parents=True)
    make("clean", folder=tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {"Makefile", "data", "models", ".venv"}
    assert (tmp_path / "data/dataset").is_dir()


def test_lock_deps_keeps_the_head_and_pins_what_is_installed(tmp_path: Path):
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(REPO / name, tmp_path)
    make("-o", ".venv/.installed", "lock-deps", folder=tmp_path)
    before, after = ((root / "requirements.lock").read_text().splitlines() for root in (REPO, tmp_path))
    assert [line for line in after if line.startswith("#")] == [line for line in before if line.startswith("#")]
    assert any(line.startswith("pytest==") for line in after)
    assert not any(re.match(r"nvidia|-e |yoloop", line) for line in after)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["Makefile", "pyproject.toml", "requirements.lock"]


TRIED: dict[str, Callable[..., None] | str] = {  # where it really runs: here, in other tests, or by who runs the tests
    "bench": "tests/benchmarks/test_smoke.py",
    "clean": test_clean_leaves_data_and_models,
    "demo": "tests/real/test_demo.py",
    "docs": "tests/test_docs.py",
    "install": ".ci/run",
    "lint": ".ci/run",
    "lock": "tests/demo/test_demo_lock.py",
    "lock-deps": test_lock_deps_keeps_the_head_and_pins_what_is_installed,
    "quick": ".ci/run",
    "test": ".ci/run",
    "test-benchmarks": "tests/benchmarks/test_smoke.py",
    "test-drawing": "tests/demo/drawing",
    "test-faults": "tests/killing.py",
    "test-tools": "tests/tools",
    "types": ".ci/run",
}


def test_every_target_is_tried_somewhere():
    assert set(TARGETS) == TRIED.keys()
    assert all(callable(place) or (REPO / place).exists() for place in TRIED.values())
