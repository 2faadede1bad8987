"""One command at a time: the commands that change the project hold `.yoloop/lock` while they do."""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from filelock import FileLock, Timeout

from stages.base.errors import problem

STATE = ".yoloop"  # ignored by Git and DVC


@contextmanager
def exclusive(root: Path) -> Iterator[tuple[int, ...]]:
    """Hold the project's lock for the block; raise `UserError` when another command holds it.

    A block inside another one of the same process just goes on. The lock is the kernel's: a kill frees it. Yields the
    descriptors that a child must inherit to hold the lock too, so that it outlives a kill of its parent.
    """
    file = (root / STATE / "lock").resolve()
    file.parent.mkdir(exist_ok=True)
    lock, descriptors = _lock(file)
    try:
        lock.acquire()
    except Timeout as error:
        raise problem(
            "project_lock.other_yoloop_command",
            root / STATE / "lock",
            found=file.read_text(encoding="utf-8") or "one that is just starting",
        ) from error
    try:
        yield tuple(descriptors)
    finally:
        lock.release()


def holder(root: Path) -> str | None:
    """Return who holds the project's lock, None for nobody; nothing is written, nor held after the question."""
    file = root / STATE / "lock"
    if not file.is_file():
        return None
    with file.open("rb") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return stream.read().decode() or "one that is just starting"
    return None


@cache
def _lock(file: Path) -> tuple[FileLock, list[int]]:
    """Return this process's one lock on `file`, which counts the blocks that are open, and its descriptor once held."""
    descriptors: list[int] = []

    def sign(descriptor: int) -> None:
        """Say in the file who holds it. Nobody decides by that: two containers may have equal process numbers."""
        descriptors[:] = [descriptor]
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()}".encode(), 0)

    # Without the kernel's locks a file alone would stand for the lock, and outlive a kill.
    lock = FileLock(file, thread_local=False, blocking=False, fallback_to_soft=False, on_acquired=sign)
    return lock, descriptors


os.register_at_fork(after_in_child=_lock.cache_clear)  # a forked child holds nothing
