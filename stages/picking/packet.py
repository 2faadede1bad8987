"""Writes and reads a packet: the sheets that go to review, what is known about them, and why they go.

packet.json    what it is: id, iteration, classes, seed, ruler, its sheets in the reviewer's order, a hash of every file
images/        the whole sheets, byte for byte
prelabels.csv  the boxes to start from: the sheet's own claims, or the model's detections with their confidence
labels/        the same as YOLO rows
focus.csv      what to look at, and why
crops/         zoom pictures of the focus boxes; to look at, never to label
data.yaml      the class names, in the order of the ids in the labels

Nothing in it tells which sheets were drawn at random or were reviewed before, and which were picked: a reviewer must
not know. Only a sheet whose labels are to be checked says so, in its reasons.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from stages.base.atomic import replacing_folder
from stages.base.boxes import BOX, xywhn_to_xyxy, xyxy_to_xywhn
from stages.base.decoding import read_bgr
from stages.base.errors import problem
from stages.base.tables import write_csv
from stages.dataset.crops import safe_name, save_image
from stages.dataset.new_dataset import write_description
from stages.dataset.sheets.manifest import file_sha256
from stages.dataset.sheets.split_folder import Sheet, label_text, read_labels
from stages.picking.packet_pictures import MOST_PICTURES, Picture, write_contact_sheet, zoom_on_map
from stages.ruler.pairing.box_tables import CORNERS

PACKET = Path("data/sample/packet")
HEAD = "packet.json"
PRELABELS = {
    "image_id": "str",
    "prelabel_id": "str",  # one in the packet: the sheet's place, and the box's on it
    "class_name": "str",
    **CORNERS,
    "confidence": "Float64",  # of the detection; null for a claim
}
FOCUS = {
    "image_id": "str",
    "focus_id": "str",  # one in the packet: the sheet's place, and the row's on it
    "kind": "str",  # missed, uncertain, nothing_seen (whose box is the whole sheet), label: one that looks wrong
    "class_name": "str",  # "" for nothing_seen
    **CORNERS,
    "confidence": "Float64",  # of the detection, if it is one
    "reason": "str",
    "crop": "str",  # path in the packet
}
_DAMAGED = "Run `dvc checkout data/sample`, or `dvc repro` to write it again."


class Outgoing(NamedTuple):
    """A sheet that goes out: its files, its size in px, and its group ("" for none).

    `as_new`: it starts from the model's detections although it has labels.
    """

    sheet: Sheet
    width: int
    height: int
    group: str = ""
    as_new: bool = False

    @property
    def claims(self) -> bool:
        """Whether the review starts from its own labels."""
        return self.sheet.labelled and not self.as_new


class PacketSheet(NamedTuple):
    """One sheet of a packet."""

    order: int  # from 1, the reviewer's order
    image_id: str
    sha256: str  # of the image's bytes
    width: int  # px
    height: int
    labels_from: str  # what its pre-labels are: claims, model; none: it is labelled from nothing
    group: str  # "" for none


class Packet(NamedTuple):
    """A packet as it lies in `folder`; tables have the columns of `PRELABELS` and `FOCUS`."""

    folder: Path
    packet_id: str  # 12 hex digits: of all that packet.json holds
    iteration: int
    classes: tuple[str, ...]
    seed: int
    ruler: str  # id of the ruler that measured the iteration; "" where none did
    sheets: tuple[PacketSheet, ...]  # in the reviewer's order
    prelabels: pd.DataFrame
    focus: pd.DataFrame
    split: str = "pool"  # that its sheets came from; val or test goes out to be labelled

    def image(self, sheet: PacketSheet) -> Path:
        """Return where the picture of `sheet` lies."""
        return self.folder / "images" / sheet.image_id


def write_packet(
    sheets: Sequence[Outgoing],
    *,
    focus: pd.DataFrame,
    detections: pd.DataFrame,
    classes: Sequence[str],
    iteration: int,
    seed: int,
    ruler: str,
    split: str = "pool",
    folder: Path = PACKET,
) -> list[Picture]:
    """Write the packet of `sheets`, given in the reviewer's order; the folder is replaced as a whole.

    `focus` has the columns of `FOCUS` but focus_id and crop, each sheet's rows in their order. `detections` (image_id,
    class_id, box in px, confidence) are the pre-labels of sheets without labels; others start from their own, and those
    of another `split` than the pool from nothing. No sheets are a packet, too. Returns the zoom pictures of the first
    MOST_PICTURES focus boxes in the packet, in their order: as many as a figure shows, since those of a large packet
    fill the memory.
    """
    with replacing_folder(folder) as building:
        for part in ("images", "labels", "crops"):
            (building / part).mkdir(parents=True)
        labels_from = None if split == "pool" else "none"
        listed = [_copy(place, one, building, labels_from) for place, one in enumerate(sheets, 1)]
        found = dict(list(detections.groupby("image_id", sort=False)))
        parts = [
            _prelabels(row, one, found.get(row.image_id, detections[:0]), classes)
            for row, one in zip(listed, sheets, strict=True)
        ]
        prelabels = pd.concat([pd.DataFrame(columns=list(PRELABELS)).astype(PRELABELS), *parts], ignore_index=True)
        for row, one, boxes in zip(listed, sheets, parts, strict=True):
            _write_labels(row, one, boxes, classes, building)
        filled = _in_order(focus, listed)
        pictures = _write_crops(filled, building)
        write_csv(prelabels.astype(PRELABELS), building / "prelabels.csv")
        write_csv(filled.reindex(columns=list(FOCUS)).astype(FOCUS), building / "focus.csv")
        write_description(building, classes)
        facts = {"classes": classes, "iteration": iteration, "seed": seed, "ruler": ruler}
        _write_head(listed, building, **facts, **({} if split == "pool" else {"split": split}))
    return pictures


def read_packet(folder: Path = PACKET, *, whole: bool = True) -> Packet:
    """Return the packet in `folder`; raise `UserError` when there is none, or when a file is not as it was written.

    Not `whole`: only the head and the tables need to be there.
    """
    file = folder / HEAD
    if not file.is_file():
        raise problem("packet.packet", file)
    try:
        head = json.loads(file.read_text(encoding="utf-8"))
        packet_id, files = head.pop("packet"), head["files"]
        sheets = tuple(PacketSheet(**one) for one in head["sheets"])
        facts = (int(head["iteration"]), tuple(map(str, head["classes"])), int(head["seed"]), str(head["ruler"]))
        split = str(head.get("split", "pool"))
        fits = packet_id == _digest(head)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise problem("packet.head_packet", file, found=" ".join(str(error).split())[:120], damaged=_DAMAGED) from error
    if not fits:
        raise problem("packet.content_fits_own", file, damaged=_DAMAGED)
    for name, listed in files.items() if whole else ():
        found = file_sha256(folder / name)
        if found != listed:
            words = "other content" if found else "no file"
            raise problem("packet.file_packet_lists", folder / name, words=words, damaged=_DAMAGED)
    tables = (_read_table(folder / "prelabels.csv", PRELABELS), _read_table(folder / "focus.csv", FOCUS))
    return Packet(folder, packet_id, *facts, sheets, *tables, split)


def _copy(place: int, one: Outgoing, packet: Path, labels_from: str | None) -> PacketSheet:
    """Put the picture into the packet, byte for byte; `labels_from` None: as the sheet has it."""
    copy = packet / "images" / one.sheet.image_id
    shutil.copyfile(one.sheet.image, copy)
    start = labels_from or ("claims" if one.claims else "model")
    return PacketSheet(place, one.sheet.image_id, file_sha256(copy), one.width, one.height, start, one.group)


def _prelabels(row: PacketSheet, one: Outgoing, detections: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Return the boxes that the review of a sheet starts from; `detections` are those on it."""
    if one.claims:
        labels = read_labels(one.sheet.label, classes)
        xyxy = xywhn_to_xyxy(labels.xywhn, width=row.width, height=row.height)
        boxes = pd.DataFrame(xyxy, columns=BOX).assign(class_id=labels.class_id, confidence=np.nan)
    else:
        boxes = detections
    return pd.DataFrame(
        {
            "image_id": row.image_id,
            "prelabel_id": [f"{row.order}-{number}" for number in range(1, len(boxes) + 1)],
            "class_name": [classes[class_id] for class_id in boxes["class_id"]],
            **{side: boxes[side].to_numpy(float) for side in BOX},
            "confidence": boxes["confidence"].to_numpy(),
        },
    ).astype(PRELABELS)


