"""The windows in which a large sheet is looked at."""

from typing import NamedTuple

import numpy as np

Window = tuple[int, int, int, int]  # x1 y1 x2 y2, px of the sheet


class Tiling(NamedTuple):
    """How sheets are cut: nothing of at most `overlap` - 2 * EDGE px is cut in every window."""

    side: int  # px of a window
    overlap: int  # px that two neighbours share at least


EDGE = 2  # px: a box that ends nearer to a border of its window may go on beyond it


def windows(width: int, height: int, tiling: Tiling) -> list[Window]:
    """Return the windows of a sheet, from top to bottom and from left to right; where it fits into one, only itself.

    They are equally large and evenly spread, and none sticks out.
    """
    across, down = _starts(width, tiling), _starts(height, tiling)
    wide, high = min(width, tiling.side), min(height, tiling.side)
    return [(x, y, x + wide, y + high) for y in down for x in across]


def views(width: int, height: int, tiling: Tiling | None) -> list[Window]:
    """Return all that the network is shown of a sheet: its windows, then the whole where there are several."""
    whole = (0, 0, width, height)
    parts = [whole] if tiling is None else windows(width, height, tiling)
    return parts if len(parts) == 1 else [*parts, whole]


def _starts(length: int, tiling: Tiling) -> list[int]:
    if length <= tiling.side:
        return [0]
    count = -(-(length - tiling.overlap) // (tiling.side - tiling.overlap))
    return [int(start) for start in np.linspace(0, length - tiling.side, count).round()]
