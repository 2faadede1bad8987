"""Reads COCO JSON, as COCO has it (`annotations/instances_*.json`) and as Roboflow exports it, beside the images."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from stages.base.errors import problem
from stages.dataset.defects import Defect
from stages.formats.image_lookup import Images, every_image, known_split
from stages.formats.label_rows import box_around, polygon_findings
from stages.formats.source_sheets import Box, Dataset, Row, SourceSheet
from stages.formats.yolo_folder import Item, Source

_DEPTHS = ("*.json", "*/*.json", "*/*/*.json")
_PARTS = ("images", "annotations", "categories")
_KEYS = ("id", "image_id", "category_id")
_ID = (int, float, str, type(None))
_LARGEST = 1e9  # px: beyond is no picture, and no number that could be reckoned with


class CocoFile(NamedTuple):
    """One JSON file that holds objects: its split, and its content."""

    file: Path
    split: str
    content: dict[str, Any]


def coco_files(folder: Path) -> list[CocoFile]:
    """Return the files under `folder` that hold COCO's objects; raise `UserError` for one that is broken."""
    found = (file for depth in _DEPTHS for file in sorted(folder.glob(depth)) if not file.name.startswith("."))
    return _without_keypoints([one for one in map(coco_file, filter(Path.is_file, found)) if one])


def coco_file(file: Path) -> CocoFile | None:
    """Return `file` if it holds COCO's objects; raise `UserError` if it is broken."""
    content = _content(file)
    if not all(isinstance(content.get(part), list) for part in _PARTS):
        return None
    for part in _PARTS:
        for number, one in enumerate(content[part], 1):
            if not isinstance(one, dict) or not all(isinstance(one.get(key), _ID) for key in _KEYS):
                mend = "Export it again: the file is damaged."
                found = f"{repr(one)[:60]} at place {number}"
                raise problem("coco_reader.objects_plain_ids", file, part=part, found=found, mend=mend)
    return CocoFile(file, _split(file), content)


def read_coco(folder: Path, files: Sequence[CocoFile]) -> Dataset:
    """Return what `files` say of the images under `folder`; raise `UserError` where they contradict each other."""
    classes, findings = _classes(files)
    images = every_image(folder)
    sheets: list[SourceSheet] = []
    for part in files:
        if part.split in {sheet.split for sheet in sheets}:
            mend = "Keep one of the files."
            expected = "one file of annotations per split"
            raise problem("coco_reader.second", part.file, expected=expected, split=part.split, mend=mend)
        more, found = _sheets(part, classes, images)
        sheets += more
        findings += found
    if not sheets:
        mend = "Bring the images beside the JSON file."
        raise problem("coco_reader.images_there", files[0].file, mend=mend)
    splits: dict[str, dict[str, Item]] = {}
    for sheet in sheets:
        splits.setdefault(sheet.split, {})[sheet.item.image.name] = sheet.item
    source = Source(folder, classes, splits, tuple(images.without(sheet.item.image for sheet in sheets)))
    return Dataset("COCO JSON", source, tuple(sheets), tuple(findings))


def _content(file: Path) -> dict[str, Any]:
    text = file.read_bytes().decode("utf-8-sig", errors="replace")
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        if '"annotations"' not in text:
            return {}
        line, found = (error.lineno, error.msg) if isinstance(error, json.JSONDecodeError) else (1, str(error))
        mend = "Export it again: the file is damaged."
        raise problem("coco_reader.json", f"{file}:{line}", found=found, mend=mend) from error
    return content if isinstance(content, dict) else {}


def _split(file: Path) -> str:
    words = [*re.split(r"[^a-z]+", file.stem.lower()), file.parent.name]
    return next((split for word in words if (split := known_split(word))), "train")


def _without_keypoints(files: Sequence[CocoFile]) -> list[CocoFile]:
    """Return `files` without those of keypoints where a split has another: COCO ships both."""
    plain = {one.split for one in files if not _has_keypoints(one)}
    return [one for one in files if not _has_keypoints(one) or one.split not in plain]


def _has_keypoints(part: CocoFile) -> bool:
    return any(isinstance(one, dict) and "keypoints" in one for one in part.content["categories"])


def _classes(files: Sequence[CocoFile]) -> tuple[tuple[str, ...], list[Defect]]:
    """Return the class names in the order of their ids in the first file, then those that only others have."""
    names: list[str] = []
    findings = []
    for part in files:
        listed = [name for _, name in sorted(categories_of(part).items())]
        if names and listed != names[: len(listed)]:
            found = ", ".join(listed)
            mend = "They are matched by name."
            findings.append(Defect("warning", "names-differ-by-split", part.file, None, ", ".join(names), found, mend))
        names += [name for name in listed if name not in names]
    parents = {part.file: _parents(part).values() for part in files}
    findings += [
        Defect("note", "parent-category", file, None, "classes", f"the group '{name}'", "It has no box: no class.")
        for file, gone in parents.items()
        for name in gone
    ]
    if not names:
        mend = "Export it again with its categories."
        raise problem("coco_reader.categories_names", files[0].file, mend=mend)
    return tuple(names), findings


def categories_of(part: CocoFile) -> dict[int, str]:
    """Return the classes by id, without Roboflow's first one, which only groups the others."""
    gone = _parents(part)
    listed = [one for one in part.content["categories"] if _is_category(one) and one["id"] not in gone]
    found = {one["id"]: str(one["name"]).strip() for one in listed}
    if len(set(found.values())) != len(found):
        mend = "Rename one of them."
        raise problem("coco_reader.categories_different_names", part.file, found=", ".join(found.values()), mend=mend)
    return found


