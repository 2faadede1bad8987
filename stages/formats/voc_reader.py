"""Reads Pascal VOC: one XML file per image, beside it or in `Annotations`."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, cast

from stages.base.errors import problem
from stages.dataset.defects import Defect, finding, refuse
from stages.formats.coco_reader import no_size, turned_finding
from stages.formats.doubts.stored_accents import composed
from stages.formats.doubts.turned_boxes import around_turned, degrees_in
from stages.formats.image_lookup import Images, every_image, known_split
from stages.formats.label_rows import sorted_out
from stages.formats.source_sheets import Dataset, LostBoxes, Row, SourceSheet
from stages.formats.voc_lists import VocLists, read_lists
from stages.formats.written_names import listed_names, mapped_names
from stages.formats.xml_text import DamagedXmlError, Node, number, parse_xml
from stages.formats.yolo_folder import Item, Source, description, read_names

_ANNOTATIONS = "Annotations"
_DEPTHS = ("*.xml", "*/*.xml", "*/*/*.xml")
_NAMES = ("classes.txt", "predefined_classes.txt", "labels.txt")
_MAP = "labelmap.txt"  # the classes as CVAT and Datumaro list them, with colours
_SIDES = ("xmin", "ymin", "xmax", "ymax")


class VocFile(NamedTuple):
    """One XML file of annotations: its root (None: it is broken), and what is broken."""

    file: Path
    root: Node | None
    findings: tuple[Defect, ...] = ()


def voc_files(folder: Path) -> list[VocFile]:
    """Return the XML files under `folder` that hold annotations, and those that are broken."""
    return list(_files(folder))


def first_voc_file(folder: Path) -> Path | None:
    """Return the first of `voc_files`, if there is one; no other is read."""
    return next((one.file for one in _files(folder)), None)


def read_voc(folder: Path, files: Sequence[VocFile]) -> Dataset:
    """Return what `files` say of the images under `folder`; raise `UserError` where nothing can be read."""
    classes, named, findings = _classes(folder, files)
    images = every_image(folder)
    lists = read_lists(folder, images.without(()))
    findings += lists.findings()
    sheets = []
    lost = []
    for one in files:
        image = image_of(one, images)
        if image is None:
            findings.append(finding("warning", "voc_reader.image-missing", one.file))
            lost.append(LostBoxes(_split(folder, one.file, lists), "", "image-missing", len(objects(one))))
        else:
            findings += _other_picture(one, images)
            sheets.append(voc_sheet(one, image, _split(folder, image, lists), classes, named))
    if not sheets:
        raise problem("voc_reader.images_annotations", folder)
    folders = {sheet.item.image.parent for sheet in sheets}
    rest = images.without(sheet.item.image for sheet in sheets)
    sheets += [
        SourceSheet(_split(folder, image, lists), Item(image, image.with_suffix(".xml")))
        for image in rest
        if image.parent in folders
    ]
    splits: dict[str, dict[str, Item]] = {}
    for sheet in sheets:
        splits.setdefault(sheet.split, {})[sheet.item.image.name] = sheet.item
    strangers = tuple(image for image in rest if image.parent not in folders)
    source = Source(folder, classes, splits, strangers)
    return Dataset("Pascal VOC", source, tuple(sheets), tuple(findings), tuple(lost))


def _files(folder: Path) -> Iterator[VocFile]:
    found = (file for depth in _DEPTHS for file in sorted(folder.glob(depth)) if not file.name.startswith("."))
    read = (_read(file) for file in found if file.is_file())
    return (one for one in read if one.root is None or one.root.tag == "annotation")


def _read(file: Path) -> VocFile:
    try:
        return VocFile(file, parse_xml(file.read_bytes()))
    except DamagedXmlError as error:
        return VocFile(file, None, (finding("error", "voc_reader.xml-damaged", file, error.line, found=error),))


def _classes(folder: Path, files: Sequence[VocFile]) -> tuple[tuple[str, ...], bool, list[Defect]]:
    """Return the class names, whether a file lists them, and a note if nobody does: then in the alphabet's order."""
    if description(folder).is_file():
        return read_names(folder), True, []
    listed = next((folder / name for name in _NAMES if (folder / name).is_file()), None)
    if listed:
        return listed_names(listed), True, []
    used = class_names(files)
    mapped = mapped_names(folder / _MAP, used)
    if mapped:
        return mapped, True, []
    names = tuple(sorted(used))
    if not names:
        raise problem("voc_reader.objects_names", folder)
    return names, False, [finding("note", "voc_reader.names-not-listed", folder, names=", ".join(names))]


def _split(folder: Path, image: Path, lists: VocLists) -> str:
    path = image.relative_to(folder)
    return lists.split_of(path) or next((split for part in path.parts[:-1] if (split := known_split(part))), "train")


