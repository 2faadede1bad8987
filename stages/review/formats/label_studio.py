"""Label Studio: tasks with predictions go out, its JSON export comes back.

Described in https://labelstud.io/guide/task_format, https://labelstud.io/guide/predictions and
https://labelstud.io/guide/export. Boxes are per cent of the picture. A box that was a prediction keeps its id in the
annotation, so each pre-label can be followed; hash and packet travel in the data of the task. What is read back is in
`label_studio_export.py`, the way over the REST API in `label_studio_api.py`.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from stages.picking.packet import Packet, PacketSheet
from stages.review.formats.label_studio_export import (
    export_file,
    holds_tasks,
    read_tasks,
    require_one_export,
    returned,
)
from stages.review.formats.outgoing_boxes import Prelabel, prelabels_by_sheet
from stages.review.formats.returned_boxes import Returned
from stages.review.page.pictures import picture

CONFIG = "labeling_config.xml"
TASKS = "tasks.json"
FROM, TO = "label", "image"  # names of the control and of the picture in the labeling config
_LOCAL = "/data/local-files/?d="  # where Label Studio serves files of its own machine
_HOTKEYS = "123456789"  # it gives further classes keys of its own
_WHOLE = 100.0  # per cent
# What nobody submits is not taken, nor what is skipped: so both ways of sending a packet out say it.
LABEL_ALL = (
    "Label All Tasks: correct the boxes of each sheet and press Submit, also where nothing has to be corrected or "
    "nothing is there; a sheet that is skipped or left open is not taken"
)
_START_FROM = {"claims": "The boxes are labels to confirm.", "model": "The boxes are the model's."}


def is_one(path: Path) -> bool:
    """Say whether `path` is Label Studio's JSON export, or a folder with one at its top."""
    return holds_tasks(export_file(path))


def read(path: Path) -> Returned:
    """Return what the export at `path` says; raise `UserError` with the task for what is no box."""
    require_one_export(path)
    file = export_file(path)
    return returned(read_tasks(file), str(file))


def write(packet: Packet, folder: Path) -> list[str]:
    """Write pictures, tasks and labeling config; return what to do with them."""
    (folder / "images").mkdir()
    task_of, tasks = task_maker(packet), []
    for sheet in packet.sheets:
        name, content = picture_of(packet, sheet)
        (folder / "images" / name).write_bytes(content)
        tasks.append(task_of(sheet, f"{_LOCAL}images/{quote(name)}"))
    (folder / CONFIG).write_text(labeling_config(packet.classes), encoding="utf-8")
    (folder / TASKS).write_text(json.dumps(tasks, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return [
        "The short way, to a server that runs: yoloop review export --to label-studio --url http://localhost:8080",
        "By hand: start Label Studio so that it may read that folder: LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true "
        "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT=FOLDER label-studio start (FOLDER with its whole path)",
        f"Create Project > Labeling Setup > Custom template > Code: paste {CONFIG}. Save.",
        "Settings > Cloud Storage > Add Source Storage > Local Files > Next; Absolute local path: FOLDER/images; then "
        "Next, Next, Save (not Save & Sync).",
        f"Import > {TASKS}. In Settings > Annotation, Use predictions to prelabel tasks has to be on.",
        f"{LABEL_ALL}.",
        "Export > JSON.",
    ]


def labeling_config(classes: Sequence[str]) -> str:
    """Return the labeling config: boxes with `classes` in their order, and why the sheet is worth a look."""
    labels = "\n".join(f"    <Label value={quoteattr(name)}{_hotkey(number)}/>" for number, name in enumerate(classes))
    # The reasons are a Header and no Text: a project with two objects takes no pictures over the API.
    return (
        "<View>\n"
        '  <Header value="$reasons" size="5"/>\n'
        f'  <RectangleLabels name="{FROM}" toName="{TO}" canRotate="false">\n{labels}\n  </RectangleLabels>\n'
        f'  <Image name="{TO}" value="$image" zoom="true" zoomControl="true" rotateControl="false"/>\n'
        "</View>\n"
    )


def task_maker(packet: Packet) -> Callable[[PacketSheet, str], dict[str, Any]]:
    """Return what makes the task of a sheet whose picture is at an address, with its pre-labels as a prediction."""
    boxes, reasons = prelabels_by_sheet(packet), dict(list(packet.focus.groupby("image_id")["reason"]))

    def task_of(sheet: PacketSheet, image: str) -> dict[str, Any]:
        why = list(reasons.get(sheet.image_id, ()))
        return _task(packet, sheet, boxes[sheet.image_id], why, image)

    return task_of


def _task(
    packet: Packet, sheet: PacketSheet, boxes: Sequence[Prelabel], reasons: list[str], image: str
) -> dict[str, Any]:
    sure = [one.confidence for one in boxes if one.confidence is not None]
    return {
        "data": {
            "image": image,
            "image_id": sheet.image_id,
            "order": sheet.order,
            "reasons": _reasons(sheet, boxes, reasons),
            "sha256": sheet.sha256,
            "packet": packet.packet_id,
        },
        "predictions": [
            {
                # One for claims and detections alike: a project opens its sheets with predictions of one version only.
                "model_version": f"iteration {packet.iteration}",
                "score": sum(sure) / len(sure) if sure else 0.0,
                "result": [_region(one, sheet) for one in boxes],
            }
        ],
    }


def picture_of(packet: Packet, sheet: PacketSheet) -> tuple[str, bytes]:
    """Return file name and bytes of a sheet as a browser shows it: its own, or those of a PNG with the same pixels."""
    content, kind = picture(packet.image(sheet))
    path = Path(sheet.image_id)
    converted = kind == "image/png" and path.suffix.lower() != ".png"
    return f"{path.stem}.png" if converted else path.name, content


def _reasons(sheet: PacketSheet, boxes: Sequence[Prelabel], reasons: list[str]) -> str:
    """Return why the sheet is worth a look, and what its boxes are."""
    numbered = [f"({number}) {one}" for number, one in enumerate(reasons, 1)] if len(reasons) > 1 else reasons
    return " ".join([*numbered, *([_START_FROM[sheet.labels_from]] if boxes else [])])


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
