"""Floor plans: rooms from halving a rectangle, walls as double lines, doors with swings, windows, furniture."""

import itertools
from typing import NamedTuple

from demo.drawing.furniture import furnish
from demo.drawing.page import Box, Page, Point, corners
from demo.drawing.tags import column_lines, dimension
from demo.drawing.views import Aim, View
from demo.drawing.words import ROOMS, feet

SCALES = (1.0, 1.0, 1.25, 1.6)  # px per unit of the sizes here and in furniture.py
LEAST_ROOM = 56.0  # units, as the next one
DOOR = 19.0


class Wall(NamedTuple):
    """The middle line of a wall."""

    start: Point
    end: Point
    thick: float
    inside: int = 0  # 1 or -1 where the building lies on one side only: right or below, left or above

    @property
    def outer(self) -> bool:
        """Whether it is the building's outline."""
        return self.inside != 0

    @property
    def upright(self) -> bool:
        """Whether it runs up and down."""
        return self.start[0] == self.end[0]

    def band(self, more: float) -> Box:
        """Return its box, `more` px wider on each side."""
        reach = self.thick / 2 + more
        return self.start[0] - reach, self.start[1] - reach, self.end[0] + reach, self.end[1] + reach


def draw_plan(page: Page, box: Box) -> View:
    """Draw a floor plan that fills `box`, which may reach over the page."""
    scale = page.pick(SCALES)
    rooms, walls = _rooms(page, box, page.between(2.6, 4.2) * scale, LEAST_ROOM * scale)
    _, y1, _, y2 = box
    if y1 > 40 and page.chance(0.75):
        inner = sorted({w.start[0] for w in walls if w.upright})
        column_lines(page, inner, y1 - 32, y2, radius=page.between(8, 10.5))
    _draw_walls(page, walls)
    for wall in walls:
        _openings(page, wall, [p for other in walls if other != wall for p in (other.start, other.end)], DOOR * scale)
    for room in rooms:
        furnish(page, room, scale)
    _dimensions(page, box, walls)
    rooms_called = page.shuffled(ROOMS)
    names = [((r[0] + (r[2] - r[0]) * page.between(0.4, 0.6), r[1] + (r[3] - r[1]) * page.between(0.3, 0.7)),
              rooms_called[i % len(ROOMS)]) for i, r in enumerate(rooms)]  # fmt: skip
    joints = [w.start for w in walls] + [w.end for w in walls]
    tags = [
        ((x + page.between(-20, 20), y + 14), page.pick(("door", "keynote", "window", "door"))) for (x, y), _ in names
    ]
    return View("plan", box, joints, _aims(page, rooms, box), names, [], tags)


def _rooms(page: Page, box: Box, thick: float, least: float) -> tuple[list[Box], list[Wall]]:
    upper_left, upper_right, lower_right, lower_left = corners(box)
    outline = ((upper_left, upper_right, 1), (lower_left, lower_right, -1), (upper_left, lower_left, 1),
               (upper_right, lower_right, -1))  # fmt: skip
    walls = [Wall(start, end, thick + 1.5, inside) for start, end, inside in outline]
    todo, rooms = [box], []
    while todo:
        a, b, c, d = room = todo.pop()
        wide, high = c - a, d - b
        if max(wide, high) < 2 * least or (max(wide, high) < 2.8 * least and page.chance(0.25)):
            rooms.append(room)
        elif wide > high:
            cut = a + wide * page.between(0.36, 0.64)
            walls.append(Wall((cut, b), (cut, d), thick))
            todo += [(a, b, cut, d), (cut, b, c, d)]
        else:
            cut = b + high * page.between(0.36, 0.64)
            walls.append(Wall((a, cut), (c, cut), thick))
            todo += [(a, b, c, cut), (a, cut, c, d)]
    return rooms, walls


def _draw_walls(page: Page, walls: list[Wall]) -> None:
    """Draw all walls at once, so that their corners and crossings are clean."""
    s = page.style
    for wall in walls:
        page.polygon(corners(wall.band(s.cut / 2)), ink=s.ink)
    inner = {"black": s.ink, "grey": s.faint}.get(s.wall, page.paper)
    for wall in walls:
        page.polygon(corners(wall.band(-s.cut / 2)), ink=inner)
    if s.wall == "hatch":
        for wall in walls:
            _stripes(page, wall)


def _stripes(page: Page, wall: Wall) -> None:
    x1, y1, x2, y2 = wall.band(-page.style.cut / 2)
    across = min(x2 - x1, y2 - y1)
    for i in range(int(max(x2 - x1, y2 - y1) / 4)):
        x, y = (x1, y1 + 4 * i) if wall.upright else (x1 + 4 * i, y1)
        page.line((x, y + across), (x + across, y), width=page.style.pen * 0.8, ink=page.style.ink)


