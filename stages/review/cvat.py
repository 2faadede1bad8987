"""CVAT: "CVAT for images 1.1" (https://docs.cvat.ai/docs/dataset_management/formats/format-cvat/), and its YOLO export.

Corners are in px of the picture, as floats. CVAT keeps no id of a shape, so pre-labels are followed by their places.
Its "Ultralytics YOLO Detection 1.0" (.../format-yolo-ultralytics/) is read by the YOLO folder's reader.
"""

import json
import math
import zipfile
from pathlib import Path
from xml.etree import ElementTree

from stages.contract.folders import Images, every_image
from stages.core.errors import problem
from stages.files.packet import Packet, PacketSheet
from stages.files.xml_text import read_xml
from stages.review.outgoing import copy_images, prelabels_of
from stages.review.returned import Returned, ReturnedBox, ReturnedSheet

XML = "annotations.xml"
YOLO = "ultralytics_yolo.zip"
_POINTS = ("polygon", "polyline", "points", "cuboid")
_DONE = "completed"
# A member of an archive carries a time; with this one equal packets are equal bytes. ZIP knows none before 1980.
_NO_TIME = (1980, 1, 1, 0, 0, 0)


def is_one(path: Path) -> bool:
    """Say whether `path` is CVAT's XML, or a folder with it."""
    file = _file(path)
    return file is not None and b"<annotations" in file.read_bytes()[:2000]


def read(path: Path) -> Returned:
    """Return what the XML says; raise `UserError` with file and image for what is no box."""
    file = _file(path)
    assert file is not None  # the caller asked `is_one`
    root = read_xml(file)
    if root.tag != "annotations" or root.find("track") is not None:
        raise problem(
            file,
            expected="CVAT for images 1.1",
            found="tracks (CVAT for video)" if root.find("track") is not None else f"<{root.tag}>",
            mend="Export the task as `CVAT for images 1.1`.",
        )
    images = every_image(path) if path.is_dir() else Images({})
    classes = tuple((name.text or "").strip() for name in root.iterfind("meta//labels/label/name"))
    done = _is_completed(root)
    sheets = tuple(_sheet(entry, file, images, done=done) for entry in root.iterfind("image"))
    return Returned("cvat", tuple(dict.fromkeys(classes)), sheets)


