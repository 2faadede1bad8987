"""Elevation and section markers: heads with a filled triangle that points at what a view shows."""

from collections.abc import Callable

import numpy as np

from demo.drawing.canvas import arc_points
from demo.drawing.details import fitting, split_text
from demo.drawing.page import Box, Page, Point, around, corners
from demo.drawing.words import sheet_number, view_number

ONWARD: dict[str, Point] = {"right": (0, 1), "down": (-1, 0), "left": (0, -1), "up": (1, 0)}  # of a cutting line
TURNS = {"right": 0.0, "down": 90.0, "left": 180.0, "up": 270.0}  # degrees clockwise from the x axis


def _turned(at: Point, points: list[Point], degrees: float) -> list[Point]:
    """Return points, given around 0 and pointing right, turned and moved to `at`."""
    c, s = float(np.cos(np.radians(degrees))), float(np.sin(np.radians(degrees)))
    return [(at[0] + x * c - y * s, at[1] + x * s + y * c) for x, y in points]


def _head(page: Page, at: Point, radius: float) -> None:
    page.outline(arc_points(at, radius, 0, 360))
    if radius > 11 and not page.chance(0.15):
        page.polyline(
            [(at[0] - radius, at[1]), (at[0] + radius, at[1])], width=page.style.bubble * 0.8, ink=page.style.ink
        )
        split_text(page, at, radius)
    else:
        fitting(page, at, view_number(page), radius * 1.2, size=radius * 0.7)


def _pointer(page: Page, at: Point, radius: float, degrees: float) -> None:
    """A circle before a filled half square whose corner points."""
    side = radius * 2**0.5
    page.polygon(_turned(at, [(0, -side), (side, 0), (0, side)], degrees), ink=page.style.ink)
    _head(page, at, radius)


def _tip(page: Page, at: Point, radius: float, degrees: float) -> None:
    """A circle with a small filled triangle that grows out of it."""
    low, high = radius * 0.72, radius * 1.55
    page.polygon(_turned(at, [(low, -low), (high, 0), (low, low)], degrees), ink=page.style.ink)
    _head(page, at, radius)


def _half(page: Page, at: Point, radius: float, degrees: float) -> None:
    """An open triangle around the circle, its pointing half filled."""
    side = radius * 2**0.5
    page.outline(_turned(at, [(0, -side), (side, 0), (0, side)], degrees))
    page.polygon(_turned(at, [(0, 0), (side, 0), (0, side)], degrees), ink=page.style.ink)
    _head(page, at, radius)


def _section(page: Page, at: Point, radius: float, degrees: float) -> None:
    """A pointing head at the end of a cutting line; the line's first part belongs to the head."""
    s = page.style
    tail = _turned(at, [(0, radius), (0, radius * 2.0)], degrees)
    page.polyline(tail, width=s.bubble * 1.6, ink=s.ink)
    _pointer(page, at, radius * 0.88, degrees)


def _diamond(page: Page, at: Point, radius: float, degrees: float) -> None:
    """A square on its corner, filled, with the circle in it: the same from all sides but for the numbers."""
    del degrees
    side = radius * 2**0.5
    page.outline([(at[0], at[1] - side), (at[0] + side, at[1]), (at[0], at[1] + side), (at[0] - side, at[1])],
                 fill=page.style.ink)  # fmt: skip
    _head(page, at, radius)


def _square(page: Page, at: Point, radius: float, degrees: float) -> None:
    """A square head with a filled triangle on one side."""
    half = radius * 0.88
    page.polygon(_turned(at, [(half, -half), (half * 1.75, 0), (half, half)], degrees), ink=page.style.ink)
    page.outline(corners(around(at, 2 * half, 2 * half)))
    page.line((at[0] - half, at[1]), (at[0] + half, at[1]), width=page.style.bubble * 0.8, ink=page.style.ink)
    split_text(page, at, radius * 0.92)


def _four(page: Page, at: Point, radius: float, degrees: float) -> None:
    """The marker of a room: one to four filled corners, each with the number of the wall that it points at."""
    small = radius * 0.72
    side, s = small * 2**0.5, page.style
    turns = [degrees, *(t for t in TURNS.values() if t != degrees and page.chance(0.75))]
    page.outline(_turned(at, [(side, 0), (0, side), (-side, 0), (0, -side)], 0))
    for turn in turns:
        page.polygon(_turned(at, [(side, 0), (side / 2, side / 2), (side / 2, -side / 2)], turn), ink=s.ink)
    page.outline(arc_points(at, small, 0, 360))
    fitting(page, at, sheet_number(page), small * 1.5, size=small * 0.5)
    first = page.count(1, 9)
    for i, turn in enumerate(turns):
        page.write(_turned(at, [(side + s.text * 0.8, 0)], turn)[0], str((first + i) % 9 + 1), size=s.text * 0.9)


VARIANTS: dict[str, Callable[[Page, Point, float, float], None]] = {
    "pointer": _pointer, "tip": _tip, "half": _half, "section": _section, "diamond": _diamond, "square": _square,
    "four": _four,
}  # fmt: skip


def draw_elevation(page: Page, at: Point, variant: str, direction: str) -> None:
    """Draw and label a marker centred at a point that points up, right, down or left."""
    page.begin()
    VARIANTS[variant](page, at, page.style.radius * page.between(0.88, 1.0), TURNS[direction])
    page.mark("elevation")


def room_for_elevation(page: Page, at: Point, variant: str) -> Box:
    """Return the box that a marker centred at a point keeps free."""
    reach = {"section": 2.05, "tip": 1.6, "four": 1.7}.get(variant, 1.5) * page.style.radius + 3
    return around(at, 2 * reach, 2 * reach)
