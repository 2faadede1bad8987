"""Rows of a YOLO label file with more numbers than a box has: key points behind a box, or a polygon."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from stages.dataset.defects import Defect, finding
from stages.formats.source_sheets import SourceSheet

_SEEN = {0.0, 1.0, 2.0}  # what the third number of a key point says: not labelled, hidden, seen
_ROUNDING = 1e-3  # of the picture


class KeyPoints(NamedTuple):
    """What `kpt_shape` in data.yaml says: so many points of two or three numbers behind each box. 0: there are none."""

    points: int
    size: int = 2

    @property
    def numbers(self) -> int:
        """How many numbers a row has behind its class."""
        return 4 + self.points * self.size


def key_points_in(values: Mapping[str, Any]) -> KeyPoints | None:
    """Return what data.yaml says of key points; None where it does not say a thing that could be meant."""
    shape = values.get("kpt_shape", ...)
    if shape is None:
        return KeyPoints(0)
    whole = isinstance(shape, list) and len(shape) == 2 and all(isinstance(one, int) for one in shape)
    return KeyPoints(shape[0], shape[1]) if whole and shape[0] > 0 and shape[1] in (2, 3) else None


def may_be_keyed(numbers: Sequence[float]) -> bool:
    """Say whether the first four of `numbers` may be a box, and the others points in it, on all sides of its centre.

    A polygon whose points were a box so has its first point amid the others.
    """
    return _held(numbers[:4], numbers[4::2], numbers[5::2]) or _are_triples(numbers)


def undecided(sheets: Sequence[SourceSheet]) -> list[Defect]:
    """Return an error where the rows of `sheets` may as well be key points as polygons, and data.yaml does not say.

    Polygons have as many points as it takes; rows of key points are all of one length.
    """
    rows = [(sheet, row) for sheet in sheets for row in sheet.rows if row.polygon]
    keyed = [(sheet, row) for sheet, row in rows if row.keyed]
    if 2 * len(keyed) < max(len(rows), 1) or len({row.numbers for _, row in rows}) != 1:
        return []
    sheet, row = keyed[0]
    return [
        finding("error", "key_points.undecided", sheet.item.label, row.line, count=len(rows), numbers=row.numbers + 1)
    ]


def _are_triples(numbers: Sequence[float]) -> bool:
    points = numbers[4:]
    if len(points) % 3 or not set(points[2::3]) <= _SEEN:
        return False
    seen = [(x, y) for x, y, mark in zip(points[0::3], points[1::3], points[2::3], strict=True) if mark]
    return not seen or _inside(numbers[:4], [x for x, _ in seen], [y for _, y in seen])


def _held(box: Sequence[float], xs: Sequence[float], ys: Sequence[float]) -> bool:
    if len(xs) != len(ys) or len(xs) < 2:
        return False
    amid = min(xs) < box[0] < max(xs) and min(ys) < box[1] < max(ys)
    return amid and _inside(box, xs, ys)


def _inside(box: Sequence[float], xs: Sequence[float], ys: Sequence[float]) -> bool:
    x, y, w, h = box
    across = max(abs(value - x) for value in xs) <= w / 2 + _ROUNDING
    return across and max(abs(value - y) for value in ys) <= h / 2 + _ROUNDING
