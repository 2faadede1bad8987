"""Detail callouts: bubbles that name a detail and the sheet it is on. The label is the head without its leader."""

import itertools
from collections.abc import Callable

from demo.drawing.canvas import arc_points
from demo.drawing.page import Box, Page, Point, around, corners
from demo.drawing.words import sheet_number, view_number

FLAGS: dict[str, Point] = {"up": (0, -1), "right": (1, 0), "down": (0, 1), "left": (-1, 0)}


def fitting(page: Page, at: Point, text: str, width: float, *, size: float, ink: int = -1) -> None:
    """Write text centred at a point, smaller if it would be wider than `width`."""
    wide, _ = page.measure(text, size=size)
    page.write(at, text, size=min(size, size * width / wide), ink=ink)


def split_text(page: Page, at: Point, radius: float, *, lower_ink: int = -1) -> None:
    """Write a view's number above the sheet that it is on, for a circle of `radius`."""
    x, y = at
    fitting(page, (x, y - radius * 0.43), view_number(page), radius, size=radius * 0.44)
    fitting(page, (x, y + radius * 0.4), sheet_number(page), radius * 1.45, size=radius * 0.36, ink=lower_ink)


def _bar(page: Page, at: Point, radius: float) -> None:
    page.polyline([(at[0] - radius, at[1]), (at[0] + radius, at[1])], width=page.style.bubble * 0.8, ink=page.style.ink)


def _split(page: Page, at: Point, radius: float) -> None:
    page.outline(arc_points(at, radius, 0, 360))
    _bar(page, at, radius)
    split_text(page, at, radius)


def _double(page: Page, at: Point, radius: float) -> None:
    page.outline(arc_points(at, radius + 2.2, 0, 360))
    _split(page, at, radius - 0.6)


def _filled(page: Page, at: Point, radius: float) -> None:
    page.outline(arc_points(at, radius, 0, 360))
    page.polygon(arc_points(at, radius, 0, 180), ink=page.style.ink)
    split_text(page, at, radius, lower_ink=page.paper)


def _plain(page: Page, at: Point, radius: float) -> None:
    page.outline(arc_points(at, radius * 0.85, 0, 360))
    fitting(page, at, view_number(page), radius, size=radius * 0.6)


def _square(page: Page, at: Point, radius: float) -> None:
    side = radius * 1.75
    page.outline(corners(around(at, side, side)))
    _bar(page, at, side / 2)
    split_text(page, at, radius * 0.95)


def _capsule(page: Page, at: Point, radius: float) -> None:
    x, y = at
    half, reach = radius * 0.75, radius * 0.75
    right, left = arc_points((x + reach, y), half, -90, 90), arc_points((x - reach, y), half, 90, 270)
    page.outline([*right.tolist(), *left.tolist()])
    middle = x - radius * 0.3
    page.polyline([(middle, y - half), (middle, y + half)], width=page.style.bubble * 0.8, ink=page.style.ink)
    fitting(page, (middle - radius * 0.55, y), view_number(page), radius * 0.75, size=radius * 0.44)
    fitting(page, (middle + radius * 0.75, y), sheet_number(page), radius * 1.15, size=radius * 0.36)


def _flag(page: Page, at: Point, radius: float) -> None:
    """A bubble with a short tail that ends in a filled block: where the cut is."""
    (x, y), (dx, dy) = at, FLAGS[page.pick(tuple(FLAGS))]
    radius, ink = radius * 0.85, page.style.ink
    tail, long, short = radius * 1.05, 4.5, 2.2
    end = (x + dx * (radius + tail), y + dy * (radius + tail))
    page.line((x + dx * radius, y + dy * radius), end, width=page.style.bubble, ink=ink)
    page.polygon(corners(around(end, long if dx else 2 * short, long if dy else 2 * short)), ink=ink)
    _split(page, at, radius)


VARIANTS: dict[str, Callable[[Page, Point, float], None]] = {
    "split": _split, "double": _double, "filled": _filled, "plain": _plain, "square": _square, "capsule": _capsule,
    "flag": _flag,
}  # fmt: skip


def draw_detail(page: Page, at: Point, variant: str) -> None:
    """Draw and label a callout centred at a point."""
    page.begin()
    VARIANTS[variant](page, at, page.style.radius * page.between(0.94, 1.06))
    page.mark("detail")


def room_for_detail(page: Page, at: Point, variant: str) -> Box:
    """Return the box that a callout centred at a point keeps free."""
    wide = {"flag": 2.3, "capsule": 1.65}.get(variant, 1.25) * page.style.radius + 3
    high = {"flag": 2.3}.get(variant, 1.25) * page.style.radius + 3
    return around(at, 2 * wide, 2 * high)


def region(page: Page, box: Box, rounded: bool) -> None:
    """Draw the dashed line around what a callout shows larger: an ellipse or a box with round corners."""
    x1, y1, x2, y2 = box
    (x, y), s = ((x1 + x2) / 2, (y1 + y2) / 2), page.style
    if rounded:
        r = min(x2 - x1, y2 - y1) / 4
        arcs = [((x2 - r, y1 + r), -90), ((x2 - r, y2 - r), 0), ((x1 + r, y2 - r), 90), ((x1 + r, y1 + r), 180)]
        points = [tuple(p) for c, start in arcs for p in arc_points(c, r, start, start + 90).tolist()]
        points.append(points[0])
        for a, b in itertools.pairwise(points):
            page.dashes(a, b, (4, 2.5), width=s.bubble, ink=s.ink)
        return
    for start in range(0, 360, 24):
        unit = arc_points((0, 0), 1, start, start + 15)
        page.polyline([(x + u * (x2 - x1) / 2, y + v * (y2 - y1) / 2) for u, v in unit], width=s.bubble, ink=s.ink)
