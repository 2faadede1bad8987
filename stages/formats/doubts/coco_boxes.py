"""What the boxes of a COCO file are, where not x y w h in px: fractions, corners, or other than their outlines."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stages.dataset.defects import Defect, finding
from stages.formats.label_rows import box_around
from stages.formats.source_sheets import Box

_LARGEST = 1e9  # px: beyond is no picture, and no number that could be reckoned with
_ENOUGH = 3  # boxes from which on a kind is no accident
_CLOSE = 0.05  # as far as two areas, or a side as a share of the longer one, may differ by rounding
_APART = 0.5  # IoU below which a box and the one around its outline are two boxes
_PIXELS = 2.0  # by which such boxes differ at least


def plain_numbers(values: object, count: int | None) -> list[float] | None:
    """Return `values` as finite numbers if they are a list of `count` (None: any number) of them, else None."""
    if not isinstance(values, list) or not values or len(values) != (count or len(values)):
        return None
    plain = all(isinstance(value, int | float) and abs(value) < _LARGEST for value in values)
    return [float(value) for value in values] if plain else None


def box_of(one: Mapping[str, Any]) -> Box | None:
    """Return centre and size of an annotation's bbox."""
    box = plain_numbers(one.get("bbox"), 4)
    return (box[0] + box[2] / 2, box[1] + box[3] / 2, box[2], box[3]) if box else None


def around_outline(one: Mapping[str, Any]) -> Box | None:
    """Return the box around an annotation's polygons; a mask (RLE) has none that could be read here."""
    parts = one.get("segmentation")
    if plain_numbers(parts, None):
        parts = [parts]  # VIA writes the points of its one polygon without a list around them
    points = [
        value for part in (parts if isinstance(parts, list) else []) for value in (plain_numbers(part, None) or [])
    ]
    return box_around(points) if len(points) >= 6 and len(points) % 2 == 0 else None


def are_fractions(annotations: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether no box has a number above 1, and some have one that is no whole number: no px, as Azure ML writes."""
    boxes = [box for one in annotations if (box := plain_numbers(one.get("bbox"), 4))]
    numbers = [value for box in boxes for value in box]
    return len(boxes) >= _ENOUGH and max(numbers) <= 1 and any(value != int(value) for value in numbers)


def doubts_about(annotations: Sequence[Mapping[str, Any]], file: Path) -> list[Defect]:
    """Return what speaks against the boxes of a whole file: corners in place of sizes."""
    votes = [vote for one in annotations if (vote := _fits_corners(one)) is not None]
    if 2 * sum(votes) <= len(votes):
        return []
    return [finding("error", "coco_boxes.corners", file, count=sum(votes), total=len(votes))]


def contradiction(one: Mapping[str, Any]) -> str:
    """Return the corners of the box around an annotation's outline where its bbox is another box, else ""."""
    box, around = box_of(one), around_outline(one)
    if box is None or around is None or box[2] <= 0 or box[3] <= 0:
        return ""
    here, there = _corners(box), _corners(around)
    if max(abs(a - b) for a, b in zip(here, there, strict=True)) <= _PIXELS or _iou(here, there) >= _APART:
        return ""
    return " ".join(f"{value:g}" for value in there)


def _fits_corners(one: Mapping[str, Any]) -> bool | None:
    """Say whether outline or area of an annotation fit a bbox of corners alone; None where it has neither."""
    box = plain_numbers(one.get("bbox"), 4)
    if not box or box[2] <= 0 or box[3] <= 0:
        return None
    sized, cornered = (box[0], box[1], box[0] + box[2], box[1] + box[3]), (box[0], box[1], box[2], box[3])
    around = around_outline(one)
    area = plain_numbers([one.get("area")], 1)
    if around:
        outline = _corners(around)
        return _is_near(cornered, outline) and not _is_near(sized, outline)
    if area and area[0] > 0:
        return abs(_area(cornered) / area[0] - 1) <= _CLOSE < abs(_area(sized) / area[0] - 1)
    return None


def _is_near(one: Box, other: Box) -> bool:
    margin = max(_PIXELS, _CLOSE * max(other[2] - other[0], other[3] - other[1]))
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) <= margin


def _corners(xywh: Box) -> Box:
    x, y, w, h = xywh
    return x - w / 2, y - h / 2, x + w / 2, y + h / 2


def _area(corners: Box) -> float:
    return max(corners[2] - corners[0], 0.0) * max(corners[3] - corners[1], 0.0)


def _iou(one: Box, other: Box) -> float:
    x1, y1 = max(one[0], other[0]), max(one[1], other[1])
    x2, y2 = min(one[2], other[2]), min(one[3], other[3])
    both = _area((x1, y1, x2, y2))
    return both / (_area(one) + _area(other) - both) if both else 0.0
