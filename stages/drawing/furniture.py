"""What stands in rooms: beds, desks, fixtures, stairs, ceiling grids. All faint, and inside the room's box."""

from stages.drawing.canvas import arc_points
from stages.drawing.page import Box, Page, Point, corners
from stages.drawing.tags import arrow


def furnish(page: Page, room: Box) -> None:
    """Draw what one kind of room has, if the room is large enough."""
    x1, y1, x2, y2 = room[0] + 6, room[1] + 6, room[2] - 6, room[3] - 6
    if min(x2 - x1, y2 - y1) < 40 or x2 < 8 or y2 < 8 or x1 > page.width - 8 or y1 > page.height - 8:
        return
    draw = page.pick((_bed, _bath, _kitchen, _desks, _stairs, _table, _ceiling, _nothing, _nothing))
    draw(page, (x1, y1, x2, y2))


def _nothing(page: Page, room: Box) -> None:
    """An empty room."""


def _rectangle(page: Page, box: Box) -> None:
    page.fainter(corners(box), closed=True)


def _oval(page: Page, at: Point, wide: float, high: float) -> None:
    page.fainter([(at[0] + wide / 2 * u, at[1] + high / 2 * v) for u, v in arc_points((0, 0), 1, 0, 360)])


def _bed(page: Page, room: Box) -> None:
    x1, y1, x2, _ = room
    x = page.between(x1, x2 - 34)
    _rectangle(page, (x, y1, x + 30, y1 + 38))
    _rectangle(page, (x + 3, y1 + 2, x + 13, y1 + 9))
    _rectangle(page, (x + 17, y1 + 2, x + 27, y1 + 9))
    page.fainter([(x, y1 + 16), (x + 30, y1 + 12)])


def _bath(page: Page, room: Box) -> None:
    x1, y1, x2, y2 = room
    _rectangle(page, (x1, y1, x1 + 16, y1 + 36))
    _oval(page, (x1 + 8, y1 + 18), 11, 30)
    _rectangle(page, (x2 - 10, y1 + 3, x2, y1 + 15))
    _oval(page, (x2 - 16, y1 + 9), 13, 10)
    _rectangle(page, (x2 - 12, y2 - 18, x2, y2))
    _oval(page, (x2 - 6, y2 - 9), 8, 10)


def _kitchen(page: Page, room: Box) -> None:
    x1, y1, x2, y2 = room
    page.fainter([(x1, y2), (x1, y1), (x2, y1), (x2, y1 + 13), (x1 + 13, y1 + 13), (x1 + 13, y2), (x1, y2)])
    _rectangle(page, (x1 + 22, y1 + 2, x1 + 36, y1 + 11))
    for x, y in ((0, 0), (8, 0), (0, 8), (8, 8)):
        page.circle((x1 + 2.5 + x, y1 + 22 + y), 2.3, width=page.style.pen, ink=page.style.faint)


def _desks(page: Page, room: Box) -> None:
    _x1, y1, x2, y2 = room
    for y in (y1, y1 + 34):
        if y + 26 > y2:
            break
        _rectangle(page, (x2 - 30, y, x2, y + 13))
        _oval(page, (x2 - 15, y + 19), 9, 8)


def _stairs(page: Page, room: Box) -> None:
    x1, y1, x2, y2 = room
    high, steps = min(24.0, y2 - y1), int((x2 - x1) / 5)
    for i in range(steps + 1):
        page.stroke([(x1 + 5 * i, y1), (x1 + 5 * i, y1 + high)])
    page.stroke([(x1, y1 + high), (x1 + 5 * steps, y1 + high)])
    y = y1 + high / 2
    page.stroke([(x1 + 3, y), (x1 + 5 * steps - 4, y)])
    arrow(page, (x1 + 5 * steps - 2, y), (1, 0), 6)
    page.label((x1 + 8, y + high / 2 + 6), page.pick(("UP", "DN")))


def _table(page: Page, room: Box) -> None:
    x, y = (room[0] + room[2]) / 2, (room[1] + room[3]) / 2
    _rectangle(page, (x - 22, y - 8, x + 22, y + 8))
    for dx in (-14, 0, 14):
        for dy in (-13, 13):
            _oval(page, (x + dx, y + dy), 8, 7)


def _ceiling(page: Page, room: Box) -> None:
    """A suspended ceiling with lights."""
    x1, y1, x2, y2 = room
    step = 11.0
    columns, rows = int((x2 - x1) / step), int((y2 - y1) / step)
    for i in range(columns + 1):
        page.fainter([(x1 + step * i, y1), (x1 + step * i, y1 + step * rows)])
    for i in range(rows + 1):
        page.fainter([(x1, y1 + step * i), (x1 + step * columns, y1 + step * i)])
    for i in range(1, columns - 1, 3):
        for j in range(1, rows, 3):
            x, y = x1 + step * i, y1 + step * j
            page.stroke(corners((x, y, x + 2 * step, y + step)), closed=True)
            page.fainter([(x, y), (x + 2 * step, y + step)])
