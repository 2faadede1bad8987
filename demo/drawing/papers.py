"""What else is on sheets: schedules, lists of notes, key plans."""

from demo.drawing.page import Box, Page, corners
from demo.drawing.views import View
from demo.drawing.words import GENERAL, HEADINGS, SCHEDULES


def draw_schedule(page: Page, box: Box) -> View:
    """Draw a table with a heading, as far as `box` has room."""
    x1, y1, x2, y2 = box
    row = page.between(12, 15)
    rows = max(3, min(page.count(4, 9), int((y2 - y1) / row)))
    cuts = [0.0, 0.16, *([0.45, 0.72] if x2 - x1 > 130 else [0.55]), 1.0]
    xs = [x1 + (x2 - x1) * cut for cut in cuts]
    bottom = y1 + row * rows
    for i in range(rows + 1):
        page.stroke([(x1, y1 + row * i), (x2, y1 + row * i)])
    page.thick([(x1, y1 + 2 * row), (x2, y1 + 2 * row)])
    for x in xs[1:-1]:
        page.stroke([(x, y1 + row), (x, bottom)])
    page.thick(corners((x1, y1, x2, bottom)), closed=True)
    page.write(((x1 + x2) / 2, y1 + row / 2), page.pick(SCHEDULES), size=page.style.text * 1.2)
    first = page.count(1, 80)
    cells = ("3'-0\"", "PTD.", "WD", "HM", "7'-0\"", "GWB", "ACT", "VCT", "TYPE B", "ALUM.", "-")
    for i in range(1, rows):
        y = y1 + row * (i + 0.5)
        for j, x in enumerate(xs[:-1]):
            text = (
                ("NO." if i == 1 else str(first + i))
                if j == 0
                else page.pick(("TYPE", "SIZE", "FIN.") if i == 1 else cells)
            )
            page.write(((x + xs[j + 1]) / 2, y), text)
    page.take((x1, y1, x2, bottom))
    return View("schedule", (x1, y1, x2, bottom))


def draw_notes(page: Page, box: Box) -> View:
    """Write a numbered list of notes under a heading, as far as `box` has room."""
    x1, y1, x2, y2 = box
    size, step = page.style.text, page.style.text * 2.1
    _, y, right, bottom = page.write((x1, y1), page.pick(HEADINGS), size=size * 1.4, anchor="lt")
    if page.chance(0.6):
        page.stroke([(x1, bottom + 2), (right, bottom + 2)])
    lines = page.shuffled(GENERAL)
    y = bottom + step
    for i in range(max(2, min(len(lines), int((y2 - y) / step)))):
        wide, _ = page.measure(lines[i])
        page.write((x1, y), f"{i + 1}.", anchor="lm")
        _, _, edge, bottom = page.write(
            (x1 + 14, y), lines[i], anchor="lm", size=size * min(1.0, (x2 - x1 - 14) / wide)
        )
        right, y = max(right, edge), y + step
    page.take((x1, y1, right, bottom))
    return View("notes", (x1, y1, right, bottom))


def draw_key(page: Page, box: Box) -> View:
    """Draw a key plan: the parts of the building with one filled."""
    x1, y1, x2, y2 = box
    columns, rows = page.count(3, 4), page.count(2, 3)
    wide, high = min(34.0, (x2 - x1) / columns), min(38.0, (y2 - y1) / rows)
    chosen, letter = page.count(0, columns * rows - 1), page.chance(0.5)
    for i in range(columns * rows):
        a, b = x1 + wide * (i % columns), y1 + high * (i // columns)
        if i == chosen:
            page.polygon(corners((a, b, a + wide, b + high)), ink=page.style.faint)
        page.thick(corners((a, b, a + wide, b + high)), closed=True)
        page.write(
            (a + wide / 2, b + high / 2), chr(65 + i) if letter else f"1{chr(65 + i)}", size=page.style.text * 1.2
        )
        page.write((a + 3, b + 3), str(110 + i), size=page.style.text * 0.8, anchor="lt")
    place = (x1, y1, x1 + wide * columns, y1 + high * rows)
    page.take(place)
    return View("key", place)
