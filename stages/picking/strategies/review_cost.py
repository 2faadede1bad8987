"""What a review costs: seconds for a sheet, for each box on it, and for each error that is mended.

Where a review tool says how long each sheet took, the three numbers are fitted on that; before, and where few sheets
are timed, they are those below, which the fit starts from.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
PRIOR_SHEETS = 10.0  # timed sheets that the numbers below weigh as much as


class ReviewCost(NamedTuple):
    """Seconds of a person."""

    sheet: float = 20.0  # to open it, look over it once, and go on
    box: float = 4.0  # to look at a box
    error: float = 6.0  # to draw, delete or rename one

    def minutes(self, *, sheets: Floats, boxes: Floats, errors: Floats) -> Floats:
        """Return the minutes that reviews take, of the shape of the three."""
        return (self.sheet * sheets + self.box * boxes + self.error * errors) / 60


def known_cost(reviewed: Mapping[str, Any]) -> ReviewCost:
    """Return the cost that metrics/review.json has, `ReviewCost()` where it has none."""
    return ReviewCost(**reviewed["seconds"]) if "seconds" in reviewed else ReviewCost()


def fitted_cost(*, boxes: Floats, errors: Floats, seconds: Floats) -> ReviewCost:
    """Return the cost that fits timed sheets best, (k,) each: least squares with a ridge towards `ReviewCost()`.

    Boxes and errors rise together, so their shares are poorly known from a few sheets: the ridge weighs as much as
    `PRIOR_SHEETS` sheets of a mean size. No number falls below a tenth of where it started: nobody looks for nothing.
    """
    start = np.array(ReviewCost())
    if not len(seconds):
        return ReviewCost()
    design = np.column_stack([np.ones(len(seconds)), boxes, errors])
    size = np.maximum((design**2).mean(axis=0), 1e-9)
    ridge = np.diag(PRIOR_SHEETS * size)
    found = np.linalg.solve(design.T @ design + ridge, design.T @ seconds + ridge @ start)
    return ReviewCost(*np.maximum(found, start / 10).tolist())
