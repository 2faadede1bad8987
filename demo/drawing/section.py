"""Sections through walls and joints, with their materials: concrete, earth, insulation, wood, brick, steel."""

from demo.drawing.page import Box, Page, Point, corners
from demo.drawing.tags import dimension
from demo.drawing.views import Aim, Note, View


def draw_section(page: Page, box: Box) -> View:
    """Draw a wall from footing to eaves in `box`."""
    x1, y1, x2, y2 = box
    wall = page.between(13, 19)
    left = x1 + (x2 - x1) * page.between(0.15, 0.35)
    right, ground, roof = left + wall, y2 - min(58.0, (y2 - y1) * 0.35), y1 + min(26.0, (y2 - y1) * 0.2)
    _earth(page, x1, left - 2, ground)
    concrete(page, (left, ground - 6, right, y2 - 14))
    concrete(page, (left - 13, y2 - 14, right + 13, y2))
    concrete(page, (right, ground - 10, x2, ground - 2))
    page.fainter([(right, ground), (x2, ground)])
    skin = left + wall * 0.3
    bricks(page, (left, roof, skin, ground - 6))
    insulation(page, (skin + 1.5, roof, right - 2, ground - 10))
    page.thick([(left, roof), (left, ground - 6)])
    page.stroke([(skin, roof), (skin, ground - 6)])
    page.thick([(right, roof), (right, ground - 10)])
    page.stroke([(right - 2, roof), (right - 2, ground - 10)])
    _rafters(page, (left - 14, roof, x2, roof - 12))
    middle = (roof + ground) / 2
    if ground - roof > 100:
        joist(page, (right, middle - 6, x2, middle + 6))
    _break(page, x2, y1 - 6, y2)
    notes = [Note((right - 4, roof + 20), "wall"), Note((left + 3, middle - 20), "skin"),
             Note((right + 16, roof - 5), "roof"), Note((right - 5, ground - 30), "wall"),
             Note((right + 20, ground - 6), "slab"),
             Note((right + 8, y2 - 6), "footing")]  # fmt: skip
    joints = [(left + 4, roof), (right, ground - 6), (right, middle), (left, y2 - 10)]
    keep = page.style.radius * 2.1
    aims = [Aim((left - keep, middle), "right"), Aim((right + keep + 6, middle + keep), "left")]
    return View("section", box, joints, aims, [], notes, [((left - 20, roof + 40), "keynote")])


def _footing(page: Page, box: Box) -> View:
    x1, y1, x2, y2 = box
    middle, half, deep = (x1 + x2) / 2, (x2 - x1) * 0.36, (y2 - y1) * 0.3
    top = y2 - deep
    _earth(page, x1, middle - 9, y1 + (y2 - y1) * 0.4)
    concrete(page, (middle - 9, y1, middle + 9, top))
    concrete(page, (middle - half, top, middle + half, y2))
    for i in range(5):
        page.disc((middle - half + 8 + i * (2 * half - 16) / 4, y2 - 7), 1.6, ink=page.style.ink)
    page.stroke([(middle - half + 5, y2 - 5), (middle + half - 5, y2 - 5)])
    page.stroke([(middle - 4, y1), (middle - 4, y2 - 9), (middle - 16, y2 - 9)])
    if x1 > 4:
        dimension(page, (middle - half, y2 + 9), (middle + half, y2 + 9), f"{page.count(1, 4)}'-{page.count(0, 9)}\"")
    notes = [
        Note((middle + 4, y1 + 12), "footing"),
        Note((middle + half - 8, y2 - 7), "footing"),
        Note((middle + 10, top + 6), "footing"),
    ]
    return View("footing", (x1, y1, x2, y2 + 14), [(middle, top), (middle - half, y2)], [], [], notes)


