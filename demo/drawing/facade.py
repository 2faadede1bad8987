"""Elevations of buildings: outline, windows, brick or siding, roof, ground line, levels."""

from demo.drawing.page import Box, Page, corners
from demo.drawing.tags import column_lines
from demo.drawing.views import Aim, Note, View


def draw_facade(page: Page, box: Box) -> View:
    """Draw a façade in `box`, its ground at the lower side."""
    x1, y1, x2, y2 = box
    roof = page.pick(("gable", "flat", "hip")) if y2 - y1 > 80 else "flat"
    eaves = y1 + ((y2 - y1) * page.between(0.25, 0.36) if roof != "flat" else 8.0)
    if y1 > 44 and page.chance(0.5):
        column_lines(page, [x1 + 4, x1 + (x2 - x1) * page.between(0.3, 0.6), x2 - 4], y1 - 32, y2, radius=9)
    _skin(page, (x1, eaves, x2, y2))
    _roof(page, box, eaves, roof)
    page.stroke(corners((x1, eaves, x2, y2)), closed=True)
    openings = _windows(page, (x1, eaves, x2, y2))
    page.polyline([(x1 - 24, y2), (x2 + 24, y2)], width=page.style.cut * 1.5, ink=page.style.ink)
    _levels(page, box, eaves)
    joints = [(a, b) for a, b, _, _ in openings] + [(x1, eaves), (x2, eaves), (x1, y2)]
    notes = [Note(((a + c) / 2, (b + d) / 2), "window") for a, b, c, d in sorted(openings, key=lambda o: -o[2])[:2]]
    notes += [Note((x2 - 6, eaves - 3), "roof"), Note((x2 - 5, y2 - 24), "skin")]
    cut = x1 + (x2 - x1) * page.between(0.2, 0.8)
    aims = [Aim((cut, y1 - page.style.radius * 2), page.pick(("left", "right"))),
            Aim((x1 - page.style.radius * 2.2, (eaves + y2) / 2), "right"),
            Aim((x2 + page.style.radius * 2.2, (eaves + y2) / 2), "left")]  # fmt: skip
    tags = [((c - (c - a) / 2, d + 10), "window") for a, _, c, d in openings[1:4:2]]
    return View("facade", box, joints, aims, [], notes, tags)


def _skin(page: Page, box: Box) -> None:
    """Fill with brick courses, siding or nothing."""
    x1, y1, x2, y2 = box
    kind = page.pick(("brick", "siding", "boards", "none"))
    if kind == "siding":
        for i in range(int((y2 - y1) / 4)):
            page.fainter([(x1, y1 + 4 * i), (x2, y1 + 4 * i)])
    elif kind == "boards":
        for i in range(int((x2 - x1) / 6)):
            page.fainter([(x1 + 6 * i, y1), (x1 + 6 * i, y2)])
    elif kind == "brick":
        for _ in range(5):  # bricks are drawn in patches only: the rest is understood
            x, y = page.between(x1, x2 - 40), page.between(y1, y2 - 20)
            for row in range(4):
                page.fainter([(x, y + 4 * row), (x + 36, y + 4 * row)])
                for column in range(4):
                    at = x + 9 * column + (4.5 if row % 2 else 0)
                    page.fainter([(at, y + 4 * row), (at, y + 4 * row + 4)])


def _roof(page: Page, box: Box, eaves: float, kind: str) -> None:
    x1, y1, x2, _ = box
    if kind == "flat":
        page.thick(corners((x1 - 3, y1, x2 + 3, eaves)), closed=True)
        return
    half = (x2 - x1) / 2
    ridge = [(x1 + half, y1)] if kind == "gable" else [(x1 + half * 0.6, y1), (x2 - half * 0.6, y1)]
    outline = [(x1 - 9, eaves), *ridge, (x2 + 9, eaves)]
    page.polygon(outline, ink=page.paper)
    if kind == "hip":
        for i in range(1, int((eaves - y1) / 5)):
            part = 5 * i / (eaves - y1)
            left, right = ridge[0][0] + (x1 - 9 - ridge[0][0]) * part, ridge[1][0] + (x2 + 9 - ridge[1][0]) * part
            page.fainter([(left, y1 + 5 * i), (right, y1 + 5 * i)])
    page.thick(outline, closed=True)


def _windows(page: Page, box: Box) -> list[Box]:
    """Draw rows of equal windows and return their boxes, a door being the last."""
    x1, y1, x2, y2 = box
    floors = max(1, round((y2 - y1) / page.between(55, 75)))
    columns = max(2, round((x2 - x1) / page.between(42, 62)))
    storey, bay = (y2 - y1) / floors, (x2 - x1) / columns
    wide, high, crossed = bay * page.between(0.4, 0.6), storey * page.between(0.45, 0.6), page.chance(0.6)
    door = page.count(0, columns - 1)
    boxes = []
    for row in range(floors):
        for column in range(columns):
            x, y = x1 + bay * (column + 0.5), y1 + storey * (row + 0.5)
            if row == floors - 1 and column == door:
                continue
            window = (x - wide / 2, y - high / 2, x + wide / 2, y + high / 2)
            _window(page, window, crossed)
            boxes.append(window)
    x = x1 + bay * (door + 0.5)
    leaf = (x - 10, y2 - min(storey * 0.8, 44), x + 10, y2)
    page.polygon(corners(leaf), ink=page.paper)
    page.stroke(corners(leaf), closed=True)
    page.circle((x + 7, y2 - 18), 1.2, width=page.style.pen, ink=page.style.ink)
    return [*boxes, leaf]


def _window(page: Page, box: Box, crossed: bool) -> None:
    x1, y1, x2, y2 = box
    page.polygon(corners(box), ink=page.paper)
    page.stroke(corners(box), closed=True)
    page.fainter(corners((x1 + 2, y1 + 2, x2 - 2, y2 - 2)), closed=True)
    if crossed:
        page.fainter([((x1 + x2) / 2, y1 + 2), ((x1 + x2) / 2, y2 - 2)])
        page.fainter([(x1 + 2, (y1 + y2) / 2), (x2 - 2, (y1 + y2) / 2)])
    page.stroke([(x1 - 2, y2), (x2 + 2, y2)])


def _levels(page: Page, box: Box, eaves: float) -> None:
    """Draw the levels beside the building: a broken line, a target and the height."""
    x1, _, x2, y2 = box
    right = page.width - x2 > x1
    x = min(x2 + 46.0, page.width - 14.0) if right else max(x1 - 46.0, 14.0)
    if (right and x < x2 + 12) or (not right and x > x1 - 12):
        return
    s = page.style
    for y, name in ((y2, "0'-0\""), (eaves, f"{page.count(9, 28)}'-{page.count(1, 11)}\"")):
        page.dashes((x2 if right else x1, y), (x, y), (7, 3, 2, 3), width=s.pen * 0.8, ink=s.faint)
        page.circle((x, y), 4, width=s.pen, ink=s.faint)
        page.polygon([(x, y), (x + 4, y), (x, y + 4)], ink=s.faint)
        page.polygon([(x, y), (x - 4, y), (x, y - 4)], ink=s.faint)
        page.label((x, y - 9), name, ink=s.faint)
