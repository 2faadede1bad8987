"""Reads COCO JSON, as COCO has it (`annotations/instances_*.json`) and as Roboflow exports it, beside the images."""

import json
import re
from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

from stages.base.errors import problem
from stages.dataset.defects import Defect, finding, refuse
from stages.formats.doubts.coco_boxes import (
    are_fractions,
    around_outline,
    box_of,
    contradiction,
    doubts_about,
    plain_numbers,
)
from stages.formats.doubts.turned_boxes import around_turned, rotation_of
from stages.formats.image_lookup import Images, every_image, known_split
from stages.formats.label_rows import polygon_findings, sorted_out
from stages.formats.source_sheets import FRACTIONS, Box, Dataset, LostBoxes, Row, SourceSheet
from stages.formats.yolo_folder import Item, Source

_DEPTHS = ("*.json", "*/*.json", "*/*/*.json")
_PARTS = ("images", "annotations", "categories")
_KEYS = ("id", "image_id", "category_id")
_ID = (int, float, str, type(None))
PRELABEL = "yoloop"  # a key of our own in an annotation; tools leave it out, and nothing depends on it
_AS_SHOWN = "Label Studio"  # its sizes are those of the stored picture, its boxes are on the one that EXIF turns


class CocoFile(NamedTuple):
    """One JSON file that holds objects: its split, and its content, whose three lists hold objects with plain ids."""

    file: Path
    split: str
    content: dict[str, Any]


def coco_files(folder: Path) -> list[CocoFile]:
    """Return the files under `folder` that hold COCO's objects; raise `UserError` for one that is broken."""
    found = (file for depth in _DEPTHS for file in sorted(folder.glob(depth)) if not file.name.startswith("."))
    return _without_other_kinds(_without_keypoints([one for one in map(coco_file, filter(Path.is_file, found)) if one]))


def coco_file(file: Path) -> CocoFile | None:
    """Return `file` if it holds COCO's objects; raise `UserError` if it is broken."""
    content = _content(file)
    if not all(isinstance(content.get(part), list) for part in _PARTS):
        return None
    for part in _PARTS:
        for number, one in enumerate(content[part], 1):
            if not isinstance(one, dict) or not all(isinstance(one.get(key), _ID) for key in _KEYS):
                found = f"{repr(one)[:60]} at place {number}"
                raise problem("coco_reader.objects_plain_ids", file, part=part, found=found)
            one.update({key: _plain_id(one[key]) for key in _KEYS if key in one})
    return CocoFile(file, _split(file), content)


