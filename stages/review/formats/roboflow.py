"""Roboflow: the folder that its upload takes, and what it exports as a version of a project.

A version comes as YOLO, COCO or VOC (docs.roboflow.com/datasets/versions/dataset-versions/exporting-data; the layouts
are in openvinotoolkit.github.io/datumaro/latest/docs/data-formats/formats/roboflow.html), with README.roboflow.txt,
which says what was done to the pictures. They are called `name_png.rf.<letters>.jpg`; only COCO keeps the name of
before. They are compressed again, and class names come back in plain letters ("Export Behavior" on the first page).
"""

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from stages.base.errors import problem
from stages.dataset.new_dataset import write_description
from stages.formats.coco.coco_file import coco_files
from stages.formats.yolo_folder import description
from stages.picking.packet import Packet
from stages.review.formats import coco, voc, yolo
from stages.review.formats.outgoing_boxes import copy_images, copy_labels
from stages.review.formats.plain_yaml import read_plain
from stages.review.formats.returned_boxes import Returned

_README = "README.roboflow.txt"
_NOTES = (_README, "README.dataset.txt")
_COCO = "_annotations.coco.json"
_AUGMENTED = re.compile(r"The following (augmentation was|transformations were) applied")
_DONE_TO_ALL = "The following pre-processing was applied"
_HARMLESS = "Auto-orientation"  # pictures as we see them anyway


def is_one(path: Path) -> bool:
    """Say whether `path` is a version that Roboflow exported."""
    if not path.is_dir():
        return False
    if any((path / name).is_file() for name in _NOTES) or _has_coco(path):
        return True
    return description(path).is_file() and "roboflow" in read_plain(description(path))


def read(path: Path) -> Returned:
    """Return what the version at `path` holds, in whichever form it is.

    Raises `UserError` as the reader of that form does, and for a version with augmentation: its pictures are no sheets
    any more. What else was done to them is named where each sheet comes from.
    """
    done = tuple(_preprocessing(path))
    if _has_coco(path):
        found = _with_first_names(coco.read(path), path)
    else:
        found = yolo.read(path) if description(path).is_file() else voc.read(path)
    note = f" (Roboflow: {', '.join(done)})" if done else ""
    return found._replace(
        tool="roboflow", sheets=tuple(sheet._replace(where=f"{sheet.where}{note}") for sheet in found.sheets)
    )


def write(packet: Packet, folder: Path) -> list[str]:
    """Write the layout that Roboflow's upload takes; return what to do with it.

    All sheets stand in one split: a review is no split, and Roboflow must not make one.
    """
    copy_images(packet, folder / "train/images")
    copy_labels(packet, folder / "train/labels")
    write_description(folder, packet.classes, train="train/images", nc=len(packet.classes))
    return [
        "With an API key this step is done for you: yoloop review export --to roboflow --project WORKSPACE/PROJECT",
        "In an Object Detection project: Upload Data > this folder; Save and Continue, all images to Train.",
        *back(),
    ]


def back() -> list[str]:
    """Return what to do in Roboflow once the sheets are there, in its words."""
    return [
        "Annotate: correct every sheet (Mark Null where nothing is on it), and add it to the Dataset.",
        "Versions > Create New Version. Preprocessing: remove Auto-Orient and Resize, and add no Filter Null; "
        "Augmentation: none.",
        "Export > COCO > Download zip to computer, and import that file (or: yoloop review import --format roboflow "
        "--project WORKSPACE/PROJECT --version N). When you looked at every sheet, add --all-reviewed.",
    ]


def plain_name(class_name: str) -> str:
    """Return `class_name` as Roboflow exports it: ASCII, without accents, '-' for any other letter."""
    letters = unicodedata.normalize("NFKD", class_name)
    return "".join(letter if letter.isascii() else "-" for letter in letters if not unicodedata.combining(letter))


def _has_coco(path: Path) -> bool:
    return any((path / _COCO).is_file() for path in (path, *path.glob("*/")))


def _with_first_names(found: Returned, path: Path) -> Returned:
    """Return `found` with the names that its pictures were uploaded with, as far as the JSON has them."""
    entries = [entry for part in coco_files(path) for entry in part.content["images"]]
    extras = [(str(entry.get("file_name")), entry.get("extra")) for entry in entries]
    names = {name: str(extra["name"]) for name, extra in extras if isinstance(extra, dict) and extra.get("name")}
    return found._replace(
        sheets=tuple(sheet._replace(name=names.get(sheet.name, sheet.name)) for sheet in found.sheets)
    )


def _preprocessing(path: Path) -> Iterator[str]:
    """Yield what README.roboflow.txt says was done to every picture, and refuse augmentation."""
    file = path / _README
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines() if file.is_file() else []
    listing = False
    for number, line in enumerate(lines, 1):
        if _AUGMENTED.match(line):
            raise problem("roboflow.sheets_they_were", f"{file}:{number}", found=f"'{line.strip().rstrip(':')}'")
        if line.startswith("* ") and listing and _HARMLESS not in line:
            yield line[2:].strip()
        listing = line.startswith(_DONE_TO_ALL) or (listing and line.startswith("* "))
