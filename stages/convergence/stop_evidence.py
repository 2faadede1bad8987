"""When the loop stops by evidence (`converge.rule: evidence`): a rule answers yes, no or cannot tell; only yes stops.

target_f1     yes when the low end of F1's interval is at least the target, no when the high end is under it
plateau       the curves behind the history (learning_curve.py) say how likely F1 rises by at least the wanted gain in
              the next window: yes up to 5 %, no from 95 %
overfitting   yes when the low end of the gap's interval is above the limit, no when the high end is not. Train and
              val are other sheets, so nothing is paired: the ends are those of both F1, put together by squares (Zou
              and Donner, 2008)

A plateau is not asked of the past window's own interval: two trainings differ by 0.014 for no reason (standard
deviation, where one differs by 0.01), so that interval ends above a gain of 0.005 nearly always, and the rule would
never hold. All iterations together know more, and the question is what comes next, not what came.

The rules are asked after every iteration, and one accident in `max_iterations` looks is enough for a wrong stop. So the
low ends of target and gap, those that stop, lie as far out as a chance of 5 % shared by all looks asks for: 1.3 times
as far as those of 95 % for ten. Chances of curves need no such thing, as each counts all that was seen. What comes of
it: `python -m benchmarks.stopping`.

How many sheets of val would tell: the ends come nearer as one over the root of the number of sheets. Assumed is that
further sheets are like those of val, and that F1 and gap stay where they are.
"""

from collections.abc import Iterable, Sequence
from math import ceil, sqrt
from typing import NamedTuple

import numpy as np

from stages.convergence.gains import NORMAL, Gain, difference
from stages.convergence.learning_curve import LEAST, CurveSet, chance_of, curves_of, rise_within
from stages.convergence.stop_rules import StopLimits, Verdict, enough, too_long
from stages.wording.quantities import counted

TAIL = 0.05  # chance from which a plateau is not ruled out, and under which it is none
MOST_SHEETS = 2000  # beyond it no number of sheets is named
YES, NO, CANNOT_TELL = "yes", "no", "cannot tell"


class Rate(NamedTuple):
    """An F1 in [0, 1] with its 95 % interval; None where undefined."""

    value: float | None
    low: float | None
    high: float | None


class Measured(NamedTuple):
    """What is known after an iteration."""

    val: Rate
    train: Rate
    gain: Gain | None  # over the window, None while there are too few iterations
    f1: Sequence[float]  # F1 on val of the last iterations that compare with this one, which is the last
    val_sd: float | None  # scatter of each from the choice of val's sheets, without what they have in common
    sheets: int  # labelled ones in val
    done: int  # iterations
    minutes: float | None  # of all reviews so far; None: not known


class Answer(NamedTuple):
    """What a rule answers. `value` and its ends are None where undefined."""

    rule: str  # target_f1, plateau, overfitting
    answer: str  # yes, no, cannot tell
    value: float | None  # F1 on val; gain expected over the next window; gap between train and val
    low: float | None  # low end of the interval that decides: for a yes of target and gap over all iterations together
    high: float | None  # its high end: that of 95 %, of a plateau 90 %
    limit: float  # what it is compared with
    # sheets in val with which it would be yes or no; null where it is, where more would not help, or more than 2000
    sheets_needed: int | None
    says: str  # the answer in words


def judge_evidence(seen: Measured, limits: StopLimits) -> tuple[Verdict, list[Answer]]:
    """Return the verdict on the iteration that was just measured, and the answers of target, plateau, overfitting."""
    answers = [_target(seen, limits), _plateau(seen, limits), _overfitting(seen, limits)]
    target, *others = ((one.rule, f"{_sentence([one])}" if one.answer == YES else None) for one in answers)
    bounds = [("max_iterations", enough(seen.done, limits)), ("max_minutes", too_long(seen.minutes, limits))]
    past, gap = seen.gain, difference(seen.train.value, seen.val.value)
    numbers = (past.gain, past.low, past.high, gap) if past else (None, None, None, gap)
    for rule, reason in (target, *bounds, *others):
        if reason:
            return Verdict("stop", rule, reason, *numbers), answers
    done = f"{seen.done} of {limits.max_iterations} iterations done"
    return Verdict("go on", None, f"{_sentence(answers)[:-1]}; {done}.", *numbers), answers


