"""Symbols that look like callouts, markers or titles and are none: they stay without a label."""

import itertools
from collections.abc import Callable

import numpy as np

from demo.drawing.canvas import arc_points
from demo.drawing.details import fitting
from demo.drawing.page import Box, Page, Point, around, corners, grown
from demo.drawing.words import GENERAL, HEADINGS


def grid_bubble(page: Page, at: Point, name: str, *, radius: float) -> None:
    """Draw the head of a column line if its place is free."""
    if not page.free(around(at, 2 * radius, 2 * radius), margin=-radius / 2):
        return
    ink = page.style.axis
    page.polygon(arc_points(at, radius, 0, 360), ink=page.paper)
    page.circle(at, radius, width=page.style.pen, ink=ink)
    fitting(page, at, name, radius * 1.3, size=radius * 0.75, ink=ink)
    page.take(around(at, 2 * radius + 2, 2 * radius + 2))


def column_lines(page: Page, xs: list[float], y: float, below: float, *, radius: float) -> None:
    """Draw vertical column lines from heads at height y down to `below`."""
    first, letters = page.count(1, 9), page.chance(0.3)
    for i, x in enumerate(xs):
        page.dashes((x, y + radius), (x, below), (14, 3, 3, 3), width=page.style.pen * 0.8, ink=page.style.axis)
        grid_bubble(page, (x, y), chr(64 + first + i) if letters else str(first + i), radius=radius)


def dimension(page: Page, start: Point, end: Point, text: str) -> None:
    """Draw a horizontal or vertical dimension with its ends in the office's manner."""
    s = page.style
    page.stroke([start, end])
    upright = abs(start[0] - end[0]) < 1
    for x, y in (start, end):
        page.line((x, y - 4) if not upright else (x - 4, y), (x, y + 4) if not upright else (x + 4, y), width=s.pen,
                  ink=s.ink)  # fmt: skip
        if s.end == "tick":
            page.line((x - 2.5, y + 2.5), (x + 2.5, y - 2.5), width=s.cut, ink=s.ink)
        elif s.end == "dot":
            page.disc((x, y), 1.6, ink=s.ink)
        else:
            sign = 1 if (x, y) == start else -1
            arrow(page, (x, y), (0, -sign) if upright else (-sign, 0), 5)
    middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    at = (middle[0] - s.text * 0.9, middle[1]) if upright else (middle[0], middle[1] - s.text * 0.9)
    page.label(at, text, turn=90 if upright else 0, clear=False)


def arrow(page: Page, tip: Point, way: Point, length: float) -> None:
    """Fill an arrow head that points along `way`."""
    dx, dy = np.asarray(way, float) / max(float(np.hypot(*way)), 1e-6)
    x, y = tip[0] - dx * length, tip[1] - dy * length
    wide = length * 0.3
    page.polygon([tip, (x - dy * wide, y + dx * wide), (x + dy * wide, y - dx * wide)], ink=page.style.ink)


def _door_tag(page: Page, at: Point) -> None:
    page.circle(at, 7.5, width=page.style.pen, ink=page.style.ink)
    fitting(page, at, str(page.count(100, 240)), 11, size=4.5)


def _keynote(page: Page, at: Point) -> None:
    way = page.pick(((1, -1), (1, 1), (-1, 1), (-1, -1)))
    tip = (at[0] + way[0] * 17, at[1] + way[1] * 13)
    page.stroke([at, tip])
    arrow(page, tip, way, 5)
    page.outline(arc_points(at, 8, 0, 360)[::12])
    fitting(page, at, str(page.count(1, 24)), 9, size=5)


def _window_tag(page: Page, at: Point) -> None:
    x, y = at
    page.stroke([(x, y - 9), (x + 9, y), (x, y + 9), (x - 9, y)], closed=True)
    fitting(page, at, page.pick("ABCDEFGH"), 7, size=5.5)


def _revision(page: Page, at: Point) -> None:
    x, y = at
    page.outline([(x, y - 8), (x + 9, y + 7), (x - 9, y + 7)])
    fitting(page, (x, y + 2), str(page.count(1, 6)), 6, size=5.5)


def _level(page: Page, at: Point) -> None:
    s = page.style
    page.line((at[0] - 12, at[1]), (at[0] + 12, at[1]), width=s.pen, ink=s.ink)
    page.line((at[0], at[1] - 10), (at[0], at[1] + 10), width=s.pen, ink=s.ink)
    page.circle(at, 6.5, width=s.pen, ink=s.ink)
    for start in (180, 0):
        page.polygon([at, *arc_points(at, 6.5, start, start + 90).tolist()], ink=s.ink)
    page.write(
        (at[0] + 10, at[1] - 5), page.pick(("T/FOOTING", "FIN. FLOOR", "B.O. DECK", "EL. 100'-0\"")), anchor="lb"
    )


