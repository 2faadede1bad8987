"""Which of the candidates that a prediction dropped can say what became of a true box."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stages.base.boxes import Boxes
from stages.ruler.pairing.pairs import Bools, Floats, Ints, overlapping_pairs

# Confidence from which something is a candidate. Every anchor of every sheet proposes something: below a thousandth it
# is what the network says about blank paper.
CANDIDATE_FLOOR = 0.001
NEAR = 0.1  # IoU from which a box has to do with another; below it TIDE speaks of background
# why a candidate was not kept
REASONS = FLOOR, NMS, MAX_DET, FILTER, MERGE = "floor", "nms", "max_det", "filter", "merge"


def evidence(
    *,
    class_id: NDArray[np.int32],
    confidence: Floats,
    xyxy: Boxes,
    reason: Ints,
    truth_class: NDArray[np.int32],
    truth: Boxes,
) -> Ints:
    """Return the rows of one sheet's discarded candidates, (n,), that can decide a fate at some IoU of a ruler, sorted.

    `reason` is an index of `REASONS`. Of those that overlap a true box by at least `NEAR`, per true box, reason, and
    right or wrong class: whatever IoU divides "in place" from "beside it", the surest on either side of it is kept, so
    the ledger says the same with them as with all, of which a dense sheet has a hundred thousand.
    """
    one = {"detection_group": np.zeros(len(xyxy), np.int64), "ground_truth_group": np.zeros(len(truth), np.int64)}
    pairs = overlapping_pairs(detections=xyxy, ground_truth=truth, iou=NEAR, **one)
    right = (class_id[pairs.detection] == truth_class[pairs.truth]).astype(np.int64)
    keys = (pairs.truth, reason[pairs.detection], right)
    order = np.lexsort((-pairs.iou, -confidence[pairs.detection], *reversed(keys)))
    first = starts([key[order] for key in keys])
    iou = pairs.iou[order]
    # By falling confidence, what lies better, or worse, than all that is surer is the surest beyond some IoU.
    return np.unique(pairs.detection[order[_records(iou, first) | _records(-iou, first)]])


def starts(keys: Sequence[Ints]) -> Bools:
    """Return where a new combination of the sorted `keys` begins, (p,)."""
    table = np.stack(keys)
    new = np.ones(table.shape[1], dtype=bool)
    new[1:] = (table[:, 1:] != table[:, :-1]).any(axis=0)
    return new


def _records(values: Floats, first: Bools) -> Bools:
    """Return which of `values` are larger than all before them in their run; a run begins where `first` says."""
    found = np.zeros(len(values), dtype=bool)
    best = -np.inf
    for place, (value, new) in enumerate(zip(values.tolist(), first.tolist(), strict=True)):
        if new or value > best:
            found[place], best = True, value
    return found
