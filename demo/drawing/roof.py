"""Roof and site plans: slopes, drains, pavers, property lines, trees, contours."""

from demo.drawing.canvas import arc_points
from demo.drawing.page import Box, Page, corners
from demo.drawing.tags import arrow, column_lines
from demo.drawing.views import Aim, Note, View


def draw_roof(page: Page, box: Box) -> View:
    """Draw a roof plan, or a site with a building, in `box`, which may reach over the page."""
    return page.pick((_roof, _site))(page, box)


def _aims(page: Page, box: Box) -> list[Aim]:
    (x1, y1, x2, y2), keep = box, page.style.radius * 2
    inner = min(keep, (x2 - x1) / 2, (y2 - y1) / 2)  # a small building has no room to keep away from its sides
    x, y = page.between(x1 + inner, x2 - inner), page.between(y1 + inner, y2 - inner)
    return [Aim((x, y1 - keep), "down"), Aim((x, y2 + keep), "up"), Aim((x1 - keep, y), "right"),
            Aim((x2 + keep, y), "left"), Aim((x, y1 + keep), "up"), Aim((x, y2 - keep), "down"),
            Aim((x1 + keep, y), "left")]  # fmt: skip


def _roof(page: Page, box: Box) -> View:
    x1, y1, x2, y2 = box
    s, x, y = page.style, (x1 + x2) / 2, (y1 + y2) / 2
    if y1 > 40 and page.chance(0.7):
        column_lines(page, [x1 + 12, x + page.between(-30, 30), x2 - 12], y1 - 30, y2, radius=9)
    page.thick(corners(box), closed=True)
    page.stroke(corners((x1 + 4, y1 + 4, x2 - 4, y2 - 4)), closed=True)
    ridge = page.between(0.25, 0.4) * (x2 - x1)
    page.stroke([(x1 + ridge, y), (x2 - ridge, y)])
    for cx, cy, rx in ((x1 + 4, y1 + 4, x1 + ridge), (x1 + 4, y2 - 4, x1 + ridge), (x2 - 4, y1 + 4, x2 - ridge),
                       (x2 - 4, y2 - 4, x2 - ridge)):  # fmt: skip
        page.stroke([(cx, cy), (rx, y)])
    for part, way in ((0.25, -1), (0.75, 1)):
        at = (x + page.between(-24, 24), y1 + (y2 - y1) * part)
        page.stroke([(at[0], at[1] - 12 * way), (at[0], at[1] + 10 * way)])
        arrow(page, (at[0], at[1] + 12 * way), (0, way), 6)
        page.label((at[0] + 22, at[1]), page.pick(('1/4"/FT', "SLOPE", "4:12")))
    for _ in range(page.count(1, 3)):
        drain = (page.between(x1 + 14, x2 - 14), page.between(y1 + 14, y2 - 14))
        page.circle(drain, 4, width=s.pen, ink=s.ink)
        page.stroke([(drain[0] - 4, drain[1]), (drain[0] + 4, drain[1])])
        page.stroke([(drain[0], drain[1] - 4), (drain[0], drain[1] + 4)])
    if page.chance(0.5):
        page.hatch(corners((x1 + 8, y2 - 46, x1 + 70, y2 - 8)), spacing=6, angle=45, width=s.pen, ink=s.faint)
        page.hatch(corners((x1 + 8, y2 - 46, x1 + 70, y2 - 8)), spacing=6, angle=-45, width=s.pen, ink=s.faint)
    notes = [Note((x, y), "roof"), Note((x1 + 12, y1 + 12), "roof"), Note((x2 - 4, y + 20), "roof")]
    joints = [(x1 + 4, y1 + 4), (x2 - 4, y1 + 4), (x1 + ridge, y), (x2 - 4, y2 - 4)]
    return View(
        "roof",
        box,
        joints,
        _aims(page, box),
        [],
        notes,
        [((x - 30, y2 - 20), "equipment"), ((x + 30, y1 + 20), "keynote")],
    )


def _site(page: Page, box: Box) -> View:
    x1, y1, x2, y2 = box
    s, lean = page.style, page.between(-10, 10)
    lot = [(x1, y1 + lean), (x2, y1), (x2 - lean, y2), (x1, y2)]
    for a, b in ((0, 1), (1, 2), (2, 3), (3, 0)):
        page.dashes(lot[a], lot[b], (16, 3, 3, 3, 3, 3), width=s.cut, ink=s.ink)
    wide, high = (x2 - x1) * page.between(0.4, 0.55), (y2 - y1) * page.between(0.35, 0.5)
    x, y = x1 + (x2 - x1 - wide) * page.between(0.3, 0.7), y1 + (y2 - y1 - high) * page.between(0.3, 0.7)
    for i in range(4):
        start = arc_points((x1 - 80 + 22 * i, y2 + 60), (y2 - y1) * 0.9, -80, -5)
        page.fainter(start)
    house = (x, y, x + wide, y + high)
    page.polygon(corners(house), ink=page.paper)
    page.hatch(corners(house), spacing=7, angle=page.pick((45.0, -45.0)), width=s.pen, ink=s.faint)
    page.thick(corners(house), closed=True)
    page.fainter([(x + wide * 0.7, y + high), (x + wide * 0.7, y2)])
    page.fainter([(x + wide * 0.9, y + high), (x + wide * 0.9, y2)])
    for _ in range(page.count(4, 9)):
        at, radius = (page.between(x1 + 10, x2 - 10), page.between(y1 + 10, y2 - 10)), page.between(7, 13)
        if not (x - radius < at[0] < x + wide + radius and y - radius < at[1] < y + high + radius):
            page.circle(at, radius, width=s.pen, ink=s.faint)
            for angle in range(0, 360, 45):
                tip = arc_points(at, radius, angle, angle + 1)[0]
                page.line(at, tip, width=s.pen * 0.7, ink=s.faint)
    names = [((x + wide / 2, y + high / 2), page.pick(("RESIDENCE", "BLDG. A", "EXISTING BLDG.", "GARAGE"))),
             ((x + wide * 0.8, (y + high + y2) / 2), "DRIVE")]  # fmt: skip
    aims = _aims(page, house)
    joints = [(x, y), (x + wide, y), (x + wide, y + high)]
    return View("site", box, joints, aims, names, [Note((x1 + 2, (y1 + y2) / 2), "site")], [])
