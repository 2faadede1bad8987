"""COCO JSON (https://cocodataset.org/#format-data): as we write it, and as Label Studio, CVAT and others export it."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stages.base.errors import problem
from stages.dataset.defects import Defect
from stages.formats.coco_reader import (
    CocoFile,
    annotations_of,
    categories_of,
    coco_file,
    coco_files,
    frame_of,
    object_row,
)
from stages.formats.image_lookup import Images, every_image
from stages.formats.source_sheets import Row
from stages.picking.packet import Packet, PacketSheet
from stages.review.formats.outgoing_boxes import copy_images, prelabels_of
from stages.review.formats.returned_boxes import FRACTIONS, Returned, ReturnedBox, ReturnedSheet
from stages.review.formats.yolo import corners

_FILE = Path("annotations/instances_train.json")
_KEY = "yoloop"  # of what we add to an entry; tools leave it out, and nothing depends on it
_PACKET = re.compile(r"packet ([0-9a-f]{12})\b")  # in the file's description, which some tools keep


def is_one(path: Path) -> bool:
    """Say whether `path` is a COCO JSON file, or a folder that has one."""
    return bool(_files(path))


def read(path: Path) -> Returned:
    """Return what the JSON files say; raise `UserError` with file and annotation for what is no box."""
    files = _files(path)
    images = every_image(path) if path.is_dir() else Images({})
    classes = dict.fromkeys(name for part in files for _, name in sorted(categories_of(part).items()))
    sheets = [sheet for part in files for sheet in _sheets(part, images)]
    return Returned("coco", tuple(classes), tuple(sheets), _packet_id(files))


def write(packet: Packet, folder: Path) -> list[str]:
    """Write the packet as pictures and one JSON file; return what to do with it."""
    copy_images(packet, folder / "images")
    ids = {name: number for number, name in enumerate(packet.classes, 1)}
    objects = [one for sheet in packet.sheets for one in _objects(packet, sheet, ids)]
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


def _packet_id(files: Sequence[CocoFile]) -> str:
    """Return the packet that the files name; "" for none, and where they name several."""
    infos = [part.content.get("info") for part in files]
    texts = [str(info.get("description")) for info in infos if isinstance(info, dict)]
    found = {match[1] for text in texts if (match := _PACKET.search(text))}
    return found.pop() if len(found) == 1 else ""


def _sheets(part: CocoFile, images: Images) -> list[ReturnedSheet]:
    grouped = annotations_of(part)
    names = categories_of(part)
    sheets = [_sheet(entry, grouped.pop(entry.get("id"), []), names, part.file, images) for entry in _images(part)]
    if grouped:
        number, lost = next(iter(grouped.items()))
        raise problem(
            "coco.annotations_images_listed",
            f"{part.file} annotation {lost[0][0]}",
            grouped=sum(map(len, grouped.values())),
            number=number,
        )
    return sheets


def _images(part: CocoFile) -> list[dict[str, Any]]:
    """Return the images that are listed; raise `UserError` for two with one id: nobody knows whose the boxes are."""
    seen: dict[object, dict[str, Any]] = {}
    for entry in part.content["images"]:
        other = seen.setdefault(entry.get("id"), entry)
        if other is not entry:
            raise problem(
                "coco.id_own_each",
                part.file,
                entry=entry.get("id"),
                other=other.get("file_name"),
                entry_2=entry.get("file_name"),
            )
    return list(seen.values())


def _sheet(
    entry: Mapping[str, Any],
    objects: Sequence[tuple[int, dict[str, Any]]],
    names: Mapping[int, str],
    file: Path,
    images: Images,
) -> ReturnedSheet:
    name = str(entry.get("file_name") or "")
    rows = [(one, _row(line, one, file, list(names))) for line, one in objects]
    frame = frame_of(entry)
    if frame is None and rows:  # Label Studio leaves them out for what has no boxes
        raise problem(
            "coco.width_height_picture",
            f"{file} image {name}",
            found=f"{entry.get('width')} × {entry.get('height')}"[:60],
        )
    return ReturnedSheet(
        name.replace("\\", "/"),
        f"{file} image {name}",
        frame or FRACTIONS,
        tuple(_box(one, row, names[list(names)[row.class_id]], file) for one, row in rows),
        image=images.find(name, near=file.parent, split=file.stem) if name else None,
        polygons=sum(_is_outline(one) for one, _ in rows),
    )


def _row(line: int, one: dict[str, Any], file: Path, ids: Sequence[int]) -> Row:
    """Return an annotation as a row; raise `UserError` for what is no box, and for a crowd, which is none either."""
    row = object_row(line, one, file, {number: place for place, number in enumerate(ids)})
    if isinstance(row, Defect):
        mend = "Draw a box around each of them, or delete it, and export again."
        raise (row._replace(mend=mend) if row.code == "crowd" else row).error()
    return row


def _is_outline(one: Mapping[str, Any]) -> bool:
    """Say whether an annotation was drawn as something else than an upright box."""
    parts = one.get("segmentation")
    if not isinstance(parts, list):
        return bool(parts)  # a mask
    points = [part for part in parts if isinstance(part, list)]
    return any(len(set(map(str, part[axis::2]))) > 2 for part in points for axis in (0, 1))


def _box(one: Mapping[str, Any], row: Row, class_name: str, file: Path) -> ReturnedBox:
    prelabel = one.get(_KEY)
    where = f"{file} annotation {row.line}"
    return ReturnedBox(class_name, corners(row), where, prelabel if isinstance(prelabel, str) else None)
