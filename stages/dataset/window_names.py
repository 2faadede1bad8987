"""The name of a window that was cut out of a large sheet and is a sheet of its own: SHEET__x1_y1_x2_y2, in px."""

import re
from typing import NamedTuple

_WINDOW = re.compile(r"(.+)__(\d+)_(\d+)_(\d+)_(\d+)")


class NamedWindow(NamedTuple):
    """Which sheet a window is of, and its corners there in px."""

    sheet: str
    x1: int
    y1: int
    x2: int
    y2: int


def name_of_window(window: NamedWindow) -> str:
    """Return the stem of the picture of a window."""
    return f"{window.sheet}__{'_'.join(map(str, window[1:]))}"


def window_named(stem: str) -> NamedWindow | None:
    """Return what window a picture of this stem is, None where it is a whole sheet."""
    match = _WINDOW.fullmatch(stem)
    return NamedWindow(match[1], *map(int, match.groups()[1:])) if match else None