def _write_labels(
    row: PacketSheet, one: Outgoing, prelabels: pd.DataFrame, classes: Sequence[str], packet: Path
) -> None:
    label = packet / "labels" / one.sheet.label.name
    if one.claims:
        shutil.copyfile(one.sheet.label, label)
        return
    xywhn = xyxy_to_xywhn(prelabels[BOX].to_numpy(float), width=row.width, height=row.height)
    label.write_text(label_text([classes.index(name) for name in prelabels["class_name"]], xywhn), encoding="utf-8")


def _in_order(focus: pd.DataFrame, sheets: Sequence[PacketSheet]) -> pd.DataFrame:
    """Return the focus boxes in the order of their sheets, with their ids and where their crops lie."""
    place = {sheet.image_id: sheet.order for sheet in sheets}
    ordered = focus.assign(order=focus["image_id"].map(place)).sort_values("order", kind="stable", ignore_index=True)
    number = ordered.groupby("order").cumcount() + 1
    ids = [f"{order}-{count}" for order, count in zip(ordered["order"], number, strict=True)]
    stems = [safe_name(Path(name).stem) for name in ordered["image_id"]]
    crops = [
        f"crops/{order:03d}_{count:02d}_{stem}.jpg"
        for order, count, stem in zip(ordered["order"], number, stems, strict=True)
    ]
    return ordered.assign(focus_id=pd.Series(ids, dtype="str"), crop=pd.Series(crops, dtype="str"))


