"""Two pictures, in px, of the picker's promises: errors per packet, and what a confidence is worth.

Where a point lies on the diagonal, what was promised was found.
"""

from collections.abc import Mapping, Sequence
from math import floor, log10, sqrt
from typing import Any, NamedTuple

_SIDE, _LEFT, _TOP = 220.0, 60.0, 12.0  # px of the square, and where its corner is
_TICKS = 4  # steps of an axis
_BINS = 5  # of the confidence
_SURE = 1.96  # standard deviations of a 95 % interval


class Mark(NamedTuple):
    """A point with the line of its 95 % interval, and what it says."""

    x: float
    y: float
    line: tuple[float, float, float, float]  # x1 y1 x2 y2
    said: str


class Square(NamedTuple):
    """A picture whose two axes are the same: ticks are a place along the axis, from 0 to the side, and its number."""

    label: str
    across: str
    up: str
    ticks: Sequence[tuple[float, str]]
    marks: Sequence[Mark]
    side: float = _SIDE
    left: float = _LEFT
    top: float = _TOP


def promise_charts(review: Mapping[str, Any]) -> list[Square]:
    """Return the pictures of metrics/review.json: those for which there is anything to show."""
    packets = [row for row in review.get("packets", []) if row["expected"] is not None]
    bins = [one for one in (_bin(review.get("judged", []), number) for number in range(_BINS)) if one]
    most = max((max(row["high"], row["found"]) for row in packets), default=0.0)
    return [
        *([_packets(packets, _nice(most))] if packets else []),
        *([_bins(bins)] if bins else []),
    ]


def _packets(rows: Sequence[Mapping[str, Any]], most: float) -> Square:
    marks = [
        Mark(
            _x(row["expected"], most),
            _y(row["found"], most),
            (_x(row["low"], most), _y(row["found"], most), _x(row["high"], most), _y(row["found"], most)),
            f"packet of iteration {row['iteration']}: {row['expected']:.0f} errors expected "
            f"({row['low']:.0f} to {row['high']:.0f}), {row['found']} found",
        )
        for row in rows
    ]
    return Square("Errors expected and found, per packet", "errors expected", "errors found", _ticks(most), marks)


def _bins(bins: Sequence[tuple[float, float, float, float, int]]) -> Square:
    marks = [
        Mark(
            _x(sure, 1.0),
            _y(right, 1.0),
            (_x(sure, 1.0), _y(low, 1.0), _x(sure, 1.0), _y(high, 1.0)),
            f"{count} detections with a confidence of {sure:.2f} on average: {right:.0%} right",
        )
        for sure, right, low, high, count in bins
    ]
    label = "Confidence of detections, and the share of them that reviews found right"
    return Square(label, "confidence", "share right", _ticks(1.0), marks)


def _bin(judged: Sequence[Mapping[str, Any]], number: int) -> tuple[float, float, float, float, int] | None:
    """Return mean confidence, share right with its ends (Wilson, 1927), and count of a bin; None for an empty one."""
    rows = [row for row in judged if row["class_name"] and min(int(row["confidence"] * _BINS), _BINS - 1) == number]
    counts = [row["right"] + row["wrong"] for row in rows]
    count = sum(counts)
    if not count:
        return None
    sure = sum(row["confidence"] * n for row, n in zip(rows, counts, strict=True)) / count
    right = sum(row["right"] for row in rows) / count
    wide = 1 + _SURE**2 / count
    middle = (right + _SURE**2 / (2 * count)) / wide
    half = _SURE * sqrt(right * (1 - right) / count + _SURE**2 / (4 * count**2)) / wide
    return sure, right, max(middle - half, 0.0), min(middle + half, 1.0), count


def _nice(most: float) -> float:
    """Return the end of an axis that holds `most`, a count: steps of 1, 2, 5, 10, 20 and so on."""
    step = max(most / _TICKS, 1.0)
    unit = 10.0 ** floor(log10(step))
    return _TICKS * unit * next(times for times in (1, 2, 5, 10) if step <= times * unit)


def _ticks(most: float) -> list[tuple[float, str]]:
    return [(_SIDE * step / _TICKS, f"{most * step / _TICKS:g}") for step in range(_TICKS + 1)]


def _x(value: float, most: float) -> float:
    return _LEFT + _SIDE * value / most


def _y(value: float, most: float) -> float:
    return _TOP + _SIDE * (1 - value / most)
