"""What Label Studio makes of our tasks and of a person's work: as its browser sends it, and as it exports it."""

import random
import string
from collections.abc import Mapping, Sequence
from typing import Any

from stages.picking.packet import Packet
from tests.review.packets import Box, Work

LETTERS = string.ascii_letters + string.digits + "_-"  # of the ids that its browser gives to new regions


def result_of(task: Mapping[str, Any], boxes: Sequence[Box], size: tuple[int, int]) -> list[dict[str, Any]]:
    """Return the result of an annotation: the prediction's regions as they were or changed, and new ones."""
    regions = {one["id"]: one for one in task["predictions"][0]["result"]}
    return [_region(regions, box, size, number) for number, box in enumerate(boxes)]


def annotation_of(task: Mapping[str, Any], boxes: Sequence[Box], size: tuple[int, int]) -> dict[str, Any]:
    """Return what the browser sends when a person presses Submit."""
    return {"result": result_of(task, boxes, size), "lead_time": 12.5, "was_cancelled": False}


def exported(tasks: Sequence[Mapping[str, Any]], packet: Packet, work: Work) -> list[dict[str, Any]]:
    """Return the JSON export of a project in which a person has submitted every sheet."""
    sizes = {sheet.image_id: (sheet.width, sheet.height) for sheet in packet.sheets}
    return [_exported(number, task, work, sizes[task["data"]["image_id"]]) for number, task in enumerate(tasks, 1)]


def in_min(tasks: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the same as JSON-MIN: a row for each annotation, its regions without ids."""
    return [
        {
            **task["data"],
            "id": task["id"],
            **({"label": [_value(one) for one in done["result"]]} if done["result"] else {}),
            "annotator": 1,
            "annotation_id": done["id"],
            **{key: done[key] for key in ("created_at", "updated_at", "lead_time")},
        }
        for task in tasks
        for done in task["annotations"]
        if not done["was_cancelled"]
    ]


def _exported(number: int, task: Mapping[str, Any], work: Work, size: tuple[int, int]) -> dict[str, Any]:
    when = dict.fromkeys(("created_at", "updated_at"), f"2026-01-02T03:04:{number:02d}.000000Z")
    annotation = annotation_of(task, work.boxes[task["data"]["image_id"]], size)
    done = {"id": number, "completed_by": 1, **annotation, **when, "parent_prediction": number, "task": 20 + number}
    return {
        "id": 20 + number,
        "annotations": [done],
        "drafts": [],
        "predictions": [number],
        "data": task["data"],
        **when,
        "inner_id": number,
    }


def _region(regions: Mapping[str, Any], box: Box, size: tuple[int, int], number: int) -> dict[str, Any]:
    common = {"image_rotation": 0, "original_width": size[0], "original_height": size[1]}
    fixed = {"from_name": "label", "to_name": "image", "type": "rectanglelabels"}
    if box.prelabel is None:
        name = "".join(random.Random(number).choices(LETTERS, k=10))
        return {**common, **fixed, "id": name, "origin": "manual", "value": _percent(box, size)}
    before = regions[box.prelabel]
    if box.done == "confirmed":
        return {**before, **common, "origin": "prediction"}
    return {**before, **common, "origin": "prediction-changed", "value": _percent(box, size)}


def _percent(box: Box, size: tuple[int, int]) -> dict[str, Any]:
    x1, y1, x2, y2 = box.xyxy
    across, down = 100 / size[0], 100 / size[1]
    sides = {"x": x1 * across, "y": y1 * down, "width": (x2 - x1) * across, "height": (y2 - y1) * down}
    return {**sides, "rotation": 0, "rectanglelabels": [box.class_name]}


def _value(region: Mapping[str, Any]) -> dict[str, Any]:
    return {**region["value"], **{key: region[key] for key in ("original_width", "original_height")}}
