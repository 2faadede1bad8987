"""95 % intervals: how far a number measured on these sheets may lie from what all such sheets would give.

The unit that chance draws is the sheet, or the group (a drawing set) where one is named: boxes of one sheet are found
and missed together, so counting boxes as if each were drawn alone would promise too much. Every number is computed
again without each unit (the jackknife), and the spread of these answers makes the interval. Undefined is NaN, never 0.

The form was chosen by measured coverage (benchmarks/coverage.py): the jackknife's standard error, carried to the logit
scale so that no end leaves [0, 1], times a t quantile. Its degrees of freedom are the effective number of units less
one, (sum of weights)² / (sum of squared weights) - 1, since ten sheets of which two hold nearly all boxes are no ten.
Near 0 and 1 that breaks down: with F1 = 1 every answer is 1, the spread is 0, and it would promise certainty. So when
fewer than `_FEW` units pull a number down, or fewer pull it up, the interval is Wilson's score interval with the
effective number of boxes: as many as would give the jackknife's spread if each were drawn alone, but never more than
those that are there. Without any error its low end is n / (n + 3.84) for n boxes, close to the exact limit and to the
rule of three; there boxes count as if drawn alone, as nothing is known of how errors would crowd on sheets.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from stages.ruler.pairing.pairs import Bools, Floats, Ints

_TAIL = 0.975  # 95 % in the middle
_NORMAL = 1.959964  # the quantile of `_TAIL` for a spread that is known and not estimated
_FEW = 3  # units that pull a number to one side: with fewer their spread says too little about that side
_NOISE = 1e-12  # a pull below it comes from rounding
_WIDEST = 1e6  # t quantile: with hardly more than one unit it would overflow


class Interval(NamedTuple):
    """Both ends of a 95 % interval, or None where it is undefined."""

    low: float | None
    high: float | None


class PairedChange(NamedTuple):
    """How a rate changed, with its 95 % interval, each in [-1, 1]; None where it is undefined."""

    value: float | None
    low: float | None
    high: float | None
    chance: float | None  # of a loss at least as large where nothing has changed: below 0.025 all of the interval is


class Estimates(NamedTuple):
    """k numbers in [0, 1] with the ends of their 95 % intervals, each (k,); NaN where undefined."""

    value: Floats
    low: Floats
    high: Floats


def units_of(groups: Sequence[str]) -> Ints:
    """Return for every sheet the number of the unit that chance draws, (sheets,): its group; "" is its own."""
    names = [f"group {group}" if group else f"sheet {i}" for i, group in enumerate(groups)]
    numbers = {name: i for i, name in enumerate(dict.fromkeys(names))}
    return np.array([numbers[name] for name in names], dtype=np.int64)


def rate_estimates(*, tp: Ints, fp: Ints, fn: Ints, unit: Ints) -> dict[str, Estimates]:
    """Return f1, precision and recall of k sets of boxes (all, a class, ...) from their counts per sheet.

    `tp`, `fp` and `fn` are (sheets, k), `unit` is (sheets,) as `units_of` returns it. An interval is undefined when
    fewer than two units have a box or a detection.
    """
    right, false, missed = (per_unit(counts, unit) for counts in (tp, fp, fn))
    return {
        "f1": _ratios(2 * right, 2 * right + false + missed),
        "precision": _ratios(right, right + false),
        "recall": _ratios(right, right + missed),
    }


def gain_interval(now: Ints, before: Ints, unit: Ints | None = None) -> Interval:
    """Return the 95 % interval of F1 now minus F1 before, in [-1, 1], paired over the sheets.

    `now` and `before` are (sheets, 3): tp, fp, fn of the same sheets in the same order; each sheet is its own unit
    unless `unit` (sheets,) says otherwise. Undefined without two units that have a box or a detection, and where an
    F1 is.
    """
    one = paired_change(f1_parts(now), f1_parts(before), np.arange(len(now)) if unit is None else unit)
    return Interval(one.low, one.high)


def paired_change(now: Ints, before: Ints, unit: Ints) -> PairedChange:
    """Return a ratio of sums now minus the same before, paired over the units; `now`, `before`: (sheets, 2).

    Their columns are what is summed above and below: 2 tp and 2 tp + fp + fn for F1, tp and tp + fn for recall.
    On the plain scale, which covered as well as others: a gain is far from its bounds. One box more that changed is
    added to the spread, or two models that differ on no box of these sheets would be called equal for certain.
    """
    from scipy.special import stdtr  # type: ignore[import-untyped]

    (part, whole), (past_part, past_whole) = (np.split(per_unit(one, unit), 2, axis=1) for one in (now, before))
    (value, left_out), (past, past_left_out) = _without_each(part, whole), _without_each(past_part, past_whole)
    shares = (shares_of(whole) + shares_of(past_whole)) / 2
    pulls, change = left_out - past_left_out - (value - past), float((value - past)[0])
    one_box = 2 / max(float(whole.sum() + past_whole.sum()), 1.0)  # what one error more or less does
    variance, freedom = _variance(pulls, shares)
    error = float(np.sqrt(variance[0] + one_box**2))
    if not np.isfinite(error) or not np.isfinite(change):
        return PairedChange(change if np.isfinite(change) else None, None, None, None)
    half = float(t_quantile(freedom)[0]) * error
    return PairedChange(
        change, max(change - half, -1.0), min(change + half, 1.0), float(stdtr(freedom[0], change / error))
    )


def interval_of(
    value: Floats, *, left_out: Floats, weight: Floats, trials: Floats, more: Floats | float = 0.0
) -> tuple[Floats, Floats]:
    """Return both ends, (k,), of the 95 % intervals of k rates in [0, 1].

    `left_out` is (units, k): the rates without each unit; `weight` is (units, k): what each unit contributes, at
    least 0; `trials` is (k,): how many boxes a rate speaks of; `more` is variance that the jackknife could not see.
    NaN where fewer than two units contribute.
    """
    variance, quantile = spread(left_out - value, shares_of(weight))
    ends = zip(
        _score_ends(value, variance + more, quantile, trials),
        _logit_ends(value, variance + more, quantile),
        strict=True,
    )
    low, high = (np.where(pulled_by_few(left_out - value), near, usual) for near, usual in ends)
    return np.clip(np.minimum(low, value), 0, 1), np.clip(np.maximum(high, value), 0, 1)


def pulled_by_few(pulls: Floats) -> Bools:
    """Return whether too few units pull a number to one of its sides to know the spread there: (k,)."""
    down, up = (pulls < -_NOISE).sum(axis=0), (pulls > _NOISE).sum(axis=0)
    return np.asarray(np.minimum(down, up) < _FEW)


def spread(pulls: Floats, shares: Floats) -> tuple[Floats, Floats]:
    """Return the jackknife's variance and the t quantile, both (k,), NaN where fewer than two units contribute.

    `pulls` is (units, k): what leaving a unit out changes.
    """
    variance, freedom = _variance(pulls, shares)
    return variance, t_quantile(freedom)


def _variance(pulls: Floats, shares: Floats) -> tuple[Floats, Floats]:
    """Return the jackknife's variance and its degrees of freedom, both (k,), NaN as in `spread`."""
    active = ((shares > 0) | (np.abs(np.nan_to_num(pulls)) > _NOISE)).sum(axis=0)
    squares = (shares**2).sum(axis=0)
    defined = (active > 1) & (squares > 0) & (squares < 1 - _NOISE)
    freedom = np.divide(1.0, squares, out=np.full_like(squares, np.nan), where=defined) - 1.0
    variance = np.nansum(pulls**2, axis=0) * (1.0 - 1.0 / np.maximum(active, 1))
    return np.where(defined, variance, np.nan), freedom


