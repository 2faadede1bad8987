"""Was the picker right? Errors found per box looked at, on picked sheets beside sheets that were drawn at random.

The random sheets are drawn from the whole pool and nobody can tell them from the others, so what is found on them is
what chance would have brought. But packets differ in size, in their share of random sheets, and in how much there is to
find, less with each iteration: with all sheets in one pot a picker that is chance looks better or worse by nothing but
the order of its packets (Simpson's paradox). So picked and random sheets are compared within each iteration, and the
differences averaged with the weights of Mantel and Haenszel for a difference of rates, b_p b_r / (b_p + b_r), where b
are the boxes of each arm (Greenland and Robins, Biometrics 41, 1985, pp. 55-68; least squares with a level for each
iteration and one difference for all give the same). A picker that is chance then gains nothing on average, also where
sheets with many boxes have more errors, or fewer: an iteration's term (e_p b_r - e_r b_p) / (b_p + b_r) is a sum over
pairs of sheets that changes its sign when both change places. Iterations without boxes in one of the arms say nothing,
and weigh nothing. Both arms' rates have these weights, so the gain is their difference.

Sheets, not boxes, are what chance draws: errors of one sheet come together. So the variance of an arm comes from
leaving out each of its sheets once (the jackknife, stages/ruler/scores/intervals.py), which for an only random sheet
leaves out its iteration. One error more is added, or an arm in which every sheet is alike would be known for certain.
The difference has the sum of both variances, and Welch's degrees of freedom.

A few random sheets hardly ever include a bad one, and then look too much alike, and too good. So their variance is at
least that of sheets as uneven as the picked ones, of which there are more, and at least what `UNEVEN` says. Without it
a picker that is no better than chance was called better up to 23 times in 100 (pickers choose sheets that are alike,
chance does not). benchmarks/arms.py measures how often the interval holds the truth, and each verdict is given.
"""

from collections.abc import Sequence
from math import ceil
from typing import NamedTuple

import numpy as np
import pandas as pd

from stages.picking.random_arm import PICKED, RANDOM
from stages.ruler.pairing.pairs import Floats, Ints
from stages.ruler.scores.intervals import divided, t_quantile
from stages.wording.quantities import counted, some

LEAST = 2  # sheets with boxes in an arm, without which nothing is known about how sheets differ
UNEVEN = 0.4  # share of the variance of errors that lies between random sheets, at least: most clean, a few bad
WORTHWHILE = 0.25  # a picker that finds less than this share more errors per box than chance is of no use
FAR = 10  # times as many sheets as there are: a forecast that reaches farther is a guess


class Arm(NamedTuple):
    """What was found on the sheets of one arm, of all iterations."""

    sheets: int
    boxes: int  # looked at: before or after the review
    errors: int
    errors_per_box: float | None  # iterations weighted as in the comparison; plain where none can be compared


class Comparison(NamedTuple):
    """Both arms, and errors per box on picked sheets minus those on random ones, with its 95 % interval."""

    picked: Arm
    random: Arm
    gain: float | None
    low: float | None
    high: float | None
    left_out: tuple[int, ...] = ()  # iterations without boxes in one of the arms


class _Side(NamedTuple):
    """The sheets of one arm."""

    place: Ints  # (sheets,): the row of the sheet's iteration in `sums`
    counts: Floats  # (sheets, 2): errors, boxes
    sums: Floats  # (iterations, 2)


def compare(sheets: pd.DataFrame) -> Comparison:
    """Return the comparison of the arms; `sheets` has iteration, arm, boxes and errors of each reviewed sheet."""
    columns = ["iteration", "errors", "boxes"]
    return between(
        picked=sheets.loc[sheets["arm"] == PICKED, columns].to_numpy(float),
        random=sheets.loc[sheets["arm"] == RANDOM, columns].to_numpy(float),
    )


def between(*, picked: Floats, random: Floats) -> Comparison:
    """Return the comparison of two arms, each (sheets, 3): iteration, errors and boxes of each sheet."""
    iterations = np.unique(np.concatenate([picked[:, 0], random[:, 0]]))
    one, two = _side(picked, iterations), _side(random, iterations)
    weight = _terms(one.sums, two.sums)[:, 1]
    left_out = tuple(int(name) for name in iterations[weight == 0])
    if not weight.any():
        return Comparison(_arm(one, one.sums[:, 1]), _arm(two, two.sums[:, 1]), None, None, None, left_out)
    gain = float(np.divide(*_terms(one.sums, two.sums).sum(axis=0)))
    half = _half_width(one, two, weight)
    low, high = (None, None) if half is None else (max(gain - half, -1.0), min(gain + half, 1.0))
    return Comparison(_arm(one, weight), _arm(two, weight), gain, low, high, left_out)


