"""What a strategy knows of the pool, and what it returns: the one interface of all strategies.

Places are row numbers: of sheets (s), of detections (n), of labelled objects (m). A strategy is a function of a
`PoolView` and a Generator that returns every sheet once, the best first; how many of them go to review is not its
business. Permuted detections give the same order, and so do permuted sheets: nothing depends on places but luck.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.picking.strategies.calibration import Calibration

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_CELLS = 1 << 21  # cosines that are held at a time: 16 MB, whatever the pool
STEP = 2.0**-42  # of sums: sums of up to 2,048 values of 1 are exact


class PoolView(NamedTuple):
    """The unlabelled sheets of the pool, what was seen on them, and what is labelled already."""

    sheets: tuple[str, ...]  # (s,) image_ids
    groups: NDArray[np.str_]  # (s,) drawing set of each, "" where unknown
    sheet: Ints  # (n,) place of each detection's sheet
    class_id: Ints  # (n,)
    confidence: Floats  # (n,) in [0, 1]
    features: NDArray[np.float32]  # (n, F) of length 1, or 0 where there are none
    known_class: Ints  # (m,) of each object in train
    known_features: NDArray[np.float32]  # (m, F), rows of 0 where the detector did not see the object
    calibration: Calibration
    prelabel: float  # confidence from which a detection is drawn for the reviewer
    wanted: int  # sheets that about go to review: what looks at the choice as a whole looks at some times as many
    classes: int


class Order(NamedTuple):
    """Sheets by place, the best first; score and sentence of each in the order of `PoolView.sheets`."""

    places: Ints  # (s,)
    score: Floats  # (s,) higher is better
    said: Sequence[str]  # (s,)


def by_score(score: Floats, said: Sequence[str], rng: np.random.Generator) -> Order:
    """Return the order of falling `score`, (s,); equal ones stand in an order of chance."""
    luck = rng.permutation(len(score))
    return Order(np.lexsort((luck, -score.round(9))), score, said)


def summed(values: Floats, view: PoolView) -> Floats:
    """Return the sum of a value per detection, (n,) in [0, 1], for each sheet, (s,).

    Summed in whole steps, so that permuted detections give the same last bits.
    """
    total = np.bincount(view.sheet, weights=np.rint(values / STEP), minlength=len(view.sheets))
    return np.asarray(total * STEP, dtype=np.float64)


def places_of(names: "pd.Series[str]", sheets: "pd.Index[str]") -> Ints:
    """Return where each of `names` stands in `sheets`, -1 for those that do not."""
    codes, uniques = pd.factorize(names)
    return np.asarray(sheets.get_indexer(pd.Index(uniques))[codes], dtype=np.int64)


def nearest_cosines(features: Floats, others: Floats) -> Floats:
    """Return the largest cosine of each row, (n, F), with one of `others`, (m, F), in [0, 1]: (n,); 0 without any."""
    nearest = np.zeros(len(features))
    step = max(1, _CELLS // max(1, len(others)))
    for start in range(0, len(features), step):
        block = slice(start, start + step)
        nearest[block] = (features[block] @ others.T).max(axis=1, initial=0.0)
    return np.minimum(nearest, 1.0)
