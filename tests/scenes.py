"""Random boxes and detections as tables, with all that is awkward: equal IoUs, equal scores, copies, empty sheets."""

import numpy as np
import pandas as pd

from stages.base.boxes import BOX


def table(sheet, class_id, boxes, number, confidence=None):
    """A table like GROUND_TRUTH, or with `confidence` like DETECTIONS; sheets are numbers."""
    frame = pd.DataFrame(np.asarray(boxes, dtype=float).reshape(-1, 4), columns=BOX)
    names = pd.Series([f"{i:03d}.png" for i in sheet], dtype="str", index=frame.index)
    frame = frame.assign(split="val", image_id=names, class_id=np.asarray(class_id, dtype=np.int32))
    if confidence is not None:
        frame = frame.assign(confidence=np.asarray(confidence, dtype=float))
    frame = frame.sort_values("image_id", kind="stable", ignore_index=True)
    return frame.assign(**{number: frame.groupby("image_id").cumcount().astype("int32")})


def awkward(seed, *, sheets=6, classes=4):
    """(ground truth, detections, sheets); the last class has no box, the one before it no detection.

    Corners are whole numbers, so that width and height lose nothing; boxes stand on a coarse grid, confidences are
    rounded, and some rows occur twice: equal IoUs and equal confidences are common.
    """
    rng = np.random.default_rng(seed)
    side = int(rng.choice([4, 8, 40]))
    count = int(rng.integers(0, 40))
    sheet, class_id = rng.integers(0, sheets - 1, count), rng.integers(0, classes - 1, count)
    corner, size = rng.integers(0, 3 * side, (count, 2)), rng.integers(1, side + 1, (count, 2))
    again = np.where(rng.random(count) < 0.2, rng.integers(0, max(1, count), count), np.arange(count))
    sheet, class_id, boxes = sheet[again], class_id[again], np.hstack([corner, corner + size])[again]
    near = rng.integers(0, count, 3 * count) if count else np.empty(0, dtype=int)
    moved = boxes[near] + rng.integers(-1, 2, (len(near), 4)) * (rng.random((len(near), 1)) < 0.7)
    moved[:, 2:] = np.maximum(moved[:, 2:], moved[:, :2] + 1)
    named = np.where(rng.random(len(near)) < 0.85, class_id[near], rng.integers(0, classes, len(near)))
    seen = named != classes - 2
    elsewhere = np.where(rng.random(len(near)) < 0.9, sheet[near], rng.integers(0, sheets, len(near)))
    confidence = np.round(rng.random(len(near)), int(rng.choice([1, 2, 6])))
    truth = table(sheet, class_id, boxes, "object_id")
    found = table(elsewhere[seen], named[seen], moved[seen], "detection_id", confidence[seen])
    every = pd.DataFrame({"split": "val", "image_id": [f"{i:03d}.png" for i in range(sheets)]})
    return truth, found, every


def slow_match(overlap, confidence, iou, worse=()):
    """COCO's rule, written down plainly: the box of each detection, or -1; `overlap` is (detections, boxes)."""
    found = [-1] * len(overlap)
    for row in np.argsort(-np.asarray(confidence), kind="stable"):
        best, quality = -1, min(iou, 1 - 1e-10)
        for bad in (False, True):
            for column in range(overlap.shape[1]):
                if column in found or (column in worse) != bad or overlap[row, column] < quality:
                    continue
                best, quality = column, overlap[row, column]
            if best >= 0:
                break
        found[row] = best
    return found
