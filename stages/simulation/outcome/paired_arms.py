"""Compares arms seed by seed, and says when one may be called better. The rule was fixed before any run:

A is better than B in minutes if the 95 % interval (Student's t over seeds) of the mean log ratio of the minutes that B
and A take to 95 % of the full-data F1 lies above 0, and its mean is more than the two replays of `random` differ by. A
must have reached it on every seed; where B has not, all that B spent counts, which is too little for it. A seed whose
shared start is there already says nothing. What the replays differ by is the mean of the absolute log ratio over seeds:
the mean with signs would forget what chance does in one seed.
"""

from collections.abc import Sequence
from math import log, sqrt
from typing import Literal, NamedTuple

import numpy as np

from stages.ruler.scores.intervals import t_quantile
from stages.simulation.outcome.learning_curves import Reach

Verdict = Literal["better", "worse", "not shown"]


class Mean(NamedTuple):
    """A mean over `n` seeds with its 95 % interval, None where there are fewer than two."""

    mean: float | None
    low: float | None
    high: float | None
    n: int


def mean_of(values: Sequence[float]) -> Mean:
    """Return the mean of `values`, one per seed, with Student's interval."""
    n = len(values)
    if n < 2:
        return Mean(values[0] if n else None, None, None, n)
    middle = float(np.mean(values))
    half = float(t_quantile(np.array([n - 1.0]))[0]) * float(np.std(values, ddof=1)) / sqrt(n)
    return Mean(middle, middle - half, middle + half, n)


def log_gain(mine: Sequence[Reach], other: Sequence[Reach]) -> float | None:
    """Return by how much `mine` is faster in one seed, as the log of other over mine; None where that is not known.

    Each side is the replays of one strategy, whose logs are averaged. Where `other` has not reached it, what it spent
    in the end counts; where `mine` has not, nothing is known in its favour.
    """
    if any(one.spent == 0 for one in (*mine, *other)) or any(one.spent is None for one in mine):
        return None
    return _log(other) - _log(mine)


def says_nothing(sides: Sequence[Reach]) -> bool:
    """Say whether a seed has nothing to reach: its shared start is there already."""
    return any(one.spent == 0 for one in sides)


def floor_of(pairs: Sequence[tuple[Reach, Reach]]) -> float | None:
    """Return how far the two replays of `random` lie apart: the mean of the absolute log ratio over seeds."""
    apart = [abs(_log([a]) - _log([b])) for a, b in pairs if not says_nothing([a, b])]
    return float(np.mean(apart)) if apart else None


def judged(gains: Sequence[float | None], losses: Sequence[float | None], floor: float | None) -> Verdict:
    """Return the verdict on A from its `gains` over B and the `losses` (B's gains over A), seed by seed.

    None in them: not known, since the faster one never got there; seeds that say nothing are left out before.
    """
    if _shown(gains, floor):
        return "better"
    return "worse" if _shown(losses, floor) else "not shown"


def _shown(gains: Sequence[float | None], floor: float | None) -> bool:
    known = [gain for gain in gains if gain is not None]
    if len(known) < len(gains) or floor is None:
        return False
    found = mean_of(known)
    return found.mean is not None and found.low is not None and found.low > 0 and found.mean > floor


def _log(side: Sequence[Reach]) -> float:
    return float(np.mean([log(one.end if one.spent is None else one.spent) for one in side]))
