"""`earned`: the sheets with most errors to mend in a minute of review, as this project's own labels let expect.

On a sheet the reviewer deletes or renames pre-labels that are wrong, and adds what has none. With p the calibrated
chance that a detection is right (calibration.py beside this), a pre-label is wrong with 1 - p, and a fainter detection
is an object without a pre-label with p; objects without any detection are expected in proportion to all that are there.
A wrong pre-label that lies on a missing object is one error with it, so there are `Calibration.once` errors for each of
these. The minutes are those of review_cost.py for a sheet with these boxes and errors.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from stages.picking.strategies.pool_view import Floats, Order, PoolView, by_score, summed
from stages.picking.strategies.review_cost import ReviewCost


class Expected(NamedTuple):
    """What is expected on each sheet, (s,) each, before a reviewer looks."""

    boxes: Floats  # looked at: pre-labels, and what is added
    errors: Floats
    variance: Floats  # of the errors, each box for itself
    minutes: Floats


def earned_order(view: PoolView, cost: ReviewCost, rng: np.random.Generator) -> Order:
    """Return the sheets by expected errors per expected minute."""
    found = expected(view, cost)
    return by_score(found.errors / found.minutes, _Said(found), rng)


class _Said(Sequence[str]):
    """The sentence of each sheet, made when it is asked for: few of them are."""

    def __init__(self, found: Expected) -> None:
        self.found = found

    def __len__(self) -> int:
        return len(self.found.errors)

    def __getitem__(self, place: Any) -> Any:
        boxes, errors, _, minutes = (values[place] for values in self.found)
        return f"{errors:.1f} errors expected among {boxes:.0f} boxes, in {minutes:.1f} minutes."


def expected(view: PoolView, cost: ReviewCost) -> Expected:
    """Return what a reviewer is expected to find on each sheet."""
    chance = view.calibration.chance(view.class_id, view.confidence)
    drawn = view.confidence >= view.prelabel
    wrong, missing = np.where(drawn, 1 - chance, 0.0), np.where(drawn, 0.0, chance)
    overlooked = view.calibration.overlooked * summed(chance, view)
    added = summed(missing, view) + overlooked
    mistakes, once = summed(wrong, view) + added, view.calibration.once
    errors = once * mistakes
    boxes = summed(drawn.astype(float), view) + added - (mistakes - errors)
    variance = once**2 * (summed(chance * (1 - chance), view) + overlooked)
    minutes = cost.minutes(sheets=np.ones(len(errors)), boxes=boxes, errors=errors)
    return Expected(boxes, errors, variance, minutes)
