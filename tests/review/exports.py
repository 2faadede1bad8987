"""Exports of a packet as tools write them, after a person has put one box on each sheet: to be spoilt."""

import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from stages.picking.packet import Packet

CLASSES = ("detail", "elevation", "title")
ROW = "1 0.5 0.5 0.25 0.25\n"  # of a sheet of 64 px: an elevation at 24 24 40 40
BOX = (24.0, 24.0, 40.0, 40.0)
ELEVATION = [("elevation", BOX)]
SIX = [(x, y, x + 12 + y // 8, y + 14 + x // 8) for x in (4, 24, 44) for y in (4, 34)]  # px of such a sheet
SIDE = 64  # px of a fake project's sheets
Sheets = Iterable[tuple[str, bytes | None, str]]  # name of the picture, its bytes (None: it is left out), its rows


def yolo(folder: Path, sheets: Sheets, *, names: Sequence[str] = CLASSES) -> Path:
    """Write a YOLO folder; a name may have a folder: `valid/a.jpg` is in the split valid."""
    put(folder / "data.yaml", f"names: [{', '.join(names)}]\n")
    for name, data, rows in sheets:
        split, _, plain = name.rpartition("/")
        place = folder / (split or "train")
        if data is not None:
            put(place / "images" / plain, data)
        put(place / "labels" / f"{plain.rpartition('.')[0]}.txt", rows)
    return folder


def done(packet: Packet) -> list[tuple[str, bytes | None, str]]:
    """Return the sheets of the packet with the box that a person drew, for `yolo`."""
    return [(sheet.image_id, packet.image(sheet).read_bytes(), ROW) for sheet in packet.sheets]


def without_pictures(sheets: Sheets) -> list[tuple[str, bytes | None, str]]:
    return [(name, None, rows) for name, _, rows in sheets]


def coco(packet: Packet, *, names: Sequence[str] = CLASSES, box: Sequence[float] = (24, 24, 16, 16)) -> dict[str, Any]:
    """Return the content of a COCO file; `box` is x y w h."""
    return {
        "images": [
            {"id": sheet.order, "file_name": sheet.image_id, "width": SIDE, "height": SIDE} for sheet in packet.sheets
        ],
        "categories": [{"id": number, "name": name} for number, name in enumerate(names, 1)],
        "annotations": [
            {"id": 10 + sheet.order, "image_id": sheet.order, "category_id": 2, "bbox": list(box)}
            for sheet in packet.sheets
        ],
    }


def voc(folder: Path, packet: Packet, *, name: str = "elevation") -> Path:
    for sheet in packet.sheets:
        sides = "".join(
            f"<{side}>{at:g}</{side}>" for side, at in zip(("xmin", "ymin", "xmax", "ymax"), BOX, strict=True)
        )
        size = f"<size><width>{SIDE}</width><height>{SIDE}</height></size>"
        thing = f"<object><name>{name}</name><bndbox>{sides}</bndbox></object>"
        text = f"<annotation>\n<filename>{sheet.image_id}</filename>\n{size}\n{thing}\n</annotation>\n"
        put(folder / f"{sheet.order}.xml", text)
    return folder


def cvat(packet: Packet, *, box: Sequence[float] = BOX, side: tuple[int, int] = (SIDE, SIDE), head: str = "") -> str:
    """Return CVAT's XML, `head` before its root."""
    left, top, right, bottom = box
    sides = f'xtl="{left}" ytl="{top}" xbr="{right}" ybr="{bottom}"'
    images = [
        f'<image id="{sheet.order}" name="{sheet.image_id}" width="{side[0]}" height="{side[1]}">\n'
        f'<box label="elevation" source="manual" occluded="0" {sides} z_order="0"></box>\n</image>\n'
        for sheet in packet.sheets
    ]
    return f"<?xml version='1.0' encoding='utf-8'?>\n{head}<annotations>\n{''.join(images)}</annotations>\n"


def label_studio(packet: Packet, *, label: str = "elevation", packet_id: str | None = None) -> list[dict[str, Any]]:
    """Return tasks as Label Studio exports them."""
    value = {"x": 37.5, "y": 37.5, "width": 25, "height": 25, "rotation": 0, "rectanglelabels": [label]}
    region = {"id": "r1", "type": "rectanglelabels", "original_width": SIDE, "original_height": SIDE, "value": value}
    return [
        {
            "id": 40 + sheet.order,
            "data": {
                "image": f"/data/upload/1/0a1b2c3d-{sheet.image_id}",
                "image_id": sheet.image_id,
                "sha256": sheet.sha256,
                "packet": packet_id or packet.packet_id,
            },
            "annotations": [{"id": 1, "result": [region], "was_cancelled": False, "lead_time": 30.0}],
        }
        for sheet in packet.sheets
    ]


def put(file: Path, content: str | bytes | Any) -> Path:
    """Write text, bytes, or anything else as JSON."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        file.write_bytes(content)
    else:
        file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return file


@contextmanager
def nested(folder: Path, depth: int) -> Iterator[None]:
    """Make `depth` folders in each other in `folder`, which goes with the block: pytest could not remove it."""
    place = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("a", dir_fd=place)
        outer, place = place, os.open("a", os.O_RDONLY, dir_fd=place)
        os.close(outer)
    os.close(place)
    try:
        yield
    finally:
        subprocess.run(["rm", "-rf", "--", str(folder)], check=True)


def zipped(folder: Path) -> Path:
    """Pack a folder, and remove it."""
    archive = folder.with_name(f"{folder.name}.zip")
    with zipfile.ZipFile(archive, "w") as out:
        for file in sorted(folder.rglob("*")):
            out.write(file, file.relative_to(folder))
    shutil.rmtree(folder)
    return archive


def decoded(data: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


def encoded(image: np.ndarray, suffix: str = ".jpg") -> bytes:
    return cv2.imencode(suffix, image)[1].tobytes()


def resized(data: bytes, width: int, height: int) -> bytes:
    return encoded(cv2.resize(decoded(data), (width, height), interpolation=cv2.INTER_AREA), ".png")


def fitted(data: bytes, width: int, height: int) -> bytes:
    """Fit a picture into another size, with white bars at both ends."""
    image = decoded(data)
    scale = min(width / image.shape[1], height / image.shape[0])
    inner = round(image.shape[1] * scale), round(image.shape[0] * scale)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    small = cv2.resize(image, inner, interpolation=cv2.INTER_AREA)
    rest = (top, height - inner[1] - top, left, width - inner[0] - left)
    return encoded(cv2.copyMakeBorder(small, *rest, cv2.BORDER_CONSTANT, value=(255, 255, 255)), ".png")


def filled(data: bytes, width: int, height: int) -> bytes:
    """Fill another size with a picture, and cut off what sticks out at both ends."""
    image = decoded(data)
    scale = max(width / image.shape[1], height / image.shape[0])
    outer = round(image.shape[1] * scale), round(image.shape[0] * scale)
    left, top = (outer[0] - width) // 2, (outer[1] - height) // 2
    large = cv2.resize(image, outer, interpolation=cv2.INTER_AREA)
    return encoded(large[top : top + height, left : left + width], ".png")
