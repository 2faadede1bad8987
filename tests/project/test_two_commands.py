"""Two commands at once, for each pair that writes: the second waits or is refused in one line, and nothing is lost.

The first one is a process of its own, held where it has just got its lock: there it has changed nothing yet that could
tell the second one, which comes through the command line, in this process.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from stages.base.command import exit_cleanly
from stages.base.errors import UserError
from stages.intake.data_app import THREADS
from stages.loop import app
from stages.picking.packet import PACKET, read_packet
from stages.project.repository.transaction import recover
from stages.review.kept import review_lock
from stages.review.kept.kept_review import REVIEW, read_review
from stages.review.page.desk import Desk
from stages.sweeps.sweep_queue import known_names
from tests import fake_project
from tests.fake_project import REPO, dvc, sh, write_files
from tests.once import Once
from tests.refusal import contents, refs
from tests.review import exports
from tests.review.page_asking import Browser, sent
from tests.reviews import review_packet
from tests.whole_loop import write_source

pytestmark = pytest.mark.slow

COMMANDS = {
    "run": ["run", "--review", "person"],
    "finish": ["finish"],
    "advance": ["advance"],
    "review import": ["review", "import", "../export"],
    "review reset": ["review", "reset"],
    "data import": [
        "data",
        "import",
        "../source",
        "--again",
        "--baseline",
        "../yolo26n.pt",
        "--target",
        "yoloe-26n.yaml",
    ],
    "data accept": ["data", "accept"],
    "prompts accept": ["prompts", "accept", "title", "1"],
    "classes rename": ["classes", "rename", "title", "heading"],
    "holdout": ["holdout"],
    "sweep": ["sweep", "lr", "-S", "train.base_lr=0.002"],
}

# Holds the process once it has a lock of the name HELD, until the file `go` is there.
HOLDING = """
import os, sys, time
from pathlib import Path
import filelock
folder, real = Path(os.environ["HOLDING"]), filelock.FileLock.acquire
def acquire(self, *args, **kwargs):
    got = real(self, *args, **kwargs)
    if Path(self.lock_file).name == os.environ["HELD"]:
        (folder / "held").touch()
        while not (folder / "go").exists():
            time.sleep(0.01)
    return got
filelock.FileLock.acquire = acquire
from stages.loop import main
main()
"""


@pytest.fixture(scope="session")
def imported_template(once: Once) -> Path:
    """A project that was only imported, whose baseline is real weights, and beside it what the commands ask for."""

    def build_it(folder: Path) -> None:
        root = folder / "project"
        fake_project.build(root)
        shutil.copy(REPO / "starter/yolo26n.pt", folder)
        shutil.copy(REPO / "starter/yolo26n.pt", root / "models/parent.pt")
        suggest(root)
        dvc(root, "add", "-q", "models/parent.pt")
        sh(root, "git", "add", ".")
        sh(root, "git", "commit", "-qm", "Weights that are a detector")
        sh(root, "git", "tag", "-f", "dataset-v0")
        write_source(folder / "source")

    return once("only_imported", build_it)


def suggest(root: Path) -> None:
    prompt = yaml.safe_load((root / "data/prompts.yaml").read_text())["prompts"]["title"]
    candidate = {"number": 1, "texts": "wide bar", "f1": {"value": 0.1}, "says": "better"}
    row = {"class_name": "title", "prompt": prompt, "candidates": [candidate]}
    write_files(root, {"metrics/prompt_suggestions.json": json.dumps({"suggestions": [row]})})


@pytest.fixture
def imported(clean_env: None, imported_template: Path, tmp_path: Path) -> Callable[[], Path]:
    def copied() -> Path:
        shutil.copytree(imported_template, tmp_path, symlinks=True, dirs_exist_ok=True)
        return tmp_path / "project"

    return copied


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait for long, and put the environment back."""
    monkeypatch.setattr(review_lock, "_PATIENCE", 0.2)
    for name in THREADS:
        monkeypatch.setenv(name, "1")


@contextmanager
def held(root: Path, words: list[str], lock: str) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Run a command that stops once it holds `lock`; yield it, and the file that lets it go on."""
    folder = root.parent / "holding"
    write_files(folder, {"driver.py": HOLDING})
    env = {**os.environ, "PYTHONPATH": str(REPO), "HOLDING": str(folder), "HELD": lock}
    command = [sys.executable, str(folder / "driver.py"), *words]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, cwd=root, env=env, text=True, **pipes) as process:  # type: ignore[call-overload]
        try:
            yield process, folder / "go"
        finally:
            process.kill()


def until_held(process: subprocess.Popen[str], go: Path) -> None:
    end = time.monotonic() + 60
    while not go.with_name("held").exists():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < end
        time.sleep(0.01)


def typed(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    """Return the exit code of a command in this process, and its lines on stderr that are no progress."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        exit_cleanly(lambda: app(words, prog_name="yoloop"))
    lines = capsys.readouterr().err.splitlines()
    return int(ended.value.code or 0), [line for line in lines if line.startswith("error: ")]