def _target(seen: Measured, limits: StopLimits) -> Answer:
    value, low, high = seen.val.value, _far_out(seen.val.value, seen.val.low, limits), seen.val.high
    limit, goal = limits.target_f1, f"the target of {_short(limits.target_f1)}"
    if value is None:
        return Answer("target_f1", CANNOT_TELL, value, low, high, limit, None, "F1 on val is undefined")
    found = f"F1 on val is {_short(value)}{_between(low, high)}"
    if low is None or high is None:
        return Answer("target_f1", CANNOT_TELL, value, low, high, limit, None, f"{found}, without an interval")
    if low >= limit:
        return Answer("target_f1", YES, value, low, high, limit, None, f"{found}, at least {goal}")
    if high < limit:
        return Answer("target_f1", NO, value, low, high, limit, None, f"{found}, under {goal}")
    half = value - low if value >= limit else high - value
    needed = _sheets(seen.sheets, half**2, (value - limit) ** 2)
    says = f"{found}, which may be {goal} or not: {_needs(needed, seen.sheets)}"
    return Answer("target_f1", CANNOT_TELL, value, low, high, limit, _named(needed), says)


def _plateau(seen: Measured, limits: StopLimits) -> Answer:
    """Return whether the next window will gain less than wanted; `value` is the middle of what the curves say."""
    window, limit = limits.plateau_window, limits.plateau_gain
    curves = curves_of(seen.f1, val_sd=seen.val_sd or 0.0, ahead=window)
    if curves is None or seen.val.value is None or len(seen.f1) <= window:
        few = f"{max(LEAST, window + 1)} iterations by one ruler show whether F1 still rises, there are {len(seen.f1)}"
        return Answer("plateau", CANNOT_TELL, None, None, None, limit, None, few)
    if seen.val_sd is None:
        return Answer("plateau", CANNOT_TELL, None, None, None, limit, None, "gains have no interval on this val")
    answer, ends = _rises_less(curves, limits), rise_within(curves, steps=window, tail=TAIL)
    middle = rise_within(curves, steps=window, tail=0.5).low
    ahead = f"over the next {counted(window, 'iteration')}"
    rises = f"{ahead} F1 rises by {_short(ends.low or 0.0)} to {_short(ends.high or 0.0)}, as the history goes"
    if answer == YES:
        says = f"{rises}: less than {_short(limit)}"
        return Answer("plateau", YES, middle, *ends, limit, None, says)
    if answer == NO:
        return Answer("plateau", NO, middle, *ends, limit, None, f"{rises}: at least {_short(limit)}")
    needed = _sheets_for_plateau(seen, seen.val_sd, limits)
    says = f"{rises}, and {_short(limit)} is wanted: {_needs(needed, seen.sheets)}"
    return Answer("plateau", CANNOT_TELL, middle, *ends, limit, _named(needed), says)


def _rises_less(curves: CurveSet, limits: StopLimits) -> str:
    """Return whether the curves rise by less than wanted in the next window."""
    chance = chance_of(curves, limits.plateau_gain, steps=limits.plateau_window)
    return YES if chance <= TAIL else NO if chance >= 1 - TAIL else CANNOT_TELL


