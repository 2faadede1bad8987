"""Counts what several sets of prompts find on labelled sheets, in one pass of the network over each."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from stages.audit.prompt_effect import class_counts
from stages.base.boxes import xywhn_to_xyxy
from stages.base.tables import conform
from stages.dataset.sheets.split_folder import SplitSheet
from stages.detector.audit.prompt_variants import predict_variants
from stages.detector.prediction.prediction_params import PredictParams
from stages.detector.prediction.predictor import Prediction
from stages.detector.prediction.tiles.windows import Tiling
from stages.detector.training.prompt_changes import Embeddings
from stages.ruler.pairing.box_tables import DETECTIONS, box_rows, numbered
from stages.ruler.pairing.pairs import Ints
from stages.ruler.schemas import GROUND_TRUTH

_SAY_EVERY = 20  # sheets between two lines of progress


def variant_counts(
    model: Any,
    sheets: Sequence[SplitSheet],
    variants: Sequence[Embeddings],
    *,
    params: PredictParams,
    weights: Path,
    tiling: Tiling | None,
    iou: float,
    confidence: float,
    said: str,
) -> list[Ints]:
    """Return tp, fp and fn for each of `variants`, (sheets, classes, 3), in the order of `sheets`, which are labelled.

    Detections under `confidence` are not looked at. `said` begins the lines of progress.
    """
    found: list[list[pd.DataFrame]] = [[] for _ in variants]
    truth: list[pd.DataFrame] = []
    asked = params.model_copy(update={"confidence_floor": confidence})
    seen = predict_variants(
        model, [one.sheet.image for one in sheets], variants, params=asked, weights=weights, tiling=tiling
    )
    for done, (one, predictions) in enumerate(zip(sheets, seen, strict=True), start=1):
        for rows, prediction in zip(found, predictions, strict=True):
            rows.append(_seen_rows(one, prediction))
        truth.append(_true_rows(one, predictions[0]))
        if done == len(sheets) or done % _SAY_EVERY == 0:
            print(f"{said}: {done} of {len(sheets)} sheets", flush=True)
    there = conform(numbered(truth, "object_id", list(GROUND_TRUTH.columns)), GROUND_TRUTH)
    keys = [(one.split, one.sheet.image_id) for one in sheets]
    return [
        class_counts(
            detections=conform(numbered(rows, "detection_id", list(DETECTIONS.columns)), DETECTIONS),
            ground_truth=there,
            sheets=keys,
            classes=len(variants[0]),
            iou=iou,
            confidence=confidence,
        )
        for rows in found
    ]


def _seen_rows(one: SplitSheet, seen: Prediction) -> pd.DataFrame:
    return box_rows(one.split, one.sheet.image_id, seen.class_id, seen.xyxy).assign(confidence=seen.confidence)


def _true_rows(one: SplitSheet, seen: Prediction) -> pd.DataFrame:
    assert one.labels is not None
    xyxy = xywhn_to_xyxy(one.labels.xywhn, width=seen.width, height=seen.height)
    return box_rows(one.split, one.sheet.image_id, one.labels.class_id, xyxy)