def _openings(page: Page, wall: Wall, ends: list[Point], door: float) -> None:
    """Cut doors, `door` px wide, or windows into a wall, away from the `ends` of the walls that meet it."""
    (x1, y1), (x2, y2) = wall.start, wall.end
    length = (y2 - y1) if wall.upright else (x2 - x1)
    across, first = (x1, y1) if wall.upright else (y1, x1)
    stops = [(y if wall.upright else x) - first for x, y in ends if abs((x if wall.upright else y) - across) < 1]
    at = page.between(10, 26)
    while at + door + 8 < length:
        glazed = wall.outer and page.chance(0.88)
        wide = page.between(1.0, 1.8) * door if glazed else door
        blocked = [stop for stop in stops if at - 7 < stop < at + wide + 7]
        if blocked or at + wide + 8 > length:
            at = max([*blocked, at]) + 9
            continue
        point = (x1, first + at) if wall.upright else (first + at, y1)
        if glazed:
            _window(page, wall, point, wide)
        else:
            _door(page, wall, point, door)
        at += wide + (page.between(18, 44) if glazed else page.between(60, 120))


def _gap(page: Page, wall: Wall, at: Point, wide: float) -> Box:
    """Break the wall from `at` on for `wide` px, close its ends, and return the box of the gap."""
    reach = wall.thick / 2 + page.style.cut / 2
    x, y = at
    box = (x - reach, y, x + reach, y + wide) if wall.upright else (x, y - reach, x + wide, y + reach)
    page.polygon(corners(box), ink=page.paper)
    ends = ((0, 1), (3, 2)) if wall.upright else ((0, 3), (1, 2))
    for a, b in ends:
        page.stroke([corners(box)[a], corners(box)[b]])
    return box


def _door(page: Page, wall: Wall, at: Point, wide: float) -> None:
    _gap(page, wall, at, wide)
    s, (x, y) = page.style, at
    side, flip = wall.inside or page.pick((-1, 1)), page.chance(0.5)
    if wall.upright:
        hinge = (x, y + wide if flip else y)
        leaf = (x + side * wide, hinge[1])
        start = (0 if side > 0 else 180, -90 if flip else 90)
    else:
        hinge = (x + wide if flip else x, y)
        leaf = (hinge[0], y + side * wide)
        start = (90 if side > 0 else 270, 180 if flip else 0)
    page.line(hinge, leaf, width=s.pen * 1.4, ink=s.ink)
    a, b = sorted(start)
    if b - a > 180:
        a, b = b - 360, a
    page.arc(hinge, wide, a, b, width=s.pen * 0.8, ink=s.ink)


def _window(page: Page, wall: Wall, at: Point, wide: float) -> None:
    x1, y1, x2, y2 = _gap(page, wall, at, wide)
    page.stroke(corners((x1, y1, x2, y2)), closed=True)
    for part in (0.4, 0.6):
        if wall.upright:
            x = x1 + (x2 - x1) * part
            page.line((x, y1), (x, y2), width=page.style.pen * 0.7, ink=page.style.ink)
        else:
            y = y1 + (y2 - y1) * part
            page.line((x1, y), (x2, y), width=page.style.pen * 0.7, ink=page.style.ink)


def _dimensions(page: Page, box: Box, walls: list[Wall]) -> None:
    """Draw chains of dimensions beside the plan where the page has room for them."""
    x1, y1, x2, y2 = box
    xs = sorted({x1, x2} | {w.start[0] for w in walls if w.upright and w.start[1] == y1})
    ys = sorted({y1, y2} | {w.start[1] for w in walls if not w.upright and w.start[0] == x1})
    if y1 > 22:
        for a, b in itertools.pairwise(xs):
            dimension(page, (a, y1 - 12), (b, y1 - 12), feet(page, 6, 24))
    if 34 < y1 < 44 or (y1 > 44 and page.inked((x1, y1 - 34, x2, y1 - 22)) == 0):
        dimension(page, (x1, y1 - 27), (x2, y1 - 27), feet(page, 28, 64))
    if x1 > 26:
        for a, b in itertools.pairwise(ys):
            dimension(page, (x1 - 14, a), (x1 - 14, b), feet(page, 6, 24))


def _aims(page: Page, rooms: list[Box], box: Box) -> list[Aim]:
    """Return places in rooms near a wall, pointing at it, and places outside that point at the building."""
    aims, keep = [], page.style.radius * 2.1
    for x1, y1, x2, y2 in rooms:
        x, y = (
            page.between(x1 + keep, max(x2 - keep, x1 + keep + 1)),
            page.between(y1 + keep, max(y2 - keep, y1 + keep + 1)),
        )
        aims += [Aim((x, y1 + keep), "up"), Aim((x, y2 - keep), "down"), Aim((x1 + keep, y), "left"),
                 Aim((x2 - keep, y), "right")]  # fmt: skip
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    outside = [Aim((box[0] - keep - 22, y), "right"), Aim((box[2] + keep, y), "left"),
               Aim((x, box[3] + keep), "up"), Aim((x, box[1] - keep - 22), "down")]  # fmt: skip
    return [*outside, *aims]
