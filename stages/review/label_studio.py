"""Label Studio's JSON (https://labelstud.io/guide/tasks, https://labelstud.io/guide/predictions, .../guide/export).

What we give it are tasks with predictions; only annotations that a person submitted come back as truth. A region that
was a prediction keeps its id, so each pre-label can be followed. Boxes are per cent of the picture.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlparse
from xml.sax.saxutils import quoteattr

from stages.core.errors import problem
from stages.files.packet import Packet, PacketSheet
from stages.review.outgoing import Prelabel, copy_images, prelabels_of, reasons_of
from stages.review.returned import Returned, ReturnedBox, ReturnedSheet

CONFIG = "labeling_config.xml"
TASKS = "tasks.json"
FROM, TO = "label", "image"  # names of the control and of the picture in the labeling config
_SHAPES = ("rectanglelabels", "polygonlabels")
_HOTKEYS = "123456789"
_WHOLE = 100.0  # per cent


def is_one(path: Path) -> bool:
    """Say whether `path` is Label Studio's JSON export, or a folder with one at its top."""
    return _file(path) is not None


def read(path: Path) -> Returned:
    """Return what the export at `path` says; raise `UserError` with the task for what is no box."""
    file = _file(path)
    assert file is not None  # the caller asked `is_one`
    return returned(_tasks(file), str(file))


def returned(tasks: Sequence[Mapping[str, Any]], where: str) -> Returned:
    """Return what exported tasks say; `where` names the file or the project for messages."""
    sheets = tuple(_sheet(task, f"{where} task {task.get('id', number)}") for number, task in enumerate(tasks, 1))
    packets = {str(task["data"].get("packet", "")) for task in tasks} - {""}
    if len(packets) > 1:
        raise problem(
            where,
            expected="the tasks of one packet",
            found=f"those of {len(packets)}: {', '.join(sorted(packets))}",
            mend="Export the project of this packet alone, or filter by its tasks.",
        )
    return Returned("label-studio", (), sheets, next(iter(packets), ""))


