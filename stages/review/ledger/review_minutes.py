"""What reviews took, in minutes of a person: as the tool says, and where none does, as such sheets take."""

import numpy as np
import pandas as pd

from stages.picking.strategies.earlier_reviews import cost_of


def minutes_of(sheets: pd.DataFrame, *, timed: pd.DataFrame) -> float:
    """Return the minutes that the reviews of `sheets` took, rows of metrics/review_sheets.csv.

    A sheet without a time counts as `cost_of` the sheets of `timed` says; so do labels that were held back, which stand
    for a person. Sheets that nobody looked at do not belong in.
    """
    boxes, errors = (sheets[name].to_numpy(float) for name in ("boxes", "errors"))
    usual = cost_of(timed).minutes(sheets=np.ones(len(sheets)), boxes=boxes, errors=errors)
    known = sheets["seconds"].to_numpy(dtype=float, na_value=np.nan) / 60
    return float(np.where(np.isnan(known), usual, known).sum())
