"""What reviews have shown of detections, small enough to be kept for every review in metrics/review.json.

Detections of one class whose confidences are about equal are counted together: in steps of `STEP` logits, which is
finer than the calibration line can bend.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from stages.picking.strategies.calibration import JudgedDetections, logit
from stages.picking.strategies.review_cost import ReviewCost, fitted_cost

STEP = 0.5  # logits


def counted_detections(seen: JudgedDetections, classes: Sequence[str]) -> list[dict[str, Any]]:
    """Return rows of class_name, confidence (of the middle of a step), right and wrong, and one of what was overlooked.

    That one has an empty class_name, and stands last: `right` objects that no detection lay on.
    """
    step = np.floor(logit(seen.confidence) / STEP)
    frame = pd.DataFrame({"class_id": seen.class_id, "step": step, "right": seen.right, "wrong": seen.wrong})
    rows = frame.groupby(["class_id", "step"])[["right", "wrong"]].sum().reset_index()
    counts = [
        {
            "class_name": classes[int(row["class_id"])],
            "confidence": float(1 / (1 + np.exp(-STEP * (row["step"] + 0.5)))),
            "right": int(row["right"]),
            "wrong": int(row["wrong"]),
        }
        for row in rows.to_dict("records")
    ]
    return [*counts, {"class_name": "", "confidence": None, "right": seen.overlooked, "wrong": 0}]


def judged_detections(rows: Iterable[Mapping[str, Any]], classes: Sequence[str]) -> JudgedDetections:
    """Return what `counted_detections` counted; rows of classes that there are no longer are left out."""
    place = {name: number for number, name in enumerate(classes)}
    listed = list(rows)
    seen = [row for row in listed if row["class_name"] in place]
    return JudgedDetections(
        np.array([place[row["class_name"]] for row in seen], dtype=np.int64),
        np.array([row["confidence"] for row in seen], dtype=np.float64),
        np.array([row["right"] for row in seen], dtype=np.float64),
        np.array([row["wrong"] for row in seen], dtype=np.float64),
        sum(int(row["right"]) for row in listed if row["class_name"] == ""),
    )


def cost_of(sheets: pd.DataFrame) -> ReviewCost:
    """Return what reviews cost, from the rows of metrics/review_sheets.csv that have a time."""
    timed = sheets[sheets["seconds"].notna()]
    columns = (timed[name].to_numpy(float) for name in ("boxes", "errors", "seconds"))
    return fitted_cost(**dict(zip(("boxes", "errors", "seconds"), columns, strict=True)))
