"""YOLO folders, as Ultralytics defines them and as the tools export them.

https://docs.ultralytics.com/datasets/detect/: data.yaml with `names`, and for each picture a text file with rows
`class x y w h`, in fractions; a picture without one comes without a box. What tools make of it: CVAT's "Ultralytics
YOLO" export has no pictures unless asked for them, but a list of them (train.txt); Label Studio's has classes.txt in
place of data.yaml; labelImg wants classes.txt beside the labels, and writes it anew with whatever order it has.
"""

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import yaml

from stages.base.errors import problem
from stages.dataset.defects import refuse
from stages.dataset.sheets.split_folder import IMAGE_SUFFIXES
from stages.formats.doubts.key_points import KeyPoints, key_points_in, undecided
from stages.formats.doubts.stored_accents import as_stored, composed
from stages.formats.image_lookup import every_image
from stages.formats.source_sheets import FRACTIONS, SourceSheet
from stages.formats.written_names import listed_names
from stages.formats.yolo_folder import NAME_LISTS, Item, description, labels_of, read_names
from stages.formats.yolo_reader import yolo_sheet
from stages.picking.packet import Packet
from stages.review.formats.outgoing_boxes import copy_images, copy_labels
from stages.review.formats.plain_yaml import read_plain
from stages.review.formats.returned_boxes import Returned, ReturnedSheet, returned_sheet

_CLASSES = "classes.txt"
_LABELS = re.compile(r"labels|images|obj_.*data")  # folders in which a text file holds labels
_LISTS = ("train.txt", "val.txt", "valid.txt", "test.txt")
_PACKET = "packet"  # a key of our own in data.yaml: it comes back where the folder itself was worked on


class _Found(NamedTuple):
    """A sheet in a folder: its name, its picture if that is there, and where its labels are or would be."""

    name: str
    image: Path | None
    label: Path | None


def is_one(path: Path) -> bool:
    """Say whether `path` is a folder with class names and YOLO labels."""
    if not path.is_dir():
        return False
    return description(path).is_file() or (bool(_class_files(path)) and bool(_label_files(path)))


def read(path: Path) -> Returned:
    """Return what the folder `path` holds; raise `UserError` with file and line for what is no box.

    Whatever data.yaml says of splits and of where they lie: all that is in the folder is read, and nothing else.
    """
    described = read_plain(description(path)) if description(path).is_file() else {}
    classes = _names(path)
    packet_id = described.get(_PACKET)
    found = _found(path)
    if not any(one.label and one.label.is_file() for one in found):
        raise problem("yolo.label_files", path, number_of_found=len(found))
    key_points = key_points_in(described)
    read = [_sheet(one, classes, key_points) for one in found]
    refuse(undecided([sheet for _, sheet in read if sheet]) if key_points is None else [])
    sheets = tuple(_returned(one, sheet, classes, path) for one, sheet in read)
    return Returned("yolo", classes, sheets, packet_id if isinstance(packet_id, str) else "")


def write(packet: Packet, folder: Path) -> list[str]:
    """Write the packet as a YOLO folder; return what to do with it."""
    copy_images(packet, folder / "images")
    copy_labels(packet, folder / "labels")
    # Ultralytics, and what reads its folders, asks for both splits; here they are the same sheets.
    content = {"train": "images", "val": "images", "nc": len(packet.classes), "names": list(packet.classes)}
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    named = f'{_PACKET}: "{packet.packet_id}"\n'  # in quotes: 80703490e8 is a number to YAML
    (folder / "data.yaml").write_text(text + named, encoding="utf-8")
    names = "".join(f"{name}\n" for name in packet.classes)
    for file in (folder / _CLASSES, folder / "labels" / _CLASSES):
        if not file.exists():  # a sheet may be called so
            file.write_text(names, encoding="utf-8")
    return [
        "Open images and labels in your tool (class names: data.yaml or classes.txt), and correct every sheet.",
        "With labelImg: labelImg images labels/classes.txt labels (or it makes up an order of its own).",
        "Save or export as YOLO: boxes, no resizing, no augmentation.",
        "YOLO says not which sheets were looked at: when all were, add --all-reviewed to the import.",
    ]


