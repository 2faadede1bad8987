"""The tables behind the plots of `validate`: precision over recall, F1 over confidence, confusion."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.ruler.matching.matching import SHEET, hits, match_sheets
from stages.ruler.scores.average_precision import RECALLS
from stages.ruler.scores.metrics import class_curves, ratios

CONFIDENCES = np.round(np.arange(0.0, 1.005, 0.01), 2)
NOTHING = "background"  # where a detection has no object, or an object no detection


def pr_curve(*, detections: pd.DataFrame, ground_truth: pd.DataFrame, classes: list[str], iou: float) -> pd.DataFrame:
    """Return class_name, recall, precision, confidence: 101 rows for 'all' and for every class with boxes.

    'all' is the mean over classes, so the mean of its precision is mAP at `iou`. Out of reach: precision 0,
    confidence null.
    """
    curves = class_curves(
        detections=detections, ground_truth=ground_truth, class_ids=list(range(len(classes))), iou=iou
    )
    lines = [(classes[i], curve.precision, curve.confidence) for i, curve in curves.items()]
    if lines:
        mean = np.mean([precision for _, precision, _ in lines], axis=0)
        lines.insert(0, ("all", mean, np.full(len(RECALLS), np.nan)))
    columns = [
        "class_name",
        "recall",
        "precision",
        "confidence",  # from where detections count to reach that recall; null out of reach, and for all classes
    ]
    blank = pd.DataFrame(columns=columns)
    rows = [
        pd.DataFrame({"class_name": name, "recall": RECALLS, "precision": precision, "confidence": confidence})
        for name, precision, confidence in lines
    ]
    return pd.concat(rows, ignore_index=True) if rows else blank


def f1_curve(
    *, detections: pd.DataFrame, ground_truth: pd.DataFrame, classes: list[str], iou: float, floor: float
) -> pd.DataFrame:
    """Return class_name, confidence, f1, precision, recall for 'all' and every class with boxes.

    In 'all' boxes weigh alike. Confidence goes from `floor`, below which nothing was saved, to 1 in steps of
    0.01. Undefined: null.
    """
    hit = hits(detections=detections, ground_truth=ground_truth, thresholds=[iou])[:, 0]
    seen, there = detections["class_id"].to_numpy(), ground_truth["class_id"].to_numpy()
    confidence, steps = detections["confidence"].to_numpy(float), CONFIDENCES[floor <= CONFIDENCES]
    everyone = list(range(len(classes)))
    rows = []
    for name, ids in [("all", everyone), *((classes[i], [i]) for i in everyone if (there == i).any())]:
        chosen, boxes = np.isin(seen, ids), int(np.isin(there, ids).sum())
        # Matching goes by falling confidence: what lies below a threshold changes nothing above.
        right, every = _at_least(confidence[chosen & hit], steps), _at_least(confidence[chosen], steps)
        for step, tp, total in zip(steps, right.tolist(), every.tolist(), strict=True):
            rows.append({"class_name": name, "confidence": step, **ratios(tp=tp, fp=total - tp, fn=boxes - tp)})
    columns = [
        "class_name",
        "confidence",  # from where detections count
        "f1",
        "precision",
        "recall",
    ]
    return pd.DataFrame(rows, columns=columns)


def confusion(
    *,
    detections: pd.DataFrame,
    ground_truth: pd.DataFrame,
    classes: list[str],
    iou: float,
    confidence: float | pd.Series,
) -> pd.DataFrame:
    """Return actual, predicted: a row per box, matched whatever its class; the unmatched are 'background'.

    `confidence` is one number, or one per row of `detections`, with their index.
    """
    used = detections[detections["confidence"] >= confidence]
    pairs = match_sheets(detections=used, ground_truth=ground_truth, iou=iou, any_class=True)
    key = [*SHEET, "object_id"]
    sides = used[[*SHEET, "class_id"]].assign(object_id=pairs["object_id"]).astype({"object_id": "Int32"})
    truth = ground_truth[[*key, "class_id"]].astype({"object_id": "Int32"})
    # Merge on null keys would pair them with each other, so what found nothing goes apart.
    matched = truth.merge(sides.dropna(subset="object_id"), on=key, how="left", suffixes=("_actual", "_predicted"))
    names = dict(enumerate(classes))
    judged = pd.DataFrame(
        {
            "actual": matched["class_id_actual"].map(names),  # class of the label; `background` for a false alarm
            # class of the detection; `background` for a miss
            "predicted": matched["class_id_predicted"].map(names).fillna(NOTHING),
        }
    )
    spurious = sides.loc[sides["object_id"].isna(), "class_id"].map(names)
    alone = pd.DataFrame({"actual": NOTHING, "predicted": spurious})
    return pd.concat([judged, alone]).sort_values(["actual", "predicted"], kind="stable").reset_index(drop=True)


def _at_least(values: NDArray[np.float64], steps: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return how many of `values` reach each of `steps`."""
    return np.asarray(len(values) - np.searchsorted(np.sort(values), steps, side="left"), dtype=np.int64)
