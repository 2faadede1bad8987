"""COCO JSON (https://cocodataset.org/#format-data): as we write it, and as Label Studio, CVAT and others export it."""

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from stages.contract.coco import CocoFile, annotations_of, categories_of, coco_file, coco_files, object_row
from stages.contract.findings import Finding, refuse
from stages.contract.folders import Images, every_image
from stages.contract.sheets import Row
from stages.core.errors import problem
from stages.files.packet import Packet, PacketSheet
from stages.review.outgoing import copy_images, prelabels_of
from stages.review.returned import Returned, ReturnedBox, ReturnedSheet

_FILE = Path("annotations/instances_train.json")
_KEY = "yoloop"  # of what we add to an entry; tools leave it out, and nothing depends on it


def is_one(path: Path) -> bool:
    """Say whether `path` is a COCO JSON file, or a folder that has one."""
    return bool(_files(path))


def read(path: Path) -> Returned:
    """Return what the JSON files say; raise `UserError` with file and annotation for what is no box."""
    files = _files(path)
    images = every_image(path) if path.is_dir() else Images({})
    classes = list(dict.fromkeys(name for part in files for _, name in sorted(categories_of(part).items())))
    sheets = [sheet for part in files for sheet in _sheets(part, images)]
    return Returned("coco", tuple(classes), tuple(sheets))


def write(packet: Packet, folder: Path) -> list[str]:
    """Write the packet as pictures and one JSON file; return what to do with it."""
    copy_images(packet, folder / "images")
    ids = {name: number for number, name in enumerate(packet.classes, 1)}
    objects: list[dict[str, Any]] = []
    for sheet in packet.sheets:
        objects += [{"id": len(objects) + n, **one} for n, one in enumerate(_objects(packet, sheet, ids), 1)]
    content = {
        "info": {"description": f"packet {packet.packet_id} of iteration {packet.iteration}"},
        "categories": [{"id": number, "name": name, "supercategory": ""} for name, number in ids.items()],
        "images": [
            {"id": sheet.order, "file_name": sheet.image_id, "width": sheet.width, "height": sheet.height}
            for sheet in packet.sheets
        ],
        "annotations": objects,
    }
    (folder / _FILE).parent.mkdir()
    (folder / _FILE).write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return [
        f"Import images and {_FILE} into your tool, and correct every sheet.",
        "Export as COCO JSON, without resizing or augmentation.",
        "COCO says not which sheets were looked at: when all were, add --all-reviewed to the import.",
    ]


def _objects(packet: Packet, sheet: PacketSheet, ids: Mapping[str, int]) -> list[dict[str, Any]]:
    return [
        {
            "image_id": sheet.order,
            "category_id": ids[one.class_name],
            "bbox": [one.x1, one.y1, one.x2 - one.x1, one.y2 - one.y1],
            "area": (one.x2 - one.x1) * (one.y2 - one.y1),
            "iscrowd": 0,
            "segmentation": [],
            **({} if one.confidence is None else {"score": one.confidence}),
            _KEY: one.prelabel_id,
        }
        for one in prelabels_of(packet, sheet)
    ]


def _files(path: Path) -> list[CocoFile]:
    if path.is_dir():
        return coco_files(path)
    one = coco_file(path) if path.suffix == ".json" and path.is_file() else None
    return [one] if one else []


def _sheets(part: CocoFile, images: Images) -> list[ReturnedSheet]:
    names = categories_of(part)
    order = list(names)
    ids = {number: place for place, number in enumerate(order)}
    grouped = annotations_of(part)
    sheets = []
    for entry in part.content["images"]:
        if isinstance(entry, dict):
            rows = [(one, object_row(line, one, part.file, ids)) for line, one in grouped.pop(entry.get("id"), [])]
            refuse(row for _, row in rows if isinstance(row, Finding))
            boxes = tuple(
                _box(one, row, names[order[row.class_id]], part.file) for one, row in rows if isinstance(row, Row)
            )
            polygons = sum(row.polygon for _, row in rows if isinstance(row, Row))
            sheets.append(_sheet(entry, boxes, polygons, part.file, images))
    if grouped:
        raise problem(
            part.file,
            expected="annotations of images that are listed",
            found=f"{sum(map(len, grouped.values()))} of image_id {next(iter(grouped))}, which is not",
            mend="Export it again with its images.",
        )
    return sheets


def _sheet(
    entry: Mapping[str, Any], boxes: tuple[ReturnedBox, ...], polygons: int, file: Path, images: Images
) -> ReturnedSheet:
    name = str(entry.get("file_name", ""))
    size = (entry.get("width"), entry.get("height"))
    if not all(isinstance(side, int | float) and side > 0 for side in size):
        raise problem(
            file,
            expected=f"width and height of {name or 'an image'}",
            found=f"{size[0]} × {size[1]}",
            mend="Export it again: without them nobody knows what the boxes are measured in.",
        )
    frame = (float(size[0] or 0), float(size[1] or 0))
    image = images.find(name, near=file.parent, split=file.stem) if name else None
    where = f"{file} image {name}"
    return ReturnedSheet(
        PurePosixPath(name.replace("\\", "/")).as_posix(), where, frame, boxes, image=image, polygons=polygons
    )


def _box(one: Mapping[str, Any], row: Row, class_name: str, file: Path) -> ReturnedBox:
    x, y, w, h = row.xywh
    prelabel = one.get(_KEY)
    corners = (x - w / 2, y - h / 2, x + w / 2, y + h / 2)
    return ReturnedBox(
        class_name, corners, f"{file} annotation {row.line}", prelabel if isinstance(prelabel, str) else None
    )
