"""The ruler on a page: its statement, whether it is that of the iteration before, and which rows it does not fit."""

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from stages.convergence.gains import what_differs
from stages.core.markup import pairs, text

MARK = "†"  # on a row that another ruler measured
_NAMES = {
    "iou": "IoU that finds an object",
    "matching": "matching",
    "confidence": "confidence from which detections count",
    "confidence_floor": "confidence from which they are saved",
    "nms_iou": "IoU from which a less sure box is a duplicate",
    "max_det": "most detections per sheet",
    "imgsz": "px of the longer side",
    "filters": "filters",
    "classes": "classes",
    "val_sheets": "sheets in val",
    "val_content": "content of val",
}


def ruler_block(validate: Mapping[str, Any], history: pd.DataFrame) -> str:
    """Return the ruler's statement, from metrics/validate.json, and how it stands to the iteration before."""
    statement = validate["ruler_statement"][0]
    said = {_NAMES.get(key, key): _plain(value) for key, value in statement.items()}
    if isinstance(statement.get("confidence"), str):  # how it is chosen, not what it is
        said["confidence over all of val"] = validate["confidence"]
    return f"<p>{text(_beside(history))}</p>{pairs({'ruler': validate['ruler'], **said})}"


def other_rulers(history: pd.DataFrame) -> dict[int, str]:
    """Return the iterations that were measured by another ruler than the last one, and what differs."""
    last = history.iloc[-1]
    others = history[history["ruler"] != last["ruler"]]
    return {
        int(step): what_differs(statement, last["ruler_statement"])
        for step, statement in zip(others["iteration"], others["ruler_statement"], strict=True)
    }


def ruler_notes(others: Mapping[int, str]) -> str:
    """Return what the mark in the table of iterations means, one line per way in which rulers differ."""
    ways: dict[str, list[str]] = {}
    for step, what in others.items():
        ways.setdefault(what, []).append(str(step))
    lines = [
        f"{MARK} Iteration{'s' * (len(steps) > 1)} {', '.join(steps)}: measured by another ruler ({what}), "
        "so not comparable with the last one."
        for what, steps in ways.items()
    ]
    return "".join(f'<p class="note">{text(line)}</p>' for line in lines)


def _beside(history: pd.DataFrame) -> str:
    if len(history) < 2:
        return "The first iteration: later ones compare with it while the ruler stays the same."
    now, before = history.iloc[-1], history.iloc[-2]
    if now["ruler"] == before["ruler"]:
        return f"The same ruler as iteration {before['iteration']}."
    what = what_differs(before["ruler_statement"], now["ruler_statement"])
    return f"Another ruler than iteration {before['iteration']}: {what}. The two F1 do not compare."


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False).strip("{}") or "none"
    return value
