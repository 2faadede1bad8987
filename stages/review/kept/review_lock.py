"""One at a time on data/review: the page saves a sheet, an import adds some, `advance` takes all of them away."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from stages.base.errors import problem
from stages.project.project_lock import STATE
from stages.project.repository.transaction import require_no_journal

_PATIENCE = 2.0  # seconds; a save of the page takes milliseconds


@contextmanager
def reviewing(root: Path) -> Iterator[None]:
    """Hold the lock of data/review for the block, which reads there whatever it goes by; a kill frees it.

    Raises `UserError` while somebody else holds it, a thread of this process or another one, and after a kill of a
    command that was about to change the project: what is to be finished first may take data/review away.
    """
    (root / STATE).mkdir(exist_ok=True)
    try:
        # Without the kernel's locks a file alone would stand for the lock, and outlive a kill.
        held = FileLock(root / STATE / "review.lock", timeout=_PATIENCE, fallback_to_soft=False).acquire()
    except Timeout as error:
        raise problem("review_lock.other_yoloop_command", "data/review") from error
    with held:
        require_no_journal(root)
        yield
