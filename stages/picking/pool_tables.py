"""Reads the tables of the stages into what a strategy knows: `PoolView`."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.picking.candidates import without_duplicates
from stages.picking.strategies.calibration import FAINTEST, Corrections, JudgedDetections, calibrate
from stages.picking.strategies.pool_view import PoolView, places_of
from stages.ruler.matching.matching import SAME_OBJECT_IOU, outcomes


class PoolTables(NamedTuple):
    """What the stages left; the columns of DETECTIONS and GROUND_TRUTH."""

    detections: pd.DataFrame  # of all splits
    features: NDArray[np.float16]  # of the detections from FAINTEST on, in their order: (k, F)
    truth: pd.DataFrame  # labelled boxes: of train for what is known already, of val for how good the detector is


def pool_view(
    pool: pd.DataFrame,
    tables: PoolTables,
    *,
    reviews: Sequence[JudgedDetections],
    classes: int,
    prelabel: float,
    wanted: int,
    iou: float,
) -> PoolView:
    """Return what is known of the sheets of `pool` (image_id, group).

    `reviews` are what earlier reviews said of the detections of their time. `iou` is the ruler's. Detections that lie
    on a surer one are no objects of their own, and those under FAINTEST are left out.
    """
    sheets = sorted(pool["image_id"])
    groups = pool.set_index("image_id")["group"].reindex(sheets)
    seen = tables.detections.loc[tables.detections["confidence"] >= FAINTEST].reset_index(drop=True)
    unique = without_duplicates(seen)
    pooled = unique[unique["split"] == "pool"]
    place = places_of(pooled["image_id"], pd.Index(sheets))
    own, place = pooled[place >= 0], place[place >= 0]
    on_val, labels = unique[unique["split"] == "val"], tables.truth[tables.truth["split"] == "val"]
    val, needed = _seen(on_val, labels, iou=iou), _corrections(on_val, labels, iou=iou, prelabel=prelabel)
    known = tables.truth[tables.truth["split"] == "train"]
    return PoolView(
        sheets=tuple(sheets),
        groups=groups.to_numpy(str),
        sheet=place,
        class_id=own["class_id"].to_numpy(np.int64),
        confidence=own["confidence"].to_numpy(float),
        features=tables.features[own.index].astype(np.float32),
        known_class=known["class_id"].to_numpy(np.int64),
        known_features=_known_features(unique[unique["split"] == "train"], known, tables.features, iou=iou),
        calibration=calibrate([val, *reviews], classes=classes, known=needed),
        prelabel=prelabel,
        wanted=wanted,
        classes=classes,
    )


def _corrections(unique: pd.DataFrame, truth: pd.DataFrame, *, iou: float, prelabel: float) -> Corrections:
    """Return what a reviewer of these sheets would have had to do, as the ledger of a review counts it."""
    judged = outcomes(detections=unique, ground_truth=truth, iou=iou, confidence=prelabel)
    wrong, missing = judged[judged["outcome"] == "fp"], judged[judged["outcome"] == "fn"]
    false = unique.merge(wrong[["image_id", "detection_id"]], on=["image_id", "detection_id"]).assign(class_id=0)
    lost = truth.merge(missing[["image_id", "object_id"]], on=["image_id", "object_id"]).assign(class_id=0)
    both = outcomes(detections=false, ground_truth=lost, iou=SAME_OBJECT_IOU, confidence=prelabel)
    mistakes = len(wrong) + len(missing)
    return Corrections(mistakes, mistakes - int((both["outcome"] == "tp").sum()))


def seen_on(detections: pd.DataFrame, truth: pd.DataFrame, *, iou: float) -> JudgedDetections:
    """Return which of the `detections` are right, and how many boxes of `truth` none of them lies on."""
    return _seen(without_duplicates(detections[detections["confidence"] >= FAINTEST]), truth, iou=iou)


def _seen(unique: pd.DataFrame, truth: pd.DataFrame, *, iou: float) -> JudgedDetections:
    judged = outcomes(detections=unique, ground_truth=truth, iou=iou, confidence=FAINTEST)
    found = judged[judged["outcome"] != "fn"]
    return JudgedDetections(
        found["class_id"].to_numpy(np.int64),
        found["confidence"].to_numpy(float),
        np.asarray(found["outcome"] == "tp", dtype=np.float64),
        np.asarray(found["outcome"] == "fp", dtype=np.float64),
        int((judged["outcome"] == "fn").sum()),
    )


def _known_features(
    unique: pd.DataFrame, known: pd.DataFrame, features: NDArray[np.float16], *, iou: float
) -> NDArray[np.float32]:
    """Return the features of the detection on each labelled object of train, rows of 0 where there is none."""
    judged = outcomes(detections=unique, ground_truth=known, iou=iou, confidence=FAINTEST)
    hits = judged[judged["outcome"] == "tp"]
    row = pd.Series(unique.index, index=pd.MultiIndex.from_frame(unique[["image_id", "detection_id"]]))
    at = pd.Series(np.arange(len(known)), index=pd.MultiIndex.from_frame(known[["image_id", "object_id"]]))
    result = np.zeros((len(known), features.shape[1]), dtype=np.float32)
    objects = at[pd.MultiIndex.from_frame(hits[["image_id", "object_id"]].astype({"object_id": "int64"}))]
    rows = row[pd.MultiIndex.from_frame(hits[["image_id", "detection_id"]].astype({"detection_id": "int64"}))]
    result[objects.to_numpy()] = features[rows.to_numpy()]
    return result
