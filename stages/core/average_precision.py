"""Average precision as COCO defines it, for all classes, IoU thresholds and weights of the sheets at once."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.core.matching import SHEET, hits

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
RECALLS = np.linspace(0.0, 1.0, 101)  # COCO's grid
AP_IOUS: list[float] = np.linspace(0.5, 0.95, 10).tolist()  # as pycocotools writes them, to the last bit
_BLOCK = 1 << 21  # weights of detections that are looked at together
_SLACK = 1e-9  # sums of broken weights may miss a recall that they reach


class HitTable(NamedTuple):
    """Every judged detection at every IoU threshold, by class_id, then falling confidence, then sheet and row.

    n detections, t thresholds, s sheets, c classes. It holds all that AP needs: see `ap_of`.
    """

    sheet: Ints  # (n,), 0 to s - 1
    class_id: Ints  # (n,), 0 to c - 1, never falling
    confidence: Floats  # (n,), in [0, 1], never rising within a class
    hit: Bools  # (n, t): found a box that counts
    ignored: Bools  # (n, t): neither right nor wrong, as pycocotools does outside of a range of areas
    boxes: Ints  # (s, c): the boxes that count, per sheet and class


def ap_of(table: HitTable, weights: Floats | None = None) -> Floats:
    """Return AP per class and IoU threshold, (c, t) in [0, 1], NaN for a class without boxes.

    `weights`, at least 0, says how often each sheet counts: (s,), or (b, s) for b answers at once, which come
    back as (b, c, t). So leaving out sheet i is a row of ones with a 0 at i, a bootstrap sample a row of counts,
    and None is all ones. A sheet of weight 0 is as good as absent. The weights are looked up once per detection
    and answer: for thousands of sheets, leave out groups of them rather than each.
    """
    rows = np.ones((1, len(table.boxes))) if weights is None else np.atleast_2d(np.asarray(weights, dtype=float))
    slack = 0.0 if (rows == np.rint(rows)).all() else _SLACK
    classes = table.boxes.shape[1]
    edges = np.searchsorted(table.class_id, np.arange(classes + 1))
    answers = np.full((len(rows), classes, table.hit.shape[1]), np.nan)
    there = rows @ table.boxes.astype(float)  # (b, c)
    for c in np.flatnonzero(table.boxes.any(axis=0)):
        part = slice(edges[c], edges[c + 1])
        sheet, hit, ignored = table.sheet[part], table.hit[part], table.ignored[part]
        step = max(1, _BLOCK // max(1, len(sheet)))
        for first in range(0, len(rows), step):
            some = slice(first, first + step)
            weight = np.ascontiguousarray(rows[some].T)[sheet]  # (n of the class, b)
            answers[some, c] = _class_ap(weight, hit=hit, ignored=ignored, boxes=there[some, c], slack=slack)
    return answers if weights is not None and np.ndim(weights) == 2 else answers[0]


def hit_table(
    *,
    detections: pd.DataFrame,
    ground_truth: pd.DataFrame,
    sheets: pd.DataFrame,
    classes: int,
    thresholds: Sequence[float] = AP_IOUS,
) -> HitTable:
    """Return the table of all detections, each judged at each IoU of `thresholds`.

    `sheets` names every sheet that is judged, also those without a box (split, image_id; such as the labelled
    rows of IMAGES): weights are given in its order. Rows of other sheets, or of a class_id from `classes` on, are
    not allowed.
    """
    hit = hits(detections=detections, ground_truth=ground_truth, thresholds=list(thresholds))
    known = pd.MultiIndex.from_frame(sheets[SHEET])
    sheet, truth_sheet = (
        known.get_indexer(pd.MultiIndex.from_frame(part[SHEET])) for part in (detections, ground_truth)
    )
    class_id, confidence = detections["class_id"].to_numpy(np.int64), detections["confidence"].to_numpy(float)
    order = np.lexsort((sheet, -confidence, class_id))
    boxes = np.zeros((len(sheets), classes), dtype=np.int64)
    np.add.at(boxes, (truth_sheet, ground_truth["class_id"].to_numpy()), 1)
    ordered = hit[order]
    return HitTable(sheet[order], class_id[order], confidence[order], ordered, np.zeros_like(ordered), boxes)


def _class_ap(weight: Floats, *, hit: Bools, ignored: Bools, boxes: Floats, slack: float) -> Floats:
    """Return AP of one class, (b, t); `weight` (n, b) of its detections, `boxes` (b,) weighted, NaN where 0."""
    result = np.zeros((hit.shape[1], len(boxes)))
    seen = None if ignored.any() else np.cumsum(weight, axis=0)
    for i, column in enumerate(hit.T):
        rows = np.flatnonzero(column)
        before = np.cumsum(weight * ~ignored[:, i, None], axis=0) if seen is None else seen
        result[i] = _mean_precision(np.cumsum(weight[rows], axis=0), seen=before[rows], boxes=boxes, slack=slack)
    return np.where(boxes > 0, result, np.nan).T


def _mean_precision(right: Floats, *, seen: Floats, boxes: Floats, slack: float) -> Floats:
    """Return the mean, (b,), over `RECALLS` of the best precision at that recall or a higher one.

    Only right detections can be best, so `right` and `seen` hold the running sums at those alone, (hits, b).
    """
    precision = np.divide(right, seen, out=np.zeros_like(right), where=seen > 0)
    best = np.maximum.accumulate(precision[::-1], axis=0)[::-1]
    recall = np.divide(right, boxes, out=np.zeros_like(right), where=boxes > 0) + slack
    # A row serves the recalls that it reaches and the rows before it do not.
    reached = np.where(right > 0, np.searchsorted(RECALLS, recall, side="right"), 0)
    served = np.diff(reached, axis=0, prepend=0)
    return np.asarray((best * served).sum(axis=0) / len(RECALLS), dtype=np.float64)
