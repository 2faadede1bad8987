"""Reads labels that were held back: the answers of a reviewer who is none, for simulations."""

from collections.abc import Sequence
from pathlib import Path

from stages.base.errors import problem
from stages.picking.packet import Packet, PacketSheet
from stages.review.kept.earlier_labels import boxes_in
from stages.review.kept.kept_review import Review, ReviewedSheet, head_of

ORACLE = Path("data/oracle/labels")
OWN = tuple(Path("data/dataset") / split / "labels" for split in ("pool", "train"))


def read_oracle(packet: Packet, root: Path = Path()) -> Review:
    """Return the held-back labels of the sheets of `packet`, or those of pool or train where none were held back.

    Raises `UserError` for a sheet that has neither.
    """
    sheets = tuple(_sheet(sheet, packet.classes, root) for sheet in packet.sheets)
    return Review(*head_of(packet, source="oracle"), sheets=sheets)


def _sheet(sheet: PacketSheet, classes: Sequence[str], root: Path) -> ReviewedSheet:
    name = f"{Path(sheet.image_id).stem}.txt"
    file = next((root / folder / name for folder in (ORACLE, *OWN) if (root / folder / name).is_file()), None)
    if file is None:
        raise problem("oracle.labels_were_held", root / ORACLE / name, image_id=sheet.image_id)
    return ReviewedSheet(sheet.image_id, sheet.sha256, "reviewed", None, boxes_in(file, sheet, classes))
