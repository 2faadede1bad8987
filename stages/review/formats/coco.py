"""COCO JSON (https://cocodataset.org/#format-data): as we write it, and as Label Studio, CVAT and others export it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stages.formats.coco.coco_categories import categories_of
from stages.formats.coco.coco_file import CocoFile, coco_file, coco_files
from stages.formats.coco_reader import PRELABEL, all_fractions, coco_sheets
from stages.formats.image_lookup import Images, every_image
from stages.picking.packet import Packet, PacketSheet
from stages.review.formats.outgoing_boxes import Prelabel, copy_images, prelabels_by_sheet
from stages.review.formats.returned_boxes import Returned, packet_named, returned_sheet

_FILE = Path("annotations/instances_train.json")


def is_one(path: Path) -> bool:
    """Say whether `path` is a COCO JSON file, or a folder that has one."""
    return bool(_files(path))


def read(path: Path) -> Returned:
    """Return what the JSON files say; raise `UserError` with file and annotation for what is no box."""
    files = _files(path)
    images = every_image(path) if path.is_dir() else Images({}, {})
    classes = dict.fromkeys(name for part in files for _, name in sorted(categories_of(part).items()))
    fractions = all_fractions(files)
    sheets = [
        returned_sheet(sheet, list(classes), f"{part.file} image {sheet.name}")
        for part in files
        for sheet in coco_sheets(part, list(classes), images, strict=True, fractions=fractions).sheets
    ]
    infos = [part.content.get("info") for part in files]
    texts = [str(info.get("description")) for info in infos if isinstance(info, dict)]  # which some tools keep
    return Returned("coco", tuple(classes), tuple(sheets), packet_named(texts))


def write(packet: Packet, folder: Path) -> list[str]:
    """Write the packet as pictures and one JSON file; return what to do with it."""
    copy_images(packet, folder / "images")
    ids = {name: number for number, name in enumerate(packet.classes, 1)}
    boxes = prelabels_by_sheet(packet)
    objects = [one for sheet in packet.sheets for one in _objects(sheet, boxes[sheet.image_id], ids)]
    content = {
        "info": {"description": f"iteration {packet.iteration}, packet {packet.packet_id}"},
        "licenses": [],
        "categories": [{"id": number, "name": name, "supercategory": ""} for name, number in ids.items()],
        "images": [
            {"id": sheet.order, "file_name": sheet.image_id, "width": sheet.width, "height": sheet.height}
            for sheet in packet.sheets
        ],
        "annotations": [{"id": number, **one} for number, one in enumerate(objects, 1)],
    }
    (folder / _FILE).parent.mkdir()
    (folder / _FILE).write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return [
        f"Import images and {_FILE} into your tool, and correct every sheet.",
        "Export as COCO JSON: boxes, no resizing, no augmentation.",
        "COCO says not which sheets were looked at: when all were, add --all-reviewed to the import.",
    ]


def _objects(sheet: PacketSheet, boxes: Sequence[Prelabel], ids: Mapping[str, int]) -> list[dict[str, Any]]:
    return [
        {
            "image_id": sheet.order,
            "category_id": ids[one.class_name],
            "bbox": [one.x1, one.y1, one.x2 - one.x1, one.y2 - one.y1],
            "area": (one.x2 - one.x1) * (one.y2 - one.y1),
            "iscrowd": 0,
            "segmentation": [],
            **({} if one.confidence is None else {"score": one.confidence}),
            PRELABEL: one.prelabel_id,
        }
        for one in boxes
    ]


def _files(path: Path) -> list[CocoFile]:
    if path.is_dir():
        return _without_echoes(coco_files(path))
    one = coco_file(path) if path.suffix.lower() == ".json" and path.is_file() else None
    return [one] if one else []


def _without_echoes(files: Sequence[CocoFile]) -> list[CocoFile]:
    """Return `files` without those that add nothing: datumaro writes one for each kind of object, with all images."""
    kept: list[CocoFile] = []
    for one in sorted(files, key=lambda one: (not one.content["annotations"], not one.content["categories"])):
        known = {name for other in kept for name in _file_names(other)}
        said = [[], *(other.content["annotations"] for other in kept)]
        if not kept or not _file_names(one) <= known or one.content["annotations"] not in said:
            kept.append(one)
    return [one for one in files if any(one is other for other in kept)]


def _file_names(part: CocoFile) -> set[str]:
    return {str(image.get("file_name")) for image in part.content["images"]}
