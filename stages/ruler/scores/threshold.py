"""The operating confidence: from where on a detection counts in P, R and F1, when the person leaves that to us.

Taking the confidence with the highest F1 on val and scoring val with it promises too much: the threshold has learnt the
accidents of these very sheets (benchmarks/coverage.py shows by how much). So the sheets are dealt into folds, and each
sheet is judged with the threshold that the other folds chose. What val as a whole chooses is for everything else.
"""

from typing import NamedTuple

import numpy as np

from stages.ruler.pairing.pairs import Floats, Ints
from stages.ruler.scores.average_precision import HitTable

FOLDS = 10  # of 5, 10 and 20 the smallest that was as good as leaving out each sheet
FALLBACK = 0.25  # where no sheet is left to choose by: what Ultralytics predicts with
_STEPS = np.round(np.arange(1, 100) / 100, 2)  # two digits: that a person can read and type
# F1 is averaged over thresholds from c - r to c + r with r = 0.4 c (1 - c), which is ±0.10 at 0.5 and ±0.02 at 0.05.
# Without it the threshold jumps from one accidental peak to the next: on simulated sheets the smooth one stood a third
# closer to itself from sample to sample, at no or less loss of F1. A fixed width would run over the peak of a weak
# model, whose confidences are all small.
_REACH = 0.4
_EQUAL = 1e-12  # F1 that differ by rounding only


class Thresholds(NamedTuple):
    """Confidences in [0, 1]; a detection counts from its sheet's on."""

    sheets: Floats  # (sheets,): with which each sheet of val is judged, chosen without it
    overall: float  # chosen by all of them: for train, pool, test and in use
    cross_fitted: bool  # False: there was nothing to choose by, and all are `FALLBACK`


def fixed(confidence: float, *, sheets: int) -> Thresholds:
    """Return the one threshold that a person wrote down."""
    return Thresholds(np.full(sheets, confidence), confidence, cross_fitted=False)


def cross_fit(table: HitTable, *, unit: Ints, floor: float) -> Thresholds:
    """Return the thresholds with the highest F1, each chosen without the unit that it judges.

    `table` holds val at one IoU, that of the ruler; `unit` is (sheets,), as `units_of` returns it: a unit (a sheet,
    or a named group of them) is never split over folds. No threshold lies below `floor`, under which nothing was
    saved. With less than two units, or without a box or a hit to choose by, it is `FALLBACK`. How sheets are dealt
    does not look at labels, so the labels of a sheet change nothing about its own threshold.
    """
    usual = max(FALLBACK, floor)
    steps = _STEPS[floor <= _STEPS] if floor <= _STEPS[-1] else np.array([floor])
    right, shown = _counts(table, steps)
    boxes = table.boxes.sum(axis=1).astype(float)
    fold = folds_of(table, unit)
    count = int(fold.max(initial=-1)) + 1
    if count < 2:
        return Thresholds(np.full(len(unit), usual), usual, cross_fitted=False)
    elsewhere = (fold[None, :] != np.arange(count)[:, None]).astype(float)  # (folds, sheets)
    others = zip(elsewhere @ right, elsewhere @ shown, elsewhere @ boxes, strict=True)
    chosen = np.array([_best(hits, seen, there, steps) for hits, seen, there in others])
    overall = _best(right.sum(axis=0), shown.sum(axis=0), float(boxes.sum()), steps)
    return Thresholds(chosen[fold], overall, cross_fitted=bool(right.any()))


def _best(right: Floats, shown: Floats, boxes: float, steps: Floats) -> float:
    """Return the step with the highest smoothed F1: of equal neighbours the middle one, else the lowest.

    `right` and `shown` are (steps,): hits, and all detections, from each step on.
    """
    if not right.any():
        return max(FALLBACK, float(steps[0]))
    smooth = _smoothed(2 * right / (shown + boxes), steps)
    best = smooth >= smooth.max() - _EQUAL
    first = int(best.argmax())
    run = int(np.append(best[first:], False).argmin())
    return float(steps[first + (run - 1) // 2])


def _smoothed(f1: Floats, steps: Floats) -> Floats:
    """Return F1 averaged over the steps within `_REACH`, fewer at both ends."""
    reach = _REACH * steps * (1 - steps) + _EQUAL
    first = np.searchsorted(steps, steps - reach, side="left")
    last = np.searchsorted(steps, steps + reach, side="right")
    sums = np.concatenate([[0.0], np.cumsum(f1)])
    return np.asarray((sums[last] - sums[first]) / (last - first))


def _counts(table: HitTable, steps: Floats) -> tuple[Floats, Floats]:
    """Return per sheet the hits and all detections from each step on, both (sheets, steps).

    Matching goes by falling confidence, so what lies below a threshold changes nothing above it.
    """
    reached = np.searchsorted(steps, table.confidence, side="right")  # steps that are not above it
    shape = (len(table.boxes), len(steps) + 1)
    at = table.sheet * shape[1] + reached
    exact = [
        np.bincount(at, weights=weights, minlength=shape[0] * shape[1]).reshape(shape)
        for weights in (table.hit[:, 0].astype(float), np.ones(len(at)))
    ]
    right, shown = (one[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:] for one in exact)
    return right, shown


def folds_of(table: HitTable, unit: Ints) -> Ints:
    """Return the fold of every sheet: at most `FOLDS`, of about as many sheets and as many boxes to expect.

    The sum of confidences says how many boxes to expect, and knows nothing of labels.
    """
    units = int(unit.max(initial=-1)) + 1
    sheets = np.bincount(unit, minlength=units)
    expected = np.bincount(unit[table.sheet], weights=table.confidence, minlength=units)
    count = min(FOLDS, units)
    loads = [(0, 0.0, i) for i in range(count)]
    fold = np.zeros(units, dtype=np.int64)
    for one in np.lexsort((-expected, -sheets)):
        held, load, i = min(loads)
        fold[one] = i
        loads[i] = (held + int(sheets[one]), load + float(expected[one]), i)
    return fold[unit]
