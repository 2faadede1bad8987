"""What the next iterations will bring: curves that rise ever more slowly, each as likely as it explains the history.

The curve is F1_N = a - b·p(N), with p(N) = c^N or (N + 1)^-k, the two forms that learning curves are mostly given
(Viering and Loog, 2021). No single one is chosen: a few points fit many. On a grid of forms, b and scatters every curve
weighs as much as it explains the points; a is integrated in closed form (flat, so that what all iterations have in
common, such as an easy val, says nothing). Before the points, both forms, all c, the logarithm of k and all b in [0, 1]
are equally likely, so a curve never falls: what fell is scatter.

The scatter of a point around the curve has two parts. How the sheets of val happen to answer, `val_sd`: from the paired
differences between iterations, so what sheets are hard for every model is not in it. And that one training repeated
comes out differently: standard deviations of 0.004 to 0.01 were measured, and stand on the grid as equals. Two more are
there with little weight, for a history that no such curve explains: then all is uncertain, instead of wrong.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.ruler.scores.intervals import Interval

Floats = NDArray[np.float64]
LEAST = 3  # points under which a curve says nothing: it has three numbers itself
_RATES = np.linspace(0.05, 0.97, 24)  # c
_POWERS = np.geomspace(0.25, 4.0, 16)  # k
_HEIGHTS = np.linspace(0.0, 1.0, 251)  # b
_SCATTERS = np.array([0.004, 0.006, 0.008, 0.01, 0.02, 0.04])  # of a training repeated, as F1
_LIKELY = np.array([0.225, 0.225, 0.225, 0.225, 0.07, 0.03])


class CurveSet(NamedTuple):
    """Curves with the share of belief in each: arrays of one shape, (forms, heights, scatters), that broadcast."""

    share: Floats  # sums to 1
    height: Floats  # b
    left: Floats  # p(N), p(N + 1), ... of each form: (forms, steps)
    top: Floats  # a, as the points give it
    sd: Floats  # of a point around the curve
    points: int


def curves_of(f1: Sequence[float], *, val_sd: float, ahead: int) -> CurveSet | None:
    """Return the curves behind F1 of consecutive iterations, in [0, 1], and how they go on for `ahead` steps more.

    N counts from the first of them. `val_sd` is the standard deviation of F1 of one iteration from the choice of
    sheets, what is common to all left out. None for fewer than `LEAST` points.
    """
    seen = np.asarray(f1, dtype=np.float64)
    if len(seen) < LEAST:
        return None
    parts = _parts(np.arange(len(seen) + ahead))
    past = parts[:, : len(seen)]
    centred, level = past - past.mean(axis=1, keepdims=True), seen - seen.mean()
    cross, square = centred @ level, (centred**2).sum(axis=1)
    height = _HEIGHTS[None, :]
    misfit = (level**2).sum() + 2 * height * cross[:, None] + height**2 * square[:, None]
    variance = _SCATTERS**2 + val_sd**2
    weight = np.log(_LIKELY) - (len(seen) - 1) / 2 * np.log(variance) - misfit[:, :, None] / (2 * variance)
    share = np.exp(weight - weight.max()) * _beliefs()[:, None, None]
    top = seen.mean() + height * past.mean(axis=1)[:, None]
    return CurveSet(share / share.sum(), height, parts[:, len(seen) - 1 :], top, np.sqrt(variance), len(seen))


def chance_of(curves: CurveSet, gain: float, *, steps: int) -> float:
    """Return how likely the curve rises by at least `gain` in the next `steps` iterations, 0 to 1."""
    rises, share = _rises(curves, steps)
    return float(share[rises >= gain].sum())


def rise_within(curves: CurveSet, *, steps: int, tail: float) -> Interval:
    """Return between what the curve rises in the next `steps` iterations, with a chance of `tail` beyond each end."""
    rises, share = _rises(curves, steps)
    order = np.argsort(rises, kind="stable")
    below = np.cumsum(share[order])
    low, high = (int(np.searchsorted(below, level)) for level in (tail, 1 - tail))
    last = len(order) - 1
    return Interval(float(rises[order[min(low, last)]]), float(rises[order[min(high, last)]]))


def next_gain(curves: CurveSet, now: float) -> tuple[float, Interval]:
    """Return the expected F1 of the next iteration minus `now`, with the 95 % interval of what will be measured.

    The scatter of the next training belongs in it; and an F1 of now above the curve is expected to fall back on it.
    """
    from scipy.special import ndtr  # type: ignore[import-untyped]

    middle = np.broadcast_to(
        (curves.top - curves.height * curves.left[:, 1, None] - now)[:, :, None], curves.share.shape
    )
    spread = np.broadcast_to(curves.sd * np.sqrt(1 + 1 / curves.points), curves.share.shape)
    kept = curves.share > curves.share.max() * 1e-6
    share, middle, spread = curves.share[kept] / curves.share[kept].sum(), middle[kept], spread[kept]
    ends = []
    for level in (0.025, 0.975):
        low, high = -1.0, 1.0
        for _ in range(30):
            trial = (low + high) / 2
            below = float((share * ndtr((trial - middle) / spread)).sum())
            low, high = (trial, high) if below < level else (low, trial)
        ends.append((low + high) / 2)
    return float((share * middle).sum()), Interval(*ends)


def _rises(curves: CurveSet, steps: int) -> tuple[Floats, Floats]:
    fallen = curves.left[:, 0] - curves.left[:, steps]
    return (fallen[:, None] * curves.height).ravel(), curves.share.sum(axis=2).ravel()


def _parts(steps: NDArray[np.int64]) -> Floats:
    """Return p of every form at `steps`: (forms, steps)."""
    return np.concatenate([_RATES[:, None] ** steps, (steps + 1.0) ** -_POWERS[:, None]])


def _beliefs() -> Floats:
    return np.concatenate([np.full(len(one), 0.5 / len(one)) for one in (_RATES, _POWERS)])