def _parents(part: CocoFile) -> dict[int, str]:
    """Return the categories that are the supercategory of others and have no object, by id.

    One of each name: Roboflow's group may be called like one of the classes in it.
    """
    used = {one.get("category_id") for one in part.content["annotations"] if isinstance(one, dict)}
    listed = [one for one in part.content["categories"] if _is_category(one)]
    found: dict[int, str] = {}
    for one in listed:
        is_above = any(other.get("supercategory") == one["name"] for other in listed if other["id"] != one["id"])
        if is_above and one["id"] not in used and str(one["name"]).strip() not in found.values():
            found[one["id"]] = str(one["name"]).strip()
    return found


def _is_category(one: object) -> bool:
    return isinstance(one, dict) and isinstance(one.get("id"), int) and bool(str(one.get("name") or "").strip())


def _sheets(part: CocoFile, classes: Sequence[str], images: Images) -> tuple[list[SourceSheet], list[Defect]]:
    ids = {number: classes.index(name) for number, name in categories_of(part).items()}
    grouped = annotations_of(part)
    sheets, findings = [], []
    for entry in part.content["images"]:
        objects = grouped.pop(entry.get("id"), [])
        name = str(entry.get("file_name", ""))
        image = images.find(name, near=part.file.parent, split=part.file.stem)
        if image is None:
            findings.append(_no_image(part.file, name, len(objects)))
        else:
            sheets.append(_sheet(part, entry, Item(image, part.file), objects, ids))
    findings += [_orphans(part.file, lines) for lines in [[o[0] for group in grouped.values() for o in group]] if lines]
    return sheets, findings


def annotations_of(part: CocoFile) -> dict[object, list[tuple[int, dict[str, Any]]]]:
    """Return the annotations of each image by its id, each with its own id."""
    grouped: dict[object, list[tuple[int, dict[str, Any]]]] = {}
    for number, one in enumerate(part.content["annotations"]):
        if isinstance(one, dict):
            grouped.setdefault(one.get("image_id"), []).append((_line(one, number), one))
    return grouped


def _line(one: Mapping[str, Any], number: int) -> int:
    return one["id"] if isinstance(one.get("id"), int) else number


def _sheet(
    part: CocoFile,
    entry: Mapping[str, Any],
    item: Item,
    objects: Sequence[tuple[int, dict[str, Any]]],
    ids: Mapping[int, int],
) -> SourceSheet:
    rows: list[Row] = []
    findings: list[Defect] = []
    for line, one in objects:
        row = object_row(line, one, part.file, ids)
        if isinstance(row, Row):
            rows.append(row)
        else:
            findings.append(row)
    frame = frame_of(entry)
    if frame is None:
        findings.append(no_size(item))
    return SourceSheet(part.split, item, tuple(rows), frame, (*findings, *polygon_findings(rows, part.file)))


def frame_of(entry: Mapping[str, Any]) -> tuple[float, float] | None:
    """Return width and height of an image that is listed, None if they are not there."""
    size = _numbers([entry.get("width"), entry.get("height")], 2)
    return (size[0], size[1]) if size and min(size) > 0 else None


def no_size(item: Item) -> Defect:
    """Return the finding for an image whose annotations do not say its size."""
    expected, found = f"the size of {item.image.name}", "none"
    return Defect("warning", "size-missing", item.label, None, expected, found, "That of the image is taken.")


def object_row(line: int, one: Mapping[str, Any], file: Path, ids: Mapping[int, int]) -> Row | Defect:
    """Return an annotation as a row in px, or what is wrong with it; `ids` maps category ids to class_ids."""
    class_id = ids.get(one.get("category_id", -1))
    if one.get("iscrowd"):
        mend = "A box around many is no object: it is left out."
        return Defect("warning", "crowd", file, line, "one object", "a crowd", mend)
    if class_id is None:
        found = f"category_id {one.get('category_id')}"
        mend = "Add the category, or correct the annotation."
        return Defect("error", "class-unknown", file, line, "an id of the categories", found, mend)
    box = _numbers(one.get("bbox"), 4)
    if box:
        x, y, w, h = box
        return Row(line, class_id, (x + w / 2, y + h / 2, w, h))
    around = _around(one.get("segmentation"))
    if around:
        return Row(line, class_id, around, polygon=True)
    found = repr(one.get("bbox"))[:60]
    mend = "Export it again with boxes, or remove the annotation."
    return Defect("error", "no-box", file, line, "bbox: x y w h, finite numbers", found, mend)


def _around(segmentation: object) -> Box | None:
    """Return the box around polygons; a mask (RLE) has none that could be read here."""
    parts = segmentation if isinstance(segmentation, list) else []
    points = [value for part in parts for value in (_numbers(part, None) or [])]
    return box_around(points) if len(points) >= 6 else None


def _numbers(values: object, count: int | None) -> list[float] | None:
    if not isinstance(values, list) or not values or len(values) != (count or len(values)):
        return None
    plain = all(isinstance(value, int | float) and abs(value) < _LARGEST for value in values)
    return [float(value) for value in values] if plain else None


def _no_image(file: Path, name: str, count: int) -> Defect:
    mend = "Bring the image; without it, it is left out."
    found = f"no file {name}, which has {count} objects"
    return Defect("warning", "image-missing", file, None, "images that are there", found, mend)


def _orphans(file: Path, lines: Sequence[int]) -> Defect:
    found = f"{len(lines)} of images that are not listed"
    return Defect("warning", "orphans", file, lines[0], "annotations of listed images", found, "They are left out.")
