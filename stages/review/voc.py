"""Pascal VOC: an XML file for each picture (http://host.robots.ox.ac.uk/pascal/VOC/, the development kit).

VOC counts pixels from 1, with both ends inside a box. Today's tools do not: labelImg, CVAT, Roboflow and Label Studio
write corners as they are, counted from 0. So do we: what is written is read back as it is.
"""

from pathlib import Path
from xml.etree import ElementTree

from stages.contract.findings import Finding, refuse
from stages.contract.folders import every_image
from stages.contract.sheets import Row
from stages.contract.voc import VocFile, class_of, frame_of, object_row, objects, voc_files
from stages.core.errors import problem
from stages.files.packet import Packet, PacketSheet
from stages.review.outgoing import copy_images, prelabels_of
from stages.review.returned import Returned, ReturnedBox, ReturnedSheet

_SIDES = ("xmin", "ymin", "xmax", "ymax")


def is_one(path: Path) -> bool:
    """Say whether `path` is a folder with XML files of annotations."""
    return path.is_dir() and bool(voc_files(path))


def read(path: Path) -> Returned:
    """Return what the XML files say; raise `UserError` with file and line for what is no box."""
    files = voc_files(path)
    refuse(finding for one in files for finding in one.findings)
    images = [image for group in every_image(path).by_name.values() for image in group]
    sheets = [_sheet(one, images) for one in files]
    return Returned("voc", (), tuple(sheets))


def write(packet: Packet, folder: Path) -> list[str]:
    """Write the packet in VOC's layout; return what to do with it."""
    copy_images(packet, folder / "JPEGImages")
    (folder / "Annotations").mkdir()
    (folder / "ImageSets/Main").mkdir(parents=True)
    stems = "".join(f"{Path(sheet.image_id).stem}\n" for sheet in packet.sheets)
    (folder / "ImageSets/Main/train.txt").write_text(stems, encoding="utf-8")
    (folder / "labels.txt").write_text("".join(f"{name}\n" for name in packet.classes), encoding="utf-8")
    for sheet in packet.sheets:
        tree = ElementTree.ElementTree(_annotation(packet, sheet))
        ElementTree.indent(tree)
        tree.write(folder / "Annotations" / f"{Path(sheet.image_id).stem}.xml", encoding="utf-8")
    return [
        "Open JPEGImages with Annotations in your tool (class names: labels.txt), and correct every sheet.",
        "Save or export as Pascal VOC, without resizing or augmentation.",
        "VOC says not which sheets were looked at: when all were, add --all-reviewed to the import.",
    ]


def _annotation(packet: Packet, sheet: PacketSheet) -> ElementTree.Element:
    root = ElementTree.Element("annotation")
    ElementTree.SubElement(root, "folder").text = "JPEGImages"
    ElementTree.SubElement(root, "filename").text = sheet.image_id
    size = ElementTree.SubElement(root, "size")
    for name, value in (("width", sheet.width), ("height", sheet.height), ("depth", 3)):
        ElementTree.SubElement(size, name).text = str(value)
    ElementTree.SubElement(root, "segmented").text = "0"
    for one in prelabels_of(packet, sheet):
        thing = ElementTree.SubElement(root, "object")
        for name, text in (("name", one.class_name), ("pose", "Unspecified"), ("truncated", "0"), ("difficult", "0")):
            ElementTree.SubElement(thing, name).text = text
        box = ElementTree.SubElement(thing, "bndbox")
        for side, place in zip(_SIDES, (one.x1, one.y1, one.x2, one.y2), strict=True):
            ElementTree.SubElement(box, side).text = repr(place)
    return root


def _sheet(one: VocFile, images: list[Path]) -> ReturnedSheet:
    assert one.root is not None  # what is broken was refused
    name = (one.root.findtext("filename") or "").strip() or one.file.stem
    things = objects(one)
    names = tuple(dict.fromkeys(class_of(thing) for _, thing in things if class_of(thing)))
    rows = [object_row(thing, line, one.file, names, False) for line, thing in things]
    refuse(row for row in rows if isinstance(row, Finding))
    frame = frame_of(one.root)
    if frame is None:
        raise problem(
            one.file,
            expected="the size of its image",
            found="none",
            mend="Export it again: without it nobody knows what the boxes are measured in.",
        )
    boxes = tuple(
        ReturnedBox(names[row.class_id], _corners(row), f"{one.file}:{row.line}")
        for row in rows
        if isinstance(row, Row)
    )
    same = [image for image in images if image.stem == one.file.stem or image.name == name]
    beside = [image for image in same if image.parent == one.file.parent] or same
    return ReturnedSheet(name, str(one.file), frame, boxes, image=beside[0] if len(beside) == 1 else None)


def _corners(row: Row) -> tuple[float, float, float, float]:
    x, y, w, h = row.xywh
    return x - w / 2, y - h / 2, x + w / 2, y + h / 2
