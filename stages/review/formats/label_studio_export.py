"""Reads what Label Studio exports as JSON, or JSON-MIN: only what a person submitted comes back as reviewed.

An annotation is not submitted when it was skipped, is a draft, or was made of a prediction by "Create Annotations From
Predictions", which opens no sheet: that one has no time that somebody spent on it.
"""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlparse

from stages.base.errors import UserError, problem
from stages.dataset.sheets.split_folder import IMAGE_SUFFIXES
from stages.formats.source_sheets import FRACTIONS
from stages.review.formats.returned_boxes import Returned, ReturnedBox, ReturnedSheet, require_one

_BOXES, _POLYGONS = "rectanglelabels", "polygonlabels"
_NO_SHAPES = ("relation", "choices", "textarea", "rating", "number", "datetime", "taxonomy", "pairwise")
_NO_CLASS = ("rectangle", "polygon")
_WHOLE = 100.0  # per cent
_ALIKE = 4  # decimals of the picture's side up to which two annotations say the same: 0.3 px of 2,560
_AGAIN = "Correct it in Label Studio, and export again."
Corners = tuple[float, float, float, float]


def export_file(path: Path) -> Path:
    """Return the file that `path` is, or the export at its top; else tasks, or what was most likely meant."""
    files = _files(path)
    tasks = [file for file in files if holds_tasks(file)]
    return next(iter([*filter(_came_back, tasks), *tasks, *files, path]))


def require_one_export(path: Path) -> None:
    """Raise `UserError` for a folder with several exports at its top: of two projects, or an older one of the same."""
    require_one(path, [file for file in _files(path) if _came_back(file)])


def read_tasks(file: Path) -> list[dict[str, Any]]:
    """Return the tasks in a JSON export; raise `UserError` with the line where it is damaged."""
    mend = "In Label Studio: Export > JSON; give that file."
    try:
        tasks = json.loads(file.read_bytes())
    except (OSError, UnicodeDecodeError, RecursionError) as error:
        raise problem("label_studio_export.json_export_label", file, mend=mend) from error
    except ValueError as error:
        line = getattr(error, "lineno", 1)
        raise problem("label_studio_export.whole_json", f"{file}:{line}", found=str(error), mend=mend) from error
    if not isinstance(tasks, list) or not all(isinstance(one, dict) for one in tasks):
        raise problem("label_studio_export.list_tasks", file, name__=type(tasks).__name__, mend=mend)
    return _of_min(tasks) if tasks and all("annotation_id" in one for one in tasks) else tasks


def returned(tasks: Sequence[Mapping[str, Any]], where: str) -> Returned:
    """Return what exported tasks say; `where` names the file or the project for messages.

    Raises `UserError` for tasks of several packets, changes that nobody submitted, two annotations of a sheet that
    differ, and a region that is no box of one class.
    """
    counts = Counter(str(task.get("id")) for task in tasks)
    sheets = tuple(_sheet(task, f"{where} {_called(task, number, counts)}") for number, task in enumerate(tasks, 1))
    packets = {str(task["data"].get("packet") or "") for task in tasks} - {""}
    if len(packets) > 1:
        raise problem(
            "label_studio_export.tasks_packet",
            where,
            number_of_packets=len(packets),
            packets=", ".join(sorted(packets)),
        )
    return Returned("label-studio", (), sheets, next(iter(packets), ""))


def holds_tasks(file: Path) -> bool:
    """Say whether `file` is JSON with tasks."""
    return bool(_tasks_in(file))


def _came_back(file: Path) -> bool:
    """Say whether `file` holds tasks with what people did; what went out has none."""
    return any("annotation_id" in one or "annotations" in one for one in _tasks_in(file))


def _files(path: Path) -> list[Path]:
    return sorted(path.glob("*.json")) if path.is_dir() else [path]


def _tasks_in(file: Path) -> list[dict[str, Any]]:
    """Return the tasks that `file` holds in a list; nothing where it is something else, or damaged."""
    if file.suffix.lower() != ".json" or not file.is_file():
        return []
    try:
        content = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return []
    objects = [one for one in content if isinstance(one, dict)] if isinstance(content, list) else []
    return [one for one in objects if "annotation_id" in one or isinstance(one.get("data"), dict)]


