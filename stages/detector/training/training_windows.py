"""The windows that a detector is trained on where sheets are cut: around objects, some of nothing, and the whole sheet.

At prediction every window of a sheet is seen, most of them empty, and the whole sheet for what fits into no overlap.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.base.boxes import Boxes, area

Window = tuple[int, int, int, int]  # x1 y1 x2 y2, px of the sheet
EMPTY = 0.2  # windows without an object, as a share of those with one: false alarms come from what was never shown
VISIBLE = 0.5  # share of an object's area from which a part of it is an object: less of it, and nobody knows the class
_TRIES = 20  # for a place without an object; a sheet full of them has none


class Cut(NamedTuple):
    """What of the objects of a sheet is in a window."""

    shown: NDArray[np.int64]  # rows of the objects of which at least VISIBLE is in it
    xyxy: Boxes  # (n, 4) px of the window: what of them is in it
    hidden: Boxes  # (k, 4) px of the window: parts of objects of which less is in it


def training_windows(objects: Boxes, *, width: int, height: int, side: int, rng: np.random.Generator) -> list[Window]:
    """Return windows of `side` px of a sheet of `width` x `height` px: each object that fits lies whole in one of them.

    `objects` are xyxy, (n, 4) px. After those with objects, placed at random around them, come EMPTY as many without
    one, at least one, where there is a place for it. A sheet that fits into one window gives no windows.
    """
    if max(width, height) <= side:
        return []
    full, found = (min(width, side), min(height, side)), []
    objects = np.clip(objects, 0, [width, height, width, height])  # a label may stick out by its last decimal
    left = [row for row, box in enumerate(objects) if _fits(box, full)]
    while left:
        window = _around(objects[left[rng.integers(len(left))]], full, (width, height), rng)
        found.append(window)
        left = [row for row in left if not _inside(objects[row], window)]
    empty = [_somewhere(full, (width, height), rng) for _ in range(_TRIES * max(1, round(EMPTY * len(found))))]
    free = [window for window in empty if not _touched(objects, window).any()]
    return found + free[: max(1, round(EMPTY * len(found)))]


def cut(objects: Boxes, window: Window) -> Cut:
    """Return what of `objects`, xyxy (n, 4) px of the sheet, is in `window`."""
    x1, y1, x2, y2 = window
    inside = np.clip(objects, [x1, y1, x1, y1], [x2, y2, x2, y2])
    share = area(inside) / np.maximum(area(objects), np.finfo(float).tiny)
    shown = np.flatnonzero(share >= VISIBLE)
    hidden = (share > 0) & (share < VISIBLE)
    corner = np.array([x1, y1, x1, y1])
    return Cut(shown, inside[shown] - corner, inside[hidden] - corner)


def _fits(box: NDArray[np.float64], full: tuple[int, int]) -> bool:
    return bool(np.ceil(box[2]) - np.floor(box[0]) <= full[0] and np.ceil(box[3]) - np.floor(box[1]) <= full[1])


def _inside(box: NDArray[np.float64], window: Window) -> bool:
    return bool((box[:2] >= window[:2]).all() and (box[2:] <= window[2:]).all())


def _touched(objects: Boxes, window: Window) -> NDArray[np.bool_]:
    return np.asarray(((objects[:, :2] < window[2:]) & (objects[:, 2:] > window[:2])).all(axis=1))


def _around(
    box: NDArray[np.float64], full: tuple[int, int], sheet: tuple[int, int], rng: np.random.Generator
) -> Window:
    """Return a window of the size `full` on `sheet` in which `box` lies whole, at a random place."""
    corner = []
    for axis in (0, 1):
        low = max(0, int(np.ceil(box[axis + 2])) - full[axis])
        high = min(int(np.floor(box[axis])), sheet[axis] - full[axis])
        corner.append(int(rng.integers(min(low, high), high + 1)))
    return corner[0], corner[1], corner[0] + full[0], corner[1] + full[1]


def _somewhere(full: tuple[int, int], sheet: tuple[int, int], rng: np.random.Generator) -> Window:
    x, y = (int(rng.integers(sheet[axis] - full[axis] + 1)) for axis in (0, 1))
    return x, y, x + full[0], y + full[1]
