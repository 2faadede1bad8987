"""One training at a time with the same inputs: a second one would write into the same scratch folder."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from stages.base.errors import problem


def _sign(descriptor: int) -> None:
    """Say in the file which process holds it."""
    os.truncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)


@contextmanager
def alone(file: Path, *, doing: str) -> Iterator[None]:
    """Hold a lock on `file`, which goes with the block; raise `UserError` when another process is `doing` the same."""
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(file, blocking=False, fallback_to_soft=False, on_acquired=_sign)
    try:
        lock.acquire()
    except Timeout as error:
        number = file.read_text(encoding="utf-8") if file.is_file() else ""
        raise problem("training_lock.other_process", file, doing=doing, number=number or "PID") from error
    try:
        yield
    finally:
        file.unlink(missing_ok=True)  # while it is held: who has opened it meanwhile sees that it is gone
        lock.release()
