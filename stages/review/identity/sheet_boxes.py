"""Brings the boxes of a sheet that came back to the pixels of the sheet that went out, and looks at each of them."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from stages.base.errors import problem
from stages.review.formats.outgoing_boxes import Prelabel
from stages.review.formats.returned_boxes import ReturnedBox
from stages.review.identity.other_scale import Sides
from stages.review.identity.resizing import to_sheet
from stages.review.identity.sheet_identity import Match
from stages.review.kept.kept_review import ReviewedBox
from stages.review.ledger.correction_ledger import HALF_PIXEL

_LARGEST = 2.0  # widths or heights of the sheet: what is larger is no box that sticks out
_LEAST = 0.99  # px: the import of a dataset leaves out what is under a pixel; tools round
_ALIKE = 3  # decimals of a pixel up to which two boxes are one
Corners = tuple[float, float, float, float]
Classed = tuple[str, Corners]  # a box by the name of its class


class Taken(NamedTuple):
    """The boxes of a sheet, inside of it, and how many were cut at its border or left out since they came twice."""

    boxes: tuple[ReviewedBox, ...]
    cut: int
    twice: int


def take_boxes(match: Match, prelabels: Sequence[Prelabel]) -> Taken:
    """Return the boxes of `match` in px of its sheet; `prelabels` are those that it went out with.

    Raises `UserError` with the place of a box that has no size, is no number, or lies beside the sheet.
    """
    ids = {one.prelabel_id for one in prelabels}
    kept: dict[Classed, ReviewedBox] = {}
    cut = twice = 0
    for box in match.returned.boxes:
        whole = _corners(box, match)
        _require_size(box, whole, match, prelabels)
        corners = _inside(whole, match)
        if _is_beside(whole, corners):
            size, shown = _shown(match, whole)
            raise problem("sheet_boxes.box", box.where, image_id=match.sheet.image_id, size=size, corners=shown)
        cut += _farthest(whole, corners) > HALF_PIXEL * match.pixel
        key = (box.class_name, _rounded(corners))
        twice += key in kept
        if key not in kept:
            kept[key] = ReviewedBox(box.class_name, *corners, prelabel=box.prelabel if box.prelabel in ids else None)
            ids.discard(str(box.prelabel))  # a copy of a box brings its id along, and is another box
    return Taken(tuple(kept.values()), cut, twice)


def sides_of(match: Match, prelabels: Sequence[Prelabel]) -> Sides:
    """Return the boxes of a sheet before and after, in its px, also where they stick out; what is no number is left."""
    after = to_sheet([box.xyxy for box in match.returned.boxes], match.placement)
    before = np.array([one[2:6] for one in prelabels], dtype=np.float64).reshape(-1, 4)
    return Sides(before, after[np.isfinite(after).all(axis=1)], HALF_PIXEL * match.pixel)


def as_it_went_out(taken: Taken, prelabels: Sequence[Prelabel], match: Match) -> bool:
    """Say whether the boxes are the pre-labels, as far as the pixels of the tool can tell."""
    before = dict.fromkeys((one.class_name, _rounded(_inside(one[2:6], match))) for one in prelabels)
    after = [(box.class_name, box[1:5]) for box in taken.boxes]
    return are_alike(list(before), after, within=HALF_PIXEL * match.pixel + 10**-_ALIKE)


def are_alike(one: Sequence[Classed], other: Sequence[Classed], *, within: float) -> bool:
    """Say whether two lists hold the same boxes in any order, no side off by more than `within` px."""
    if len(one) != len(other):
        return False
    rest = list(other)
    for name, corners in one:
        near = [box for box in rest if box[0] == name and _farthest(box[1], corners) <= within]
        if not near:
            return False
        rest.remove(near[0])
    return True


def _corners(box: ReturnedBox, match: Match) -> Corners:
    x1, y1, x2, y2 = box.xyxy
    if not all(map(math.isfinite, box.xyxy)) or x1 >= x2 or y1 >= y2:
        raise problem("sheet_boxes.box_width_height", box.where, found=" ".join(f"{value:g}" for value in box.xyxy))
    left, top, right, bottom = to_sheet([box.xyxy], match.placement)[0].tolist()
    return left, top, right, bottom


def _require_size(box: ReturnedBox, corners: Corners, match: Match, prelabels: Sequence[Prelabel]) -> None:
    """Raise `UserError` for a box of several sheets' size, and for one under a pixel that we had not sent out."""
    width, height = corners[2] - corners[0], corners[3] - corners[1]
    if width > _LARGEST * match.sheet.width or height > _LARGEST * match.sheet.height:
        size, shown = _shown(match, corners)
        raise problem("sheet_boxes.too_large", box.where, image_id=match.sheet.image_id, size=size, corners=shown)
    sent = any(_farthest(one[2:6], corners) <= HALF_PIXEL for one in prelabels if one.class_name == box.class_name)
    if min(width, height) < _LEAST and not sent:
        found = f"{width:.2f} × {height:.2f}"
        raise problem("sheet_boxes.under_a_pixel", box.where, image_id=match.sheet.image_id, found=found)


def _farthest(one: Corners, other: Corners) -> float:
    """Return how far apart two boxes are on the side where they differ most, in px."""
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


def _inside(corners: Corners, match: Match) -> Corners:
    width, height = match.sheet.width, match.sheet.height
    x1, y1, x2, y2 = corners
    return (
        min(max(x1, 0.0), float(width)),
        min(max(y1, 0.0), float(height)),
        min(max(x2, 0.0), float(width)),
        min(max(y2, 0.0), float(height)),
    )


def _is_beside(whole: Corners, inside: Corners) -> bool:
    """Say whether nothing, or only what rounding leaves, of a box lies on the sheet."""
    sides = [(inside[axis + 2] - inside[axis], whole[axis + 2] - whole[axis]) for axis in (0, 1)]
    return any(left <= 0 or left < min(side, HALF_PIXEL) for left, side in sides)


def _shown(match: Match, corners: Corners) -> tuple[str, str]:
    """Return the size of a sheet, and corners on it, as a person reads them."""
    return f"{match.sheet.width} × {match.sheet.height} px", " ".join(f"{value:.1f}" for value in corners)


def _rounded(corners: Corners) -> Corners:
    x1, y1, x2, y2 = (round(value, _ALIKE) for value in corners)
    return x1, y1, x2, y2
