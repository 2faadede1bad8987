"""The reviewer `auto`: takes the model's own detections for labels, and looks at nothing."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from stages.base.boxes import BOX
from stages.base.tables import read_table
from stages.picking.candidates import prelabels
from stages.picking.packet import Packet, PacketSheet
from stages.review.kept.kept_review import Review, ReviewedBox, ReviewedSheet, head_of
from stages.ruler.pairing.box_tables import DETECTIONS, PREDICTED
from stages.ruler.schemas import IMAGES

WARNING = (
    "WARNING: --auto takes the model's own detections for labels, and nobody looks at them. Such pseudo-labels can "
    "spread the model's errors and make it worse. They stay marked as `auto` in data/dataset/train/manifest.csv; "
    "`yoloop review drop-auto` takes them out again."
)


def auto_review(root: Path, packet: Packet, *, confidence: float) -> Review:
    """Return labels for the sheets of `packet`: detections of at least `confidence`, none on top of another.

    A sheet that has labels already keeps those: somebody drew them. A sheet without any box counts as not reviewed,
    since that the model sees nothing does not mean that nothing is there; nor does one of train, which has labels: that
    the model says so again is no second look. Raises `UserError` for damaged tables.
    """
    images = read_table(root / "data/validate/images.parquet", IMAGES)
    detections = read_table(root / PREDICTED / "detections.parquet", DETECTIONS)
    seen = prelabels(detections, images, confidence=confidence)
    names = [packet.classes[class_id] for class_id in seen["class_id"]]
    boxes = {
        "claims": _by_sheet(packet.prelabels),
        "model": _by_sheet(seen.assign(class_name=names, prelabel_id=None)),
    }
    pool = set(images.loc[images["split"] == "pool", "image_id"])
    sheets = tuple(
        _sheet(sheet, boxes[sheet.labels_from].get(sheet.image_id, []) if sheet.image_id in pool else [])
        for sheet in packet.sheets
    )
    return Review(*head_of(packet, source="auto", partial=True), sheets=sheets)


def _by_sheet(boxes: pd.DataFrame) -> dict[str, list[ReviewedBox]]:
    found: dict[str, list[ReviewedBox]] = {}
    columns = boxes[["image_id", "class_name", *BOX, "prelabel_id"]]
    for image_id, *row in columns.itertuples(index=False, name=None):
        found.setdefault(image_id, []).append(ReviewedBox(*row))
    return found


def _sheet(sheet: PacketSheet, boxes: Sequence[ReviewedBox]) -> ReviewedSheet:
    return ReviewedSheet(sheet.image_id, sheet.sha256, "reviewed" if boxes else "unreviewed", None, tuple(boxes))
