"""What may go to review from the pool: missed objects, doubtful detections, sheets where nothing was seen."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.base.boxes import BOX, area
from stages.ruler.pairing.box_tables import CORNERS
from stages.ruler.sizes import SIZES, size_ids

# Two detections on one place are one question to the reviewer, whatever their classes.
SAME_PLACE_IOU = 0.5

_KEY = ["kind", "image_id", "object_id", "detection_id"]
_TYPES: dict[str, str] = {
    "kind": "str",  # missed, uncertain, nothing_seen
    "image_id": "str",
    "class_id": "Int32",  # null for nothing_seen
    "object_id": "Int32",
    "detection_id": "Int32",
    "confidence": "Float64",  # of the detection; null for missed and nothing_seen
    **CORNERS,  # the whole sheet for nothing_seen
    "size": "str",  # tiny, small, medium, large; "" for nothing_seen
    "position": "str",  # corner, edge, center; "" for nothing_seen
    "low_contrast": "bool",
    "unusual_aspect": "bool",
    "near_miss": "Float64",
    "width": "int32",  # of the sheet, px
    "height": "int32",
}


def pool_candidates(*, images: pd.DataFrame, findings: pd.DataFrame, plausible: float) -> pd.DataFrame:
    """Return every candidate of the pool, sorted, with the columns above; other splits are never looked at.

    `images` and `findings` have the columns of the schemas IMAGES and FINDINGS. Misses come from labelled
    sheets, detections from unlabelled ones; an unlabelled sheet without a detection of at least the confidence
    `plausible` is a candidate as a whole.
    """
    pool = images[images["split"] == "pool"]
    found = findings[findings["split"] == "pool"].merge(pool[["image_id", "width", "height"]], on="image_id")
    missed = found[found["outcome"] == "fn"].assign(kind="missed")
    doubtful = found[(found["outcome"] == "unjudged") & (found["confidence"] >= plausible)]
    uncertain = without_duplicates(doubtful).assign(kind="uncertain")
    unseen = pool[~pool["labelled"] & ~pool["image_id"].isin(uncertain["image_id"])]
    parts = [part.reindex(columns=list(_TYPES)) for part in (missed, uncertain, _whole_sheets(unseen))]
    filled = [part.astype(_TYPES) for part in parts]
    return pd.concat(filled, ignore_index=True).sort_values(_KEY, ignore_index=True)


def least_sure(
    sheet: pd.DataFrame,
    detections: pd.DataFrame,
    classes: Sequence[str],
    bounds: Sequence[float],
    *,
    plausible: float,
) -> pd.DataFrame:
    """Return one candidate for a sheet that has none: its least sure detection, or the whole sheet without any.

    `sheet` is its row of IMAGES; detections from the confidence `plausible` on count that lie on no surer one, as among
    other candidates; `bounds` are those of sizes. Of its looks nothing is known but the size.
    """
    own = detections[detections["image_id"].isin(sheet["image_id"]) & (detections["confidence"] >= plausible)]
    if own.empty:
        row = _whole_sheets(sheet)
    else:
        least = without_duplicates(own).nsmallest(1, "confidence")
        row = least.merge(sheet[["image_id", "width", "height"]], on="image_id")
        size = SIZES[int(size_ids(area(row[BOX].to_numpy(float)), bounds)[0])]
        row = row.assign(kind="uncertain", size=size, position="center", low_contrast=False, unusual_aspect=False)
    return with_class_names(row.reindex(columns=list(_TYPES)).astype(_TYPES), classes)


def with_class_names(rows: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Return `rows` with class_name, "" where class_id is null."""
    names = pd.array([*classes, ""], dtype="str")
    return rows.assign(class_name=names.take(rows["class_id"].to_numpy(np.int64, na_value=-1)))


def without_wrong_labels(findings: pd.DataFrame, suspects: pd.DataFrame) -> pd.DataFrame:
    """Return `findings` without the misses whose label looks wrong, as `suspects` (rows of SUSPECTS) say.

    They are for a person to check; the model has nothing to learn from them.
    """
    key = ["split", "image_id", "object_id"]
    wrong = pd.MultiIndex.from_frame(suspects.loc[suspects["judgement"] == "label", key].dropna())
    doubtful = (findings["outcome"] == "fn") & pd.MultiIndex.from_frame(findings[key]).isin(wrong)
    return findings[~doubtful]