def _plain_id(value: object) -> object:
    """Return an id as the whole number that it is: tools write 1, 1.0 and "1" for one."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return int(value) if isinstance(value, str) and value.isdecimal() and str(int(value)) == value else value


def read_coco(folder: Path, files: Sequence[CocoFile]) -> Dataset:
    """Return what `files` say of the images under `folder`; raise `UserError` where they contradict each other."""
    classes, findings = _classes(files)
    images = every_image(folder)
    sheets: list[SourceSheet] = []
    lost: list[LostBoxes] = []
    for part in files:
        if part.split in {sheet.split for sheet in sheets}:
            raise problem("coco_reader.second", part.file, split=part.split)
        found = coco_sheets(part, classes, images)
        sheets += found.sheets
        findings += found.findings
        lost += found.lost
    if not sheets:
        first = next((one for one in findings if one.code == "image-missing"), None)
        raise first.error() if first else problem("coco_reader.images_there", files[0].file)
    splits: dict[str, dict[str, Item]] = {}
    for sheet in sheets:
        splits.setdefault(sheet.split, {})[sheet.item.image.name] = sheet.item
    crowded = {sheet.item.image for sheet in sheets if _has_crowd(sheet)}
    rest = images.without(sheet.item.image for sheet in sheets)
    source = Source(folder, classes, _without(crowded, splits), tuple(rest))
    kept = tuple(sheet for sheet in sheets if sheet.item.image not in crowded)
    lost += [LostBoxes(sheet.split, "", "crowd", _objects(sheet)) for sheet in sheets if sheet.item.image in crowded]
    findings += [one for sheet in sheets if sheet.item.image in crowded for one in sheet.findings]
    return Dataset("COCO JSON", source, kept, tuple(findings), tuple(lost))


def _has_crowd(sheet: SourceSheet) -> bool:
    return any(one.code == "crowd" for one in sheet.findings)


def _objects(sheet: SourceSheet) -> int:
    return len(sheet.rows) + sum(one.code == "crowd" for one in sheet.findings)


def _without(images: Container[Path], splits: Mapping[str, Mapping[str, Item]]) -> dict[str, dict[str, Item]]:
    return {
        split: {name: item for name, item in items.items() if item.image not in images}
        for split, items in splits.items()
    }


def _content(file: Path) -> dict[str, Any]:
    text = file.read_bytes().decode("utf-8-sig", errors="replace")
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        if '"annotations"' not in text:
            return {}
        line, found = (error.lineno, error.msg) if isinstance(error, json.JSONDecodeError) else (1, str(error))
        raise problem("coco_reader.json", f"{file}:{line}", found=found) from error
    return content if isinstance(content, dict) else {}


def _split(file: Path) -> str:
    words = [*re.split(r"[^a-z]+", file.stem.lower()), file.parent.name]
    return next((split for word in words if (split := known_split(word))), "train")


def _without_keypoints(files: Sequence[CocoFile]) -> list[CocoFile]:
    """Return `files` without those of keypoints where a split has another: COCO ships both."""
    plain = {one.split for one in files if not _has_keypoints(one)}
    return [one for one in files if not _has_keypoints(one) or one.split not in plain]


def _without_other_kinds(files: Sequence[CocoFile]) -> list[CocoFile]:
    """Return `files` without those that add nothing to another of their split: Datumaro writes one for each kind of
    object, with all images (captions, labels of whole images, or nothing).
    """
    boxed = [one for one in files if any("bbox" in each or "segmentation" in each for each in _objects_of(one))]
    names: dict[str, set[str]] = {}
    for one in boxed:
        names.setdefault(one.split, set()).update(_file_names(one))
    return [one for one in files if one in boxed or one.split not in names or _file_names(one) - names[one.split]]


def _objects_of(part: CocoFile) -> list[dict[str, Any]]:
    return cast(list[dict[str, Any]], part.content["annotations"])


def _file_names(part: CocoFile) -> set[str]:
    return {_name(image) for image in part.content["images"]}


def _name(image: Mapping[str, Any]) -> str:
    """Return what an image is called; Azure ML has its address alone."""
    return str(image.get("file_name") or image.get("coco_url") or "")


def _has_keypoints(part: CocoFile) -> bool:
    return any("keypoints" in one for one in part.content["categories"])


def _classes(files: Sequence[CocoFile]) -> tuple[tuple[str, ...], list[Defect]]:
    """Return the class names in the order of their ids in the first file, then those that only others have."""
    names: list[str] = []
    findings = []
    for part in files:
        listed = [name for _, name in sorted(categories_of(part).items())]
        if names and listed != names[: len(listed)]:
            found = ", ".join(listed)
            findings.append(
                finding("warning", "coco_reader.names-differ-by-split", part.file, names=", ".join(names), found=found)
            )
        names += [name for name in listed if name not in names]
    parents = {part.file: _parents(part).values() for part in files}
    findings += [
        finding("note", "coco_reader.parent-category", file, name=name)
        for file, gone in parents.items()
        for name in gone
    ]
    if not names:
        raise problem("coco_reader.categories_names", files[0].file)
    return tuple(names), findings


def categories_of(part: CocoFile) -> dict[int, str]:
    """Return the classes by id, without Roboflow's first one, which only groups the others."""
    gone = _parents(part)
    listed = [one for one in part.content["categories"] if _is_category(one) and one["id"] not in gone]
    found = {one["id"]: str(one["name"]).strip() for one in listed}
    if len(set(found.values())) != len(found):
        raise problem("coco_reader.categories_different_names", part.file, found=", ".join(found.values()))
    return found


