"""Pascal VOC: an XML file for each picture (http://host.robots.ox.ac.uk/pascal/VOC/, the development kit).

VOC's own pictures count pixels from 1, in whole numbers, and the last one belongs to the box. What tools do: datumaro
and CVAT write corners as they are, from 0, with decimals (datumaro calls it "dm-zero-based"); labelImg and Label Studio
cut decimals off, and labelImg lets nothing begin before 1; supervision and Roboflow write whole numbers from 1. What is
written here are corners as they are; what is read is what is there: no file says how it counts.
"""

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from stages.base.errors import problem
from stages.dataset.defects import refuse
from stages.formats.doubts.stored_accents import composed
from stages.formats.image_lookup import Images, every_image
from stages.formats.source_sheets import FRACTIONS
from stages.formats.voc_lists import LISTS, listed_stems
from stages.formats.voc_reader import VocFile, class_names, image_of, other_name, voc_files, voc_sheet
from stages.formats.xml_text import has_root
from stages.picking.packet import Packet, PacketSheet
from stages.review.formats.outgoing_boxes import Prelabel, add_texts, copy_images, prelabels_by_sheet
from stages.review.formats.returned_boxes import Returned, ReturnedSheet, packet_named, returned_sheet

_SIDES = ("xmin", "ymin", "xmax", "ymax")
_LIST = "train"
_MAP = "labelmap.txt"  # the classes as CVAT and datumaro ask for them: name, colour, parts, actions


def is_one(path: Path) -> bool:
    """Say whether `path` is a folder with XML files of annotations."""
    return path.is_dir() and any(has_root(file, "annotation") for file in path.rglob("[!.]*.xml"))


def read(path: Path) -> Returned:
    """Return what the XML files say; raise `UserError` with file and line for what is no box.

    A sheet that is only in a list (`ImageSets/Main`) comes without a box: datumaro and CVAT write no XML file then.
    """
    files = voc_files(path)
    refuse(finding for one in files for finding in one.findings)
    _require_one_name(files)
    images = every_image(path)
    names = sorted(class_names(files))
    read = [(one, voc_sheet(one, image_of(one, images), "", names, False, strict=True)) for one in files]
    sheets = [returned_sheet(sheet, names, str(one.file)) for one, sheet in read]
    known = {composed(one.file.stem) for one in files}
    empty = [_empty(stem, file, images) for stem, file in _listed(path).items() if stem not in known]
    databases = [one.root.findtext("source/database") or "" for one in files if one.root is not None]
    return Returned("voc", (), (*sheets, *empty), packet_named(databases))


def write(packet: Packet, folder: Path) -> list[str]:
    """Write the packet in VOC's layout; return what to do with it."""
    copy_images(packet, folder / "JPEGImages")
    (folder / "Annotations").mkdir()
    (folder / LISTS).mkdir(parents=True)
    stems = "".join(f"{Path(sheet.image_id).stem}\n" for sheet in packet.sheets)
    (folder / LISTS / f"{_LIST}.txt").write_text(stems, encoding="utf-8")
    (folder / "labels.txt").write_text("".join(f"{name}\n" for name in packet.classes), encoding="utf-8")
    mapped = [name for name in packet.classes if ":" not in name and not name.startswith("#")]  # others it cannot hold
    (folder / _MAP).write_text("".join(f"{name}:::\n" for name in mapped), encoding="utf-8")
    boxes = prelabels_by_sheet(packet)
    for sheet in packet.sheets:
        tree = ElementTree.ElementTree(_annotation(packet, sheet, boxes[sheet.image_id]))
        ElementTree.indent(tree)
        tree.write(folder / "Annotations" / f"{Path(sheet.image_id).stem}.xml", encoding="utf-8")
    return [
        "Open JPEGImages with Annotations in your tool (class names: labels.txt), and correct every sheet.",
        "With labelImg: labelImg JPEGImages labels.txt Annotations; Verify Image marks a sheet as done.",
        "Save or export as Pascal VOC: boxes, no resizing, no augmentation. Many tools round to whole pixels here; "
        "COCO and YOLO are exact.",
        "VOC says not which sheets were looked at: when all were, add --all-reviewed to the import.",
    ]


def _annotation(packet: Packet, sheet: PacketSheet, boxes: Sequence[Prelabel]) -> ElementTree.Element:
    root = ElementTree.Element("annotation")
    add_texts(root, {"folder": "JPEGImages", "filename": sheet.image_id})
    add_texts(ElementTree.SubElement(root, "source"), {"database": f"packet {packet.packet_id}"})
    size = {"width": str(sheet.width), "height": str(sheet.height), "depth": "3"}
    add_texts(ElementTree.SubElement(root, "size"), size)
    add_texts(root, {"segmented": "0"})
    for one in boxes:
        thing = ElementTree.SubElement(root, "object")
        add_texts(thing, {"name": one.class_name, "pose": "Unspecified", "truncated": "0", "difficult": "0"})
        places = (repr(place) for place in (one.x1, one.y1, one.x2, one.y2))
        add_texts(ElementTree.SubElement(thing, "bndbox"), dict(zip(_SIDES, places, strict=True)))
    return root


def _require_one_name(files: Sequence[VocFile]) -> None:
    """Raise `UserError` for an XML file that names the picture of another one: its boxes may be those of either."""
    stems = {composed(one.file.stem) for one in files}
    for one in files:
        said = other_name(one)
        if said and said in stems:
            raise problem("voc.two_names", one.file, said=said)


def _listed(folder: Path) -> dict[str, Path]:
    """Return the stems that the lists hold, with the list; not the lists of a single class (`door_train.txt`)."""
    lists = {file.stem: file for file in sorted((folder / LISTS).glob("[!.]*.txt"))}
    whole = [file for stem, file in lists.items() if stem.rpartition("_")[2] not in lists or "_" not in stem]
    return {stem: file for file in whole for name in listed_stems(file) if (stem := name.rpartition("/")[2])}


def _empty(stem: str, listing: Path, images: Images) -> ReturnedSheet:
    image = images.of_file(Path(f"{stem}.xml"), "")
    return ReturnedSheet(image.name if image else stem, f"{listing}, {stem}", FRACTIONS, (), image=image)