def labels_to_check(suspects: pd.DataFrame) -> pd.Series:
    """Return how many labels look wrong (a missing one, too) on each sheet of the pool that has some, by image_id."""
    wrong = suspects[(suspects["split"] == "pool") & (suspects["judgement"] == "label")]
    return wrong.groupby("image_id").size()


def without_duplicates(detections: pd.DataFrame) -> pd.DataFrame:
    """Return `detections` without those that lie on a more confident one of the same sheet, of any class.

    Needs image_id, detection_id, confidence and the box; equal confidences are settled by detection_id.
    """
    sheet = pd.factorize(detections["image_id"], sort=True)[0]
    sure = detections["confidence"].to_numpy(float, na_value=np.nan)
    number = detections["detection_id"].to_numpy(float, na_value=np.nan)
    order = _order(sheet, -sure, number)
    kept = _first_on_place(sheet[order], detections[BOX].to_numpy(float)[order])
    return detections.iloc[order[kept]]


def _order(*keys: NDArray[Any]) -> NDArray[np.int64]:
    """Return the stable order by `keys`, the first before the others; no sort where the rows stand in it already.

    So `predict` leaves them, and sorting is dearer than all that follows.
    """
    tied = np.ones(max(len(keys[0]) - 1, 0), dtype=bool)
    for key in keys:
        if (tied & ~(key[:-1] <= key[1:])).any():
            return np.lexsort(keys[::-1])
        tied &= key[:-1] == key[1:]
    return np.arange(len(keys[0]))


def _first_on_place(sheet: NDArray[np.int64], boxes: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which boxes (n, 4) no kept box before them on the same sheet covers; `sheet` (n,) rises.

    Each box is compared with the next one of its sheet, then with the next but one, and so on, for all sheets at once.
    """
    count = np.bincount(sheet)
    last = np.cumsum(count)[sheet] - 1
    left, right = np.ascontiguousarray(boxes[:, 0]), np.ascontiguousarray(boxes[:, 2])
    first, pairs = np.arange(len(boxes)), [np.zeros((2, 0), dtype=np.int64)]
    for distance in range(1, int(count.max(initial=0))):
        first = first[first + distance <= last[first]]
        second = first + distance
        # Most boxes of a sheet lie side by side, and need no areas.
        near = np.minimum(right[first], right[second]) > np.maximum(left[first], left[second])
        one, other = first[near], second[near]
        same = _overlap(boxes[one], boxes[other]) > SAME_PLACE_IOU
        pairs.append(np.stack([one[same], other[same]]))
    covering, covered = np.hstack(pairs)
    return _uncovered(covering, covered, len(boxes))


def _uncovered(covering: NDArray[np.int64], covered: NDArray[np.int64], count: int) -> NDArray[np.bool_]:
    """Return which of `count` boxes no kept box covers, given who covers whom; who covers comes first.

    In turns: what nothing undecided covers is kept, and what that covers goes.
    """
    keep = np.ones(count, dtype=bool)
    while len(covered):
        undecided = np.zeros(count, dtype=bool)
        undecided[covered] = True
        keep[covered[~undecided[covering]]] = False
        open_pairs = keep[covering] & keep[covered]
        covering, covered = covering[open_pairs], covered[open_pairs]
    return keep


def _overlap(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the IoU of each box of `a` (n, 4) with the one of `b` in its row, 0 for two boxes without area."""
    sides = np.clip(np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2]), 0, None)
    inter = sides[:, 0] * sides[:, 1]
    union = area(a) + area(b) - inter
    return np.asarray(np.divide(inter, union, out=np.zeros_like(inter), where=union > 0), dtype=np.float64)


def _whole_sheets(sheets: pd.DataFrame) -> pd.DataFrame:
    # A sheet's own column `confidence` is its threshold, and no detection's.
    rest = sheets.drop(columns="confidence")
    whole = rest.assign(x1=0.0, y1=0.0, x2=rest["width"], y2=rest["height"])
    return whole.assign(kind="nothing_seen", size="", position="", low_contrast=False, unusual_aspect=False)


def prelabels(detections: pd.DataFrame, images: pd.DataFrame, *, confidence: float) -> pd.DataFrame:
    """Return labels to start from on unlabelled pool sheets: image_id, class_id, box, width and height."""
    sheets = images[(images["split"] == "pool") & ~images["labelled"]]
    pool = detections[(detections["split"] == "pool") & (detections["confidence"] >= confidence)]
    kept = without_duplicates(pool).merge(sheets[["image_id", "width", "height"]], on="image_id")
    return kept.sort_values(["image_id", "detection_id"], ignore_index=True)
