"""The geometry of curves over the iterations: where the lines and dots of a chart lie, in px."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

COLOURS = 8  # kinds of curves (colour and dash) that the style knows
_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM, _RIGHT = 460, 250, 40, 18, 36, 20  # px of the chart and its margins
_TICKS = 5
_MOST_NAMES = 12  # of iterations under the axis; more would run into each other
_HIGHEST_FLOOR = 0.8  # of the axis, so that a good model does not look as if it swung


class Trend(NamedTuple):
    """A curve: its name, a value in [0, 1] per iteration (None: a gap), and its colour and dash, 0 to COLOURS - 1."""

    name: str
    values: Sequence[float | None]
    kind: int
    ends: Sequence[tuple[float | None, float | None]] = ()  # of the 95 % interval of each value; empty: not drawn


class Dot(NamedTuple):
    """A value at its place; `step` is its iteration."""

    x: float
    y: float
    value: float
    step: int = 0


class Drawn(NamedTuple):
    """A curve with its lines, those of its intervals, and its dots."""

    name: str
    kind: int
    lines: Sequence[tuple[Dot, Dot]]
    ends: Sequence[tuple[Dot, Dot]]
    dots: Sequence[Dot]


class Chart(NamedTuple):
    """All that a chart shows, and its size in px; `label` says it to who cannot see it."""

    label: str
    curves: Sequence[Drawn]  # the first lies on top
    grid: Sequence[Dot]
    target: Dot | None
    steps: Sequence[tuple[float, int]]  # x and name of the iterations that are named
    last: Dot | None  # the last value of the first curve, above its interval, to be written
    width: int = _WIDTH
    height: int = _HEIGHT
    left: int = _LEFT
    right: int = _WIDTH - _RIGHT


def chart(
    curves: Sequence[Trend], steps: Sequence[int], *, label: str, rulers: Sequence[str], target: float | None = None
) -> Chart:
    """Return the chart of `curves` over the iterations `steps`.

    Points are joined where `rulers` (an id per iteration) are equal: others do not compare.
    `target` is a line across; with it, the last value of the first curve is written at its point. The axis starts at
    the tenth below the lowest number, so that small steps can be seen.
    """
    low = _floor(curves)
    ticks = [low + (1 - low) * step / (_TICKS - 1) for step in range(_TICKS)]
    every = -(-len(steps) // _MOST_NAMES)
    same = [a == b for a, b in pairwise(rulers)]
    return Chart(
        label,
        [_drawn(one, steps, low, same) for one in curves],
        [Dot(_LEFT, _y(value, low), value) for value in ticks],
        Dot(_LEFT, _y(target, low), target) if target is not None and target >= low else None,
        [(_x(i, len(steps)), step) for i, step in enumerate(steps) if i % every == 0],
        _last_value(curves[0], len(steps), low) if target is not None else None,
    )


def _drawn(curve: Trend, steps: Sequence[int], low: float, same: Sequence[bool]) -> Drawn:
    count = len(steps)
    dots = [
        None if value is None else Dot(_x(i, count), _y(value, low), value, step)
        for i, (value, step) in enumerate(zip(curve.values, steps, strict=True))
    ]
    joined = zip(pairwise(dots), same, strict=True)
    lines = [(a, b) for (a, b), join in joined if a and b and join]
    ends = [
        (Dot(_x(i, count), _y(max(bottom, low), low), bottom), Dot(_x(i, count), _y(top, low), top))
        for i, (bottom, top) in enumerate(curve.ends)
        if bottom is not None and top is not None
    ]
    return Drawn(curve.name, curve.kind, lines, ends, [dot for dot in dots if dot])


def _last_value(curve: Trend, count: int, low: float) -> Dot | None:
    """Return where the last value is to be written: above its interval, so that it does not stand on that line."""
    value = curve.values[-1] if curve.values else None
    if value is None:
        return None
    high = curve.ends[-1][1] if curve.ends else None
    top = value if high is None else min(max(high, value), 1.0)
    return Dot(_x(count - 1, count), _y(top, low) - 9, value)


def _floor(curves: Sequence[Trend]) -> float:
    shown = [value for curve in curves for value in (*curve.values, *(low for low, _ in curve.ends))]
    values = [value for value in shown if value is not None]
    return max(0.0, min(_HIGHEST_FLOOR, int(min(values, default=0.0) * 10) / 10))


def _x(index: int, count: int) -> float:
    width = _WIDTH - _LEFT - _RIGHT
    return _LEFT + width * (0.5 if count == 1 else 0.05 + 0.9 * index / (count - 1))


def _y(value: float, low: float) -> float:
    return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - (value - low) / (1 - low))
