"""CVAT: its own XML, "CVAT for images 1.1", and as another way its "Ultralytics YOLO Detection 1.0".

Described in https://docs.cvat.ai/docs/other/xml_format/ ("XML annotation format") and in
https://docs.cvat.ai/docs/dataset_management/formats/format-yolo-ultralytics/; what CVAT does with them is in its code
(github.com/cvat-ai/cvat: cvat/apps/dataset_manager/formats/cvat.py and bindings.py). It gives back the attributes of a
box and the tags of a sheet, so those carry what the format has no place for: which pre-label a box was, and that a
sheet is done. It says nothing about the stage or the state of a job.
"""

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import yaml

from stages.base.errors import problem
from stages.formats.image_lookup import Images, every_image
from stages.formats.xml_text import Node, has_root, read_xml
from stages.picking.packet import Packet, PacketSheet
from stages.review.formats import coco, cvat_shapes, voc, yolo
from stages.review.formats.outgoing_boxes import Prelabel, add_texts, prelabels_by_sheet
from stages.review.formats.returned_boxes import Returned, ReturnedBox, ReturnedSheet, packet_named, require_one

DONE = "sheet is done"  # the tag that a reviewer puts on a sheet
_XML = "annotations.xml"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # no clock in an archive: equal packets are equal files


def is_one(path: Path) -> bool:
    """Say whether `path` is CVAT's XML, or a folder with it; its YOLO folders are like everybody's."""
    return _xml(path) is not None


def read(path: Path) -> Returned:
    """Return what CVAT exported, also as COCO, VOC or YOLO; raise `UserError` with file and line for what is no box."""
    file = _xml(path)
    require_one(path, _xmls(path))
    if file is None:
        other = coco.read if coco.is_one(path) else voc.read if voc.is_one(path) else yolo.read
        return other(path)._replace(tool="cvat")
    root = read_xml(file)
    _require_images(root, file)
    images = every_image(path) if path.is_dir() else Images({}, {})
    marked = root.find(f"image/tag[@label='{DONE}']") is not None
    sheets = tuple(_sheet(node, file, images, marked=marked) for node in root.iterfind("image"))
    return Returned("cvat", _classes(root), sheets, _packet_id(root))


def write(packet: Packet, folder: Path) -> list[str]:
    """Write what makes a task of the packet; return what to do in CVAT, in its words."""
    task = f"yoloop iteration {packet.iteration} packet {packet.packet_id}"
    _write_images(packet, folder / "images.zip")
    labels = json.dumps(_labels(packet), ensure_ascii=False, indent=1)
    (folder / "labels.json").write_text(f"{labels}\n", encoding="utf-8")
    tree = ElementTree.ElementTree(_annotations(packet, task))
    ElementTree.indent(tree)
    tree.write(folder / _XML, encoding="utf-8", xml_declaration=True)
    _write_yolo(packet, folder / "ultralytics_yolo.zip")
    return [
        f"Tasks > + > Create a new task, with the name: {task}",
        "Labels > Raw: paste the content of labels.json, then Done.",
        "Select files > My computer: images.zip. Advanced configuration: Sorting method Predefined, Image quality 100.",
        "Submit & Open. In the task: Actions > Upload annotations > CVAT 1.1 > annotations.xml "
        "(or Ultralytics YOLO Detection 1.0 > ultralytics_yolo.zip, which tells less when it comes back).",
        f"Open the job, correct every sheet, and put the tag '{DONE}' on it (Setup tag), also on an empty one. Save.",
        "Task: Actions > Export task dataset > CVAT for images 1.1; Save images is not needed.",
    ]


def _xml(path: Path) -> Path | None:
    return next(iter(_xmls(path)), None)


def _xmls(path: Path) -> list[Path]:
    files = sorted(path.glob("*.xml")) if path.is_dir() else [path]
    return [file for file in files if file.suffix.lower() == ".xml" and has_root(file, "annotations")]


def _require_images(root: Node, file: Path) -> None:
    track = root.find("track")
    if track is not None:
        raise problem("cvat.images_their_boxes", f"{file}:{track.sourceline}")
    if root.find("image") is None:
        raise problem("cvat.require_images", file)


def _classes(root: Node) -> tuple[str, ...]:
    """Return the labels of boxes: no tags (old exports give no types), and no parts of a skeleton."""
    labels = [label for label in root.iter("label") if label.find("parent") is None]
    found = [((label.findtext("name") or "").strip(), label.findtext("type")) for label in labels]
    return tuple(name for name, kind in found if (kind or ("tag" if name == DONE else "")) != "tag")


def _packet_id(root: Node) -> str:
    """Return the packet that the task's name names; "" for none, and for an export of several tasks."""
    names = [name.text or "" for name in root.iterfind("meta//task/name")]
    return packet_named(names) if len(names) == 1 else ""


