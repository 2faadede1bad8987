"""Which detections overlap which true boxes at all, and the best of each."""

import numpy as np
import pandas as pd

from stages.base.boxes import BOX
from stages.ruler.matching.matching import sheet_numbers
from stages.ruler.pairing.evidence import starts
from stages.ruler.pairing.pairs import Floats, Ints, Pairs, overlapping_pairs


def overlaps(*, detections: pd.DataFrame, ground_truth: pd.DataFrame, least: float) -> Pairs:
    """Return all pairs of a sheet, whatever their classes, with an IoU of at least `least` (over 0).

    Rows are positions in the two tables, whatever their index.
    """
    found_on, truth_on = sheet_numbers(detections, ground_truth)
    return overlapping_pairs(
        detections=detections[BOX].to_numpy(float),
        detection_group=found_on,
        ground_truth=ground_truth[BOX].to_numpy(float),
        ground_truth_group=truth_on,
        iou=least,
    )


def first_of(*keys: Ints, order: tuple[Floats | Ints, ...]) -> Ints:
    """Return the position of the first row of every distinct combination of `keys`, by the values of `order`.

    All arrays are (p,); the earlier of `order` weigh more, smaller values come first, equal ones by position. The
    answer is sorted by the keys.
    """
    by = np.lexsort((*reversed(order), *reversed(keys)))
    return np.asarray(by[starts([key[by] for key in keys])], dtype=np.int64)
