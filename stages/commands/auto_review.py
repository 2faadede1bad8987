"""The reviewer `auto`: takes the model's own detections for labels, and looks at nothing."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from stages.core.boxes import BOX, xyxy_to_xywhn
from stages.files.dataset import DATASET, Sheet, read_labels, read_split
from stages.files.review import FolderReview, Reviewed
from stages.files.schemas import DETECTIONS, IMAGES
from stages.files.tables import read_table
from stages.sample import prelabels

WARNING = (
    "WARNING: --auto takes the model's own detections for labels, and nobody looks at them. Such pseudo-labels can "
    "spread the model's errors and make it worse. They stay marked as `auto` in data/dataset/train/manifest.csv."
)


def auto_review(root: Path, packet: Sequence[str], classes: Sequence[str], *, confidence: float) -> FolderReview:
    """Return labels for the sheets of `packet`: detections of at least `confidence`, none on top of another.

    A sheet that has labels already keeps those: somebody drew them. A sheet without any box counts as missing, since
    that the model sees nothing does not mean that nothing is there. Raises `UserError` for damaged tables or labels.
    """
    tables = root / "data/validate"
    images = read_table(tables / "images.parquet", IMAGES)
    seen = prelabels(read_table(tables / "detections.parquet", DETECTIONS), images, confidence=confidence)
    sheets = {sheet.image_id: sheet for sheet in read_split("pool", root / DATASET)}
    reviewed = [_labels(sheets[image_id], seen[seen["image_id"] == image_id], classes) for image_id in packet]
    kept = [sheet for sheet in reviewed if len(sheet.class_id)]
    missing = [sheet.image_id for sheet in reviewed if not len(sheet.class_id)]
    return FolderReview(sorted(kept, key=lambda sheet: sheet.image_id), sorted(missing), 0, [])


def _labels(sheet: Sheet, boxes: pd.DataFrame, classes: Sequence[str]) -> Reviewed:
    if sheet.labelled:
        own = read_labels(sheet.label, classes)
        return Reviewed(sheet.image_id, own.class_id, own.xywhn)
    if boxes.empty:
        return Reviewed(sheet.image_id, np.zeros(0, dtype=np.int32), np.zeros((0, 4)))
    width, height = int(boxes["width"].iloc[0]), int(boxes["height"].iloc[0])
    xywhn = xyxy_to_xywhn(boxes[BOX].to_numpy(float), width=width, height=height)
    return Reviewed(sheet.image_id, boxes["class_id"].to_numpy(np.int32), xywhn)
