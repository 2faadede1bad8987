"""What `predict` saves: the size of every sheet, every box that the network gave, what it dropped, and features."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.base.atomic import replacing
from stages.base.tables import DECIMALS, conform, write_table
from stages.dataset.sheets.split_folder import SplitSheet
from stages.detector.prediction.box_features import FEATURES
from stages.detector.prediction.predictor import Prediction
from stages.ruler.pairing.box_tables import DETECTIONS, DISCARDED, PREDICTED, SHEETS, box_rows, numbered

FEATURE_FLOOR = 0.01  # confidence under which nobody compares a detection with others; most are such


class Predicted(NamedTuple):
    """The tables SHEETS, DETECTIONS and DISCARDED, and the features of detections from FEATURE_FLOOR on, in order."""

    sheets: pd.DataFrame
    detections: pd.DataFrame
    discarded: pd.DataFrame
    features: NDArray[np.float16]  # (k, FEATURES)


def predicted_tables(sheets: Sequence[SplitSheet], predictions: Sequence[Prediction]) -> Predicted:
    """Return what was seen on `sheets`; `predictions` are in the same order.

    Detections are numbered by falling confidence within their sheet.
    """
    pairs = list(zip(sheets, predictions, strict=True))
    sizes = [(one.split, one.sheet.image_id, seen.width, seen.height) for one, seen in pairs]
    found = [
        box_rows(one.split, one.sheet.image_id, seen.class_id, seen.xyxy).assign(confidence=seen.confidence)
        for one, seen in pairs
    ]
    left = [
        box_rows(one.split, one.sheet.image_id, seen.discarded.class_id, seen.discarded.xyxy).assign(
            confidence=seen.discarded.confidence, reason=seen.discarded.reason
        )
        for one, seen in pairs
    ]
    order = sorted(range(len(pairs)), key=lambda place: sizes[place][:2])  # as the tables are sorted
    kept = [
        seen.features[seen.confidence.round(DECIMALS) >= FEATURE_FLOOR] for seen in (pairs[place][1] for place in order)
    ]
    return Predicted(
        conform(pd.DataFrame(sizes, columns=list(SHEETS.columns)), SHEETS),
        conform(numbered(found, "detection_id", list(DETECTIONS.columns)), DETECTIONS),
        conform(numbered(left, "candidate_id", list(DISCARDED.columns)), DISCARDED),
        np.concatenate([np.zeros((0, FEATURES), np.float16), *kept]),
    )


def save_predicted(predicted: Predicted, folder: Path = PREDICTED) -> None:
    """Write the tables and the features below `folder`."""
    write_table(predicted.sheets, folder / "sheets.parquet", SHEETS)
    write_table(predicted.detections, folder / "detections.parquet", DETECTIONS)
    write_table(predicted.discarded, folder / "discarded.parquet", DISCARDED)
    with replacing(folder / "features.npy") as temporary, temporary.open("wb") as file:
        np.save(file, predicted.features, allow_pickle=False)