STATES = {"finish": "project", "holdout": "finished", "advance": "finished"}
STATES |= {"review import": "finished", "review reset": "finished"}
BOTH = ("advance", "review reset", "classes rename")  # hold the review as well
ENDED = ("run", "holdout")  # would go on for long: they are ended while they are held
DONE = {  # what shows that the first command did its work
    "finish": lambda root: "iteration-0" in sh(root, "git", "tag"),
    "advance": lambda root: "dataset-v1" in sh(root, "git", "tag"),
    "review import": lambda root: len(read_review(root / REVIEW).reviewed) == 2,
    "review reset": lambda root: list((root / "exports").glob("review-*")) and not (root / REVIEW).exists(),
    "data import": lambda root: sh(root, "git", "log", "-1", "--format=%s").startswith("Import source"),
    "data accept": lambda root: "train +0 -0 ~1" in sh(root, "git", "log", "-1", "--format=%s"),
    "prompts accept": lambda root: "title: wide bar" in (root / "data/prompts.yaml").read_text(),
    "classes rename": lambda root: "- heading" in (root / "params.yaml").read_text(),
    "sweep": lambda root: known_names(root) == {"lr": "one that is queued"},
}
# Refused for where the project stands, or with nothing to do, before the lock is asked for.
ELSEWHERE = {("finish", "data import"), ("data accept", "data import"), ("data accept", "run")}
_FINISHED = [first for first, state in STATES.items() if state == "finished"]
ELSEWHERE |= {(first, second) for first in _FINISHED for second in ("run", "data import")}


def prepared(root: Path, first: str) -> None:
    """Leave what a command works on where it looks for it."""
    if first in ("advance", "review reset"):
        review_packet(root)
    if first == "review import":
        exports.yolo(root.parent / "export", exports.done(read_packet(root / PACKET)))
    if first == "data accept":
        (root / "data/dataset/train/labels/t1.txt").write_text("1 0.5 0.5 0.3 0.3\n")


EACH_TIME = ("advance", "data accept")  # the others only where every kill is asked for: a minute


@pytest.mark.faults
@pytest.mark.parametrize("first", COMMANDS)
def test_a_command_while_another_one_holds_the_project(
    first: str,
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    *,
    every_kill: bool,
) -> None:
    if not every_kill and first not in EACH_TIME:
        pytest.skip("make test-faults runs it")
    root: Path = request.getfixturevalue(STATES.get(first, "imported"))()
    prepared(root, first)
    monkeypatch.chdir(root)
    words = [*COMMANDS[first], *(["--yes"] if first == "holdout" else [])]
    with held(root, words, "review.lock" if first in BOTH else "lock") as (process, go):
        until_held(process, go)
        before = contents(root), refs(root)
        for second, asked in COMMANDS.items():
            code, lines = typed(asked, capsys)
            elsewhere = (first, second) in ELSEWHERE
            assert (code, len(lines)) == (2, 1) or (elsewhere and (code, lines) == (0, [])), (second, code, lines)
            assert elsewhere or "found process" in lines[0], (second, lines)
            assert (contents(root), refs(root)) == before, second
        if first in ENDED:
            process.terminate()
            process.wait()
            assert (contents(root), refs(root)) == before
        else:
            go.touch()
            said = process.communicate()[0]
            assert process.returncode == 0, said
            assert DONE[first](root), said
    assert recover(root) is None


def test_status_answers_while_a_command_prepares_what_it_will_commit(
    imported: Callable[[], Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = imported()
    monkeypatch.chdir(root)
    with held(root, COMMANDS["sweep"], "lock") as (process, go):
        until_held(process, go)
        (root / "data/.advance").mkdir()  # as `advance` and an import have it for as long as they copy
        assert typed(["status"], capsys) == (0, [])
        assert typed(["finish"], capsys)[0] == 2
        assert (root / "data/.advance").exists()
        process.terminate()


def test_a_command_while_the_page_saves(
    finished: Callable[[], Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes its way if it leaves the review alone, and is refused if not; what was saved is there."""
    root = finished()
    prepared(root, "review import")
    suggest(root)
    sh(root, "git", "commit", "-qam", "suggestions")
    monkeypatch.chdir(root)
    with held(root, ["review", "open", "--no-browser"], "review.lock") as (process, go):
        assert process.stdout is not None
        url = next(line.strip() for line in process.stdout if line.strip().startswith("http://"))
        browser, answers = Browser(url), list[int]()
        sheet = sent(browser, status="reviewed", boxes=[])
        saving = threading.Thread(target=lambda: answers.append(browser.ask("PUT", "/api/sheets/1", sheet)[0]))
        saving.start()
        until_held(process, go)
        for second, asked in COMMANDS.items():
            code, lines = typed(asked, capsys)
            assert (code, len(lines)) in ((0, 0), (2, 1)), (second, code, lines)
            if second in (*BOTH, "review import"):
                assert "found one that takes the review in" in lines[0], (second, lines)
        go.touch()
        saving.join()
    assert answers == [200]
    (saved,) = read_review(root / REVIEW).reviewed
    assert saved.boxes == ()


def test_a_save_of_the_page_while_another_command_holds_the_review(
    finished: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = finished()
    prepared(root, "review reset")
    desk = Desk(root, read_packet(root / PACKET))
    body = {"packet": desk.packet.packet_id, "revision": desk.sheet(1)["revision"], "status": "reviewed"}
    before = contents(root)
    with held(root, COMMANDS["review reset"], "review.lock") as (process, go):
        until_held(process, go)
        with pytest.raises(UserError, match="found one that takes the review in"):
            desk.save(1, json.dumps({**body, "seconds": 1, "boxes": []}).encode())
        assert contents(root) == before
        go.touch()
        assert process.wait() == 0
