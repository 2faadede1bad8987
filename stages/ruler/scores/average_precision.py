"""Average precision as COCO defines it, for all classes, IoU thresholds and weights of the sheets at once."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from stages.base.boxes import BOX, area
from stages.ruler.matching.matching import Found, Sheets, find, sheet_numbers
from stages.ruler.pairing.pairs import Bools, Floats, Ints

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
    found = find(
        detections=detections,
        ground_truth=ground_truth,
        thresholds=thresholds,
        sheets=Sheets(*numbers),
        worse=None if areas is None else _outside(ground_truth, areas),
    )
    sheet, truth_sheet = (_places(of_sheets, of_rows) for of_rows in numbers)
    class_id, confidence = detections["class_id"].to_numpy(np.int64), detections["confidence"].to_numpy(float)
    order = _order(sheet, confidence, class_id)
    hit, ignored, counted = _judged(found, detections, ground_truth, order=order, areas=areas)
    cells = truth_sheet * classes + ground_truth["class_id"].to_numpy(np.int64)
    boxes = np.bincount(cells[counted], minlength=len(sheets) * classes).reshape(len(sheets), classes)
    return HitTable(sheet[order], class_id[order], confidence[order], hit, ignored, boxes)


def ap_of(table: HitTable, weights: Floats | Ints | None = None) -> Floats:
    """Return AP per class and IoU threshold, (c, t) in [0, 1], NaN for a class without boxes.

    `weights` says how often each sheet counts, in whole numbers from 0 on: (s,), or (b, s) for b answers at once,
    which come back as (b, c, t). So leaving out sheet i is a row of ones with a 0 at i, a bootstrap sample a row of
    counts, and None is all ones. A sheet of weight 0 is as good as absent; a ValueError says that a weight is broken.
    The weights are looked up once per detection and answer: for thousands of sheets, leave out groups of them rather
    than each.
    """
    given = np.atleast_2d(np.ones(len(table.boxes)) if weights is None else weights)
    rows = given.astype(np.int64)
    if (rows != given).any():
        raise ValueError("weights of sheets are whole numbers")
    classes = table.boxes.shape[1]
    edges = np.searchsorted(table.class_id, np.arange(classes + 1))
    answers = np.full((len(rows), classes, table.hit.shape[1]), np.nan)
    there = (rows.astype(float) @ table.boxes.astype(float)).astype(np.int64)  # (b, c); integers would not use BLAS
    for c in np.flatnonzero(table.boxes.any(axis=0)):
        part = slice(edges[c], edges[c + 1])
        sheet, hit, ignored = table.sheet[part], table.hit[part], table.ignored[part]
        step = max(1, _BLOCK // max(1, len(sheet)))
        for first in range(0, len(rows), step):
            some = slice(first, first + step)
            weight = np.take(rows[some], sheet, axis=1)
            answers[some, c] = _class_ap(weight, hit=hit, ignored=ignored, boxes=there[some, c])
    return answers if weights is not None and np.ndim(weights) == 2 else answers[0]


def recalls_reached(boxes: Ints) -> Ints:
    """Return how many of `RECALLS` are reached by 0, 1, 2, .. right detections of `boxes` (b,): (b, 1 + most)."""
    right = np.arange(1 + boxes.max(initial=0))
    recall = np.minimum(right / np.maximum(boxes, 1)[:, None], 1.0)
    near = (recall * (len(RECALLS) - 1) + 1e-6).astype(np.int64)  # the last one that is reached, or the one after it
    return np.where(right > 0, near + 1 - (RECALLS[near] > recall), 0)


def best_precision(right: Ints, *, seen: Ints, reached: Ints) -> tuple[Floats, Ints]:
    """Return for every right detection the best precision at its recall or a higher one, and its share of `RECALLS`.

    Detections go by falling confidence, of them only the right ones, k, since no other can be best; b answers at
    once. `right` and `seen`, (b, k), are the sums of weights of the right ones and of all up to there, `reached` is
    that of `recalls_reached`. The shares, (b, k), count the recalls that a detection reaches and none before it does.
    """
    best = right / np.maximum(seen, 1)
    np.maximum.accumulate(best[:, ::-1], axis=1, out=best[:, ::-1])
    share = np.take(reached, right + np.arange(len(right))[:, None] * reached.shape[1])
    share[:, 1:] -= share[:, :-1].copy()
    return best, share


def _class_ap(weight: Ints, *, hit: Bools, ignored: Bools, boxes: Ints) -> Floats:
    """Return AP of one class, (b, t); `weight` (b, n) of its detections, `boxes` (b,) weighted, NaN where 0."""
    result = np.zeros((len(boxes), hit.shape[1]))
    reached = recalls_reached(boxes)
    ever = np.flatnonzero(hit.any(axis=1))  # the right ones at any IoU: few of all
    all_seen = None if ignored.any() else _sums(weight, ever)
    hit, own = hit[ever], weight[:, ever]
    for i in range(hit.shape[1]):
        rows = np.flatnonzero(hit[:, i])
        last = _ends_of_runs(ever[rows])  # of right neighbours the last has the best precision
        right = np.cumsum(own[:, rows], axis=1)[:, last]
        seen = _sums(weight * ~ignored[:, i], ever) if all_seen is None else all_seen
        best, share = best_precision(right, seen=seen[:, rows[last]], reached=reached)
        result[:, i] = np.einsum("bk,bk->b", best, share) / len(RECALLS)
    result[boxes == 0] = np.nan
    return result


def _ends_of_runs(rows: Ints) -> Ints:
    """Return the places in the rising `rows` (k,) that the next number does not follow."""
    ends = np.ones(len(rows), dtype=bool)
    ends[:-1] = rows[1:] != rows[:-1] + 1
    return np.flatnonzero(ends)


def _sums(weight: Ints, rows: Ints) -> Ints:
    """Return the sums of `weight` (b, n) up to each of the rising `rows` (k,): (b, k)."""
    if not len(rows):
        return np.zeros((len(weight), 0), dtype=np.int64)
    starts = np.append(0, rows[:-1] + 1)
    parts = np.add.reduceat(weight[:, : rows[-1] + 1], starts, axis=1)
    return np.asarray(np.cumsum(parts, axis=1), dtype=np.int64)


def _order(sheet: Ints, confidence: Floats, class_id: Ints) -> Ints:
    """Return the rows by class, falling confidence, sheet and row: as one number each, which sorts fastest."""
    by_sheet = np.argsort(sheet, kind="stable")
    levels, level = np.unique(-confidence[by_sheet], return_inverse=True)
    key = (class_id[by_sheet] * len(levels) + level) * len(sheet) + np.arange(len(sheet))
    return np.asarray(by_sheet[np.sort(key) % max(1, len(sheet))], dtype=np.int64)


def _judged(
    found: Found,
    detections: pd.DataFrame,
    ground_truth: pd.DataFrame,
    *,
    order: Ints,
    areas: tuple[float, float] | None,
) -> tuple[Bools, Bools, Bools]:
    """Return hit and ignored (n, t), detections in their `order`, and which boxes count (m,)."""
    shape = (len(order), found.box.shape[1])
    hit, ignored = (np.zeros(shape, dtype=bool, order="F") for _ in range(2))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    places = place[found.rows]
    if areas is None:
        hit[places] = found.box >= 0
        return hit, ignored, np.ones(len(ground_truth), dtype=bool)
    other, other_self = _outside(ground_truth, areas), _outside(detections, areas)
    on_other = (found.box >= 0) & np.append(other, False)[found.box]
    hit[places] = (found.box >= 0) & ~on_other
    ignored[:] = other_self[order][:, None]
    ignored[places] = on_other | ((found.box < 0) & other_self[found.rows][:, None])
    return hit, ignored, ~other


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
