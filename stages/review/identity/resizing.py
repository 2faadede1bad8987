"""Where a sheet lies in a picture that a tool made of it, so that boxes can be brought back to the sheet.

Tools stretch a sheet to another size, fit it in with bars around it, or fill the size and cut off what sticks out. The
sizes alone do not say which, unless the shape stayed the same: then the pixels decide. Both are averaged down to grey
squares in the frame of the sheet, and compared tile by tile as copies are (stages/firewall/copies.py), which forgives
another encoding, size and brightness.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.base.boxes import Boxes
from stages.firewall.copies import LEAST_INK, SAME, THUMB, TILES, agreement

Grey = NDArray[np.uint8]  # (height, width)
Size = tuple[float, float]  # width, height in px
_ROUNDING = 1.0  # px of the picture: tools round the size of what they make
_CLEARLY = 0.02  # of the correlation: the right placement beats one that is 2 px off by more, see the tests


FILLED = "filled"  # parts of the sheet are cut off


class Placement(NamedTuple):
    """How a sheet lies in a picture: a point (x, y) of it at (x * scale[0] + offset[0], y * scale[1] + offset[1])."""

    way: str  # as it is, stretched, fitted, fitted at the top left, filled
    scale: tuple[float, float]
    offset: tuple[float, float]


AS_IT_IS = Placement("as it is", (1.0, 1.0), (0.0, 0.0))


class Look(NamedTuple):
    """What a sheet is compared by: its size in px, and the grey values of all of it in a square (THUMB, THUMB)."""

    size: Size
    square: Grey


def look_at(grey: Grey) -> Look:
    """Return what a sheet is compared by."""
    height, width = grey.shape
    return Look((width, height), _square(grey, AS_IT_IS, (width, height))[0])


def placements(sheet: Size, picture: Size) -> list[Placement]:
    """Return the ways in which a sheet may lie in a picture; one alone when the shape is the same within rounding."""
    ratio = (picture[0] / sheet[0], picture[1] / sheet[1])
    found = [Placement("stretched", ratio, (0.0, 0.0))]
    for way, scale in (("fitted", min(ratio)), (FILLED, max(ratio))):
        rest = (picture[0] - scale * sheet[0], picture[1] - scale * sheet[1])
        found.append(Placement(way, (scale, scale), (rest[0] / 2, rest[1] / 2)))
    found.append(Placement("fitted at the top left", (min(ratio), min(ratio)), (0.0, 0.0)))
    different: list[Placement] = []
    for one in found:
        if not any(_apart(one, other, sheet) < _ROUNDING for other in different):
            different.append(one)
    return different


def by_shape(sheet: Size, picture: Size) -> Placement | None:
    """Return how a sheet lies in a picture of the same shape within rounding; None for another shape."""
    found = placements(sheet, picture)
    return found[0] if len(found) == 1 else None


def by_pixels(sheet: Look, grey: Grey) -> list[Placement]:
    """Return how a sheet lies in the picture `grey`: nothing when it is another sheet, several when nobody can tell.

    A blank sheet shows nothing to tell by: every blank picture may be one of it.
    """
    height, width = grey.shape
    ways = placements(sheet.size, (width, height))
    if is_blank(sheet.square):
        return ways if is_blank(look_at(grey).square) else []
    found: list[tuple[float, Placement]] = []
    for way in ways:
        square, valid = _square(grey, way, sheet.size)
        if agreement(sheet.square, square, valid) >= SAME:
            found.append((float(np.corrcoef(sheet.square[valid], square[valid])[0, 1]), way))
    best = max((correlation for correlation, _ in found), default=0.0)
    return [way for correlation, way in found if best - correlation < _CLEARLY]


def is_blank(square: Grey) -> bool:
    """Say whether there is nothing to see on a sheet."""
    side = THUMB // TILES
    tiles = square.reshape(TILES, side, TILES, side).std(axis=(1, 3))
    return bool((tiles <= LEAST_INK).all())


def share_shown(placement: Placement, sheet: Size, picture: Size) -> float:
    """Return the share of the sheet's area that the picture shows, in [0, 1]."""
    parts = (min(1.0, picture[axis] / (placement.scale[axis] * sheet[axis])) for axis in (0, 1))
    return float(np.prod(list(parts)))


def in_frame(placement: Placement, picture: Size, frame: Size) -> Placement:
    """Return how a sheet lies in `frame`, the size of `picture` in other units: fractions, or px of a shown size."""
    factor = (frame[0] / picture[0], frame[1] / picture[1])
    scale = (placement.scale[0] * factor[0], placement.scale[1] * factor[1])
    return Placement(placement.way, scale, (placement.offset[0] * factor[0], placement.offset[1] * factor[1]))


def to_sheet(xyxy: Sequence[Sequence[float]] | Boxes, placement: Placement) -> Boxes:
    """Return boxes (n, 4) of a picture as boxes of its sheet, (n, 4) in px; they may stick out."""
    boxes = np.asarray(xyxy, dtype=np.float64).reshape(-1, 4)
    return np.asarray((boxes - np.array(placement.offset * 2)) / np.array(placement.scale * 2))


def _apart(one: Placement, other: Placement, sheet: Size) -> float:
    """Return how far apart two placements put a corner of the sheet, in px of the picture."""
    corners = [(x, y) for x in (0.0, sheet[0]) for y in (0.0, sheet[1])]
    return max(
        abs(point[axis] * (one.scale[axis] - other.scale[axis]) + one.offset[axis] - other.offset[axis])
        for point in corners
        for axis in (0, 1)
    )


def _square(grey: Grey, placement: Placement, sheet: Size) -> tuple[Grey, NDArray[np.bool_]]:
    """Return what a picture shows of a sheet that lies in it so, in the frame of the sheet, and where that is valid."""
    means: Any = grey
    valid = []
    for axis in (0, 1):
        edges = np.linspace(0, sheet[1 - axis], THUMB + 1) * placement.scale[1 - axis] + placement.offset[1 - axis]
        inside = (edges >= -_ROUNDING) & (edges <= grey.shape[axis] + _ROUNDING)
        valid.append(inside[:-1] & inside[1:])
        means = np.moveaxis(_means(np.moveaxis(means, axis, 0), edges), 0, axis)
    return np.clip(np.rint(means), 0, 255).astype(np.uint8), valid[0][:, None] & valid[1][None, :]


def _means(rows: NDArray[Any], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of `rows`, (n, ...), from each edge to the next, in rows and parts of rows; 0 beside them."""
    sums = np.concatenate([np.zeros((1, *rows.shape[1:])), np.cumsum(rows, axis=0, dtype=np.float64)])
    places = np.clip(edges, 0, len(rows))
    below = np.minimum(places.astype(np.int64), len(rows) - 1)
    part = (places - below).reshape(-1, *[1] * (rows.ndim - 1))
    at_edges = sums[below] * (1 - part) + sums[below + 1] * part
    widths = np.diff(places).reshape(part[1:].shape)
    return np.asarray(np.divide(np.diff(at_edges, axis=0), widths, out=np.zeros_like(at_edges[1:]), where=widths > 0))
