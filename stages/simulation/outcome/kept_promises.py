"""What was expected of packets, beside what was found in them."""

from collections.abc import Sequence
from typing import NamedTuple


class Promise(NamedTuple):
    """Errors that were expected on the picked sheets of a packet, with a 95 % interval, and those that were found."""

    expected: float
    low: float
    high: float
    found: float


class KeptPromises(NamedTuple):
    """How promises were kept: found over expected (through the origin), and the share of intervals that hold."""

    packets: int
    slope: float | None
    inside: float | None


def kept(promises: Sequence[Promise]) -> KeptPromises:
    """Return how `promises` were kept; the slope is that of least squares, so large packets weigh more."""
    squares = sum(one.expected**2 for one in promises)
    if not promises or not squares:
        return KeptPromises(len(promises), None, None)
    slope = sum(one.expected * one.found for one in promises) / squares
    return KeptPromises(len(promises), slope, sum(one.low <= one.found <= one.high for one in promises) / len(promises))