def _write_crops(focus: pd.DataFrame, packet: Path) -> list[Picture]:
    """Write a zoom picture of every focus box, and return the first ones; each sheet is decoded once."""
    pictures: list[Picture] = []
    for image_id, rows in focus.groupby("image_id", sort=False):
        image = read_bgr(packet / "images" / str(image_id))
        for crop, box in zip(rows["crop"], rows[BOX].to_numpy(float), strict=True):
            picture = zoom_on_map(image, box)
            save_image(picture, packet / crop)
            pictures += [picture] * (len(pictures) < MOST_PICTURES)
    return pictures


def _write_head(sheets: Sequence[PacketSheet], packet: Path, **facts: Any) -> None:
    files = sorted(path for path in packet.rglob("*") if path.is_file())
    head = {
        **facts,
        "classes": list(facts["classes"]),
        "sheets": [sheet._asdict() for sheet in sheets],
        "files": {path.relative_to(packet).as_posix(): file_sha256(path) for path in files},
    }
    text = json.dumps({"packet": _digest(head), **head}, ensure_ascii=False, indent=1)
    (packet / HEAD).write_text(f"{text}\n", encoding="utf-8")


def _digest(head: Mapping[str, Any]) -> str:
    text = json.dumps(head, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _read_table(file: Path, columns: Mapping[str, str]) -> pd.DataFrame:
    """Return a table of the packet; empty text is "", an absent confidence NA."""
    texts = [name for name, kind in columns.items() if kind == "str"]
    numbers = [name for name in columns if name not in texts]
    try:
        frame = pd.read_csv(
            file, dtype=dict.fromkeys(texts, "str"), keep_default_na=False, na_values=dict.fromkeys(numbers, "")
        )
        return frame[list(columns)].astype(columns)
    except (ValueError, KeyError) as error:
        found = " ".join(str(error).split())[:120]
        raise problem("packet.table_packet", file, found=found, damaged=_DAMAGED) from error


def draw_packet(packet: Packet, pictures: Sequence[Picture], *, heading: str, file: Path) -> None:
    """Write the figure of what `packet` points at; `pictures` are those that `write_packet` returned."""
    place = {sheet.image_id: sheet.order for sheet in packet.sheets}
    write_contact_sheet(
        pictures,
        titles=[
            f"sheet {place[name]}   {kind.replace('_', ' ')}"
            for name, kind in zip(packet.focus["image_id"], packet.focus["kind"], strict=True)
        ],
        captions=list(packet.focus["reason"]),
        heading=heading,
        file=file,
    )
