"""What a killed DVC leaves is mended by the next command, and said."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from stages.project.location import locate
from stages.project.position import Position, position_of
from stages.project.repository.dvc_leftovers import mend
from tests.fake_project import sh

pytestmark = pytest.mark.slow
LOCKS = ".dvc/tmp/rwlock"

# `dvc exp run`, killed at a call of its own that lays files aside or brings them back.
KILLED = """
import os, signal, sys
from scmrepo.git.stash import Stash
from dvc.cli import main
name, wanted, when = sys.argv[1:4]
real, calls = getattr(Stash, name), 0
def killing(*args, **kwargs):
    global calls
    calls += 1
    if calls == int(wanted) and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    found = real(*args, **kwargs)
    if calls == int(wanted) and when == "after":
        os.kill(os.getpid(), signal.SIGKILL)
    return found
setattr(Stash, name, killing)
sys.exit(main(sys.argv[4:]))
"""


def kill_experiment(root: Path, *at: str) -> None:
    command = [sys.executable, "-c", KILLED, *at, "exp", "run", "-n", "mine"]
    done = subprocess.run(command, cwd=root, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == -9, done.stderr.decode()


@pytest.mark.parametrize(
    "at",
    [("push", "1", "after"), ("apply", "1", "before"), ("push", "2", "before"), ("push", "2", "after"),
     ("pop", "1", "before"), ("apply", "3", "before")],
)  # fmt: skip
def test_what_a_killed_experiment_had_laid_aside_comes_back(project: Callable[[], Path], at: tuple[str, ...]) -> None:
    root = project()
    sh(root, "git", "add", ".")
    sh(root, "git", "commit", "-qm", "run")
    typed = {name: (root / name).read_text() + "# mine\n" for name in ("params.yaml", "data/prompts.yaml")}
    for name, text in typed.items():
        (root / name).write_text(text)
    kill_experiment(root, *at)
    taken = [name for name, text in typed.items() if (root / name).read_text() != text]
    said = mend(root)
    assert {name: (root / name).read_text() for name in typed} == typed
    assert ("laid aside" in " ".join(said)) == bool(taken), said
    assert sh(root, "git", "stash", "list") == ""
    assert sh(root, "git", "symbolic-ref", "--short", "HEAD") == "main\n"
    assert mend(root) == []


def test_a_stash_of_a_person_stays_one(project: Callable[[], Path]) -> None:
    """Even where an experiment was killed later: before it had laid anything aside."""
    root = project()
    sh(root, "git", "add", ".")
    sh(root, "git", "commit", "-qm", "run")
    (root / "params.yaml").open("a").write("# for later\n")
    env = {**os.environ, "GIT_COMMITTER_DATE": "2026-01-01T00:00:00", "GIT_AUTHOR_DATE": "2026-01-01T00:00:00"}
    subprocess.run(["git", "stash", "-q"], cwd=root, check=True, env=env)
    (root / "data/prompts.yaml").open("a").write("# now\n")
    kill_experiment(root, "push", "1", "before")
    assert "laid aside" not in " ".join(mend(root))
    assert "for later" not in (root / "params.yaml").read_text()
    assert len(sh(root, "git", "stash", "list").splitlines()) == 1


def test_what_was_typed_anew_stays_and_the_stash_is_named(project: Callable[[], Path]) -> None:
    root = project()
    sh(root, "git", "add", ".")
    sh(root, "git", "commit", "-qm", "run")
    (root / "params.yaml").open("a").write("# mine\n")
    kill_experiment(root, "push", "1", "after")
    (root / "params.yaml").open("a").write("# anew\n")
    (line,) = [line for line in mend(root) if "they stay as they are" in line]
    assert "params.yaml" in line
    assert (root / "params.yaml").read_text().endswith("# anew\n")
    assert "# mine" in sh(root, "git", "show", line.split("git show ")[1].replace("FILE", "params.yaml"))


@pytest.mark.parametrize("name", [LOCKS, ".dvc/tmp/exps/rwlock"])
@pytest.mark.parametrize("text", ["", '{"write": {"models/be', '{"write": []}'])
def test_an_empty_or_cut_list_of_locks(project: Callable[[], Path], text: str, name: str) -> None:
    root = project()
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)
    (line,) = mend(root)
    assert line.startswith(name)
    assert mend(root) == []
    assert position_of(locate(root)) is Position.COMPLETE


@pytest.mark.parametrize("command", [["sleep", "60"], ["sh", "-c", "sleep 60; dvc repro; yoloop finish"]])
def test_a_lock_of_a_process_number_that_is_somebody_elses_now(project: Callable[[], Path], command: list[str]) -> None:
    """As in a container whose process 1 was DVC, and is another program after a restart, or a shell that starts DVC."""
    root = project()
    with subprocess.Popen(command) as other:
        stale = {"pid": other.pid, "cmd": "/usr/bin/dvc repro"}
        best = str((root / "models/best.pt").resolve())
        (root / LOCKS).write_text(json.dumps({"write": {best: stale}, "read": {best: [stale]}}))
        (line,) = mend(root)
        other.kill()
    assert f"process {other.pid}" in line
    assert json.loads((root / LOCKS).read_text()) == {"write": {}, "read": {}}
    assert mend(root) == []


def test_a_lock_of_a_killed_dvc_that_nobody_has_cleared_away(project: Callable[[], Path]) -> None:
    """As in a container without an init: for DVC a process that is killed there still lives."""
    root = project()
    with subprocess.Popen(["bash", "-c", "exec -a dvc sleep 60"]) as other:
        held = {"pid": other.pid, "cmd": "dvc repro"}
        (root / LOCKS).write_text(json.dumps({"write": {"x": held}, "read": {"y": [held]}}))
        other.kill()
        os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and its number is still taken
        (line,) = mend(root)
    assert f"process {other.pid}" in line
    assert json.loads((root / LOCKS).read_text()) == {"write": {}, "read": {}}


def test_the_locks_of_a_living_dvc_stay(project: Callable[[], Path]) -> None:
    root = project()
    with subprocess.Popen(["bash", "-c", "exec -a dvc sleep 60"]) as other:
        held = json.dumps({"write": {"x": {"pid": other.pid, "cmd": "/usr/bin/dvc 60"}}, "read": {}})
        (root / LOCKS).write_text(held)
        while psutil.Process(other.pid).cmdline()[:2] != ["dvc", "60"]:  # bash has not become it yet
            time.sleep(0.01)
        said = mend(root)
        other.kill()
    assert (said, (root / LOCKS).read_text()) == ([], held)


@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize("cut", [0, 100])
def test_half_of_a_lock_file(project: Callable[[], Path], cut: int, *, committed: bool) -> None:
    root = project()
    if committed:
        sh(root, "git", "add", "dvc.lock")
        sh(root, "git", "commit", "-qm", "lock")
    whole = (root / "dvc.lock").read_bytes()
    (root / "dvc.lock").write_bytes(whole[:cut])
    (line,) = mend(root)
    assert line.startswith("dvc.lock was left unfinished")
    assert git_here(root) == (whole if committed else None)
    sh(root, sys.executable, "-m", "dvc", "repro")
    assert (root / "dvc.lock").read_bytes() == whole


def git_here(root: Path) -> bytes | None:
    return (root / "dvc.lock").read_bytes() if (root / "dvc.lock").is_file() else None


def test_half_an_entry_in_the_list_of_runs(project: Callable[[], Path]) -> None:
    """DVC was killed while it wrote down what a stage had come to: it would take that for the stage's newest run."""
    root = project()
    entry = next(file for file in (root / ".dvc/cache/runs").rglob("*") if file.is_file() and _is_of_train(file))
    half = entry.with_name(f".{'a' * 22}.tmp")
    text = entry.read_text()
    half.write_text(text[: text.index("- path: models/best.pt")])
    (root / "dvc.lock").unlink()
    failed = subprocess.run([sys.executable, "-m", "dvc", "repro", "train"], cwd=root, capture_output=True, check=False)
    assert b"output 'models/best.pt' does not exist" in failed.stderr  # or DVC has mended it
    assert mend(root) == [".dvc/cache/runs held half of an entry that a killed DVC was writing: removed."]
    assert (half.exists(), entry.exists()) == (False, True)
    sh(root, sys.executable, "-m", "dvc", "repro", "train")


def _is_of_train(entry: Path) -> bool:
    return entry.read_text().startswith("cmd: python fake_stages.py train")