def _parents(part: CocoFile) -> dict[int, str]:
    """Return the categories that are the supercategory of others and have no object, by id.

    One of each name: Roboflow's group may be called like one of the classes in it.
    """
    used = {one.get("category_id") for one in part.content["annotations"]}
    listed = [one for one in part.content["categories"] if _is_category(one)]
    found: dict[int, str] = {}
    for one in listed:
        is_above = any(other.get("supercategory") == one["name"] for other in listed if other["id"] != one["id"])
        if is_above and one["id"] not in used and str(one["name"]).strip() not in found.values():
            found[one["id"]] = str(one["name"]).strip()
    return found


def _is_category(one: Mapping[str, Any]) -> bool:
    return isinstance(one.get("id"), int) and one.get("name") is not None and bool(str(one["name"]).strip())


class CocoSheets(NamedTuple):
    """The sheets of a file, and what belongs to none of them."""

    sheets: list[SourceSheet]
    findings: list[Defect]
    lost: list[LostBoxes]


def coco_sheets(part: CocoFile, classes: Sequence[str], images: Images, *, strict: bool = False) -> CocoSheets:
    """Return the sheets of `part`, and what belongs to none.

    `strict`, for a review: the images need not be there, and nothing is left out. Raises `UserError` for two images of
    one id, and, if `strict`, for what is no box, a box on a picture of no size, and annotations of an image that is not
    listed.
    """
    _require_own_ids(part)
    findings = doubts_about(part.content["annotations"], part.file)
    if strict:
        refuse(findings)
    fractions = are_fractions(part.content["annotations"])
    if fractions:
        findings.append(finding("warning", "coco_reader.fractions", part.file))
    ids = {number: classes.index(name) for number, name in categories_of(part).items()}
    grouped = _annotations(part)
    sheets, lost = [], []
    for entry in part.content["images"]:
        objects = grouped.pop(entry.get("id"), [])
        name = _name(entry)
        image = images.find(name, near=part.file.parent, split=part.file.stem, bare=strict) if name else None
        if image is None and not strict:
            findings.append(_missing(part, name, len(objects), images))
            lost.append(LostBoxes(part.split, "", "image-missing", len(objects)))
        else:
            sheet = _sheet(part, entry, Item(image or Path(), part.file), objects, ids, strict=strict)
            sheet = sheet._replace(frame=FRACTIONS) if fractions else sheet
            sheets.append(sheet._replace(name=name.replace("\\", "/"), is_there=image is not None))
    orphans = [line for group in grouped.values() for line, _ in group]
    if orphans and strict:
        where, number = f"{part.file} annotation {orphans[0]}", next(iter(grouped))
        raise problem("coco_reader.annotations_images_listed", where, grouped=len(orphans), number=number)
    if orphans:
        findings.append(finding("warning", "coco_reader.orphans", part.file, orphans[0], count=len(orphans)))
        lost.append(LostBoxes(part.split, "", "orphans", len(orphans)))
    return CocoSheets(sheets, findings, lost)


def _missing(part: CocoFile, name: str, count: int, images: Images) -> Defect:
    other = images.elsewhere(name) if name else None
    name = name or "for an image without file_name"
    where = f"; {other}, of the same name, lies in another folder, so it may be another picture" if other else ""
    return finding("warning", "coco_reader.image-missing", part.file, name=name, count=count, where=where)


def _require_own_ids(part: CocoFile) -> None:
    """Raise `UserError` for an image without an id, and two with one: nobody knows whose the boxes are."""
    seen: dict[object, dict[str, Any]] = {}
    for entry in part.content["images"]:
        if entry.get("id") is None:
            raise problem("coco_reader.id_there", part.file, entry=entry.get("file_name"))
        other = seen.setdefault(entry.get("id"), entry)
        if other is not entry:
            both = other.get("file_name"), entry.get("file_name")
            raise problem("coco_reader.id_own_each", part.file, entry=entry.get("id"), other=both[0], entry_2=both[1])


def _annotations(part: CocoFile) -> dict[object, list[tuple[int, dict[str, Any]]]]:
    """Return the annotations of each image by its id, each with its own id."""
    grouped: dict[object, list[tuple[int, dict[str, Any]]]] = {}
    for number, one in enumerate(part.content["annotations"]):
        line = one["id"] if isinstance(one.get("id"), int) else number
        grouped.setdefault(one.get("image_id"), []).append((line, one))
    return grouped


