"""Numbers about detections on labelled sheets. What is undefined is None, never 0."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from stages.ruler.matching.matching import hits
from stages.ruler.pairing.pairs import Bools, Floats
from stages.ruler.scores.average_precision import RECALLS, best_precision, recalls_reached


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


def interpolated(*, hit: Bools, confidence: Floats, boxes: int) -> Curve:
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