def _beam(page: Page, box: Box) -> View:
    """A steel beam on a column, with bolts."""
    x1, y1, x2, y2 = box
    column, deep = x1 + (x2 - x1) * 0.35, y1 + (y2 - y1) * 0.25
    end = deep + (y2 - y1) * 0.4
    for x in (column - 11, column - 8, column + 8, column + 11):
        page.stroke([(x, y1), (x, y2)])
    for y in (deep, deep + 3.5, end - 3.5, end):
        page.stroke([(column + 14, y), (x2, y)])
    page.stroke([(column + 14, deep), (column + 14, end)])
    page.thick(corners((column + 11, deep + 7, column + 26, end - 7)), closed=True)
    bolts = max(2, int((end - deep - 18) / 9))
    for i in range(bolts):
        page.disc((column + 20, deep + 12 + 9 * i), 1.9, ink=page.style.ink)
    _break(page, x2, deep - 8, end + 8)
    notes = [
        Note((column + 20, deep + 12), "steel"),
        Note((x2 - 12, deep + 2), "steel"),
        Note((column + 12, end - 8), "steel"),
    ]
    return View("beam", box, [(column + 18, (deep + end) / 2), (column, y2 - 20)], [], [], notes)


def _jamb(page: Page, box: Box) -> View:
    """A window in a stud wall, seen from above."""
    x1, y1, x2, y2 = box
    y, deep, edge = y1 + (y2 - y1) * 0.4, min(34.0, (y2 - y1) * 0.4), x1 + (x2 - x1) * 0.55
    page.thick(corners((x1, y, edge, y + deep)))
    insulation(page, (x1, y + 5, edge - 14, y + deep - 5), along=True)
    for x in (edge - 12, edge - 6):
        stud(page, (x, y + 5, x + 6, y + deep - 5))
    page.stroke([(x1, y + 4.5), (edge, y + 4.5)])
    page.stroke([(x1, y + deep - 4.5), (edge, y + deep - 4.5)])
    page.thick(corners((edge, y + 6, edge + 9, y + deep - 4)), closed=True)
    for part in (0.42, 0.58):
        page.stroke([(edge + 9, y + deep * part), (x2, y + deep * part)])
    page.stroke(corners((edge - 3, y + deep, edge + 6, y + deep + 5)), closed=True)
    notes = [
        Note((edge - 9, y + 12), "wall"),
        Note((edge + 4, y + 8), "window"),
        Note((x1 + 16, y + 2), "skin"),
        Note((edge + 2, y + deep + 3), "window"),
    ]
    return View("jamb", box, [(edge, y + deep / 2), (x1 + 20, y + deep / 2)], [], [], notes)


def _eave(page: Page, box: Box) -> View:
    """A sloping roof that ends over a wall."""
    x1, y1, x2, y2 = box
    wall, plate, slope = x1 + (x2 - x1) * 0.4, y1 + (y2 - y1) * 0.55, page.between(0.3, 0.5)
    for off in (0.0, 4.0, 14.0):
        page.thick([(x1, plate + off + (wall - x1) * slope - 16), (x2, plate + off - 16 - (x2 - wall) * slope)])
    stud(page, (wall - 2, plate, wall + 12, plate + 5))
    stud(page, (wall - 2, plate + 5, wall + 12, plate + 10))
    page.thick([(wall - 4, plate), (wall - 4, y2)])
    page.thick([(wall + 14, plate), (wall + 14, y2)])
    insulation(page, (wall - 2, plate + 12, wall + 12, y2))
    page.thick(
        corners((x1 - 2, plate + (wall - x1) * slope - 18, x1 + 2, plate + (wall - x1) * slope + 4)), closed=True
    )
    notes = [
        Note((x1 + 1, plate + (wall - x1) * slope - 6), "roof"),
        Note((wall + 5, plate + 5), "wall"),
        Note((wall + 6, y2 - 16), "wall"),
        Note((wall + 20, plate - 14), "roof"),
    ]
    return View("eave", box, [(wall + 5, plate + 4), (x1, plate + 6)], [], [], notes)


