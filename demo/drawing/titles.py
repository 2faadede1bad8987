"""Titles under views: number, name, lines and scale. The label is around all of it."""

from collections.abc import Callable
from typing import NamedTuple

from demo.drawing.canvas import arc_points
from demo.drawing.details import fitting, split_text
from demo.drawing.page import Page, Point, corners
from demo.drawing.words import view_number


class Title(NamedTuple):
    """What a title says, and the size of its parts in px."""

    name: str
    scale: str
    size: float  # height of the name's capitals
    wide: float  # width of the longer one of name and scale
    left: float  # room for a head at the left
    right: float  # room for a head at the right


def plan_title(page: Page, variant: str, name: str, scale: str) -> tuple[Title, float, float]:
    """Return what will be drawn, its width and its height."""
    s = page.style
    size = s.title * page.between(0.9, 1.1)
    name_wide, _ = page.measure(name, size=size, heading=True)
    scale_wide, _ = page.measure(scale)
    head = 2.1 * _head_radius(page)
    left = head + 4 if variant in ("bubble", "split", "boxed") else 0.0
    right = head + 4 if variant == "right" else 0.0
    wide = max(name_wide, scale_wide)
    high = max(size + s.text + 10, head + 2)
    return Title(name, scale, size, wide, left, right), left + wide + right + 8, high


def _head_radius(page: Page) -> float:
    return page.style.radius * 0.85


def _line(page: Page, x1: float, x2: float, y: float, width: float) -> None:
    page.line((x1, y), (x2, y), width=width, ink=page.style.ink)


def _words(page: Page, title: Title, x: float, y: float) -> None:
    """Write name and scale left-aligned, above and below the line at y."""
    page.write((x, y - 3), title.name, size=title.size, anchor="lb", heading=True)
    page.write((x, y + 3.5), title.scale, anchor="lt")


def _bubble(page: Page, at: Point, title: Title) -> None:
    (x, y), r = at, _head_radius(page)
    page.outline(arc_points((x + r, y), r, 0, 360))
    fitting(page, (x + r, y), view_number(page), r * 1.3, size=r * 0.72)
    _line(page, x + 2 * r, x + title.left + title.wide + 5, y, page.style.bubble)
    _words(page, title, x + title.left, y)


def _split(page: Page, at: Point, title: Title) -> None:
    (x, y), r = at, _head_radius(page)
    page.outline(arc_points((x + r, y), r, 0, 360))
    _line(page, x, x + title.left + title.wide + 5, y, page.style.bubble)
    split_text(page, (x + r, y), r)
    _words(page, title, x + title.left, y)


def _underlined(page: Page, at: Point, title: Title) -> None:
    x, y = at
    _line(page, x, x + title.wide, y, page.style.bubble * 1.6)
    _words(page, title, x, y)


def _double(page: Page, at: Point, title: Title) -> None:
    x, y = at
    _line(page, x, x + title.wide + 3, y - 0.6, page.style.bubble * 1.5)
    _line(page, x, x + title.wide + 3, y + 2.2, page.style.pen)
    page.write((x, y - 4), title.name, size=title.size, anchor="lb", heading=True)
    page.write((x, y + 5.5), title.scale, anchor="lt")


def _centred(page: Page, at: Point, title: Title) -> None:
    (x, y), middle = at, at[0] + title.wide / 2
    _line(page, x, x + title.wide, y, page.style.bubble)
    page.write((middle, y - 3), title.name, size=title.size, anchor="mb", heading=True)
    page.write((middle, y + 3.5), title.scale, anchor="mt")


def _right(page: Page, at: Point, title: Title) -> None:
    (x, y), r = at, _head_radius(page)
    centre = (x + title.wide + 4 + r, y)
    page.outline(arc_points(centre, r, 0, 360))
    fitting(page, centre, view_number(page), r * 1.3, size=r * 0.72)
    _line(page, x, centre[0] - r, y, page.style.bubble)
    _words(page, title, x, y)


def _boxed(page: Page, at: Point, title: Title) -> None:
    (x, y), half = at, _head_radius(page)
    page.outline(corners((x, y - half, x + title.left + title.wide + 4, y + half)))
    page.line((x + 2 * half, y - half), (x + 2 * half, y + half), width=page.style.bubble, ink=page.style.ink)
    fitting(page, (x + half, y), view_number(page), half * 1.3, size=half * 0.8)
    left = x + title.left
    page.write((left, y - half + 3), title.name, size=title.size, anchor="lt", heading=True)
    page.write((left, y + half - 3), title.scale, anchor="lb", size=min(page.style.text, 2 * half - 9 - title.size))


VARIANTS: dict[str, Callable[[Page, Point, Title], None]] = {
    "bubble": _bubble, "split": _split, "underlined": _underlined, "double": _double, "centred": _centred,
    "right": _right, "boxed": _boxed,
}  # fmt: skip


def draw_title(page: Page, at: Point, variant: str, title: Title) -> None:
    """Draw and label a title; `at` is the left end of its line."""
    page.begin()
    VARIANTS[variant](page, at, title)
    page.mark("title")