def _names(folder: Path) -> tuple[str, ...]:
    """Return the class names; raise `UserError` where two lists of them differ: nobody knows which ids are meant."""
    lists = {file: listed_names(file) for file in _class_files(folder)}
    if description(folder).is_file() or not lists:
        lists = {description(folder): read_names(folder), **lists}
    (first, names), *others = lists.items()
    for file, listed in others:
        if listed != names:
            raise problem(
                "yolo.classes_their_order",
                file,
                first=first,
                names=", ".join(names),
                found=", ".join(listed)[:200] or "none",
            )
    return names


def _class_files(folder: Path) -> list[Path]:
    """Return the lists of classes, the uppermost first; the labels of a picture called `classes` are none."""
    pictures = {image.stem for image in _images(folder)}
    files = [file for name in NAME_LISTS for file in folder.rglob(name) if file.is_file()]
    lists = [file for file in files if file.parent == folder or file.stem not in pictures]
    return sorted(lists, key=lambda file: (len(file.parts), file))


def _found(folder: Path) -> list[_Found]:
    """Return each picture with its labels, then labels without a picture, then pictures that are only listed."""
    places = [(image, as_stored(folder / labels_of(image.relative_to(folder)))) for image in _images(folder)]
    found = [_Found(image.name, image, label) for image, label in places]
    taken = {one.label for one in found}
    named = _listed_images(folder)
    lonely = [label for label in _label_files(folder) if label not in taken]
    found += [_Found(named.get(composed(label.stem), label.stem), None, label) for label in lonely]
    seen = {composed(one.label.stem) for one in found if one.label}
    return found + [_Found(name, None, None) for stem, name in named.items() if stem not in seen]


def _images(folder: Path) -> list[Path]:
    """Return the pictures in folders called `images`, or all where there is no such folder."""
    found = sorted(image for group in every_image(folder).by_name.values() for image in group)
    return [image for image in found if "images" in image.relative_to(folder).parts[:-1]] or found


def _label_files(folder: Path) -> list[Path]:
    """Return the files with labels: in folders for them, beside a picture, or at the top where nothing else is."""
    pictures = _images(folder)
    beside = {as_stored(image.with_suffix(".txt")) for image in pictures}
    lists = {*_class_files(folder), *(folder / name for name in _LISTS if _listed(folder / name))}
    texts = [file for file in sorted(folder.rglob("[!.]*.txt")) if file not in lists and file.is_file()]
    inside = [
        file for file in texts if any(map(_LABELS.fullmatch, file.relative_to(folder).parts[:-1])) or file in beside
    ]
    return inside if inside or pictures else [file for file in texts if file.parent == folder]


def _listed_images(folder: Path) -> dict[str, str]:
    """Return the file names in the lists of pictures at the top (train.txt), by their stems."""
    paths = [PurePosixPath(line) for name in _LISTS for line in _listed(folder / name)]
    return {composed(path.stem): path.name for path in paths}


def _listed(file: Path) -> list[str]:
    """Return the pictures that a file lists; nothing for one that holds something else, such as labels."""
    lines = file.read_text("utf-8-sig", errors="replace").splitlines() if file.is_file() else []
    paths = [line.strip().replace("\\", "/") for line in lines]
    return [path for path in paths if path.lower().endswith(IMAGE_SUFFIXES)]


def _sheet(one: _Found, classes: Sequence[str], key_points: KeyPoints | None) -> tuple[_Found, SourceSheet | None]:
    item = Item(one.image or Path(), one.label) if one.label else None
    return one, item and yolo_sheet("", item, classes, strict=True, key_points=key_points)


def _returned(one: _Found, sheet: SourceSheet | None, classes: Sequence[str], folder: Path) -> ReturnedSheet:
    where = str(one.image or one.label or f"{folder}, {one.name}")
    if sheet is None:
        return ReturnedSheet(one.name, where, FRACTIONS, ())
    return returned_sheet(sheet._replace(name=one.name, is_there=one.image is not None), classes, where)