def _sheet(
    part: CocoFile,
    entry: Mapping[str, Any],
    item: Item,
    objects: Sequence[tuple[int, dict[str, Any]]],
    ids: Mapping[int, int],
    *,
    strict: bool,
) -> SourceSheet:
    rows, findings = sorted_out(_row(line, one, part.file, ids, strict=strict) for line, one in objects)
    size = plain_numbers([entry.get("width"), entry.get("height")], 2)
    frame = (size[0], size[1]) if size and min(size) > 0 else None
    if strict:
        refuse(findings)
        if frame is None and rows:  # Label Studio leaves the size out for what has no boxes
            found = f"{entry.get('width')} × {entry.get('height')}"[:60]
            where = f"{part.file} image {entry.get('file_name') or ''}"
            raise problem("coco_reader.width_height_picture", where, found=found)
    elif frame is None:
        findings.append(no_size(item))
    turned = sum(bool(rotation_of(one.get("attributes"))) for _, one in objects)
    if turned:
        line = next(line for line, one in objects if rotation_of(one.get("attributes")))
        findings.append(turned_finding(part.file, line, turned))
    every = (*findings, *polygon_findings(rows, part.file))
    return SourceSheet(part.split, item, tuple(rows), frame, every, as_shown=_is_as_shown(part))


def _is_as_shown(part: CocoFile) -> bool:
    info = part.content.get("info")
    return isinstance(info, dict) and info.get("contributor") == _AS_SHOWN


def turned_finding(file: Path, line: int, count: int) -> Defect:
    """Return the finding for boxes of a sheet that are kept as they were before they were turned."""
    return finding("warning", "coco_reader.turned", file, line, count=f"{count} turned box{'es' * (count > 1)}")


def no_size(item: Item) -> Defect:
    """Return the finding for an image whose annotations do not say its size."""
    return finding("warning", "coco_reader.size-missing", item.label, name=item.image.name)


def _row(line: int, one: Mapping[str, Any], file: Path, ids: Mapping[int, int], *, strict: bool) -> Row | Defect:
    """Return an annotation as a row in px, or what is wrong with it; `ids` maps category ids to class_ids."""
    class_id = ids.get(one.get("category_id", -1))
    if one.get("iscrowd"):
        redraw = "Draw a box around each of them, or delete it, and export again."
        mend = redraw if strict else "What is in it has no boxes: the sheet is left out."
        return finding("error" if strict else "warning", "coco_reader.crowd", file, line, mend=mend)
    if class_id is None:
        return finding("error", "coco_reader.class-unknown", file, line, found=one.get("category_id"))
    box, degrees = box_of(one), rotation_of(one.get("attributes"))
    xywh = _turned(one, box, degrees) if box else around_outline(one)
    if xywh is None:
        return finding("error", "coco_reader.no-box", file, line, found=repr(one.get("bbox"))[:60])
    if not degrees and (other := contradiction(one)):
        return finding("error", "coco_reader.contradiction", file, line, found=repr(one.get("bbox"))[:60], other=other)
    prelabel = one.get(PRELABEL)
    kept = prelabel if isinstance(prelabel, str) else None
    return Row(line, class_id, xywh, polygon=not box, outline=bool(degrees) or _is_outline(one), prelabel=kept)


def _turned(one: Mapping[str, Any], box: Box, degrees: float) -> Box:
    """Return the box around an object whose bbox is that of before it was turned, if it was."""
    if not degrees:
        return box
    return (around_outline(one) if _is_outline(one) else None) or around_turned(box, degrees)


def _is_outline(one: Mapping[str, Any]) -> bool:
    """Say whether an annotation was drawn as something else than an upright box."""
    parts = one.get("segmentation")
    if not isinstance(parts, list):
        return bool(parts)  # a mask
    points = [part for part in parts if isinstance(part, list)]
    return any(len(set(map(str, part[axis::2]))) > 2 for part in points for axis in (0, 1))
