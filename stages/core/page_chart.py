"""Curves over the iterations as SVG; the page's style gives them colour and dash, in the light and the dark scheme."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import pandas as pd

from stages.core.markup import text

COLOURS = 8  # kinds of curves (colour and dash) that the style knows
_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM, _RIGHT = 460, 250, 40, 18, 36, 20  # px of the chart and its margins
_TICKS = 5
_MOST_NAMES = 12  # of iterations under the axis; more would run into each other
_HIGHEST_FLOOR = 0.8  # of the axis, so that a good model does not look as if it swung


class Curve(NamedTuple):
    """A curve: its name, a value in [0, 1] per iteration (None: a gap), and its colour and dash, 0 to COLOURS - 1."""

    name: str
    values: Sequence[float | None]
    kind: int
    ends: Sequence[tuple[float | None, float | None]] = ()  # of the 95 % interval of each value; empty: not drawn


def chart(
    curves: Sequence[Curve],
    steps: Sequence[int],
    *,
    label: str,
    rulers: Sequence[str] | None = None,
    target: float | None = None,
) -> str:
    """Return the key and the chart of `curves` over the iterations `steps`.

    Points are joined where `rulers` (an id per iteration) are equal: others do not compare.
    `target` is drawn as a line across; with it, the last value of the first curve is written at its point. The axis
    starts at the tenth below the lowest number, so that small steps can be seen.
    """
    low = _floor(curves)
    grid = "".join(_grid_line(low + (1 - low) * step / (_TICKS - 1), low) for step in range(_TICKS))
    goal = _target(target, low) if target is not None and target >= low else ""
    names = "".join(
        f'<text x="{_x(i, len(steps)):.1f}" y="{_HEIGHT - 18}" text-anchor="middle">{step}</text>'
        for i, step in enumerate(steps)
        if i % -(-len(steps) // _MOST_NAMES) == 0
    )
    names += f'<text x="{(_WIDTH + _LEFT) / 2}" y="{_HEIGHT - 3}" text-anchor="middle">iteration</text>'
    same = [a == b for a, b in pairwise(rulers or [""] * len(steps))]
    lines = "".join(_curve(one, steps, low, same) for one in reversed(curves))  # the first lies on top
    last = _last_value(curves[0], len(steps), low) if target is not None else ""
    svg = f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{text(label)}">'
    return f'<div class="chart">{_key(curves)}{svg}{grid}{goal}{names}{lines}{last}</svg></div>'


def values_of(column: pd.Series) -> list[float | None]:
    """Return a column of the history as numbers, None where they are undefined."""
    return [None if pd.isna(value) else float(value) for value in column]


def _key(curves: Sequence[Curve]) -> str:
    items = "".join(
        f'<li><svg viewBox="0 0 26 8" aria-hidden="true"><line class="k{one.kind}" x1="1" y1="4" x2="25" y2="4"/></svg>'
        f"{text(one.name)}</li>"
        for one in curves
    )
    return f'<ul class="key">{items}</ul>'


def _curve(curve: Curve, steps: Sequence[int], low: float, same: Sequence[bool]) -> str:
    count = len(steps)
    points = [None if v is None else (_x(i, count), _y(v, low)) for i, v in enumerate(curve.values)]
    lines = "".join(
        f'<line class="k{curve.kind}" x1="{a[0]:.1f}" y1="{a[1]:.1f}" x2="{b[0]:.1f}" y2="{b[1]:.1f}"/>'
        for (a, b), joined in zip(pairwise(points), same, strict=True)
        if a and b and joined
    )
    lines += "".join(_ends(curve, *ends, _x(i, count), low) for i, ends in enumerate(curve.ends))
    dots = "".join(
        f'<circle class="k{curve.kind}" cx="{point[0]:.1f}" cy="{point[1]:.1f}" r="4">'
        f"<title>{text(curve.name)}, iteration {step}: {value:.3f}</title></circle>"
        for point, step, value in zip(points, steps, curve.values, strict=True)
        if point and value is not None
    )
    return lines + dots


def _ends(curve: Curve, bottom: float | None, top: float | None, x: float, low: float) -> str:
    if bottom is None or top is None:
        return ""
    return (
        f'<line class="ends k{curve.kind}" x1="{x:.1f}" y1="{_y(max(bottom, low), low):.1f}" '
        f'x2="{x:.1f}" y2="{_y(top, low):.1f}"/>'
    )


def _last_value(curve: Curve, count: int, low: float) -> str:
    value = curve.values[-1] if curve.values else None
    if value is None:
        return ""
    place = f'x="{_x(count - 1, count):.1f}" y="{_y(_top(curve, value), low) - 9:.1f}" text-anchor="middle"'
    return f'<text class="value" {place}>{value:.3f}</text>'


def _top(curve: Curve, value: float) -> float:
    """Return the end of the last value's interval, so that the number does not stand on its line."""
    high = curve.ends[-1][1] if curve.ends else None
    return value if high is None else min(max(high, value), 1.0)


def _grid_line(value: float, low: float) -> str:
    y = _y(value, low)
    line = f'<line class="grid" x1="{_LEFT}" y1="{y:.1f}" x2="{_WIDTH - _RIGHT}" y2="{y:.1f}"/>'
    return f'{line}<text x="{_LEFT - 7}" y="{y + 4:.1f}" text-anchor="end">{value:.2f}</text>'


def _target(value: float, low: float) -> str:
    y = _y(value, low)
    line = f'<line class="target" x1="{_LEFT}" y1="{y:.1f}" x2="{_WIDTH - _RIGHT}" y2="{y:.1f}"/>'
    return f'{line}<text x="{_LEFT + 4}" y="{y - 4:.1f}">target {value:g}</text>'


def _floor(curves: Sequence[Curve]) -> float:
    shown = [value for curve in curves for value in (*curve.values, *(low for low, _ in curve.ends))]
    values = [value for value in shown if value is not None]
    return max(0.0, min(_HIGHEST_FLOOR, int(min(values, default=0.0) * 10) / 10))


def _x(index: int, count: int) -> float:
    width = _WIDTH - _LEFT - _RIGHT
    return _LEFT + width * (0.5 if count == 1 else 0.05 + 0.9 * index / (count - 1))


def _y(value: float, low: float) -> float:
    return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - (value - low) / (1 - low))
