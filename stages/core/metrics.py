"""Numbers about detections on labelled sheets. What is undefined is None, never 0."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.core.average_precision import RECALLS, ap_of, best_precision, hit_table, recalls_reached
from stages.core.matching import SHEET, hits

Floats = NDArray[np.float64]


class Curve(NamedTuple):
    """Precision over `RECALLS`, and the confidence that reaches it (NaN: out of reach); both (101,)."""

    precision: Floats
    confidence: Floats


def ratios(*, tp: int, fp: int, fn: int) -> dict[str, float | None]:
    """Return f1, precision and recall, each in [0, 1], or None where it would be 0 / 0."""
    return {
        "f1": 2 * tp / (2 * tp + fp + fn) if tp + fp + fn else None,
        "precision": tp / (tp + fp) if tp + fp else None,
        "recall": tp / (tp + fn) if tp + fn else None,
    }


def interpolated(*, hit: NDArray[np.bool_], confidence: Floats, boxes: int) -> Curve:
    """Return precision at 101 recalls: the best precision of any recall at least as high, 0 out of reach.

    `hit` and `confidence` are (detections,) in any order; `boxes` counts the ground truth, at least 1.
    """
    order = np.argsort(-confidence, kind="stable")
    places = np.flatnonzero(hit[order])  # of the right ones
    right = np.arange(1, len(places) + 1)[None, :]
    best, share = best_precision(right, seen=1 + places[None, :], reached=recalls_reached(np.array([boxes])))
    out_of_reach = (0, len(RECALLS) - int(share.sum()))
    return Curve(
        np.pad(np.repeat(best[0], share[0]), out_of_reach),
        np.pad(np.repeat(confidence[order][places], share[0]), out_of_reach, constant_values=np.nan),
    )


def class_curves(
    *, detections: pd.DataFrame, ground_truth: pd.DataFrame, class_ids: list[int], iou: float
) -> dict[int, Curve]:
    """Return the curve of every class that has a box; the others have none."""
    found = hits(detections=detections, ground_truth=ground_truth, thresholds=[iou])[:, 0]
    confidence, class_id = detections["confidence"].to_numpy(float), detections["class_id"].to_numpy()
    boxes = ground_truth["class_id"].value_counts()
    return {
        key: interpolated(hit=found[class_id == key], confidence=confidence[class_id == key], boxes=int(boxes[key]))
        for key in class_ids
        if key in boxes.index
    }


def average_precisions(
    *, detections: pd.DataFrame, ground_truth: pd.DataFrame, class_ids: list[int]
) -> dict[int, tuple[float | None, float | None]]:
    """Return (AP at IoU 0.50, mean AP at IoU 0.50 to 0.95) per class_id; Nones for a class without boxes.

    COCO's definition with all sizes and all detections, down to the confidence floor.
    """
    tables = [detections, ground_truth]
    table = hit_table(
        detections=detections,
        ground_truth=ground_truth,
        sheets=pd.concat([one[SHEET] for one in tables]).drop_duplicates().sort_values(SHEET),
        classes=1 + max([-1, *class_ids, *(int(one["class_id"].max()) for one in tables if len(one))]),
    )
    values = ap_of(table)  # (classes, IoUs)
    return {
        key: (None, None) if np.isnan(values[key]).any() else (float(values[key, 0]), float(values[key].mean()))
        for key in class_ids
    }


def split_metrics(
    *,
    images: pd.DataFrame,
    ground_truth: pd.DataFrame,
    detections: pd.DataFrame,
    matches: pd.DataFrame,
    classes: list[str],
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Return the numbers of one split over all classes, and per class.

    Over all classes boxes weigh alike; in mAP classes do. The tables hold the labelled sheets of that split.
    """
    ids = list(range(len(classes)))
    aps = average_precisions(detections=detections, ground_truth=ground_truth, class_ids=ids)
    per_class = {
        name: _class_row(matches[matches["class_id"] == i], *aps[i], boxes=int((ground_truth["class_id"] == i).sum()))
        for i, name in enumerate(classes)
    }
    counts = _counts(matches)
    total = {
        **ratios(**counts),
        "map50": _mean([row["ap50"] for row in per_class.values()]),
        "map50_95": _mean([row["ap50_95"] for row in per_class.values()]),
        **counts,
        "images": len(images),
        "boxes": len(ground_truth),
    }
    return total, per_class


def _class_row(matches: pd.DataFrame, ap50: float | None, ap50_95: float | None, *, boxes: int) -> dict[str, Any]:
    counts = _counts(matches)
    return {**ratios(**counts), "ap50": ap50, "ap50_95": ap50_95, **counts, "boxes": boxes}


def _counts(matches: pd.DataFrame) -> dict[str, int]:
    return {outcome: int((matches["outcome"] == outcome).sum()) for outcome in ("tp", "fp", "fn")}


def _mean(values: list[float | None]) -> float | None:
    """Return the mean of what is defined, or None."""
    defined = [value for value in values if value is not None]
    return float(np.mean(defined)) if defined else None
