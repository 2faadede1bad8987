"""Filters that drop detections by their shape and place, and what they would cost a perfect detector.

They act on detections only: ground truth is never filtered, so a filter can only lose what is there.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from stages.base.boxes import BOX, Boxes, area
from stages.ruler.matching.matching import SHEET
from stages.ruler.scores.metrics import ratios


class Filters(NamedTuple):
    """Limits that a detection must keep; None is off. All pixels are those of the original image."""

    min_area: float | None = None  # px²
    max_area: float | None = None  # px²
    min_side: float | None = None  # px of the shorter side
    max_aspect: float | None = None  # longer side / shorter side
    border: float | None = None  # px: a box that comes closer to a border is dropped

    @property
    def active(self) -> dict[str, float]:
        """The limits that are set, by name."""
        return {name: value for name, value in self._asdict().items() if value is not None}


def keep(boxes: Boxes, *, width: ArrayLike, height: ArrayLike, filters: Filters) -> NDArray[np.bool_]:
    """Return which of the boxes xyxy, (n, 4) in px, pass all `filters`; a box exactly on a limit passes.

    `width` and `height` of the image in px: one number, or (n,).
    """
    xyxy = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    passed = np.ones(len(xyxy), dtype=bool)
    for name, limit in filters.active.items():
        passed &= _passes(name, limit, xyxy, np.asarray(width, dtype=float), np.asarray(height, dtype=float))
    return passed


def cost(
    *, ground_truth: pd.DataFrame, images: pd.DataFrame, filters: Filters, classes: list[str], names: list[str]
) -> pd.DataFrame:
    """Return what `filters` take from a detector that finds every box exactly: split, class_name, boxes, deleted,
    recall, f1.

    A row per split of `names` and class, before them one with class_name "all". Recall and F1, in [0, 1], are those
    that such a detector keeps (its precision is 1); NaN without a box. The tables are GROUND_TRUTH and IMAGES.
    """
    sized = ground_truth.merge(images[[*SHEET, "width", "height"]], on=SHEET, how="left", validate="many_to_one")
    passed = keep(sized[BOX].to_numpy(float), width=sized["width"], height=sized["height"], filters=filters)
    rows = []
    for split in names:
        here = (sized["split"] == split).to_numpy()
        for name, chosen in [("all", here), *((c, here & (sized["class_id"] == i)) for i, c in enumerate(classes))]:
            boxes, kept = int(chosen.sum()), int((chosen & passed).sum())
            reached = ratios(tp=kept, fp=0, fn=boxes - kept)
            rows.append((split, name, boxes, boxes - kept, reached["recall"], reached["f1"]))
    table = pd.DataFrame(rows, columns=["split", "class_name", "boxes", "deleted", "recall", "f1"])
    return table.astype({"recall": "float64", "f1": "float64"})


def sentence(costs: pd.DataFrame, filters: Filters, *, split: str) -> str:
    """Return one line for people: what `filters` cost a perfect detector on `split`; "filters: none" when all are off.

    `costs` is what `cost` returned.
    """
    if not filters.active:
        return "filters: none"
    row = costs[(costs["split"] == split) & (costs["class_name"] == "all")].iloc[0]
    limits = " and ".join(f"{name} {value:g}" for name, value in filters.active.items())
    deletes = "deletes" if len(filters.active) == 1 else "delete"
    if not row["deleted"]:
        return f"filters: {limits} {deletes} none of {row['boxes']} true boxes of {split}"
    return (
        f"filters: {limits} {deletes} {row['deleted']} of {row['boxes']} true boxes of {split}: "
        f"a perfect detector would reach recall {row['recall']:.3f}"
    )


def _passes(
    name: str, limit: float, xyxy: Boxes, width: NDArray[np.float64], height: NDArray[np.float64]
) -> NDArray[np.bool_]:
    sides = np.clip(xyxy[:, 2:] - xyxy[:, :2], 0, None)
    if name == "min_area":
        passed = area(xyxy) >= limit
    elif name == "max_area":
        passed = area(xyxy) <= limit
    elif name == "min_side":
        passed = sides.min(axis=1, initial=np.inf) >= limit
    elif name == "max_aspect":
        passed = sides.max(axis=1, initial=0) <= limit * sides.min(axis=1, initial=np.inf)
    else:
        gaps = np.stack([xyxy[:, 0], xyxy[:, 1], width - xyxy[:, 2], height - xyxy[:, 3]])
        passed = gaps.min(axis=0) >= limit
    return np.asarray(passed, dtype=bool)