def t_quantile(freedom: Floats) -> Floats:
    """Return from Student's t, for the degrees of freedom (k,), what 95 % lie within: (k,)."""
    from scipy.special import stdtrit

    return np.asarray(np.minimum(stdtrit(freedom, _TAIL), _WIDEST), dtype=np.float64)


def _logit_ends(value: Floats, variance: Floats, quantile: Floats) -> tuple[Floats, Floats]:
    from scipy.special import expit, logit

    inside = (value > 0) & (value < 1)
    middle = np.where(inside, value, 0.5)
    half = quantile * np.sqrt(variance) / (middle * (1 - middle))
    return np.asarray(expit(logit(middle) - half)), np.asarray(expit(logit(middle) + half))


def _score_ends(value: Floats, variance: Floats, quantile: Floats, trials: Floats) -> tuple[Floats, Floats]:
    """Return Wilson's ends with the effective number of boxes, and at least as wide as `trials` boxes drawn alone."""
    alone = value * (1 - value)
    seen = quantile**2 * divided(variance, alone, undefined=0.0)
    ratio = np.maximum(seen, divided(np.full_like(value, _NORMAL**2), trials))
    middle = (value + ratio / 2) / (1 + ratio)
    half = np.sqrt(ratio * alone + ratio**2 / 4) / (1 + ratio)
    return middle - half, middle + half


def _ratios(part: Floats, whole: Floats) -> Estimates:
    """Return the ratios of two sums over units, both (units, k)."""
    value, left_out = _without_each(part, whole)
    low, high = interval_of(value, left_out=left_out, weight=whole, trials=whole.sum(axis=0))
    return Estimates(value, low, high)


def _without_each(part: Floats, whole: Floats) -> tuple[Floats, Floats]:
    """Return sum(part) / sum(whole), (k,), and the same without each unit, (units, k); NaN for 0 / 0."""
    above, below = part.sum(axis=0), whole.sum(axis=0)
    return divided(above, below), divided(above - part, below - whole)


def f1_parts(counts: Ints) -> Ints:
    """Return what F1 sums above and below, (sheets, 2), from tp, fp, fn of each sheet."""
    right, false, missed = counts.T
    return np.stack([2 * right, 2 * right + false + missed], axis=1)


def shares_of(weight: Floats) -> Floats:
    """Return `weight` (units, k) as shares of its sums over units; 0 where that is 0."""
    return divided(weight, np.broadcast_to(weight.sum(axis=0), weight.shape), undefined=0.0)


def per_unit(counts: Ints, unit: Ints) -> Floats:
    """Return the sums of `counts` (sheets, ...) over the sheets of each unit: (units, ...)."""
    sums = np.zeros((int(unit.max(initial=-1)) + 1, *counts.shape[1:]))
    np.add.at(sums, unit, counts)
    return sums


def divided(above: Floats, below: Floats, *, undefined: float = np.nan) -> Floats:
    """Return `above` / `below`, `undefined` where `below` is not above 0."""
    out = np.full(np.shape(above), undefined)
    np.divide(above, below, out=out, where=below > 0)
    return out
