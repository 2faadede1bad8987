"""Reads labels that were held back: the answers of a reviewer who is none, for simulations."""

from collections.abc import Sequence
from pathlib import Path

from stages.base.boxes import xywhn_to_xyxy
from stages.base.errors import problem
from stages.dataset.sheets.split_folder import read_labels
from stages.picking.packet import Packet, PacketSheet
from stages.review.kept.kept_review import Review, ReviewedBox, ReviewedSheet, head_of

ORACLE = Path("data/oracle/labels")
POOL = Path("data/dataset/pool/labels")


def read_oracle(packet: Packet, root: Path = Path()) -> Review:
    """Return the held-back labels of the sheets of `packet`, or the pool's own where none were held back.

    Raises `UserError` for a sheet that has neither.
    """
    sheets = tuple(_sheet(sheet, packet.classes, root) for sheet in packet.sheets)
    return Review(*head_of(packet, source="oracle"), sheets=sheets)


def _sheet(sheet: PacketSheet, classes: Sequence[str], root: Path) -> ReviewedSheet:
    name = f"{Path(sheet.image_id).stem}.txt"
    file = next((root / folder / name for folder in (ORACLE, POOL) if (root / folder / name).is_file()), None)
    if file is None:
        raise problem("oracle.labels_were_held", root / ORACLE / name, image_id=sheet.image_id)
    labels = read_labels(file, classes)
    xyxy = xywhn_to_xyxy(labels.xywhn, width=sheet.width, height=sheet.height).tolist()
    boxes = tuple(ReviewedBox(classes[key], *box) for key, box in zip(labels.class_id, xyxy, strict=True))
    return ReviewedSheet(sheet.image_id, sheet.sha256, "reviewed", None, boxes)