def verdict(found: Comparison) -> str:
    """Return in one sentence whether the picker is better than chance, that it is not, or what is not known yet.

    Iterations that were left out of the comparison are named in it.
    """
    seen = f"{counted(found.random.sheets, 'random sheet')} reviewed so far"
    if found.gain is None or found.low is None or found.high is None:
        needed = f"at least {LEAST} with boxes are needed, of picked ones as well and in the same iterations"
        return f"Whether the picker is better than chance is not known yet: {seen}, {needed}."
    numbers = (
        f"{found.picked.errors_per_box:.2f} errors per box on picked sheets, {found.random.errors_per_box:.2f} on "
        f"random ones (difference {found.low:+.2f} to {found.high:+.2f}; {seen}{_left_out(found.left_out)})"
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


def _left_out(iterations: Sequence[int]) -> str:
    if not iterations:
        return ""
    names = some([str(one) for one in iterations])
    return f"; left out, without boxes in one of the arms: iteration{'s' * (len(iterations) > 1)} {names}"


def _side(arm: Floats, iterations: Floats) -> _Side:
    counts = arm[:, 1:]
    return _Side(np.searchsorted(iterations, arm[:, 0]), counts, (iterations[:, None] == arm[:, 0]) @ counts)


def _arm(side: _Side, weight: Floats) -> Arm:
    """Return the sums of an arm, and its rate: the mean over iterations, each with its weight."""
    errors, boxes = side.counts.sum(axis=0)
    rate = float(weight @ _rates(side.sums) / weight.sum()) if weight.any() else None
    return Arm(len(side.counts), int(boxes), int(errors), rate)


def _rates(sums: Floats) -> Floats:
    return divided(sums[:, 0], sums[:, 1], undefined=0.0)


def _terms(one: Floats, two: Floats) -> Floats:
    """Return (n, 2) of the sums (n, 2) in each arm: difference of errors per box times its weight, and the weight."""
    (errors, boxes), (other_errors, other_boxes) = one.T, two.T
    both = np.stack([errors * other_boxes - other_errors * boxes, boxes * other_boxes], axis=1)
    return divided(both, np.repeat(boxes + other_boxes, 2).reshape(-1, 2), undefined=0.0)


def _half_width(picked: _Side, random: _Side, weight: Floats) -> float | None:
    """Return half of the interval of the difference, None where an arm has too few sheets with boxes."""
    share = weight / weight.sum()
    parts, others = _parts(picked, share), _parts(random, share)
    if min(np.count_nonzero(parts), np.count_nonzero(others)) < LEAST:
        return None
    one, two = _variance(picked, random, share), _variance(random, picked, share)
    freedom_one, freedom_two = (1 / float(part @ part) - 1 for part in (parts, others))
    rate = _rates(picked.sums + random.sums)
    likely = max(
        one * float(others @ others / (parts @ parts)),
        UNEVEN * float(others**2 @ (rate * (1 - rate))[random.place]),
    )
    if likely > two:
        two, freedom_two = likely, max(freedom_one, freedom_two)
    freedom = (one + two) ** 2 / (one**2 / freedom_one + two**2 / freedom_two)
    return float(t_quantile(np.array([freedom]))[0] * np.sqrt(one + two))


def _parts(side: _Side, share: Floats) -> Floats:
    """Return what each sheet weighs in the rate of its arm, (sheets,): 1 together; `share` is each iteration's."""
    return share[side.place] * divided(side.counts[:, 1], side.sums[side.place, 1], undefined=0.0)


def _variance(own: _Side, other: _Side, share: Floats) -> float:
    """Return the variance that the sheets of `own` bring to the difference; `share` is each iteration's weight."""
    terms = _terms(own.sums, other.sums)
    without = _terms(own.sums[own.place] - own.counts, other.sums[own.place])
    active = _parts(own, share) > 0
    above, below = (terms.sum(axis=0) - terms[own.place] + without)[active].T
    pulls = above / below - terms[:, 0].sum() / terms[:, 1].sum()
    one_more = share @ divided(share, own.sums[:, 1], undefined=0.0)  # what an error more does to the arm's rate
    return float(pulls @ pulls * (1 - 1 / active.sum()) + one_more**2)
