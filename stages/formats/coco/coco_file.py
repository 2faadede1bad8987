"""Finds the JSON files under a folder that hold COCO's objects, and reads them: ids as whole numbers, no file twice."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

from stages.base.errors import problem
from stages.formats.image_lookup import known_split

_DEPTHS = ("*.json", "*/*.json", "*/*/*.json")
_PARTS = ("images", "annotations", "categories")
_KEYS = ("id", "image_id", "category_id")
_ID = (int, float, str, type(None))


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
                raise problem("coco_file.objects_plain_ids", file, part=part, found=found)
            one.update({key: _plain_id(one[key]) for key in _KEYS if key in one})
    return CocoFile(file, _split(file), content)


def _plain_id(value: object) -> object:
    """Return an id as the whole number that it is: tools write 1, 1.0 and "1" for one."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return int(value) if isinstance(value, str) and value.isdecimal() and str(int(value)) == value else value


def _content(file: Path) -> dict[str, Any]:
    data = file.read_bytes()
    try:
        text = data.decode(json.detect_encoding(data))  # Windows writes UTF-16, too
    except UnicodeDecodeError as error:
        if b'"annotations"' in data:
            raise problem("coco_file.text_utf_8", file) from error
        return {}
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        if '"annotations"' not in text:
            return {}
        line, found = (error.lineno, error.msg) if isinstance(error, json.JSONDecodeError) else (1, str(error))
        raise problem("coco_file.json", f"{file}:{line}", found=found) from error
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
    boxed = [one for one in files if any("bbox" in each or "segmentation" in each for each in objects_of(one))]
    names: dict[str, set[str]] = {}
    for one in boxed:
        names.setdefault(one.split, set()).update(_file_names(one))
    return [one for one in files if one in boxed or one.split not in names or _file_names(one) - names[one.split]]


def objects_of(part: CocoFile) -> list[dict[str, Any]]:
    """Return the annotations of a file."""
    return cast(list[dict[str, Any]], part.content["annotations"])


def _file_names(part: CocoFile) -> set[str]:
    return {image_name(image) for image in part.content["images"]}


def image_name(image: Mapping[str, Any]) -> str:
    """Return what an image is called; Azure ML has its address alone."""
    return str(image.get("file_name") or image.get("coco_url") or "")


def _has_keypoints(part: CocoFile) -> bool:
    return any("keypoints" in one for one in part.content["categories"])
