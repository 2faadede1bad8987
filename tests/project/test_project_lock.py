"""One command at a time: also against another container, where process numbers are the same."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from stages.base.errors import UserError
from stages.project.project_lock import STATE, exclusive
from tests.fake_project import REPO

HOLD = """
import sys, time
from pathlib import Path
from stages.project.project_lock import exclusive
with exclusive(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""
TAKE = """
import os, sys
from pathlib import Path
from stages.base.errors import UserError
from stages.project.project_lock import exclusive
print(os.getpid())
try:
    with exclusive(Path(sys.argv[1])):
        print("in")
except UserError as error:
    print(error)
"""
# Hands the lock on to a child, as `yoloop run` does to DVC, and says the child's number.
HAND_ON = """
import sys, time
from pathlib import Path
from stages.project.project_lock import exclusive
from stages.project.process_group import run_group
deaf = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"  # which it gets once its parent is gone
child = deaf + "; import os, time; print(os.getpid(), flush=True); time.sleep(60)"
with exclusive(Path(sys.argv[1])):
    with exclusive(Path(sys.argv[1])) as held:
        command = [sys.executable, "-c", child]
        run_group(command, cwd=Path(), env={}, on_text=lambda text: print(text, end="", flush=True), inherited=held)
"""
NAMESPACE = ["unshare", "--pid", "--fork", "--kill-child"]


def own_numbers() -> bool:
    """Say whether we may start a process in a process namespace of its own, as a container has."""
    there = shutil.which("unshare") is not None
    return there and subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode == 0


@contextmanager
def running(code: str, root: Path, before: Sequence[str] = ()) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Run `code` in a process of its own; yield it, and the first line that it says."""
    command = [*before, sys.executable, "-c", code, str(root)]
    with subprocess.Popen(command, cwd=REPO, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def assert_held(root: Path) -> None:
    with pytest.raises(UserError, match="no other yoloop command at work here, found process "), exclusive(root):
        pass


def free_soon(root: Path) -> None:
    for _ in range(200):
        try:
            with exclusive(root):
                return
        except UserError:
            threading.Event().wait(0.05)
    raise AssertionError("the lock outlives its process")


@pytest.mark.skipif(not own_numbers(), reason="process namespaces are not allowed here")
def test_a_second_container_stays_out_although_both_are_process_one(tmp_path: Path) -> None:
    with running(HOLD, tmp_path, NAMESPACE) as (_, said):
        assert said == "held"
        command = [*NAMESPACE, sys.executable, "-c", TAKE, str(tmp_path)]
        done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[0] == "1"
        assert "expected no other yoloop command at work here, found process 1 on " in done.stdout


def test_a_process_with_our_number_stays_out(tmp_path: Path) -> None:
    """The same without namespaces: what another container would have written into the file."""
    ours = f"import os; os.getpid = lambda: {os.getpid()}\n"
    with running(ours + HOLD, tmp_path) as (_, said):
        assert said == "held"
        assert_held(tmp_path)
    free_soon(tmp_path)  # a killed process frees the lock


def test_a_child_that_inherits_the_lock_holds_it_after_a_kill_of_its_parent(tmp_path: Path) -> None:
    with running(HAND_ON, tmp_path) as (parent, said):
        parent.kill()
        parent.wait()
        try:
            assert_held(tmp_path)
        finally:
            os.kill(int(said), signal.SIGKILL)
    free_soon(tmp_path)


def test_threads_of_one_process_go_on_and_the_last_one_frees_the_lock(tmp_path: Path) -> None:
    inside, leave = threading.Event(), threading.Event()

    def second() -> None:
        with exclusive(tmp_path):
            inside.set()
            leave.wait(20)

    thread = threading.Thread(target=second)
    with exclusive(tmp_path):
        thread.start()
        assert inside.wait(20)
    command = [sys.executable, "-c", TAKE, str(tmp_path)]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=True)
    leave.set()
    thread.join()
    assert "expected no other yoloop command at work here" in done.stdout
    with exclusive(tmp_path):
        assert (tmp_path / STATE / "lock").is_file()


def test_the_folder_may_be_named_in_two_ways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with exclusive(Path()), exclusive(tmp_path):
        pass