def voc_sheet(
    one: VocFile, image: Path | None, split: str, classes: Sequence[str], named: bool, *, strict: bool = False
) -> SourceSheet:
    """Return the sheet of an XML file; `named`: a file lists the classes.

    `strict`, for a review, where the image need not be there: raise `UserError` for what is no box, and for no size.
    """
    item = Item(image or Path(), one.file)
    if one.root is None:
        return SourceSheet(split, item, findings=one.findings)
    rows, findings = sorted_out(_row(thing, one.file, classes, named) for thing in objects(one))
    frame = _frame(one.root)
    if strict:
        refuse(findings)
        if frame is None and rows:
            raise problem("voc_reader.size_picture", one.file)
    name = image.name if image else _text(one.root, "filename") or one.file.stem  # labelImg leaves the ending away
    turned = [cast(int, thing.sourceline) for thing in objects(one) if _rotation(thing)]
    more = [*findings, *([turned_finding(one.file, turned[0], len(turned))] if turned else [])]
    more += [] if frame else [no_size(item)]
    done = one.root.get("verified") == "yes"  # labelImg's "Verify Image"
    return SourceSheet(split, item, tuple(rows), frame, tuple(more), name, image is not None, done)


def image_of(one: VocFile, images: Images) -> Path | None:
    """Return the image of an XML file, None if it is not there: one below `Annotations/a` is in a folder `a`, too."""
    found = images.of_file(one.file, "" if one.root is None else _text(one.root, "filename"))
    parts = one.file.parent.parts
    inner = parts[parts.index(_ANNOTATIONS) + 1 :] if _ANNOTATIONS in parts else ()
    return found if not inner or (found and found.parent.parts[-len(inner) :] == inner) else None


def other_name(one: VocFile) -> str:
    """Return the stem of the `<filename>` in an XML file where that is not its own, else ""."""
    said = "" if one.root is None else _text(one.root, "filename").replace("\\", "/").rpartition("/")[2]
    stems = [composed(stem) for stem in (said, Path(said).stem)]  # labelImg leaves the ending away
    return "" if not said or composed(one.file.stem) in stems else stems[1]


def _other_picture(one: VocFile, images: Images) -> list[Defect]:
    """Return a warning where the picture that an XML file names is there, beside the one of its own name."""
    said = other_name(one)
    both = [images.by_stem.get(stem) for stem in (said, composed(one.file.stem))]
    return [finding("warning", "voc_reader.other-filename", one.file, said=said)] if all(both) else []


def class_names(files: Sequence[VocFile]) -> set[str]:
    """Return the names that the objects in `files` have."""
    return {_text(thing, "name") for one in files for thing in objects(one)} - {""}


def objects(one: VocFile) -> list[Node]:
    """Return the objects of an XML file, without those that are parts of others."""
    found = [] if one.root is None else one.root.iter("object")
    return [thing for thing in found if next(thing.iterancestors("object"), None) is None]


def _frame(root: Node) -> tuple[float, float] | None:
    """Return width and height that an XML file says its boxes are in, None if it does not."""
    size = [number(_text(root, f"size/{side}")) for side in ("width", "height")]
    return (size[0], size[1]) if size[0] > 0 and size[1] > 0 else None


def _row(thing: Node, file: Path, classes: Sequence[str], named: bool) -> Row | Defect:
    """Return an object as a row in px, or what is wrong with it; `named`: a file lists the classes."""
    name, line = _text(thing, "name"), cast(int, thing.sourceline)
    if name not in classes:
        where = "the list of classes" if named else "a name"
        return finding("error", "voc_reader.class-unknown", file, line, where=where, name=name)
    x1, y1, x2, y2 = (number(_text(thing, f"bndbox/{side}")) for side in _SIDES)
    if not all(map(math.isfinite, (x1, y1, x2, y2))):
        found = " ".join(" ".join(_text(thing, f"bndbox/{side}").split()) or "nothing" for side in _SIDES)
        return finding("error", "voc_reader.no-box", file, line, found=found)
    degrees = _rotation(thing)
    xywh = around_turned(((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1), degrees)
    return Row(line, classes.index(name), xywh, outline=bool(degrees) or thing.find("polygon") is not None)


def _rotation(thing: Node) -> float:
    """Return the angle in degrees that CVAT and Datumaro keep beside a box of before it was turned, 0 for none."""
    angles = [
        one.findtext("value") for one in thing.iterfind("attributes/attribute") if _text(one, "name") == "rotation"
    ]
    return degrees_in(angles[0]) if angles else 0.0


def _text(element: Node, path: str) -> str:
    return (element.findtext(path) or "").strip().replace("\n", " ")