def write(packet: Packet, folder: Path) -> list[str]:
    """Write pictures, tasks and labeling config; return what to do with them."""
    copy_images(packet, folder / "images")
    (folder / CONFIG).write_text(labeling_config(packet.classes), encoding="utf-8")
    local = [task_of(packet, sheet, f"/data/local-files/?d=images/{quote(sheet.image_id)}") for sheet in packet.sheets]
    (folder / TASKS).write_text(json.dumps(local, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return [
        "The short way: yoloop review export --to label-studio --url http://localhost:8080 (uploads everything).",
        "By hand: start Label Studio with LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true and "
        "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT set to this folder.",
        f"Create a project; Labeling Setup, Custom template: paste {CONFIG}; Settings, Cloud Storage: add Local files, "
        "with the folder images here (no sync).",
        f"Import {TASKS}. Submit each sheet when it is right: what nobody submits is not taken.",
        "Export as JSON (not JSON-MIN).",
    ]


def labeling_config(classes: Sequence[str]) -> str:
    """Return the labeling config: boxes with `classes` in their order, and why the sheet is worth a look."""
    labels = "\n".join(f"    <Label value={quoteattr(name)}{_hotkey(number)}/>" for number, name in enumerate(classes))
    return (
        "<View>\n"
        '  <Header value="What to look at"/>\n'
        '  <Text name="reasons" value="$reasons"/>\n'
        f'  <Image name="{TO}" value="$image" zoom="true" zoomControl="true" rotateControl="false"/>\n'
        f'  <RectangleLabels name="{FROM}" toName="{TO}" canRotate="false">\n{labels}\n  </RectangleLabels>\n'
        "</View>\n"
    )


def task_of(packet: Packet, sheet: PacketSheet, image: str) -> dict[str, Any]:
    """Return the task of a sheet whose picture is at `image`, with its pre-labels as a prediction."""
    boxes = prelabels_of(packet, sheet)
    sure = [one.confidence for one in boxes if one.confidence is not None]
    return {
        "data": {
            "image": image,
            "image_id": sheet.image_id,
            "sha256": sheet.sha256,
            "packet": packet.packet_id,
            "order": sheet.order,
            "reasons": " ".join(reasons_of(packet, sheet)),
        },
        "predictions": [
            {
                "model_version": "labels to confirm" if sheet.labels_from == "claims" else "model",
                "score": sum(sure) / len(sure) if sure else 0.0,
                "result": [_region(one, sheet) for one in boxes],
            }
        ],
    }


def _hotkey(number: int) -> str:
    return f' hotkey="{_HOTKEYS[number]}"' if number < len(_HOTKEYS) else ""


def _region(one: Prelabel, sheet: PacketSheet) -> dict[str, Any]:
    across, down = _WHOLE / sheet.width, _WHOLE / sheet.height
    value = {
        "x": one.x1 * across,
        "y": one.y1 * down,
        "width": (one.x2 - one.x1) * across,
        "height": (one.y2 - one.y1) * down,
        "rotation": 0,
        "rectanglelabels": [one.class_name],
    }
    return {
        "id": one.prelabel_id,
        "type": "rectanglelabels",
        "from_name": FROM,
        "to_name": TO,
        "original_width": sheet.width,
        "original_height": sheet.height,
        "value": value,
        **({} if one.confidence is None else {"score": one.confidence}),
    }


def _file(path: Path) -> Path | None:
    """Return the JSON file that holds tasks: `path`, or the one at the top of that folder."""
    files = sorted(path.glob("*.json")) if path.is_dir() else [path] if path.suffix == ".json" else []
    return next((file for file in files if _holds_tasks(file)), None)


def _holds_tasks(file: Path) -> bool:
    try:
        content = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(content, list) and bool(content) and all(isinstance(one, dict) for one in content)


def _tasks(file: Path) -> list[dict[str, Any]]:
    tasks: list[dict[str, Any]] = json.loads(file.read_bytes())
    for number, task in enumerate(tasks, 1):
        if not isinstance(task.get("data"), dict) or not isinstance(task.get("annotations"), list):
            raise problem(
                f"{file} task {task.get('id', number)}",
                expected="a task with `data` and `annotations`",
                found=", ".join(list(task)[:6]) or "nothing",
                mend="Export as JSON: JSON-MIN does not say what was submitted, and tasks.json is what went out.",
            )
    return tasks


def _sheet(task: Mapping[str, Any], where: str) -> ReturnedSheet:
    data = task["data"]
    name = str(data.get("image_id") or unquote(_last(str(data.get("image", "")))))
    submitted = [one for one in task["annotations"] if isinstance(one, dict) and not one.get("was_cancelled")]
    sha256 = str(data.get("sha256", ""))
    if not submitted:
        return ReturnedSheet(name, where, (1.0, 1.0), (), "unreviewed", sha256=sha256)
    last = max(submitted, key=lambda one: str(one.get("updated_at") or one.get("created_at") or ""))
    regions = [one for one in last.get("result") or [] if isinstance(one, dict) and one.get("type") in _SHAPES]
    boxes = tuple(_box(one, f"{where} region {one.get('id')}") for one in regions)
    polygons = sum(one["type"] != "rectanglelabels" or bool(one["value"].get("rotation")) for one in regions)
    spent = last.get("lead_time")
    seconds = float(spent) if isinstance(spent, int | float) else None
    return ReturnedSheet(name, where, (1.0, 1.0), boxes, "reviewed", sha256=sha256, seconds=seconds, polygons=polygons)


def _last(image: str) -> str:
    """Return the file name in a picture's address; local files have it behind `?d=`."""
    parts = urlparse(image)
    return (parts.query.removeprefix("d=") or parts.path).rpartition("/")[2]


def _box(region: Mapping[str, Any], where: str) -> ReturnedBox:
    try:
        value = region["value"]
        names = value[region["type"]]
        corners = _corners(value, region)
        name = str(names[0])
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise problem(
            where,
            expected="a box with one class",
            found=f"{type(error).__name__} {error}",
            mend="Give it a class in Label Studio or remove it, and export again.",
        ) from error
    identity = region.get("id")
    return ReturnedBox(name, corners, where, identity if isinstance(identity, str) else None)


def _corners(value: Mapping[str, Any], region: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """Return a region's corners as fractions of the picture: of a polygon or a turned box, the box around it."""
    if region["type"] == "polygonlabels":
        xs, ys = ([float(point[axis]) / _WHOLE for point in value["points"]] for axis in (0, 1))
        return min(xs), min(ys), max(xs), max(ys)
    x, y, w, h = (float(value[key]) / _WHOLE for key in ("x", "y", "width", "height"))
    turn = float(value.get("rotation") or 0)
    return _turned(x, y, w, h, turn, region) if turn else (x, y, x + w, y + h)


def _turned(
    x: float, y: float, w: float, h: float, degrees: float, region: Mapping[str, Any]
) -> tuple[float, float, float, float]:
    """Return the box around one that is turned clockwise about its first corner, in px: per cent are not square."""
    from math import cos, radians, sin

    width, height = float(region["original_width"]), float(region["original_height"])
    angle = radians(degrees)
    corners = [
        (x * width + across * cos(angle) - down * sin(angle), y * height + across * sin(angle) + down * cos(angle))
        for across, down in ((0.0, 0.0), (w * width, 0.0), (0.0, h * height), (w * width, h * height))
    ]
    xs, ys = [one[0] / width for one in corners], [one[1] / height for one in corners]
    return min(xs), min(ys), max(xs), max(ys)
