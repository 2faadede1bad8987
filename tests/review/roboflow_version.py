"""Makes what Roboflow exports as a version of a project: its names, its layouts, its notes.

As in versions that are public (README.roboflow.txt, data.yaml, _annotations.coco.json of 2024 to 2026): a picture is
stored again as JPEG and called `<stem>_<ending>.rf.<letters>.jpg`, classes stand in the alphabet's order, COCO has a
first category that groups the others, and the name of before in `extra`.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cv2
import numpy as np
import yaml

from stages.review.formats.roboflow import plain_name
from tests.review.packets import Box

RESIZED = "* Resize to {}x{} (Stretch)"
_README = """
plans - v1 2026-09-11 1:31pm
==============================

This dataset was exported via roboflow.com on September 11, 2026 at 1:31 PM GMT

The dataset includes {count} images.
Plans are annotated in {form} format.

The following pre-processing was applied to each image:
* Auto-orientation of pixel data (with EXIF-orientation stripping)
{resized}
{augmented}
"""
NOT_AUGMENTED = "No image augmentation techniques were applied."
AUGMENTED = (
    "The following augmentation was applied to create 3 versions of each source image:\n"
    "* 50% probability of horizontal flip"
)


def make_version(
    pictures: Sequence[Path],
    boxes: Mapping[str, Sequence[Box]],
    classes: Sequence[str],
    folder: Path,
    *,
    form: str = "coco",
    size: tuple[int, int] | None = None,
    augmented: str = NOT_AUGMENTED,
) -> Path:
    """Write a version of `pictures` with their `boxes` (px, by file name), stretched to `size` if there is one."""
    folder.mkdir(parents=True)
    names = sorted(plain_name(name) for name in classes)
    sheets = [_store(picture, boxes[picture.name], folder, form, size) for picture in pictures]
    {"coco": _coco, "yolo": _yolo, "voc": _voc}[form](sheets, names, folder)
    resized = RESIZED.format(*size) if size else ""
    readme = _README.format(count=len(sheets), form=form, resized=resized, augmented=augmented)
    (folder / "README.roboflow.txt").write_text(readme, encoding="utf-8")
    (folder / "README.dataset.txt").write_text("# plans > 2026-09-11 1:31pm\n", encoding="utf-8")
    return folder


def _store(
    picture: Path, boxes: Sequence[Box], folder: Path, form: str, size: tuple[int, int] | None
) -> dict[str, Any]:
    """Store a picture as Roboflow does; return its names, its size, and its boxes in px of what was stored."""
    pixels = cv2.imdecode(np.frombuffer(picture.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    across, down = (new / old for new, old in zip(size or pixels.shape[1::-1], pixels.shape[1::-1], strict=True))
    if size:
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    letters = hashlib.sha256(picture.name.encode()).hexdigest()[:20]
    name = f"{picture.stem}_{picture.suffix[1:]}.rf.{letters}.jpg"
    place = folder / "train" / ("images" if form == "yolo" else "") / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes())
    found = [
        (plain_name(box.class_name), tuple(np.multiply(box.xyxy, (across, down, across, down)).tolist()))
        for box in boxes
    ]
    return {"name": name, "extra": picture.name, "width": pixels.shape[1], "height": pixels.shape[0], "boxes": found}


def _coco(sheets: Sequence[Mapping[str, Any]], names: Sequence[str], folder: Path) -> None:
    group = names[0]  # Roboflow calls it like the annotation group of the project, which may be called like a class
    categories = [{"id": 0, "name": group, "supercategory": "none"}]
    categories += [{"id": number, "name": name, "supercategory": group} for number, name in enumerate(names, 1)]
    images, annotations = [], []
    for number, sheet in enumerate(sheets):
        images.append(
            {
                **{"id": number, "license": 1, "file_name": sheet["name"], "height": sheet["height"]},
                **{"width": sheet["width"], "date_captured": "2026-09-11", "extra": {"name": sheet["extra"]}},
            }
        )
        for class_name, (x1, y1, x2, y2) in sheet["boxes"]:
            one = {"id": len(annotations), "image_id": number, "category_id": names.index(class_name) + 1}
            box = [round(x1, 3), round(y1, 3), round(x2 - x1, 3), round(y2 - y1, 3)]
            annotations.append({**one, "bbox": box, "area": box[2] * box[3], "segmentation": [], "iscrowd": 0})
    content = {"info": {}, "licenses": [], "categories": categories, "images": images, "annotations": annotations}
    (folder / "train/_annotations.coco.json").write_text(json.dumps(content), encoding="utf-8")


def _yolo(sheets: Sequence[Mapping[str, Any]], names: Sequence[str], folder: Path) -> None:
    (folder / "train/labels").mkdir()
    for sheet in sheets:
        rows = []
        for class_name, (x1, y1, x2, y2) in sheet["boxes"]:
            w, h = sheet["width"], sheet["height"]
            row = ((x1 + x2) / 2 / w, (y1 + y2) / 2 / h, (x2 - x1) / w, (y2 - y1) / h)
            rows.append(f"{names.index(class_name)} {' '.join(map(repr, row))}")
        label = Path(sheet["name"]).with_suffix(".txt")
        (folder / "train/labels" / label).write_text("\n".join(rows), encoding="utf-8")
    content = {
        **{"train": "../train/images", "val": "../valid/images", "test": "../test/images"},
        **{"nc": len(names), "names": list(names)},
        "roboflow": {"workspace": "ws", "project": "plans", "version": 1, "license": "Private", "url": "https://…"},
    }
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    (folder / "data.yaml").write_text(text, encoding="utf-8")


def _voc(sheets: Sequence[Mapping[str, Any]], names: Sequence[str], folder: Path) -> None:
    for sheet in sheets:
        root = ElementTree.Element("annotation")
        ElementTree.SubElement(root, "folder")
        for tag in ("filename", "path"):
            ElementTree.SubElement(root, tag).text = sheet["name"]
        ElementTree.SubElement(ElementTree.SubElement(root, "source"), "database").text = "roboflow.com"
        size = ElementTree.SubElement(root, "size")
        for side in ("width", "height"):
            ElementTree.SubElement(size, side).text = str(sheet[side])
        for class_name, corners in sheet["boxes"]:
            thing = ElementTree.SubElement(root, "object")
            ElementTree.SubElement(thing, "name").text = class_name
            box = ElementTree.SubElement(thing, "bndbox")
            sides = dict(zip(("xmin", "ymin", "xmax", "ymax"), corners, strict=True))
            for side in ("xmin", "xmax", "ymin", "ymax"):
                ElementTree.SubElement(box, side).text = str(round(sides[side]))
        file = folder / "train" / Path(sheet["name"]).with_suffix(".xml")
        ElementTree.ElementTree(root).write(file, encoding="utf-8")