def _sheet(node: Node, file: Path, images: Images, *, marked: bool) -> ReturnedSheet:
    where = f"{file}:{node.sourceline}"
    name = node.get("name", "")
    frame = (cvat_shapes.number(node, "width", where), cvat_shapes.number(node, "height", where))
    if not name or min(frame) <= 0:
        raise problem("cvat.image_name_size", where, found=f"name {name!r}, {frame[0]:g} × {frame[1]:g} px")
    shapes = [child for child in node if child.tag != "tag"]
    done = any(child.get("label") == DONE for child in node.iterfind("tag"))
    place = "/".join(part for part in (node.get("subset", ""), name) if part)  # a project's pictures, by subset
    return ReturnedSheet(
        name,
        where,
        frame,
        tuple(_boxes(shapes, file)),
        status=("reviewed" if done else "unreviewed") if marked else "unknown",
        image=images.find(place, near=file.parent / "images", split=""),
        polygons=sum(cvat_shapes.is_outline(shape) for shape in shapes),
    )


def _boxes(shapes: list[Node], file: Path) -> list[ReturnedBox]:
    """Return the boxes; of copies that a reviewer made of a pre-label only the first keeps its id."""
    boxes: list[ReturnedBox] = []
    for shape in shapes:
        where = f"{file}:{shape.sourceline}"
        prelabel = _attribute(shape, "prelabel")
        if prelabel in {box.prelabel for box in boxes}:
            prelabel = None
        boxes.append(ReturnedBox(shape.get("label", ""), cvat_shapes.corners(shape, where), where, prelabel))
    return boxes


def _attribute(shape: Node, name: str) -> str | None:
    texts = [(one.text or "").strip() for one in shape.iterfind("attribute") if one.get("name") == name]
    return next((text for text in texts if text), None)


def _labels(packet: Packet) -> list[dict[str, Any]]:
    """Return what CVAT's raw label constructor takes."""
    text = {"mutable": False, "input_type": "text", "default_value": "", "values": [""]}
    attributes = [{"name": name, **text} for name in ("prelabel", "confidence")]
    boxes = [{"name": name, "type": "rectangle", "attributes": attributes} for name in packet.classes]
    # CVAT wants different names: a class that is called like the tag goes without it.
    return boxes if DONE in packet.classes else [*boxes, {"name": DONE, "type": "tag", "attributes": []}]


def _annotations(packet: Packet, task: str) -> ElementTree.Element:
    root = ElementTree.Element("annotations")
    ElementTree.SubElement(root, "version").text = "1.1"
    meta = ElementTree.SubElement(ElementTree.SubElement(root, "meta"), "task")
    texts = {"id": "0", "name": task, "size": str(len(packet.sheets)), "mode": "annotation", "overlap": "0"}
    add_texts(meta, texts)
    labels = ElementTree.SubElement(meta, "labels")
    for one in _labels(packet):
        label = ElementTree.SubElement(labels, "label")
        add_texts(label, {"name": one["name"], "type": one["type"]})
        attributes = ElementTree.SubElement(label, "attributes")
        for attribute in one["attributes"]:
            add_texts(
                ElementTree.SubElement(attributes, "attribute"),
                {**attribute, "mutable": str(attribute["mutable"]), "values": "\n".join(attribute["values"])},
            )
    boxes = prelabels_by_sheet(packet)
    root.extend(_image(sheet, boxes[sheet.image_id]) for sheet in packet.sheets)
    return root


def _image(sheet: PacketSheet, boxes: Sequence[Prelabel]) -> ElementTree.Element:
    facts = {"id": sheet.order - 1, "name": sheet.image_id, "width": sheet.width, "height": sheet.height}
    image = ElementTree.Element("image", {key: str(value) for key, value in facts.items()})
    image.extend(_box(one) for one in boxes)
    return image


def _box(one: Prelabel) -> ElementTree.Element:
    sides = {side: f"{value:.2f}" for side, value in zip(("xtl", "ytl", "xbr", "ybr"), one[2:6], strict=True)}
    facts = {"label": one.class_name, "source": "file", "occluded": "0", **sides, "z_order": "0"}
    box = ElementTree.Element("box", facts)
    confidence = "" if one.confidence is None else f"{one.confidence:.2f}"
    for name, text in (("prelabel", one.prelabel_id), ("confidence", confidence)):
        ElementTree.SubElement(box, "attribute", name=name).text = text
    return box


def _write_images(packet: Packet, file: Path) -> None:
    """Write the sheets in the reviewer's order, which CVAT keeps when its sorting is 'Predefined'."""
    with zipfile.ZipFile(file, "w") as archive:
        for sheet in packet.sheets:
            _add(archive, sheet.image_id, packet.image(sheet).read_bytes())


def _write_yolo(packet: Packet, file: Path) -> None:
    names = dict(enumerate(packet.classes))
    description = {"path": "./", "train": "train.txt", "names": names}
    paths = [f"images/train/{sheet.image_id}" for sheet in packet.sheets]
    with zipfile.ZipFile(file, "w") as archive:
        _add(archive, "data.yaml", yaml.safe_dump(description, sort_keys=False, allow_unicode=True).encode())
        _add(archive, "train.txt", "".join(f"{path}\n" for path in paths).encode())
        for sheet, path in zip(packet.sheets, paths, strict=True):
            label = f"{Path(sheet.image_id).stem}.txt"
            _add(archive, f"labels/train/{label}", (packet.folder / "labels" / label).read_bytes())
            _add(archive, path, packet.image(sheet).read_bytes())


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name, _LONG_AGO), data)
