"""Counts what a piece of work looks at, so that a test can hold how that grows: laws, and no seconds."""

import sys
import tracemalloc
from collections.abc import Callable
from typing import Any, Self

import numpy as np
import pandas as pd
import pytest

FOUR_TIMES = 4.6  # what is done for four times the sheets may be more than four times as much, by a little


class ComparedRows:
    """Counts the rows that are compared with `==` in tables of pandas, from here to the end of the test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        compare = pd.Series.__eq__

        def counting(one: pd.Series, other: object) -> Any:
            self.count += len(one)
            return compare(one, other)

        monkeypatch.setattr(pd.Series, "__eq__", counting)

    def of(self, work: Callable[..., object], *arguments: Any, **named: Any) -> int:
        """Return how many rows `work` compares."""
        before = self.count
        work(*arguments, **named)
        return self.count - before


class Watched(np.ndarray):
    """An array that counts how many of its elements are computed with."""

    seen = 0

    @classmethod
    def around(cls, values: np.ndarray) -> Self:
        return np.asarray(values).view(cls)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **rest: Any) -> Any:
        plain = [one.view(np.ndarray) if isinstance(one, Watched) else one for one in inputs]
        Watched.seen += max(one.size for one in inputs if isinstance(one, Watched))
        return getattr(ufunc, method)(*plain, **rest)


class Name(str):
    """A text that counts how often it is compared."""

    compared = 0
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        Name.compared += 1
        return str.__eq__(self, other)  # type: ignore[no-any-return]


def calls(work: Callable[..., object], *arguments: Any, **named: Any) -> int:
    """Return how many functions `work` calls, of Python and of its libraries."""
    count = 0

    def note(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        work(*arguments, **named)
    finally:
        sys.setprofile(None)
    return count


def peak(work: Callable[..., object], *arguments: Any, **named: Any) -> int:
    """Return the bytes that `work` holds at most, beyond what was there before."""
    tracemalloc.start()
    try:
        work(*arguments, **named)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
