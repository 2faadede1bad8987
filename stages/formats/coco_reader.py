"""Reads COCO JSON, as COCO has it (`annotations/instances_*.json`) and as Roboflow exports it, beside the images."""

from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from stages.base.errors import problem
from stages.dataset.defects import Defect, finding, refuse
from stages.formats.coco.coco_categories import categories_of, classes_of
from stages.formats.coco.coco_file import CocoFile, image_name, objects_of
from stages.formats.doubts.coco_boxes import (
    are_fractions,
    around_outline,
    box_of,
    contradiction,
    doubts_about,
    plain_numbers,
)
from stages.formats.doubts.turned_boxes import around_turned, rotation_of
from stages.formats.image_lookup import Images, every_image
from stages.formats.label_rows import polygon_findings, sorted_out
from stages.formats.source_sheets import FRACTIONS, Box, Dataset, LostBoxes, Row, SourceSheet
from stages.formats.yolo_folder import Item, Source

PRELABEL = "yoloop"  # a key of our own in an annotation; tools leave it out, and nothing depends on it
_AS_SHOWN = "Label Studio"  # its sizes are those of the stored picture, its boxes are on the one that EXIF turns


def read_coco(folder: Path, files: Sequence[CocoFile]) -> Dataset:
    """Return what `files` say of the images under `folder`; raise `UserError` where they contradict each other."""
    classes, findings = classes_of(files)
    images = every_image(folder)
    sheets: list[SourceSheet] = []
    lost: list[LostBoxes] = []
    fractions = all_fractions(files)
    for part in files:
        if part.split in {sheet.split for sheet in sheets}:
            raise problem("coco_reader.second", part.file, split=part.split)
        found = coco_sheets(part, classes, images, fractions=fractions)
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


class CocoSheets(NamedTuple):
    """The sheets of a file, and what belongs to none of them."""

    sheets: list[SourceSheet]
    findings: list[Defect]
    lost: list[LostBoxes]


def all_fractions(files: Sequence[CocoFile]) -> bool:
    """Say whether the boxes of all `files` together are fractions: a file of few boxes does not say so by itself."""
    return are_fractions([one for part in files for one in objects_of(part)])


def coco_sheets(
    part: CocoFile, classes: Sequence[str], images: Images, *, strict: bool = False, fractions: bool = False
) -> CocoSheets:
    """Return the sheets of `part`, and what belongs to none.

    `fractions`: the boxes are, as other files say. `strict`, for a review: the images need not be there, and nothing is
    left out. Raises `UserError` for two images of one id, and, if `strict`, for what is no box, a box on a picture of
    no size, and annotations of an image that is not listed.
    """
    _require_own_ids(part)
    doubts = doubts_about(part.content["annotations"], part.file)
    findings = [*doubts]
    if strict:
        refuse(doubts)
    fractions = fractions or are_fractions(part.content["annotations"])
    if fractions:
        findings.append(finding("warning", "coco_reader.fractions", part.file))
    ids = {number: classes.index(name) for number, name in categories_of(part).items()}
    grouped = _annotations(part)
    sheets, lost = [], []
    for entry in part.content["images"]:
        objects = grouped.pop(entry.get("id"), [])
        name = image_name(entry)
        image = images.find(name, near=part.file.parent, split=part.file.stem, bare=strict) if name else None
        if image is None and not strict:
            findings.append(_missing(part, name, len(objects), images))
            lost.append(LostBoxes(part.split, "", "image-missing", len(objects)))
        else:
            sheet = _sheet(part, entry, Item(image or Path(), part.file), objects, ids, strict=strict)
            sheet = sheet._replace(frame=FRACTIONS) if fractions else sheet
            sheet = _without_echo(sheet) if doubts else sheet
            sheets.append(sheet._replace(name=name.replace("\\", "/"), is_there=image is not None))
    orphans = [line for group in grouped.values() for line, _ in group]
    if orphans and strict:
        where, number = f"{part.file} annotation {orphans[0]}", next(iter(grouped))
        raise problem("coco_reader.annotations_images_listed", where, grouped=len(orphans), number=number)
    if orphans:
        findings.append(finding("warning", "coco_reader.orphans", part.file, orphans[0], count=len(orphans)))
        lost.append(LostBoxes(part.split, "", "orphans", len(orphans)))
    return CocoSheets(sheets, findings, lost)


def _without_echo(sheet: SourceSheet) -> SourceSheet:
    """Return `sheet` without what only repeats that the boxes of the whole file are corners."""
    return sheet._replace(findings=tuple(one for one in sheet.findings if one.code != "contradiction"))


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
