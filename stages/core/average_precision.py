"""Average precision as COCO defines it, for all classes, IoU thresholds and weights of the sheets at once."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.core.boxes import BOX, area
from stages.core.matching import Sheets, found_boxes, sheet_numbers

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
RECALLS = np.linspace(0.0, 1.0, 101)  # COCO's grid
AP_IOUS: list[float] = np.linspace(0.5, 0.95, 10).tolist()  # as pycocotools has them, to the last bit
_BLOCK = 1 << 21  # weights of detections that are looked at together


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


def hit_table(
    *,
    detections: pd.DataFrame,
    ground_truth: pd.DataFrame,
    sheets: pd.DataFrame,
    classes: int,
    thresholds: Sequence[float] = AP_IOUS,
    areas: tuple[float, float] | None = None,
) -> HitTable:
    """Return the table of all detections, each judged at each IoU of `thresholds`.

    `sheets` names every sheet that is judged, also those without a box (split, image_id; such as the labelled rows
    of IMAGES): weights are given in its order. A ValueError says when a row is of another sheet. With `areas`, px²
    from the first on and below the second, only boxes of that size count. As in pycocotools, a detection that found
    another box, or none while it is of another size itself, is then ignored.
    """
    of_sheets, *numbers = sheet_numbers(sheets, detections, ground_truth)
    found = found_boxes(
        detections=detections,
        ground_truth=ground_truth,
        thresholds=thresholds,
        sheets=Sheets(*numbers),
        worse=None if areas is None else _outside(ground_truth, areas),
    )
    sheet, truth_sheet = (_places(of_sheets, of_rows) for of_rows in numbers)
    class_id, confidence = detections["class_id"].to_numpy(np.int64), detections["confidence"].to_numpy(float)
    order = np.lexsort((sheet, -confidence, class_id))
    hit, ignored, counted = _judged(found, detections, ground_truth, areas)
    truth_class = ground_truth["class_id"].to_numpy(np.int64)
    cells = np.bincount((truth_sheet * classes + truth_class)[counted], minlength=len(sheets) * classes)
    boxes = cells.reshape(len(sheets), classes)
    return HitTable(sheet[order], class_id[order], confidence[order], hit[order], ignored[order], boxes)


def ap_of(table: HitTable, weights: Floats | None = None) -> Floats:
    """Return AP per class and IoU threshold, (c, t) in [0, 1], NaN for a class without boxes.

    `weights` says how often each sheet counts, in whole numbers from 0 on: (s,), or (b, s) for b answers at once,
    which come back as (b, c, t). So leaving out sheet i is a row of ones with a 0 at i, a bootstrap sample a row of
    counts, and None is all ones. A sheet of weight 0 is as good as absent. The weights are looked up once per
    detection and answer: for thousands of sheets, leave out groups of them rather than each.
    """
    rows = np.ones((1, len(table.boxes))) if weights is None else np.atleast_2d(np.asarray(weights, dtype=float))
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
            answers[some, c] = _class_ap(weight, hit=hit, ignored=ignored, boxes=there[some, c])
    return answers if weights is not None and np.ndim(weights) == 2 else answers[0]


def best_precision(right: Floats, *, seen: Floats, boxes: Floats) -> tuple[Floats, Ints]:
    """Return for every right detection the best precision at its recall or a higher one, and its share of `RECALLS`.

    Detections go by falling confidence, of them only the right ones, k, since no other can be best; b answers at
    once. `right` and `seen`, (k, b), are the sums of weights of the right ones and of all up to there, `boxes` (b,)
    that of the ground truth. The shares, (k, b), count the recalls that a detection reaches and none before it does.
    """
    precision = np.divide(right, seen, out=np.zeros_like(right), where=seen > 0)
    best = np.maximum.accumulate(precision[::-1], axis=0)[::-1]
    recall = np.divide(right, boxes, out=np.zeros_like(right), where=boxes > 0)
    reached = np.where(right > 0, np.searchsorted(RECALLS, recall, side="right"), 0)
    return best, np.diff(reached, axis=0, prepend=0)


def _class_ap(weight: Floats, *, hit: Bools, ignored: Bools, boxes: Floats) -> Floats:
    """Return AP of one class, (b, t); `weight` (n, b) of its detections, `boxes` (b,) weighted, NaN where 0."""
    result = np.zeros((hit.shape[1], len(boxes)))
    all_seen = None if ignored.any() else np.cumsum(weight, axis=0)
    for i, column in enumerate(hit.T):
        rows = np.flatnonzero(column)
        seen = np.cumsum(weight * ~ignored[:, i, None], axis=0) if all_seen is None else all_seen
        best, share = best_precision(np.cumsum(weight[rows], axis=0), seen=seen[rows], boxes=boxes)
        result[i] = (best * share).sum(axis=0) / len(RECALLS)
    return np.where(boxes > 0, result, np.nan).T


def _judged(
    found: Ints, detections: pd.DataFrame, ground_truth: pd.DataFrame, areas: tuple[float, float] | None
) -> tuple[Bools, Bools, Bools]:
    """Return hit and ignored (n, t), and which boxes count (m,), from the row that each detection found, or -1."""
    if areas is None:
        return found >= 0, np.zeros(found.shape, dtype=bool), np.ones(len(ground_truth), dtype=bool)
    other, other_self = _outside(ground_truth, areas), _outside(detections, areas)
    on_other = (found >= 0) & np.append(other, False)[found]
    return (found >= 0) & ~on_other, on_other | ((found < 0) & other_self[:, None]), ~other


def _outside(table: pd.DataFrame, areas: tuple[float, float]) -> Bools:
    sizes = area(table[BOX].to_numpy(float))
    return np.asarray((sizes < areas[0]) | (sizes >= areas[1]), dtype=bool)


def _places(of_sheets: Ints, of_rows: Ints) -> Ints:
    """Return the place of the sheet of every row in `of_sheets`."""
    places = np.full(max(of_sheets.max(initial=-1), of_rows.max(initial=-1)) + 1, -1)
    places[of_sheets] = np.arange(len(of_sheets))
    if (places[of_rows] < 0).any():
        raise ValueError(f"row {int((places[of_rows] < 0).argmax())} is of a sheet that is not judged")
    return places[of_rows]
