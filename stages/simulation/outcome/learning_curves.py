"""Learning curves: F1 over what was spent, their area, and what it takes to reach a share of what full data gives."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

SHARE = 0.95  # of the F1 with the whole pool labelled: what counts as reached


class LearningCurve(NamedTuple):
    """F1 after each iteration over what was spent until then (minutes, sheets or boxes), which only rises, from 0."""

    spent: tuple[float, ...]
    f1: tuple[float, ...]


class Reach(NamedTuple):
    """What it took to reach an F1, None: it was not reached; and what had been spent in the end."""

    spent: float | None
    end: float


def area(curve: LearningCurve, end: float) -> float:
    """Return the mean height of the curve from 0 to `end` > 0, which it must reach: straight lines between its points.

    Over plain units, not their logarithm: the first minutes of a reviewer are worth as much as the last, and all arms
    of a seed begin at the same point, at 0.
    """
    inside = [at for at in curve.spent if at < end]
    places = np.array([*inside, end])
    heights = np.interp(places, curve.spent, curve.f1)
    return float(np.trapezoid(heights, places) / end)


def reach(curve: LearningCurve, target: float) -> Reach:
    """Return where the curve first is at `target` or above, straight lines between its points."""
    end = curve.spent[-1]
    if curve.f1[0] >= target:
        return Reach(curve.spent[0], end)
    points = list(zip(curve.spent, curve.f1, strict=True))
    for (x0, y0), (x1, y1) in pairwise(points):
        if y1 >= target:
            return Reach(x0 + (target - y0) / (y1 - y0) * (x1 - x0), end)
    return Reach(None, end)


def common_end(curves: Sequence[LearningCurve]) -> float:
    """Return how far all curves go: areas are compared up to there, so that none is drawn on."""
    return min(curve.spent[-1] for curve in curves)
