"""Was the picker right? Errors found per box looked at, on picked sheets beside sheets that were drawn at random.

The random sheets are drawn from the whole pool and nobody can tell them from the others, so what is found on them is
what chance would have brought. Sheets, not boxes, are what chance draws: errors of one sheet come together. The rate of
an arm is the sum of errors over the sum of boxes; its variance comes from leaving out each sheet once (the jackknife,
stages/core/intervals.py), with one error more added to it, or an arm in which every sheet is alike would be known for
certain. The difference has the sum of both variances, and Welch's degrees of freedom. benchmarks/arms.py measures how
often that interval holds the truth.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from stages.core.intervals import Floats, divided, shares_of, t_quantile

PICKED, RANDOM = "picked", "random"
LEAST = 2  # sheets with boxes in an arm, without which nothing is known about how sheets differ


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
    counts = {name: sheets.loc[sheets["arm"] == name, ["errors", "boxes"]].to_numpy(float) for name in (PICKED, RANDOM)}
    picked, random = (_arm(counts[name]) for name in (PICKED, RANDOM))
    if picked.errors_per_box is None or random.errors_per_box is None:
        return Comparison(picked, random, None, None, None)
    gain = picked.errors_per_box - random.errors_per_box
    half = _half_width(counts[PICKED], counts[RANDOM])
    if half is None:
        return Comparison(picked, random, gain, None, None)
    return Comparison(picked, random, gain, gain - half, gain + half)


def verdict(found: Comparison) -> str:
    """Return in one sentence whether the picker is better than chance, or what is not known yet."""
    random = found.random
    if found.gain is None or found.low is None or found.high is None:
        few = f"{random.sheets} random sheet{'s' * (random.sheets != 1)} reviewed so far"
        return f"Whether the picker is better than chance is not known yet: {few}."
    numbers = (
        f"{found.picked.errors_per_box:.2f} errors per box on picked sheets, {random.errors_per_box:.2f} on random "
        f"ones (difference {found.low:+.2f} to {found.high:+.2f})"
    )
    if found.low > 0:
        return f"The picker is better than chance: {numbers}."
    if found.high < 0:
        return f"The picker is worse than chance: {numbers}."
    return f"The picker is not shown to be better than chance: {numbers}."


def _arm(counts: Floats) -> Arm:
    errors, boxes = counts.sum(axis=0)
    return Arm(len(counts), int(boxes), int(errors), float(errors / boxes) if boxes else None)


def _half_width(picked: Floats, random: Floats) -> float | None:
    """Return half of the interval of the difference, None where an arm has too few sheets with boxes."""
    if min(int((counts[:, 1] > 0).sum()) for counts in (picked, random)) < LEAST:
        return None
    (one, freedom_one), (two, freedom_two) = _variance(picked), _variance(random)
    # A few random sheets hardly ever include a bad one, and then look too much alike: they differ at least as much as
    # the picked ones do, of which there are more.
    likely = one * _concentration(random) / _concentration(picked)
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
