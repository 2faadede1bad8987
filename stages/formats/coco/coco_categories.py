"""Knows the classes that COCO's categories mean, by their ids: without those that only group others."""

from collections.abc import Mapping, Sequence
from typing import Any

from stages.base.errors import problem
from stages.dataset.defects import Defect, finding
from stages.formats.coco.coco_file import CocoFile


def classes_of(files: Sequence[CocoFile]) -> tuple[tuple[str, ...], list[Defect]]:
    """Return the class names in the order of their ids in the first file, then those that only others have."""
    names: list[str] = []
    findings = []
    for part in files:
        listed = [name for _, name in sorted(categories_of(part).items())]
        if names and listed != names[: len(listed)]:
            found = ", ".join(listed)
            findings.append(
                finding(
                    "warning", "coco_categories.names-differ-by-split", part.file, names=", ".join(names), found=found
                )
            )
        names += [name for name in listed if name not in names]
    parents = {part.file: _parents(part).values() for part in files}
    findings += [
        finding("note", "coco_categories.parent-category", file, name=name)
        for file, gone in parents.items()
        for name in gone
    ]
    if not names:
        raise problem("coco_categories.categories_names", files[0].file)
    return tuple(names), findings


def categories_of(part: CocoFile) -> dict[int, str]:
    """Return the classes by id, without Roboflow's first one, which only groups the others."""
    gone = _parents(part)
    listed = [one for one in part.content["categories"] if _is_category(one) and one["id"] not in gone]
    found = {one["id"]: str(one["name"]).strip() for one in listed}
    if len(set(found.values())) != len(found):
        raise problem("coco_categories.categories_different_names", part.file, found=", ".join(found.values()))
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
