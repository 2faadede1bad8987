"""What all formats write alike: the pictures of a packet, and the boxes that a sheet starts from."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import pandas as pd

from stages.picking.packet import Packet


class Prelabel(NamedTuple):
    """A box that the reviewer starts from: corners in px, and the model's confidence in [0, 1] (None: a claim)."""

    prelabel_id: str
    class_name: str
    x1: float
    y1: float
    x2: float
    y2: float
    confidence: float | None


def add_texts(parent: ElementTree.Element, texts: Mapping[str, str]) -> None:
    """Put an element with its text into `parent` for each of `texts`, by their tags."""
    for tag, text in texts.items():
        ElementTree.SubElement(parent, tag).text = text


def copy_images(packet: Packet, folder: Path) -> None:
    """Copy the sheets, byte for byte, into `folder`."""
    folder.mkdir(parents=True)
    for sheet in packet.sheets:
        shutil.copyfile(packet.image(sheet), folder / sheet.image_id)


def copy_labels(packet: Packet, folder: Path) -> None:
    """Copy the YOLO rows that the sheets start from, byte for byte, into `folder`."""
    folder.mkdir(parents=True)
    for sheet in packet.sheets:
        name = f"{Path(sheet.image_id).stem}.txt"
        shutil.copyfile(packet.folder / "labels" / name, folder / name)


def prelabels_by_sheet(packet: Packet) -> dict[str, list[Prelabel]]:
    """Return the boxes that the review of each sheet starts from, by image_id."""
    found: dict[str, list[Prelabel]] = {sheet.image_id: [] for sheet in packet.sheets}
    rows = packet.prelabels[list(Prelabel._fields)].itertuples(index=False, name=None)
    for image_id, row in zip(packet.prelabels["image_id"], rows, strict=True):
        one = Prelabel._make(row)
        sure = None if pd.isna(one.confidence) else float(one.confidence)
        found.setdefault(image_id, []).append(one._replace(confidence=sure))
    return found
