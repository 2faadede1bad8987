"""One command at a time: the commands that change the project hold `.yoloop/lock` while they do."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stages.base.errors import problem

STATE = ".yoloop"  # ignored by Git and DVC


@contextmanager
def exclusive(root: Path) -> Iterator[tuple[int, ...]]:
    """Hold the project's lock for the block; raise `UserError` when another command holds it.

    A block inside another one of the same process just goes on. The lock is the kernel's: a kill frees it. Yields the
    descriptors that a child must inherit to hold the lock too, so that it outlives a kill of its parent.
    """
    (root / STATE).mkdir(exist_ok=True)
    with (root / STATE / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _require_ours(root, holder=(root / STATE / "lock").read_text())
            yield ()
            return
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield (file.fileno(),)
        finally:
            file.truncate(0)  # before the lock goes: an old number must never look like ours


@contextmanager
def alone(file: Path, *, doing: str) -> Iterator[None]:
    """Hold a lock on `file` for the block; raise `UserError` when another process is `doing` the same."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            mend = "Wait for it, or stop it (`pkill -f stages.`) and run this again: it goes on where that one stopped."
            raise problem(file, expected=f"no other process {doing}", found="one at work", mend=mend) from error
        yield


def _require_ours(root: Path, *, holder: str) -> None:
    if holder != str(os.getpid()):
        raise problem(
            root / STATE / "lock",
            expected="no other yoloop command at work here",
            found=f"process {holder}" if holder else "one that is just starting or ending",
            mend="Wait until it is done, or stop it, and run this again.",
        )
