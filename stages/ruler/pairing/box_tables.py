"""The tables of `predict`: columns in order, their types, and the key that a table is sorted by."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.base.boxes import BOX, Boxes
from stages.base.tables import Schema

PREDICTED = Path("data/predict")  # where `predict` leaves them

CORNERS = {"x1": "float64", "y1": "float64", "x2": "float64", "y2": "float64"}  # pixels of the original image

SHEETS = Schema(
    {"split": "str", "image_id": "str", "width": "int32", "height": "int32"},
    ("split", "image_id"),
)
DETECTIONS = Schema(
    {
        "split": "str",
        "image_id": "str",
        "detection_id": "int32",
        "class_id": "int32",
        "confidence": "float64",
        **CORNERS,
    },
    ("split", "image_id", "detection_id"),
)
# What the network proposed near true boxes and a later step dropped, on labelled sheets: what the ledger is made from.
DISCARDED = Schema(
    {
        "split": "str",
        "image_id": "str",
        "candidate_id": "int32",  # by falling confidence within the sheet
        "class_id": "int32",
        "confidence": "float64",  # over 0.001
        **CORNERS,
        "reason": "str",  # floor, nms, max_det, filter, merge
    },
    ("split", "image_id", "candidate_id"),
)


def box_rows(split: str, image_id: str, class_id: NDArray[np.int32], xyxy: Boxes) -> pd.DataFrame:
    """Return boxes of one sheet as rows: split, image_id, class_id, x1, y1, x2, y2."""
    corners = pd.DataFrame(np.asarray(xyxy, dtype=np.float64).reshape(-1, 4), columns=BOX)
    return corners.assign(split=split, image_id=image_id, class_id=class_id)


def numbered(parts: Sequence[pd.DataFrame], name: str, columns: list[str]) -> pd.DataFrame:
    """Return the sheets' rows as one table; column `name` numbers them within their sheet, from 0."""
    rows = [part.assign(**{name: np.arange(len(part))}) for part in parts if len(part)]
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=columns)