def write(packet: Packet, folder: Path) -> list[str]:
    """Write pictures, labels and pre-labels; return what to do with them."""
    copy_images(packet, folder / "images")
    labels = [{"name": name, "attributes": []} for name in packet.classes]
    (folder / "labels.json").write_text(json.dumps(labels, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    tree = ElementTree.ElementTree(_annotations(packet))
    ElementTree.indent(tree)
    tree.write(folder / XML, encoding="utf-8", xml_declaration=True)
    _write_yolo(packet, folder / YOLO)
    return [
        "Create a task: paste labels.json into Labels, Raw; select the files in images (sorted lexicographically).",
        f"Open the task, Actions, Upload annotations, CVAT 1.1: {XML} (or Ultralytics YOLO Detection 1.0: {YOLO}).",
        "Correct every sheet, save, and set the job's state to completed: then all its sheets count as reviewed.",
        "Actions, Export task dataset, CVAT for images 1.1 (without images is enough).",
    ]


def _annotations(packet: Packet) -> ElementTree.Element:
    root = ElementTree.Element("annotations")
    ElementTree.SubElement(root, "version").text = "1.1"
    task = ElementTree.SubElement(ElementTree.SubElement(root, "meta"), "task")
    ElementTree.SubElement(task, "name").text = f"packet {packet.packet_id}"
    ElementTree.SubElement(task, "size").text = str(len(packet.sheets))
    ElementTree.SubElement(task, "mode").text = "annotation"
    labels = ElementTree.SubElement(task, "labels")
    for name in packet.classes:
        label = ElementTree.SubElement(labels, "label")
        ElementTree.SubElement(label, "name").text = name
        ElementTree.SubElement(label, "attributes")
    for number, sheet in enumerate(packet.sheets):
        root.append(_image(packet, sheet, number))
    return root


def _image(packet: Packet, sheet: PacketSheet, number: int) -> ElementTree.Element:
    facts = {"id": number, "name": sheet.image_id, "width": sheet.width, "height": sheet.height}
    image = ElementTree.Element("image", {key: str(value) for key, value in facts.items()})
    for one in prelabels_of(packet, sheet):
        sides = dict(zip(("xtl", "ytl", "xbr", "ybr"), (one.x1, one.y1, one.x2, one.y2), strict=True))
        source = "manual" if one.confidence is None else "auto"
        ElementTree.SubElement(
            image,
            "box",
            {
                "label": one.class_name,
                "source": source,
                "occluded": "0",
                **{key: repr(value) for key, value in sides.items()},
                "z_order": "0",
            },
        )
    return image


def _write_yolo(packet: Packet, file: Path) -> None:
    """Write the archive that CVAT takes as Ultralytics YOLO Detection 1.0."""
    names = "".join(
        f"  {number}: {json.dumps(name, ensure_ascii=False)}\n" for number, name in enumerate(packet.classes)
    )
    listed = "".join(f"images/train/{sheet.image_id}\n" for sheet in packet.sheets)
    texts = {"data.yaml": f"path: .\ntrain: train.txt\nnames:\n{names}", "train.txt": listed}
    for sheet in packet.sheets:
        stem = Path(sheet.image_id).stem
        text = (packet.folder / "labels" / f"{stem}.txt").read_text(encoding="utf-8")
        texts[f"labels/train/{stem}.txt"] = text
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            archive.writestr(zipfile.ZipInfo(name, _NO_TIME), text, zipfile.ZIP_DEFLATED)


def _file(path: Path) -> Path | None:
    files = sorted(path.glob("*.xml")) if path.is_dir() else [path] if path.suffix == ".xml" and path.is_file() else []
    return next((file for file in files if path.is_file() or file.name == XML), None)


def _is_completed(root: ElementTree.Element) -> bool:
    """Say whether the meta data says that the task or all its jobs are completed."""
    states = [one.findtext(key) for key in ("state", "status") for one in root.iterfind("meta//job")]
    found = [state for state in states if state] or [root.findtext("meta/task/status") or ""]
    return all(state == _DONE for state in found)


def _sheet(entry: ElementTree.Element, file: Path, images: Images, *, done: bool) -> ReturnedSheet:
    name = entry.get("name", "")
    where = f"{file} image {name}"
    try:
        frame = (float(entry.get("width", "")), float(entry.get("height", "")))
        shapes = [thing for thing in entry if thing.tag in ("box", "ellipse", "mask", *_POINTS)]
        boxes = tuple(_box(thing, where) for thing in shapes)
    except ValueError as error:
        raise problem(where, expected="numbers in px", found=str(error), mend="Export the task again.") from error
    polygons = sum(thing.tag != "box" or float(thing.get("rotation", "0")) != 0 for thing in shapes)
    image = images.find(name, near=file.parent, split="") if name else None
    return ReturnedSheet(name, where, frame, boxes, "reviewed" if done else "unknown", image=image, polygons=polygons)


def _box(thing: ElementTree.Element, where: str) -> ReturnedBox:
    """Return a shape as its box; of a turned one, a polygon, an ellipse and a mask, the box around it."""
    name = thing.get("label", "")
    if thing.tag in _POINTS:
        points = [[float(value) for value in point.split(",")] for point in thing.get("points", "").split(";")]
        xs, ys = [point[0] for point in points], [point[1] for point in points]
        return ReturnedBox(name, (min(xs), min(ys), max(xs), max(ys)), where)
    if thing.tag == "ellipse":
        x, y, across, down = (float(thing.get(key, "")) for key in ("cx", "cy", "rx", "ry"))
        corners = (x - across, y - down, x + across, y + down)
    elif thing.tag == "mask":
        x, y, w, h = (float(thing.get(key, "")) for key in ("left", "top", "width", "height"))
        corners = (x, y, x + w, y + h)
    else:
        x1, y1, x2, y2 = (float(thing.get(key, "")) for key in ("xtl", "ytl", "xbr", "ybr"))
        corners = (x1, y1, x2, y2)
    return ReturnedBox(name, _turned(corners, float(thing.get("rotation", "0"))), where)


def _turned(corners: tuple[float, float, float, float], degrees: float) -> tuple[float, float, float, float]:
    """Return the box around one that is turned about its centre."""
    if not degrees:
        return corners
    x1, y1, x2, y2 = corners
    angle = math.radians(degrees)
    across, down = (x2 - x1) / 2, (y2 - y1) / 2
    half_width = abs(across * math.cos(angle)) + abs(down * math.sin(angle))
    half_height = abs(across * math.sin(angle)) + abs(down * math.cos(angle))
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    return x - half_width, y - half_height, x + half_width, y + half_height
