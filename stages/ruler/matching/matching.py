"""One-to-one matching of detections with ground truth, the COCO way."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from stages.base.boxes import BOX
from stages.ruler.pairing.pairs import Bools, Ints, by_preference, overlapping_pairs, paired_iou, settle

SHEET = ["split", "image_id"]
SAME_OBJECT_IOU = 0.1  # below it two boxes are two objects, whatever their classes: no one of them is the other, moved


class Sheets(NamedTuple):
    """The number of the sheet of every row of two tables, (detections,) and (ground truth,)."""

    detections: Ints
    ground_truth: Ints


def sheet_numbers(*tables: pd.DataFrame) -> list[Ints]:
    """Return for every row of each table the number of its sheet, (n,) per table.

    All sheets that occur are numbered together, from 0, in the order of (split, image_id).
    """
    names = pd.concat([table[SHEET] for table in tables], ignore_index=True)
    split, _ = pd.factorize(names["split"], sort=True)
    image, images = pd.factorize(names["image_id"], sort=True)
    number, _ = pd.factorize(split.astype(np.int64) * max(1, len(images)) + image, sort=True)
    return np.split(number.astype(np.int64), np.cumsum([len(table) for table in tables])[:-1])


class Found(NamedTuple):
    """What the detections found that overlap any box enough at all; the others found nothing."""

    rows: Ints  # (k,) of the detections
    box: Ints  # (k, thresholds) row of the box, or -1


def find(
    *,
    detections: pd.DataFrame,
    ground_truth: pd.DataFrame,
    thresholds: Sequence[float],
    sheets: Sheets | None = None,
    any_class: bool = False,
    worse: Bools | None = None,
) -> Found:
    """Return which box each detection found at each threshold, above 0; rows are positions in the tables.

    COCO's rule: by falling confidence, each detection takes the free box with the highest IoU of at least the
    threshold. Equal confidences go by row; of equal IoUs the later box is taken, as in pycocotools. Matching never
    crosses a sheet, nor a class unless `any_class`. A box that is `worse`, (ground truth,), is taken only where no
    other can be. `sheets` saves the work of numbering them.
    """
    numbers = sheets or Sheets(*sheet_numbers(detections, ground_truth))
    seen, there = (table["class_id"].to_numpy(np.int64) * (not any_class) for table in (detections, ground_truth))
    span = 1 + max(seen.max(initial=0), there.max(initial=0))
    close = overlapping_pairs(
        detections=detections[BOX].to_numpy(float),
        detection_group=numbers.detections * span + seen,
        ground_truth=ground_truth[BOX].to_numpy(float),
        ground_truth_group=numbers.ground_truth * span + there,
        iou=min(thresholds),
    )
    pairs = by_preference(close, confidence=detections["confidence"].to_numpy(float), worse=worse)
    has = np.zeros(len(seen), dtype=bool)
    has[pairs.detection] = True
    pairs = pairs._replace(detection=(np.cumsum(has) - 1)[pairs.detection])
    rows = np.flatnonzero(has)
    return Found(rows, np.stack([settle(pairs, detections=len(rows), boxes=len(there), iou=i) for i in thresholds]).T)


def found_boxes(
    *, detections: pd.DataFrame, ground_truth: pd.DataFrame, thresholds: Sequence[float], any_class: bool = False
) -> Ints:
    """Return for every detection the position of its box in `ground_truth`, or -1: (detections, thresholds).

    The rule is that of `find`.
    """
    found = find(detections=detections, ground_truth=ground_truth, thresholds=thresholds, any_class=any_class)
    every = np.full((len(detections), len(thresholds)), -1, dtype=np.int64)
    every[found.rows] = found.box
    return every


def match_sheets(
    *, detections: pd.DataFrame, ground_truth: pd.DataFrame, iou: float, any_class: bool = False
) -> pd.DataFrame:
    """Return `object_id` (Int32) and `iou` for every row of `detections`, with their index.

    A null found nothing, at IoU 0. The rule is that of `find`.
    """
    row = found_boxes(detections=detections, ground_truth=ground_truth, thresholds=[iou], any_class=any_class)[:, 0]
    hit = row >= 0
    object_id, overlap = np.zeros(len(row), dtype=np.int32), np.zeros(len(row))
    object_id[hit] = ground_truth["object_id"].to_numpy()[row[hit]]
    overlap[hit] = paired_iou(detections[BOX].to_numpy(float)[hit], ground_truth[BOX].to_numpy(float)[row[hit]])
    ids = pd.arrays.IntegerArray(object_id, ~hit)
    return pd.DataFrame({"object_id": ids, "iou": overlap}, index=detections.index)


def hits(*, detections: pd.DataFrame, ground_truth: pd.DataFrame, thresholds: Sequence[float]) -> Bools:
    """Return whether each detection found an object at each IoU threshold: (detections, thresholds)."""
    return found_boxes(detections=detections, ground_truth=ground_truth, thresholds=thresholds) >= 0


def row_thresholds(*, detections: pd.DataFrame, images: pd.DataFrame) -> pd.Series:
    """Return the operating confidence of the sheet of each row of `detections`, with their index.

    `images` holds split, image_id and confidence of every sheet that occurs; a ValueError says which one it lacks.
    """
    of_row, of_image = sheet_numbers(detections, images)
    table = np.full(max(of_row.max(initial=-1), of_image.max(initial=-1)) + 1, np.nan)
    table[of_image] = images["confidence"].to_numpy(float)
    thresholds = table[of_row]
    if np.isnan(thresholds).any():
        raise ValueError(f"no threshold for the sheet {detections[SHEET].iloc[np.isnan(thresholds).argmax()].tolist()}")
    return pd.Series(thresholds, index=detections.index, name="confidence")


def counting(detections: pd.DataFrame, *, images: pd.DataFrame) -> pd.Series:
    """Return whether each row of `detections`, with their index, is at least as sure as its sheet asks for.

    `images` is as for `row_thresholds`.
    """
    return detections["confidence"] >= row_thresholds(detections=detections, images=images)


def on_sheets(table: pd.DataFrame, images: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of `table` that are of the sheets (split, image_id) of `images`."""
    return table[pd.MultiIndex.from_frame(table[SHEET]).isin(pd.MultiIndex.from_frame(images[SHEET]))]


def outcomes(
    *, detections: pd.DataFrame, ground_truth: pd.DataFrame, iou: float, confidence: float | pd.Series
) -> pd.DataFrame:
    """Return one row per tp, fp and fn at `confidence` (inclusive): the table MATCHES, unsorted.

    `confidence` is one number, or one per row of `detections`, with their index (see `row_thresholds`).
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