JOINTS = {"footing": _footing, "beam": _beam, "jamb": _jamb, "eave": _eave}  # details at a large scale, by kind

# --- materials ---


def concrete(page: Page, box: Box) -> None:
    """Fill a box with the dots and small triangles that mean concrete."""
    x1, y1, x2, y2 = box
    page.polygon(corners(box), ink=page.paper)
    ink = page.style.ink
    for _ in range(int((x2 - x1) * (y2 - y1) / 40)):
        x, y = page.between(x1 + 2, x2 - 2), page.between(y1 + 2, y2 - 2)
        if page.chance(0.25):
            page.polyline([(x, y - 1.6), (x + 1.6, y + 1.2), (x - 1.6, y + 1.2)], width=0.5, ink=ink, closed=True)
        else:
            page.disc((x, y), page.between(0.35, 0.7), ink=ink)
    page.thick(corners(box), closed=True)


def bricks(page: Page, box: Box) -> None:
    """Fill a box with the slanted lines that mean brick in section, cut into courses."""
    x1, y1, x2, y2 = box
    for i in range(int((y2 - y1) / 7)):
        y = y1 + 7 * i
        page.stroke([(x1, y), (x2, y)])
        page.fainter([(x1, y + 6), (x2, y + 1)])


def insulation(page: Page, box: Box, *, along: bool = False) -> None:
    """Fill a box with the loops that mean batts, running along its height, or its width."""
    x1, y1, x2, y2 = box
    points: list[Point] = []
    if along:
        for i in range(int((x2 - x1) / 3)):
            points += [(x1 + 3 * i, y1 if i % 2 else y2), (x1 + 3 * i + 3, y1 if i % 2 else y2)]
    else:
        for i in range(int((y2 - y1) / 3)):
            points += [(x1 if i % 2 else x2, y1 + 3 * i), (x1 if i % 2 else x2, y1 + 3 * i + 3)]
    if points:
        page.fainter(points)


def stud(page: Page, box: Box) -> None:
    """Draw cut wood: a box with a cross."""
    a, b, c, d = corners(box)
    page.stroke([a, b, c, d], closed=True)
    page.fainter([a, c])
    page.fainter([b, d])


def joist(page: Page, box: Box) -> None:
    """Draw a floor from the side: boards over a joist."""
    x1, y1, x2, y2 = box
    page.polygon(corners(box), ink=page.paper)
    page.stroke(corners(box), closed=True)
    page.thick([(x1, y1 - 2), (x2, y1 - 2)])
    page.stroke([(x1, y2 + 2.5), (x2, y2 + 2.5)])
    stud(page, (x1, y1, x1 + 6, y2))


def _break(page: Page, x: float, top: float, bottom: float) -> None:
    """Draw the line at which a drawing is broken off."""
    y = (top + bottom) / 2
    page.fainter([(x, top), (x, y - 4), (x - 4, y), (x + 4, y + 4), (x, y + 8), (x, bottom)])


def _rafters(page: Page, box: Box) -> None:
    x1, y1, x2, y2 = box
    page.polygon(corners((x1, y2, x2, y1)), ink=page.paper)
    page.thick([(x1, y1), (x1, y2), (x2, y2 - 6)])
    page.thick([(x1, y1), (x2, y1)])
    page.stroke([(x1, y2 + 3), (x2, y2 - 3)])
    for i in range(int((x2 - x1) / 12)):
        page.fainter([(x1 + 12 * i, y1), (x1 + 12 * i + 8, y2 + 2)])


def _earth(page: Page, x1: float, x2: float, y: float) -> None:
    """Draw the ground line with bundles of slanted strokes under it."""
    if x2 - x1 < 8:
        return
    page.thick([(x1, y), (x2, y)])
    for i in range(int((x2 - x1) / 12)):
        for j in range(3):
            x = x1 + 12 * i + 3 * j
            way = 5 if i % 2 else -5
            page.stroke([(x + max(way, 0), y + 2), (x + max(-way, 0), y + 7)])
