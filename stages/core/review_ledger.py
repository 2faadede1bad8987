"""The ledger of a review: what became of each pre-label, what was added, and what that says.

A box before and a box after the review are one box when the tool says so (by the pre-label's id), or else when they
overlap: the pairs of a sheet with the largest sum of IoUs (scipy's assignment), whatever their classes, which only
settle a tie. Each pair, each
box without a partner, is one row with one outcome:

confirmed      same class, no side off by more than half a pixel: tools round
moved          same class and size, another place
resized        same class, another size
reclassified   another class; its IoU is there as well
added          no pre-label: it was missing
deleted        no reviewed box: there is nothing

An `error` is what the ruler would count as one: added (a miss), deleted (a false alarm), reclassified, or an IoU with
the pre-label below the ruler's. A box that was only nudged is none.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.core.boxes import BOX, Boxes, iou_matrix

OUTCOMES = ("confirmed", "moved", "resized", "reclassified", "added", "deleted")
HALF_PIXEL = 0.5  # px: tools keep integers, per cent with a few digits, or six decimals
SAME_OBJECT_IOU = 0.1  # below it two boxes are two objects: one was deleted, the other added
_SAME_CLASS = 1e-6  # settles which of two boxes on one place is which, and outweighs no difference of place

BEFORE = [f"before_{side}" for side in BOX]
AFTER = [f"after_{side}" for side in BOX]
COLUMNS: dict[str, str] = {
    "image_id": "str",
    "prelabel_id": "str",  # "" for what was added
    "outcome": "str",
    "class_before": "str",
    "class_after": "str",
    "confidence": "Float64",  # of the pre-label, where it was a detection
    "iou": "Float64",  # with the pre-label; null without a partner
    "error": "bool",
    **dict.fromkeys([*BEFORE, *AFTER], "Float64"),  # px
}


def box_ledger(*, prelabels: pd.DataFrame, reviewed: pd.DataFrame, iou: float) -> pd.DataFrame:
    """Return one row per box before or after the review, columns as above, by sheet: pairs, deleted, added.

    `prelabels` has image_id, prelabel_id, class_name, box in px, confidence; `reviewed` has image_id, class_name, box,
    and prelabel_id ("" or null where the tool does not say). Only sheets that were reviewed belong in. `iou` is from
    where the ruler takes two boxes for one.
    """
    names = sorted({*prelabels["image_id"], *reviewed["image_id"]})
    rows = [
        row
        for name in names
        for row in _sheet(
            name, prelabels[prelabels["image_id"] == name], reviewed[reviewed["image_id"] == name], iou=iou
        )
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def count_outcomes(boxes: pd.DataFrame) -> dict[str, int]:
    """Return how many rows of a ledger have each outcome, and how many are errors."""
    counts = boxes["outcome"].value_counts()
    return {**{name: int(counts.get(name, 0)) for name in OUTCOMES}, "errors": int(boxes["error"].sum())}


def _sheet(name: str, before: pd.DataFrame, after: pd.DataFrame, *, iou: float) -> list[dict[str, Any]]:
    old, new = before[BOX].to_numpy(float), after[BOX].to_numpy(float)
    overlaps = iou_matrix(old, new)
    same = before["class_name"].to_numpy()[:, None] == after["class_name"].to_numpy()[None, :]
    worth = np.where(overlaps >= SAME_OBJECT_IOU, overlaps + _SAME_CLASS * same, 0.0)
    pairs = _pairs(before["prelabel_id"].tolist(), after["prelabel_id"].fillna("").tolist(), worth)
    left = [(i, None) for i in range(len(old)) if i not in {i for i, _ in pairs}]
    more = [(None, j) for j in range(len(new)) if j not in {j for _, j in pairs}]
    rows = []
    for i, j in [*sorted(pairs), *left, *more]:
        row: dict[str, Any] = {"image_id": name, "prelabel_id": "", "class_before": "", "class_after": ""}
        if i is not None:
            one = before.iloc[i]
            row |= {"prelabel_id": one["prelabel_id"], "class_before": one["class_name"]}
            row |= {"confidence": one["confidence"], **dict(zip(BEFORE, old[i], strict=True))}
        if j is not None:
            row |= {"class_after": after.iloc[j]["class_name"], **dict(zip(AFTER, new[j], strict=True))}
        if i is not None and j is not None:
            row["iou"] = float(overlaps[i, j])
            row["outcome"] = _outcome(old[i], new[j], same_class=row["class_before"] == row["class_after"])
            row["error"] = row["outcome"] == "reclassified" or row["iou"] < iou
        else:
            row["outcome"] = "added" if i is None else "deleted"
            row["error"] = True
        rows.append(row)
    return rows


def _outcome(before: NDArray[np.float64], after: NDArray[np.float64], *, same_class: bool) -> str:
    if not same_class:
        return "reclassified"
    if (np.abs(after - before) <= HALF_PIXEL).all():
        return "confirmed"
    size = np.abs((after[2:] - after[:2]) - (before[2:] - before[:2]))
    return "moved" if (size <= 2 * HALF_PIXEL).all() else "resized"


def _pairs(before: list[str], after: list[str], worth: Boxes) -> list[tuple[int, int]]:
    """Return which box before (i) is which box after (j): by id where one was kept, else by overlap."""
    known: dict[str, int] = {}
    for j, name in enumerate(after):
        if name and name in before:
            i, held = before.index(name), known.get(name)
            # A copied box brings the id of its original along: the one that lies closest keeps it.
            if held is None or worth[i, j] > worth[i, held]:
                known[name] = j
    pairs = [(before.index(name), j) for name, j in known.items()]
    rows = [i for i in range(len(before)) if i not in {i for i, _ in pairs}]
    cols = [j for j in range(len(after)) if j not in {j for _, j in pairs}]
    return [*pairs, *((rows[i], cols[j]) for i, j in _by_worth(worth[np.ix_(rows, cols)]))]


def _by_worth(worth: Boxes) -> list[tuple[int, int]]:
    """Return the pairs, one to one, with the largest sum of `worth`, (n, m); 0 is no pair."""
    from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]

    chosen = zip(*linear_sum_assignment(worth, maximize=True), strict=True)
    return [(int(i), int(j)) for i, j in chosen if worth[i, j] > 0]
