"""The packet that val or test goes out in to be labelled: whole sheets, and nothing that a model has seen on them.

What a model proposes, a person confirms more easily than he draws it: a ruler made of a model's own proposals finds
that model good. So these packets have no pre-labels, whatever has been predicted, and no reasons to look anywhere.
"""

from pathlib import Path
from typing import Literal

import pandas as pd

from stages.base.boxes import BOX
from stages.base.decoding import read_bgr
from stages.base.errors import UserError, problem
from stages.base.file_facts import digests
from stages.base.image_size import image_size
from stages.base.params import PARAMS, read_classes
from stages.dataset.sheets.manifest import MANIFEST, read_manifest
from stages.dataset.sheets.split_folder import DATASET, Sheet, read_split
from stages.picking.packet import FOCUS, Outgoing, Packet, read_packet, write_packet
from stages.project.preconditions import require_repository
from stages.project.project_lock import STATE
from stages.review.kept.open_packet import packet_under_review

Split = Literal["pool", "val", "test"]
PACKETS = Path(STATE) / "packets"  # of val and test: made again from the dataset whenever they are gone


def packet_for(root: Path, split: Split) -> Packet:
    """Return the packet of the pool that waits for its review, or the sheets of val or test that wait for labels.

    Raises `UserError` as `packet_under_review` does, and for a split of which all sheets are labelled.
    """
    return packet_under_review(root) if split == "pool" else _packet_to_label(root, split)


def _packet_to_label(root: Path, split: Literal["val", "test"]) -> Packet:
    require_repository(root)
    groups = {row.image_id: row.group for row in read_manifest(root / DATASET / split / MANIFEST)}
    sheets = read_split(split, root / DATASET)
    rest = [sheet for sheet in sheets if not sheet.labelled]
    if not rest:
        raise problem("split_packet.unlabelled_sheets", root / DATASET / split, split=split, count=len(sheets))
    rest.sort(key=lambda sheet: (groups[sheet.image_id], sheet.image_id))
    classes, folder = read_classes(root / PARAMS), root / PACKETS / split
    written = _written(folder)
    if written is None or not _is_of(written, rest, classes):
        out = [_outgoing(sheet, groups[sheet.image_id]) for sheet in rest]
        nothing = {"focus": _NO_FOCUS, "detections": _NO_DETECTIONS}
        write_packet(out, **nothing, classes=classes, iteration=0, seed=0, ruler="", split=split, folder=folder)
    return read_packet(folder)


_NO_FOCUS = pd.DataFrame(columns=[name for name in FOCUS if name not in ("focus_id", "crop")])
_NO_DETECTIONS = pd.DataFrame(columns=["image_id", "class_id", *BOX, "confidence"])


def _written(folder: Path) -> Packet | None:
    """Return the packet in `folder`, None where there is none or only what a killed command has left."""
    try:
        return read_packet(folder)
    except UserError:
        return None


def _is_of(packet: Packet, sheets: list[Sheet], classes: tuple[str, ...]) -> bool:
    known = digests(sheet.image for sheet in sheets)
    listed = [(sheet.image_id, sheet.sha256) for sheet in packet.sheets]
    return packet.classes == classes and listed == [(sheet.image_id, known[sheet.image]) for sheet in sheets]


def _outgoing(sheet: Sheet, group: str) -> Outgoing:
    size = image_size(sheet.image)
    if size is None:
        height, width = read_bgr(sheet.image).shape[:2]
        size = width, height
    return Outgoing(sheet, *size, group)