def _equipment(page: Page, at: Point) -> None:
    page.outline(corners(around(at, 22, 11)))
    fitting(page, at, f"{page.pick(('EF', 'AHU', 'P', 'WH'))}-{page.count(1, 9)}", 18, size=4.8)


def _north(page: Page, at: Point) -> None:
    (x, y), s, r = at, page.style, 13.0
    kind = page.count(0, 2)
    page.circle(at, r, width=s.pen, ink=s.ink)
    if kind == 0:
        page.polygon([(x, y - r), (x + r * 0.6, y + r * 0.75), (x, y + r * 0.35)], ink=s.ink)
        page.stroke([(x, y - r), (x - r * 0.6, y + r * 0.75), (x, y + r * 0.35)], closed=True)
    elif kind == 1:
        page.stroke([(x, y + r + 4), (x, y - r - 8)])
        page.stroke([(x - r - 4, y), (x + r + 4, y)])
        arrow(page, (x, y - r - 8), (0, -1), 9)
    else:
        page.polygon([at, *arc_points(at, r, 180, 270).tolist()], ink=s.ink)
        page.polygon([at, *arc_points(at, r, 0, 90).tolist()], ink=s.ink)
    page.write((x, y - r - 14 if kind == 1 else y - r - 7), "N", size=7)
    page.write((x, y + r + 8), page.pick(("PLAN NORTH", "NORTH", "TRUE NORTH")))


def _scale_bar(page: Page, at: Point) -> None:
    (x, y), s, step = at, page.style, 16.0
    left = x - 2 * step
    for i in range(4):
        box = corners((left + i * step, y - 1.5, left + (i + 1) * step, y + 1.5))
        page.polyline(box, width=s.pen, ink=s.ink, closed=True)
        if i % 2 == 0:
            page.polygon(box, ink=s.ink)
        page.write((left + i * step, y - 6), str(4 * i), size=s.text * 0.9)
    page.write((left, y + 5), 'SCALE: 1/4"=1\'-0"', anchor="lt")


def _heading(page: Page, at: Point) -> None:
    """An underlined heading over a few notes: no view, so no title."""
    left, y, size = at[0] - 58, at[1] - 18, page.style.text
    _, _, right, bottom = page.write((left, y), page.pick(HEADINGS), size=size * 1.35, anchor="lt")
    page.stroke([(left, bottom + 2), (right, bottom + 2)])
    for i, line in enumerate(page.shuffled(GENERAL)[:3]):
        wide, _ = page.measure(line)
        page.write((left, bottom + 8 + 9 * i), f"{i + 1}.", anchor="lm")
        page.write((left + 11, bottom + 8 + 9 * i), line, anchor="lm", size=size * min(1.0, 104 / wide))


TAGS: dict[str, tuple[Callable[[Page, Point], None], float, float]] = {  # how to draw it, width, height
    "door": (_door_tag, 18, 18), "keynote": (_keynote, 34, 28), "window": (_window_tag, 22, 22),
    "revision": (_revision, 24, 22), "level": (_level, 96, 26), "equipment": (_equipment, 28, 16),
    "north": (_north, 64, 62), "scale bar": (_scale_bar, 90, 34), "heading": (_heading, 122, 50),
}  # fmt: skip


ALONE = ("level", "north", "scale bar", "heading")  # stand on empty paper only


def draw_tag(page: Page, at: Point, name: str) -> bool:
    """Draw one of TAGS centred at a point if its place is free; say whether it was."""
    draw, width, height = TAGS[name]
    box = around(at, width, height)
    if not page.free(box) or page.inked(box) > (0.0 if name in ALONE else 0.12):
        return False
    draw(page, at)
    page.take(box)
    return True


def cloud(page: Page, box: Box) -> None:
    """Draw a revision cloud around a box."""
    x1, y1, x2, y2 = grown(box, 3)
    path = [(x1, y1), (x2, y1), (x2, y2), (x1, y2), (x1, y1)]
    for (ax, ay), (bx, by) in itertools.pairwise(path):
        length = abs(bx - ax) + abs(by - ay)
        bows = max(2, round(length / 11))
        turn = float(np.degrees(np.arctan2(by - ay, bx - ax)))
        for i in range(bows):
            at = (ax + (bx - ax) * (i + 0.5) / bows, ay + (by - ay) * (i + 0.5) / bows)
            page.arc(at, length / bows / 2, turn + 180, turn + 360, width=page.style.pen * 1.2, ink=page.style.ink)
