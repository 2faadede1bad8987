"""What stands in rooms: beds, desks, fixtures, stairs, ceiling grids. All faint, and inside the room's box."""

from typing import NamedTuple

from demo.drawing.canvas import arc_points
from demo.drawing.page import Box, Page, Point, corners
from demo.drawing.tags import arrow

CLEAR = 6.0  # px between furniture and the middle of a wall


class Room(NamedTuple):
    """A room to draw in, measured from one of its corners in units of `scale` px."""

    page: Page
    corner: Point  # px
    scale: float
    ways: Point  # 1 or -1 each: which way x and y run from the corner
    wide: float
    high: float

    def at(self, x: float, y: float) -> Point:
        """Return the point of the page."""
        return self.corner[0] + x * self.scale * self.ways[0], self.corner[1] + y * self.scale * self.ways[1]

    def line(self, *points: Point, ink: bool = False) -> None:
        """Draw lines, faint ones unless `ink`."""
        (self.page.stroke if ink else self.page.fainter)([self.at(*p) for p in points])

    def rectangle(self, box: Box, *, ink: bool = False) -> None:
        """Draw a rectangle."""
        points = corners(box)
        self.line(*points, points[0], ink=ink)

    def oval(self, x: float, y: float, wide: float, high: float) -> None:
        """Draw an ellipse around a point."""
        self.line(*[(x + wide / 2 * u, y + high / 2 * v) for u, v in arc_points((0, 0), 1, 0, 360).tolist()])


def furnish(page: Page, box: Box, scale: float) -> None:
    """Draw what one kind of room has, if the room is on the page and large enough; units are `scale` px."""
    x1, y1, x2, y2 = box[0] + CLEAR, box[1] + CLEAR, box[2] - CLEAR, box[3] - CLEAR
    wide, high = (x2 - x1) / scale, (y2 - y1) / scale
    if min(wide, high) < 40 or x2 < 8 or y2 < 8 or x1 > page.width - 8 or y1 > page.height - 8:
        return
    right, low = page.chance(0.5), page.chance(0.5)
    corner, ways = (x2 if right else x1, y2 if low else y1), (-1 if right else 1, -1 if low else 1)
    draw = page.pick((_bed, _bath, _kitchen, _desks, _stairs, _table, _ceiling, _sofa, _nothing, _nothing))
    draw(Room(page, corner, scale, ways, wide, high))


def _nothing(room: Room) -> None:
    """An empty room."""


def _bed(room: Room) -> None:
    x = room.page.between(0, room.wide - 34)
    room.rectangle((x, 0, x + 30, 38))
    room.rectangle((x + 3, 2, x + 13, 9))
    room.rectangle((x + 17, 2, x + 27, 9))
    room.line((x, 16), (x + 30, 12))


def _sofa(room: Room) -> None:
    room.rectangle((4, 0, 44, 14))
    room.rectangle((4, 0, 44, 4))
    room.line((24, 4), (24, 14))
    room.rectangle((12, 20, 36, 30))


def _bath(room: Room) -> None:
    room.rectangle((0, 0, 16, 36))
    room.oval(8, 18, 11, 30)
    room.rectangle((room.wide - 10, 3, room.wide, 15))
    room.oval(room.wide - 16, 9, 13, 10)
    room.rectangle((room.wide - 12, room.high - 18, room.wide, room.high))
    room.oval(room.wide - 6, room.high - 9, 8, 10)


def _kitchen(room: Room) -> None:
    room.line((0, room.high), (0, 0), (room.wide, 0), (room.wide, 13), (13, 13), (13, room.high), (0, room.high))
    room.rectangle((22, 2, 36, 11))
    for x, y in ((2.5, 22), (10.5, 22), (2.5, 30), (10.5, 30)):
        room.oval(x, y, 4.6, 4.6)


def _desks(room: Room) -> None:
    y = 0
    while y + 26 < room.high:
        room.rectangle((0, y, 30, y + 13))
        room.oval(15, y + 19, 9, 8)
        y += 34


def _stairs(room: Room) -> None:
    high, steps = min(24.0, room.high), int(room.wide / 5)
    for i in range(steps + 1):
        room.line((5 * i, 0), (5 * i, high), ink=True)
    room.line((0, high), (5 * steps, high), ink=True)
    room.line((3, high / 2), (5 * steps - 4, high / 2), ink=True)
    arrow(room.page, room.at(5 * steps - 2, high / 2), (room.ways[0], 0), 6)
    room.page.label(room.at(8, high + 6), room.page.pick(("UP", "DN")))


def _table(room: Room) -> None:
    x, y = room.wide / 2, room.high / 2
    room.rectangle((x - 22, y - 8, x + 22, y + 8))
    for dx in (-14, 0, 14):
        for dy in (-13, 13):
            room.oval(x + dx, y + dy, 8, 7)


def _ceiling(room: Room) -> None:
    """A suspended ceiling with lights."""
    step = 11.0
    columns, rows = int(room.wide / step), int(room.high / step)
    for i in range(columns + 1):
        room.line((step * i, 0), (step * i, step * rows))
    for i in range(rows + 1):
        room.line((0, step * i), (step * columns, step * i))
    for i in range(1, columns - 1, 3):
        for j in range(1, rows, 3):
            x, y = step * i, step * j
            room.rectangle((x, y, x + 2 * step, y + step), ink=True)
            room.line((x, y), (x + 2 * step, y + step))
