"""The one statement of how a score is measured. Two scores compare only when their rulers are equal."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

MATCHING = "one to one within a class, by falling confidence, the free box with the highest IoU (COCO)"
_OFF = {"tile": "none", "overlap": "none"}  # keys that a statement leaves out, and what that means
_ID_LENGTH = 8  # hex digits: few enough to read, enough that two rulers of one project never share them


class Ruler(NamedTuple):
    """Everything that changes what F1, P, R and AP on val mean."""

    iou: float  # least overlap that finds an object
    matching: str  # how detections and boxes find each other
    confidence: float | str  # the operating point: a number, or how it is chosen
    confidence_floor: float  # below it nothing is saved, so nothing counts in AP
    nms_iou: float  # overlap from which a less sure detection is dropped as a duplicate
    max_det: int  # most detections per sheet
    imgsz: int  # px of the longer side at prediction
    filters: Mapping[str, float]  # limits that drop detections; empty: none
    classes: tuple[str, ...]  # in the order of their ids
    val_sheets: int  # sheets in val
    val_content: str  # digest of the images and labels of val
    tile: int | None = None  # px of the side of the windows that a sheet is seen in; None: as a whole
    overlap: int | None = None  # px that they share at least

    @property
    def id(self) -> str:
        """A short name: equal rulers have equal ids, and others have others."""
        return hashlib.sha256(self.text().encode()).hexdigest()[:_ID_LENGTH]

    def statement(self) -> dict[str, Any]:
        """Return the ruler as plain values, for JSON; without windows nothing is said of them."""
        values = {**self._asdict(), "filters": dict(self.filters), "classes": list(self.classes)}
        return {key: value for key, value in values.items() if value is not None}

    def text(self) -> str:
        """Return the statement on one line, for a cell of the history."""
        return json.dumps(self.statement(), ensure_ascii=False)


def content_digest(sheets: Iterable[tuple[str, str, str]]) -> str:
    """Return a digest of a split from (image_id, digest of the image, digest of the labels) of its sheets."""
    lines = "".join(f"{'/'.join(sheet)}\n" for sheet in sorted(sheets))
    return hashlib.sha256(lines.encode()).hexdigest()[:16]


def differences(before: str, now: str) -> list[str]:
    """Return what differs between two rulers given as text, a phrase each: `imgsz 640, now 1280`.

    Raises `ValueError` for a text that is no statement.
    """
    old, new = json.loads(before), json.loads(now)
    if not isinstance(old, dict) or not isinstance(new, dict):
        raise ValueError("expected a ruler's statement")
    keys = [key for key in {**new, **old} if old.get(key) != new.get(key)]
    return [f"{key} {_shown(old.get(key, _OFF.get(key)))}, now {_shown(new.get(key, _OFF.get(key)))}" for key in keys]


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{key} {one}" for key, one in value.items()) or "none"
    return ", ".join(map(str, value)) if isinstance(value, list) else "unknown" if value is None else str(value)
