"""Counts the findings: for the metrics, the figures and the choice of what to show."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.analysis.findings import POSITIONS
from stages.ruler.matching.matching import SHEET
from stages.ruler.sizes import SIZES

SPLITS = ("val", "pool", "train")  # in the order of the bars


def summary(findings: pd.DataFrame, suspects: pd.DataFrame) -> dict[str, int]:
    """Return the content of metrics/analyze.json: findings on val, what its misses share, labels that look wrong."""
    val = findings[findings["split"] == "val"]
    misses = val[val["outcome"] == "fn"]
    wrong = (suspects["split"] == "val") & (suspects["judgement"] == "label")
    return {
        "fn": len(misses),
        "fp": int((val["outcome"] == "fp").sum()),
        **{sign: int(has.sum()) for sign, has in _signs(misses).items()},
        "suspect_labels": int(wrong.sum()),  # labels that look wrong, missing ones included
    }


def count_table(findings: pd.DataFrame) -> pd.DataFrame:
    """Return the misses per split as split, kind (size, position or sign), name and fn."""
    rows: list[tuple[str, str, str, int]] = []
    for split in SPLITS:
        misses = findings[(findings["split"] == split) & (findings["outcome"] == "fn")]
        for kind, names in (("size", SIZES), ("position", POSITIONS)):
            rows += [(split, kind, name, int((misses[kind] == name).sum())) for name in names]
        rows += [(split, "sign", sign, int(has.sum())) for sign, has in _signs(misses).items()]
    columns = [
        "split",
        "kind",  # `size`, `position` or `sign`
        "name",  # `tiny`, `corner`, `near_miss` and so on
        "fn",
    ]
    return pd.DataFrame(rows, columns=columns)


def miss_counts(
    *, findings: pd.DataFrame, boxes: pd.DataFrame, column: str, categories: Mapping[Any, str]
) -> pd.DataFrame:
    """Return split, category, misses, boxes: per split with boxes and per category, a value of `column`.

    `boxes` is the ground truth with the same column; `categories` maps the values to names, in their order.
    """
    misses = findings[findings["outcome"] == "fn"]
    rows = [
        (
            split,
            name,
            int(((misses["split"] == split) & (misses[column] == value)).sum()),
            int(((boxes["split"] == split) & (boxes[column] == value)).sum()),
        )
        for split in SPLITS
        if (boxes["split"] == split).any()
        for value, name in categories.items()
    ]
    return pd.DataFrame(rows, columns=["split", "category", "misses", "boxes"])


def spread(misses: pd.DataFrame, most: int) -> pd.Index:
    """Return the labels of at most `most` rows, evenly spread over classes, sizes and sheets."""
    order = misses.sort_values(["class_id", "area", *SHEET, "object_id"], kind="stable").index
    steps = np.linspace(0, len(order) - 1, min(most, len(order))).round().astype(int)
    return order[steps]


def centres(rows: pd.DataFrame, images: pd.DataFrame) -> NDArray[np.float64]:
    """Return the centres of boxes as fractions of their sheet's width and height, (n, 2)."""
    sides = rows[SHEET].merge(images[[*SHEET, "width", "height"]], on=SHEET, how="left", validate="many_to_one")
    middle = (rows[["x1", "y1"]].to_numpy(float) + rows[["x2", "y2"]].to_numpy(float)) / 2
    return np.asarray(middle / sides[["width", "height"]].to_numpy(float), dtype=np.float64)


def _signs(misses: pd.DataFrame) -> dict[str, pd.Series]:
    """Return which misses were nearly found, are faint, oddly shaped, or under a detection."""
    named = {name: misses[name] for name in ("low_contrast", "unusual_aspect", "overlapping")}
    # misses with a detection of their class on them, at a confidence that is too low to count
    return {"near_miss": misses["near_miss"].notna(), **named}
