"""One-to-one matching of detections with ground truth, the COCO way."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.core.boxes import BOX, Boxes, iou_matrix

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
SHEET = ["split", "image_id"]


class Pairs(NamedTuple):
    """What every detection found: the row of its box, or -1, and their IoU, 0 without one; both (n,)."""

    found: Ints
    iou: Floats


def greedy(*, overlap: Floats, confidence: Floats, iou: float) -> Pairs:
    """Match by falling confidence: each detection takes the free box with the highest IoU of at least `iou`.

    `overlap` is (detections, ground truth), in [0, 1], -1 where a match is forbidden; `confidence` is
    (detections,). Ties go to the lower row.
    """
    found = np.full(len(overlap), -1, dtype=np.int64)
    quality = np.zeros(len(overlap))
    free = overlap.copy()
    reach = free.max(axis=1, initial=0.0)
    for row in np.argsort(-confidence, kind="stable"):
        if reach[row] < iou:  # nothing there at all: most detections of a low floor
            continue
        best = int(free[row].argmax())
        if free[row, best] >= iou:
            found[row], quality[row] = best, free[row, best]
            free[:, best] = -1.0
    return Pairs(found, quality)


def same_class_overlap(
    *,
    detections: Boxes,
    detection_class: NDArray[np.int32],
    ground_truth: Boxes,
    ground_truth_class: NDArray[np.int32],
) -> Floats:
    """Return the IoU of detections (n, 4) with ground truth (m, 4) as (n, m); -1 where the classes differ."""
    same = detection_class[:, None] == ground_truth_class[None, :]
    return np.where(same, iou_matrix(detections, ground_truth), -1.0)


def match_sheets(
    *, detections: pd.DataFrame, ground_truth: pd.DataFrame, iou: float, any_class: bool = False
) -> pd.DataFrame:
    """Return `object_id` (Int32) and `iou` for every row of `detections`, with their index.

    Matching never crosses a sheet, nor a class unless `any_class`; a null found nothing.
    """
    matches = [
        _match_sheet(detections=found, ground_truth=there, thresholds=[iou], any_class=any_class)
        for found, there in _by_sheet(detections=detections, ground_truth=ground_truth)
    ]
    blank = pd.DataFrame({"object_id": pd.Series(dtype="Int32"), "iou": pd.Series(dtype="float64")})
    table = pd.concat([one[["object_id", "iou"]] for one in matches]) if matches else blank
    return table.reindex(detections.index).astype({"object_id": "Int32", "iou": "float64"}).fillna({"iou": 0.0})


def hits(*, detections: pd.DataFrame, ground_truth: pd.DataFrame, thresholds: list[float]) -> NDArray[np.bool_]:
    """Return whether each detection found an object at each IoU threshold: (detections, thresholds)."""
    rows = pd.DataFrame(False, index=detections.index, columns=range(len(thresholds)))
    for found, there in _by_sheet(detections=detections, ground_truth=ground_truth):
        matched = _match_sheet(detections=found, ground_truth=there, thresholds=thresholds, any_class=False)
        rows.loc[found.index] = matched[list(range(len(thresholds)))].to_numpy()
    return rows.to_numpy(dtype=bool)


def outcomes(*, detections: pd.DataFrame, ground_truth: pd.DataFrame, iou: float, confidence: float) -> pd.DataFrame:
    """Return one row per tp, fp and fn at `confidence` (inclusive): the table MATCHES, unsorted.

    `detections` and `ground_truth` hold labelled sheets only: on others nothing can be judged.
    """
    used = detections[detections["confidence"] >= confidence]
    pairs = match_sheets(detections=used, ground_truth=ground_truth, iou=iou)
    hit = pairs["object_id"].notna()
    judged = used[[*SHEET, "class_id", "detection_id", "confidence"]].assign(
        outcome=np.where(hit, "tp", "fp"), object_id=pairs["object_id"], iou=pairs["iou"].where(hit)
    )
    taken = pd.MultiIndex.from_frame(judged.loc[hit, [*SHEET, "object_id"]])
    missed = ~pd.MultiIndex.from_frame(ground_truth[[*SHEET, "object_id"]]).isin(taken)
    misses = ground_truth.loc[missed, [*SHEET, "class_id", "object_id"]].assign(outcome="fn")
    types = {"object_id": "Int32", "detection_id": "Int32", "confidence": "Float64", "iou": "Float64"}
    absent = misses.reindex(columns=judged.columns)
    return pd.concat([judged.astype(types), absent.astype(types)], ignore_index=True)


def _by_sheet(*, detections: pd.DataFrame, ground_truth: pd.DataFrame) -> list[tuple[pd.DataFrame, pd.DataFrame]]:
    """Return the rows of every sheet that has both, side by side: without boxes there is nothing to match."""
    there = dict(list(ground_truth.groupby(SHEET, sort=False)))
    return [(found, there[key]) for key, found in detections.groupby(SHEET, sort=False) if key in there]


def _match_sheet(
    *, detections: pd.DataFrame, ground_truth: pd.DataFrame, thresholds: list[float], any_class: bool
) -> pd.DataFrame:
    """Match one sheet: a column of hits per threshold, then object_id and iou of the last of them."""
    boxes, truth = detections[BOX].to_numpy(float), ground_truth[BOX].to_numpy(float)
    if any_class:
        overlap = iou_matrix(boxes, truth)
    else:
        overlap = same_class_overlap(
            detections=boxes,
            detection_class=detections["class_id"].to_numpy(),
            ground_truth=truth,
            ground_truth_class=ground_truth["class_id"].to_numpy(),
        )
    confidence = detections["confidence"].to_numpy(float)
    pairs = [greedy(overlap=overlap, confidence=confidence, iou=threshold) for threshold in thresholds]
    table = pd.DataFrame({i: pair.found >= 0 for i, pair in enumerate(pairs)}, index=detections.index)
    ids = pd.array(ground_truth["object_id"].to_numpy()[pairs[-1].found], dtype="Int32")
    ids[pairs[-1].found < 0] = pd.NA
    return table.assign(object_id=ids, iou=pairs[-1].iou)
