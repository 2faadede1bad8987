"""Was the picker right? Errors found per box looked at, on picked sheets beside sheets that were drawn at random.

The random sheets are drawn from the whole pool and nobody can tell them from the others, so what is found on them is
what chance would have brought. Sheets, not boxes, are what chance draws: errors of one sheet come together. The rate of
an arm is the sum of errors over the sum of boxes; its variance comes from leaving out each sheet once (the jackknife,
stages/ruler/scores/intervals.py), with one error more added to it, or an arm in which every sheet is alike would be known for
certain. The difference has the sum of both variances, and Welch's degrees of freedom.

A few random sheets hardly ever include a bad one, and then look too much alike, and too good. So their variance is at
least that of sheets as uneven as the picked ones, of which there are more, and at least what `UNEVEN` says. Without it
a picker that is no better than chance was called better up to 23 times in 100 (pickers choose sheets that are alike,
chance does not). benchmarks/arms.py measures how often the interval holds the truth, and each verdict is given.
"""

from math import ceil
from typing import NamedTuple

import numpy as np
import pandas as pd

from stages.picking.random_arm import PICKED, RANDOM
from stages.ruler.scores.intervals import Floats, divided, shares_of, t_quantile

LEAST = 2  # sheets with boxes in an arm, without which nothing is known about how sheets differ
UNEVEN = 0.4  # share of the variance of errors that lies between random sheets, at least: most clean, a few bad
WORTHWHILE = 0.25  # a picker that finds less than this share more errors per box than chance is of no use
FAR = 10  # times as many sheets as there are: a forecast that reaches farther is a guess


class Arm(NamedTuple):
    """What was found on the sheets of one arm."""

    sheets: int
    boxes: int  # looked at: before or after the review
    errors: int
    errors_per_box: float | None  # None without a box


class Comparison(NamedTuple):
    """Both arms, and errors per box on picked sheets minus those on random ones, with its 95 % interval."""

    picked: Arm
    random: Arm
    gain: float | None
    low: float | None
    high: float | None


def compare(sheets: pd.DataFrame) -> Comparison:
    """Return the comparison of the arms; `sheets` has arm, boxes and errors of each reviewed sheet."""
    return between(
        picked=sheets.loc[sheets["arm"] == PICKED, ["errors", "boxes"]].to_numpy(float),
        random=sheets.loc[sheets["arm"] == RANDOM, ["errors", "boxes"]].to_numpy(float),
    )


def between(*, picked: Floats, random: Floats) -> Comparison:
    """Return the comparison of two arms, each (sheets, 2): errors and boxes of each sheet."""
    one, two = _arm(picked), _arm(random)
    if one.errors_per_box is None or two.errors_per_box is None:
        return Comparison(one, two, None, None, None)
    gain = one.errors_per_box - two.errors_per_box
    half = _half_width(picked, random)
    return Comparison(one, two, gain, *((None, None) if half is None else (max(gain - half, -1), min(gain + half, 1))))


def verdict(found: Comparison) -> str:
    """Return in one sentence whether the picker is better than chance, that it is not, or what is not known yet."""
    seen = f"{found.random.sheets} random sheet{'s' * (found.random.sheets != 1)} reviewed so far"
    if found.gain is None or found.low is None or found.high is None:
        needed = f"at least {LEAST} with boxes are needed, of picked ones as well"
        return f"Whether the picker is better than chance is not known yet: {seen}, {needed}."
    numbers = (
        f"{found.picked.errors_per_box:.2f} errors per box on picked sheets, {found.random.errors_per_box:.2f} on "
        f"random ones (difference {found.low:+.2f} to {found.high:+.2f}; {seen})"
    )
    if found.low > 0:
        return f"The picker is better than chance: {numbers}."
    if found.high <= WORTHWHILE * (found.random.errors_per_box or 0.0):
        return f"The picker is not better than chance: {numbers}."
    more = sheets_to_tell(found)
    if found.gain <= 0:
        ahead = "; so far it finds no more"
    else:
        ahead = f"; if that stays so, about {more} more would tell" if more else "; it would take many more to tell"
    return f"Whether the picker is better than chance is not known yet: {numbers}{ahead}."


def sheets_to_tell(found: Comparison) -> int | None:
    """Return about how many random sheets more would show a gain of this size, were it to stay so.

    An interval shrinks with the root of the sheets, in both arms alike. None where there is no gain to be shown, where
    it is shown already, and where so few sheets say nothing of so many (`FAR`).
    """
    if found.gain is None or found.low is None or not found.low <= 0 < found.gain:
        return None
    half = max(found.gain - found.low, (found.high or 0.0) - found.gain)
    needed = found.random.sheets * (half / found.gain) ** 2
    return max(ceil(needed) - found.random.sheets, 1) if needed <= FAR * found.random.sheets else None


def _arm(counts: Floats) -> Arm:
    errors, boxes = counts.sum(axis=0)
    return Arm(len(counts), int(boxes), int(errors), float(errors / boxes) if boxes else None)


def _half_width(picked: Floats, random: Floats) -> float | None:
    """Return half of the interval of the difference, None where an arm has too few sheets with boxes."""
    if min(int((counts[:, 1] > 0).sum()) for counts in (picked, random)) < LEAST:
        return None
    (one, freedom_one), (two, freedom_two) = _variance(picked), _variance(random)
    errors, boxes = picked.sum(axis=0) + random.sum(axis=0)
    rate, concentration = errors / boxes, _concentration(random)
    likely = max(one * concentration / _concentration(picked), UNEVEN * rate * (1 - rate) * concentration)
    if likely > two:
        two, freedom_two = likely, max(freedom_one, freedom_two)
    freedom = (one + two) ** 2 / (one**2 / freedom_one + two**2 / freedom_two)
    return float(t_quantile(np.array([freedom]))[0] * np.sqrt(one + two))


def _variance(counts: Floats) -> tuple[float, float]:
    """Return the variance of errors per box, and its degrees of freedom, of an arm (sheets, 2): errors, boxes."""
    errors, boxes = counts.T
    active = boxes > 0
    left_out = divided(errors.sum() - errors, boxes.sum() - boxes)[active]
    pulls = left_out - errors.sum() / boxes.sum()
    variance = float((pulls**2).sum() * (1 - 1 / active.sum()))
    return variance + float(1 / boxes.sum()) ** 2, 1 / _concentration(counts) - 1


def _concentration(counts: Floats) -> float:
    """Return the sum of squared shares of the sheets' boxes: 1 / n for n sheets of equal size."""
    return float((shares_of(counts[:, 1:]) ** 2).sum())