def _of_min(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of a JSON-MIN export, one for each annotation, as tasks.

    It has no ids of regions, no drafts, and nothing of what was skipped.
    """
    tasks: dict[Any, dict[str, Any]] = {}
    for row in rows:
        regions = [one for value in row.values() if isinstance(value, list) for one in value if isinstance(one, dict)]
        annotation = {
            "id": row["annotation_id"],
            "result": [{**one, "type": _kind(one), "value": one} for one in regions],
            "lead_time": row.get("lead_time"),
            "updated_at": row.get("updated_at"),
            "parent_prediction": "perhaps",  # it does not say; without a time nobody worked on it
        }
        own = (row.get("id"), _name(row))  # two projects count from 1 each
        task = tasks.setdefault(own, {"id": row.get("id"), "data": row, "annotations": []})
        task["annotations"].append(annotation)
    return list(tasks.values())


def _kind(value: Mapping[str, Any]) -> str:
    return next((key for key in value if key.endswith("labels")), "region without a class")


def _called(task: Mapping[str, Any], number: int, counts: Mapping[str, int]) -> str:
    """Return what a task is called in messages: by its id, and where others have that, too, by its place."""
    if "id" not in task:
        return f"task {number}"
    again = f" (number {number} in the file)" if counts[str(task["id"])] > 1 else ""
    return f"task {task['id']}{again}"


def _sheet(task: Mapping[str, Any], where: str) -> ReturnedSheet:
    data, annotations = _parts(task, where)
    name, sha256 = _name(data), str(data.get("sha256") or "")
    submitted = [one for one in annotations if _is_submitted(one)]
    if not submitted:
        return ReturnedSheet(name, where, FRACTIONS, (), "unreviewed", sha256=sha256)
    _require_no_draft(task, where)
    found = [_boxes(one, where) for one in submitted]
    if any(_content(boxes) != _content(found[0]) for boxes in found):
        ids = ", ".join(str(one.get("id")) for one in submitted)
        raise problem("label_studio_export.annotation", where, number_of_found=len(found), ids=ids)
    spent = [float(one["lead_time"]) for one in submitted if isinstance(one.get("lead_time"), int | float)]
    boxes = found[-1]
    polygons = sum(_is_around(region) for region in submitted[-1]["result"])
    seconds = sum(spent) if spent else None
    return ReturnedSheet(name, where, FRACTIONS, boxes, "reviewed", sha256=sha256, seconds=seconds, polygons=polygons)


def _parts(task: Mapping[str, Any], where: str) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]]:
    """Return data and annotations of a task, the latest annotation last; raise `UserError` when they are not there."""
    data, annotations = task.get("data"), task.get("annotations")
    if not isinstance(data, dict) or not isinstance(annotations, list):
        raise problem("label_studio_export.task_data_annotations", where, found=", ".join(list(task)[:6]) or "nothing")
    for one in annotations:
        if not isinstance(one, dict) or not isinstance(one.get("result"), list):
            raise problem("label_studio_export.annotations_result", where, found=str(one)[:80], again=_AGAIN)
    return data, sorted(annotations, key=lambda one: str(one.get("updated_at") or one.get("created_at") or ""))


def _is_submitted(annotation: Mapping[str, Any]) -> bool:
    untouched = annotation.get("lead_time") is None and annotation.get("parent_prediction") is not None
    return not annotation.get("was_cancelled") and not untouched


def _require_no_draft(task: Mapping[str, Any], where: str) -> None:
    """Raise `UserError` when an annotation was changed after it had been submitted, and the change was not.

    A snapshot has the ids of drafts alone: the change may be one of what was submitted.
    """
    drafts = task.get("drafts")
    found = drafts if isinstance(drafts, list) else []
    if any(isinstance(one, dict) and one.get("annotation") for one in found):
        raise problem("label_studio_export.was_submitted", where)
    if any(not isinstance(one, dict) for one in found):
        raise problem("label_studio_export.draft_of_what", where)


def _name(data: Mapping[str, Any]) -> str:
    """Return the file name of a task's picture: ours, or the end of the address that it has there."""
    own = data.get("image_id")
    if isinstance(own, str) and own:
        return own
    names = [_last(value) for value in data.values() if isinstance(value, str)]
    return next((name for name in names if PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES), "")


def _last(address: str) -> str:
    """Return the file name in a picture's address; local files have it behind `?d=`."""
    try:
        parts = urlparse(address)
    except ValueError:  # a text that looks like an address and is none
        return ""
    return unquote((parts.query.removeprefix("d=") if parts.query.startswith("d=") else parts.path).rpartition("/")[2])


def _boxes(annotation: Mapping[str, Any], where: str) -> tuple[ReturnedBox, ...]:
    regions = [one for one in annotation["result"] if not isinstance(one, dict) or one.get("type") not in _NO_SHAPES]
    return tuple(_box(one, where) for one in regions)


def _content(boxes: Sequence[ReturnedBox]) -> list[tuple[str, list[float]]]:
    return sorted((box.class_name, [round(side, _ALIKE) for side in box.xyxy]) for box in boxes)


def _is_around(region: Mapping[str, Any]) -> bool:
    """Say whether the box of a region is the one around it: a polygon, or turned."""
    return region.get("type") == _POLYGONS or bool(region.get("type") == _BOXES and region["value"].get("rotation"))


def _box(region: Any, where: str) -> ReturnedBox:
    if not isinstance(region, dict):
        raise problem("label_studio_export.regions", where, found=str(region)[:80], again=_AGAIN)
    where = f"{where} region {region['id']}" if "id" in region else where
    kind = region.get("type")
    if kind not in (_BOXES, _POLYGONS):
        what = "one without a class" if kind in _NO_CLASS else f"{kind}"
        raise problem("label_studio_export.rectangle_polygon_class", where, what=what, again=_AGAIN)
    if region.get("image_rotation"):
        turned = f"a picture turned by {region['image_rotation']} degrees"
        raise problem("label_studio_export.sheet_went_out", where, turned=turned)
    try:
        value = region["value"]
        (name,) = value[kind]
        corners = _corners(value, region)
    except (KeyError, TypeError, ValueError, IndexError, ZeroDivisionError) as error:
        raise _no_box(region, where) from error
    identity = region.get("id")
    return ReturnedBox(str(name), corners, where, identity if isinstance(identity, str) else None)


def _no_box(region: Mapping[str, Any], where: str) -> UserError:
    value = region.get("value")
    names = value.get(region["type"]) if isinstance(value, dict) else None
    if not isinstance(names, list) or len(names) != 1:
        found = f"{len(names)}: {', '.join(map(str, names))}" if isinstance(names, list) and names else "none"
        return problem("label_studio_export.class_box", where, found=found, again=_AGAIN)
    return problem("label_studio_export.box_per_cent", where, found=str(value)[:100], again=_AGAIN)


def _corners(value: Mapping[str, Any], region: Mapping[str, Any]) -> Corners:
    """Return a region's corners as fractions of the picture: of a polygon or a turned box, the box around it."""
    if region["type"] == _POLYGONS:
        return _around([(float(x) / _WHOLE, float(y) / _WHOLE) for x, y in value["points"]])
    x, y, w, h = (float(value[key]) / _WHOLE for key in ("x", "y", "width", "height"))
    turn = float(value.get("rotation") or 0)
    return _turned((x, y, w, h), turn, region) if turn else (x, y, x + w, y + h)


def _turned(xywh: Corners, degrees: float, region: Mapping[str, Any]) -> Corners:
    """Return the box around one that is turned clockwise about its first corner, in px: per cent are not square."""
    width, height = float(region["original_width"]), float(region["original_height"])
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    x, y, w, h = xywh[0] * width, xywh[1] * height, xywh[2] * width, xywh[3] * height
    ends = ((0.0, 0.0), (w, 0.0), (0.0, h), (w, h))
    return _around([((x + a * cos - b * sin) / width, (y + a * sin + b * cos) / height) for a, b in ends])


def _around(points: Sequence[tuple[float, float]]) -> Corners:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)
