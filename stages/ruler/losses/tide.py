"""Errors in TIDE's terms (Bolya et al., 2020), and what each kind costs.

A false positive is the first of these that holds, `iou` being the ruler's:

* `loc`: its best box of its class overlaps by at least 0.1, and by at most `iou`;
* `cls`: a box of another class overlaps by at least `iou`;
* `dupe`: a box of its class overlaps by at least `iou`, but another detection found that one;
* `bkg`: no box at all overlaps by more than 0.1;
* `both`: anything else: wrong class and badly placed.

`miss` is a box that nobody found and that no `loc` or `cls` is about. What a kind costs is what an oracle would gain
that mends all errors of that kind and no other: of the `loc`, or `cls`, errors about a box that nobody found, the
surest finds it (if it is the surest of both kinds), and the others go; `dupe`, `bkg` and `both` go; a `miss` is no
longer asked for. Costs do not add up, since errors hide behind each other.

The same numbers as those of tidecv, with these differences: classes without boxes count in no mean, there as zero if
something was detected; so does a class of which the oracle leaves no box; equal confidences go by row, there errors
first; and the 101 recalls are pycocotools', of which ten differ from tidecv's in the last bit.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.ruler.matching.matching import SHEET, counting, found_boxes
from stages.ruler.matching.overlaps import first_of, overlaps
from stages.ruler.pairing.evidence import NEAR
from stages.ruler.pairing.pairs import Bools, Floats, Ints, Pairs
from stages.ruler.scores.average_precision import HitTable, ap_of
from stages.ruler.scores.metrics import ratios

ERRORS = ("cls", "loc", "both", "dupe", "bkg", "miss")
AP_IOU = 0.5  # of the AP that errors cost, whatever the ruler's is


class JudgedErrors(NamedTuple):
    """What is wrong with n detections and m true boxes."""

    error: NDArray[np.str_]  # (n,), "" for a detection that found a box
    about: Ints  # (n,): row of the box that a loc, cls or dupe is about, else -1
    mends: Bools  # (n,): the loc or cls error whose mending finds a box
    missed: Bools  # (m,)
    found: Bools  # (m,)


def judge(*, detections: pd.DataFrame, ground_truth: pd.DataFrame, iou: float) -> JudgedErrors:
    """Return the kind of error of every detection and box, of labelled sheets, at an IoU of at least `iou`."""
    matched = found_boxes(detections=detections, ground_truth=ground_truth, thresholds=[iou])[:, 0]
    found = np.zeros(len(ground_truth), dtype=bool)
    found[matched[matched >= 0]] = True
    pairs = overlaps(detections=detections, ground_truth=ground_truth, least=min(NEAR, iou))
    pairs = pairs.take(matched[pairs.detection] < 0)
    classes = detections["class_id"].to_numpy(), ground_truth["class_id"].to_numpy()
    same = classes[0][pairs.detection] == classes[1][pairs.truth]
    size = len(detections)
    own_iou, own = _best(pairs.take(same), size)
    other_iou, other = _best(pairs.take(~same), size)
    taken_iou, taken = _best(pairs.take(same & found[pairs.truth]), size)
    any_iou, _ = _best(pairs, size)
    cases = [
        matched >= 0,
        (own_iou >= NEAR) & (own_iou <= iou),
        other_iou >= iou,
        taken_iou >= iou,
        any_iou <= NEAR,
    ]
    error = np.select(cases, ["", "loc", "cls", "dupe", "bkg"], default="both")
    about = np.select(cases, [np.full(size, -1), own, other, taken, np.full(size, -1)], default=-1)
    mends, missed = _mended(error, about, found, detections["confidence"].to_numpy(float))
    return JudgedErrors(error, about, mends, missed, found)


def errors(*, images: pd.DataFrame, detections: pd.DataFrame, ground_truth: pd.DataFrame, iou: float) -> pd.DataFrame:
    """Return one row per error at the operating confidence of its sheet: the table ERRORS, unsorted.

    The tables are IMAGES, DETECTIONS and GROUND_TRUTH; the last two of labelled sheets only.
    """
    used = detections[counting(detections, images=images)]
    judged = judge(detections=used, ground_truth=ground_truth, iou=iou)
    wrong = judged.error != ""
    about = judged.about[wrong]
    object_id = pd.array(ground_truth["object_id"].to_numpy()[about] if len(ground_truth) else about, dtype="Int32")
    object_id[about < 0] = pd.NA
    false = used.loc[wrong, [*SHEET, "detection_id", "class_id"]]
    false = false.assign(outcome="fp", object_id=object_id, error=judged.error[wrong])
    missed = ground_truth.loc[judged.missed, [*SHEET, "object_id", "class_id"]].assign(outcome="fn", error="miss")
    types = {"object_id": "Int32", "detection_id": "Int32", "class_id": "int32"}
    columns = [*SHEET, "outcome", "object_id", "detection_id", "class_id", "error"]
    parts: list[pd.DataFrame] = [part.reindex(columns=columns).astype(types) for part in (false, missed)]
    return pd.concat(parts, ignore_index=True)


def error_costs(
    *, images: pd.DataFrame, detections: pd.DataFrame, ground_truth: pd.DataFrame, iou: float, splits: list[str]
) -> pd.DataFrame:
    """Return split, error, count, d_f1, d_ap50: a row per split and kind of error.

    `count` and `d_f1`, the F1 that a kind costs, are those at the operating confidence and `iou`; `d_ap50` is the mAP
    at IoU 0.5 that it costs, with all detections. Both in [0, 1], NaN where undefined: on a split without boxes, and
    where the oracle leaves nothing to find. The tables as for `errors`.
    """
    rows = []
    for split in splits:
        there = ground_truth[ground_truth["split"] == split]
        seen = detections[detections["split"] == split]
        judged = judge(detections=seen[counting(seen, images=images)], ground_truth=there, iou=iou)
        f1, ap = _f1_costs(judged), _ap_costs(seen, there)
        for error in ERRORS:
            count = int(judged.missed.sum() if error == "miss" else (judged.error == error).sum())
            rows.append((split, error, count, f1[error], ap[error]))
    columns = [
        "split",
        "error",  # cls, loc, both, dupe, bkg, miss
        "count",  # how many
        "d_f1",  # F1 that the kind costs: what an oracle would gain that mends all of them and no other
        "d_ap50",  # the same of mAP at IoU 0.5
    ]
    table = pd.DataFrame(rows, columns=columns)
    return table.astype({"d_f1": "float64", "d_ap50": "float64"})


def _best(pairs: Pairs, size: int) -> tuple[Floats, Ints]:
    """Return the highest IoU of every detection and its box, both (size,); 0 and -1 without one."""
    best = pairs.take(first_of(pairs.detection, order=(-pairs.iou, pairs.truth)))
    iou, truth = np.zeros(size), np.full(size, -1, dtype=np.int64)
    iou[best.detection], truth[best.detection] = best.iou, best.truth
    return iou, truth


def _mended(error: NDArray[np.str_], about: Ints, found: Bools, confidence: Floats) -> tuple[Bools, Bools]:
    """Return which errors find a box when they are mended, and which boxes nothing finds."""
    near = np.flatnonzero(np.isin(error, ("loc", "cls")))
    near = near[~found[about[near]]]
    surest = near[first_of(about[near], order=(-confidence[near], near))]
    mends, missed = np.zeros(len(error), dtype=bool), ~found
    mends[surest] = True
    missed[about[near]] = False
    return mends, missed


def _f1_costs(judged: JudgedErrors) -> dict[str, float | None]:
    """Return the F1 that each kind of error costs; None where it is undefined."""
    tp, boxes, seen = int(judged.found.sum()), len(judged.found), len(judged.error)
    before = ratios(tp=tp, fp=seen - tp, fn=boxes - tp)["f1"]
    costs: dict[str, float | None] = {}
    for error in ERRORS:
        gone, mended = judged.error == error, int(judged.mends[judged.error == error].sum())
        missed = int(judged.missed.sum()) if error == "miss" else 0
        fixed = {"tp": tp + mended, "fp": seen - tp - int(gone.sum()), "fn": boxes - tp - mended - missed}
        after = ratios(**fixed)["f1"]
        costs[error] = None if before is None or after is None else after - before
    return costs


def _ap_costs(detections: pd.DataFrame, ground_truth: pd.DataFrame) -> dict[str, float]:
    """Return the mAP at `AP_IOU` that each kind of error costs, at least 0; NaN where it is undefined."""
    judged = judge(detections=detections, ground_truth=ground_truth, iou=AP_IOU)
    class_id, truth_class = (table["class_id"].to_numpy(np.int64) for table in (detections, ground_truth))
    confidence = detections["confidence"].to_numpy(float)
    classes = int(max(class_id.max(initial=-1), truth_class.max(initial=-1))) + 1
    boxes, hit = np.bincount(truth_class, minlength=classes), judged.error == ""
    before = _mean_ap(class_id, confidence, hit, boxes)
    costs = {}
    for error in ERRORS:
        gone = judged.error == error
        mended = gone & judged.mends
        named, left = class_id.copy(), ~gone | mended
        named[mended] = truth_class[judged.about[mended]]
        asked = boxes - np.bincount(truth_class[judged.missed], minlength=classes) if error == "miss" else boxes
        after = _mean_ap(named[left], confidence[left], (hit | mended)[left], asked)
        costs[error] = max(0.0, after - before) if np.isfinite(after - before) else np.nan
    return costs


def _mean_ap(class_id: Ints, confidence: Floats, hit: Bools, boxes: Ints) -> float:
    """Return the mean AP of the classes that have boxes, (classes,), or NaN without any."""
    order = np.lexsort((-confidence, class_id))
    column = hit[order][:, None]
    nowhere = np.zeros(len(order), dtype=np.int64)
    table = HitTable(nowhere, class_id[order], confidence[order], column, np.zeros_like(column), boxes[None])
    there = boxes > 0
    return float(ap_of(table)[there].mean()) if there.any() else np.nan
