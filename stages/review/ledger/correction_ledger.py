"""The ledger of a review: what became of each pre-label, what was added, and what that says.

A box before and a box after the review are one box when the tool says so (by the pre-label's id), or else by their
places: of all ways to pair the boxes of a sheet, the one that leaves most of them untouched, then the one with the
fewest errors, then the one with the largest sum of IoUs (scipy's assignment). So the ledger never makes a review look
worse than it can be read. Each pair, each box without a partner, is one row with one of the `OUTCOMES`.

An `error` is what the ruler would count as one: added (a miss), deleted (a false alarm), reclassified, or an IoU with
the pre-label below the ruler's. A box that was only nudged is none.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.base.boxes import BOX, Boxes, iou_matrix
from stages.ruler.matching.matching import SAME_OBJECT_IOU

OUTCOMES = (
    "confirmed",  # boxes with the same class, no side off by more than half a pixel: tools round
    "moved",  # same class and size, another place
    "resized",  # same class, another size
    "reclassified",  # another class
    "added",  # no pre-label: it was missing
    "deleted",  # no reviewed box: there is nothing
)
HALF_PIXEL = 0.5  # px: tools keep integers, per cent with a few digits, or six decimals
_SAME_CLASS = 1e-6  # settles which of two boxes on one place is which, and outweighs no difference of place
_NOISE = 1e-6  # px: half a pixel stays half a pixel when it was computed

BEFORE = [f"before_{side}" for side in BOX]
AFTER = [f"after_{side}" for side in BOX]
COLUMNS: dict[str, str] = {
    "image_id": "str",
    "prelabel_id": "str",  # "" for what was added
    "outcome": "str",  # confirmed, moved, resized, reclassified, added, deleted
    "class_before": "str",  # "" for what was added
    "class_after": "str",  # "" for what was deleted
    "confidence": "Float64",  # of the pre-label, where it was a detection
    "iou": "Float64",  # with the pre-label; null without a partner
    "error": "bool",  # the ruler would count it as one
    **dict.fromkeys([*BEFORE, *AFTER], "Float64"),  # px
}
_ORDER = [*BOX, "class_name", "prelabel_id"]


def box_ledger(*, prelabels: pd.DataFrame, reviewed: pd.DataFrame, iou: float) -> pd.DataFrame:
    """Return one row per box before or after the review, columns as above, by sheet: pairs, deleted, added.

    `prelabels` has image_id, prelabel_id, class_name, box in px, confidence; `reviewed` has image_id, class_name, box,
    and prelabel_id ("" or null where the tool does not say). Only sheets that were reviewed belong in. `iou`, in
    (0, 1], is from where the ruler takes two boxes for one. The order of the rows of both does not matter.
    """
    before = prelabels.sort_values(_ORDER)
    after = reviewed.assign(prelabel_id=reviewed["prelabel_id"].fillna("")).sort_values(_ORDER)
    old, new = ({str(name): rows for name, rows in one.groupby("image_id", sort=False)} for one in (before, after))
    rows = [
        row
        for name in sorted({*old, *new})
        for row in _sheet(name, old.get(name, before[:0]), new.get(name, after[:0]), iou=iou)
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
    untouched = same & _within_half_a_pixel(old, new)
    worth = _worth(overlaps, same=same, untouched=untouched, iou=iou)
    pairs = sorted(_pairs(before["prelabel_id"].tolist(), after["prelabel_id"].tolist(), worth))
    left = [(i, None) for i in range(len(old)) if i not in {i for i, _ in pairs}]
    more = [(None, j) for j in range(len(new)) if j not in {j for _, j in pairs}]
    ones, others = before.to_dict("records"), after.to_dict("records")
    rows = []
    for i, j in [*pairs, *left, *more]:
        row: dict[str, Any] = {"image_id": name, "prelabel_id": "", "class_before": "", "class_after": ""}
        row |= {"outcome": "added" if i is None else "deleted", "error": True}
        if i is not None:
            row |= {"prelabel_id": ones[i]["prelabel_id"], "class_before": ones[i]["class_name"]}
            row |= {"confidence": ones[i]["confidence"], **dict(zip(BEFORE, old[i], strict=True))}
        if j is not None:
            row |= {"class_after": others[j]["class_name"], **dict(zip(AFTER, new[j], strict=True))}
        if i is not None and j is not None:
            row["iou"] = float(overlaps[i, j])
            row["outcome"] = _outcome(old[i], new[j], same_class=same[i, j], untouched=untouched[i, j])
            # Half a pixel halves a box of one pixel, and is no error all the same.
            row["error"] = not untouched[i, j] and (not same[i, j] or row["iou"] < iou)
        rows.append(row)
    return rows


def _within_half_a_pixel(before: Boxes, after: Boxes) -> NDArray[np.bool_]:
    """Return for every box of `before` (n, 4) and of `after` (m, 4) whether no side differs by more: (n, m)."""
    off = np.abs(before.reshape(-1, 1, 4) - after.reshape(1, -1, 4))
    return np.asarray((off <= HALF_PIXEL + _NOISE).all(axis=2))


def _outcome(before: NDArray[np.float64], after: NDArray[np.float64], *, same_class: bool, untouched: bool) -> str:
    if not same_class:
        return "reclassified"
    if untouched:
        return "confirmed"
    size = np.abs((after[2:] - after[:2]) - (before[2:] - before[:2]))
    return "moved" if (size <= 2 * HALF_PIXEL + _NOISE).all() else "resized"


def _worth(overlaps: Boxes, *, same: NDArray[np.bool_], untouched: NDArray[np.bool_], iou: float) -> Boxes:
    """Return what it is worth to take two boxes for one, (n, m); 0: never.

    An untouched box outweighs all pairs that are right, one of these all IoUs of the sheet: so the largest sum has
    most of the first, then most of the second, then the most overlap.
    """
    many = min(overlaps.shape) + 1.0
    right = untouched | (same & (overlaps >= iou))
    place = np.where(overlaps >= SAME_OBJECT_IOU, overlaps + _SAME_CLASS * same, 0.0)
    return np.asarray(place + many * right + many**2 * untouched)


def _pairs(before: list[str], after: list[str], worth: Boxes) -> list[tuple[int, int]]:
    """Return which box before (i) is which box after (j): by id where one was kept, else by `worth`."""
    known: dict[str, tuple[int, int]] = {}
    for j, name in enumerate(after):
        if name and name in before:
            i = before.index(name)
            # A copied box brings the id of its original along: the one that lies closest keeps it.
            if name not in known or worth[i, j] > worth[known[name]]:
                known[name] = (i, j)
    pairs = [*known.values()]
    rows = [i for i in range(len(before)) if i not in {i for i, _ in pairs}]
    cols = [j for j in range(len(after)) if j not in {j for _, j in pairs}]
    return [*pairs, *((rows[i], cols[j]) for i, j in _by_worth(worth[np.ix_(rows, cols)]))]


def _by_worth(worth: Boxes) -> list[tuple[int, int]]:
    """Return the pairs, one to one, with the largest sum of `worth`, (n, m); 0 is no pair."""
    from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]

    chosen = zip(*linear_sum_assignment(worth, maximize=True), strict=True)
    return [(int(i), int(j)) for i, j in chosen if worth[i, j] > 0]
