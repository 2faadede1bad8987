"""Says now and then how far something is that takes long."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

SILENT = 2.0  # seconds that nothing is said, at first and in between
T = TypeVar("T")
Say = Callable[[str], None]


def told(
    items: Iterable[T], *, total: int, what: str, say: Say | None, clock: Callable[[], float] = time.monotonic
) -> Iterator[T]:
    """Yield `items`; while they take long, say now and then how many of `total` are done: `40 of 90 images read`."""
    last = clock()
    for number, item in enumerate(items):
        if say and number and clock() - last >= SILENT:
            last = clock()
            say(f"{number} of {total} {what}")
        yield item