def _overfitting(seen: Measured, limits: StopLimits) -> Answer:
    gap, limit = difference(seen.train.value, seen.val.value), limits.overfit_gap
    if gap is None:
        lacking = "val" if seen.val.value is None else "train"
        return Answer("overfitting", CANNOT_TELL, gap, None, None, limit, None, f"F1 on {lacking} is undefined")
    train, val = _sides(seen.train), _sides(seen.val)
    if train is None or val is None:
        says = f"train minus val is {_short(gap)}, without an interval"
        return Answer("overfitting", CANNOT_TELL, gap, None, None, limit, None, says)
    low = _far_out(gap, difference(gap, sqrt(train[0] ** 2 + val[1] ** 2)), limits)
    high = difference(gap, -sqrt(train[1] ** 2 + val[0] ** 2))
    found = f"train minus val is {_short(gap)}{_between(low, high)}"
    if low is not None and low > limit:
        return Answer("overfitting", YES, gap, low, high, limit, None, f"{found}, more than {_short(limit)}")
    if high is not None and high <= limit:
        return Answer("overfitting", NO, gap, low, high, limit, None, f"{found}, at most {_short(limit)}")
    further = _further(limits)
    own, of_val = (train[0] * further, val[1] * further) if gap > limit else (train[1], val[0])
    needed = _sheets(seen.sheets, of_val**2, (gap - limit) ** 2 - own**2)
    says = f"{found}, at most {_short(limit)} or not: {_needs(needed, seen.sheets)}"
    return Answer("overfitting", CANNOT_TELL, gap, low, high, limit, _named(needed), says)


def _further(limits: StopLimits) -> float:
    """Return how many times as far out as that of 95 % an end lies that all looks together pass by `TAIL`."""
    from scipy.special import ndtri  # type: ignore[import-untyped]

    return max(float(-ndtri(TAIL / limits.max_iterations)) / NORMAL, 1.0)


def _far_out(value: float | None, low: float | None, limits: StopLimits) -> float | None:
    """Return the low end for all looks together, from that of 95 %."""
    return None if value is None or low is None else difference(value, (value - low) * _further(limits))


def _sides(rate: Rate) -> tuple[float, float] | None:
    """Return how far the ends lie below and above."""
    if rate.value is None or rate.low is None or rate.high is None:
        return None
    return rate.value - rate.low, rate.high - rate.value


def _sheets(now: int, square: float, room: float) -> float:
    """Return with how many sheets `square`, which is that of `now` sheets, shrinks to `room`; inf: with none."""
    return now * square / room if room > 0 else np.inf


def _sheets_for_plateau(seen: Measured, val_sd: float, limits: StopLimits) -> float:
    """Return the least number of sheets that tells, to a quarter; inf: none does. More than the most: some number."""

    def tells(sheets: float) -> bool:
        scatter = val_sd * sqrt(seen.sheets / sheets)
        curves = curves_of(seen.f1, val_sd=scatter, ahead=limits.plateau_window)
        return curves is not None and _rises_less(curves, limits) != CANNOT_TELL

    if not tells(MOST_SHEETS):
        return MOST_SHEETS + 1 if tells(np.inf) else np.inf
    few, enough_sheets = float(seen.sheets), float(MOST_SHEETS)
    while enough_sheets > 1.25 * few:
        middle = sqrt(few * enough_sheets)
        few, enough_sheets = (few, middle) if tells(middle) else (middle, enough_sheets)
    return enough_sheets


def _named(needed: float) -> int | None:
    return ceil(round(needed, 6)) if needed <= MOST_SHEETS else None


def _needs(needed: float, now: int) -> str:
    if np.isinf(needed):
        return "cannot be told, and more sheets in val would not tell"
    number = f"about {_named(needed)}" if needed <= MOST_SHEETS else f"more than {MOST_SHEETS}"
    return f"cannot be told with {counted(now, 'sheet')} in val, {number} would tell"


def _sentence(answers: Iterable[Answer]) -> str:
    text = "; ".join(one.says for one in answers)
    return f"{text[:1].upper()}{text[1:]}."


def _between(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f" ({_short(low)} to {_short(high)})"


def _short(value: float) -> str:
    return f"{value + 0.0:.4f}".rstrip("0").rstrip(".")
