"""What is laid over views: titles, markers, callouts, then words and look-alikes where there is room left."""

from stages.drawing.details import draw_detail, region, room_for_detail
from stages.drawing.elevations import draw_elevation, room_for_elevation
from stages.drawing.page import Page, Point, around, grown, union
from stages.drawing.tags import TAGS, arrow, cloud, draw_tag
from stages.drawing.titles import draw_title, plan_title
from stages.drawing.views import Aim, Note, View
from stages.drawing.words import SCALES, VIEWS

TITLED = {
    "plan": 1.0,
    "roof": 1.0,
    "facade": 1.0,
    "section": 1.0,
    "joint": 0.93,
    "key": 0.35,
    "schedule": 0.0,
    "notes": 0.0,
}
VIEW_NAMES = {"key": "papers"}
MOST_MARKERS, MOST_CALLOUTS = 2, 3


def add_title(page: Page, view: View, kind: str, room: float) -> None:
    """Write a title under a view if the page has room for it there."""
    if not page.chance(TITLED[kind]):
        return
    variant = page.variant(page.style.titles)
    name, scale = page.pick(VIEWS[VIEW_NAMES.get(kind, kind)]), page.pick(SCALES)
    title, wide, high = plan_title(page, variant, name, scale)
    x1, _, x2, y2 = view.box
    middle = (max(x1, 0) + min(x2, page.width)) / 2
    for x in (max(x1, 8.0), middle - wide / 2, 8.0, page.width - wide - 6):
        for y in (y2 + room / 2 + page.between(0, 6), y2 + room * 0.75 + 6, y2 + high / 2 + 6):
            if page.free((x - 3, y - high / 2, x + wide, y + high / 2), margin=3):
                draw_title(page, (x, y), variant, title)
                return


def add_markers(page: Page, views: list[View]) -> None:
    """Set elevation markers where views offer places for them."""
    aims = page.shuffled([aim for view in views for aim in view.aims])
    wanted = page.variant({"0": 0.4, "1": 0.35, "2": 0.25})
    done = 0
    for aim in aims:
        if done >= int(wanted):
            return
        done += _marker(page, aim)


def _marker(page: Page, aim: Aim) -> bool:
    variant = page.variant(page.style.elevations)
    if not page.free(room_for_elevation(page, aim.at, variant)):
        return False
    draw_elevation(page, aim.at, variant, aim.direction)
    return True


def add_callouts(page: Page, views: list[View]) -> None:
    """Set detail callouts near what they show: with a leader to a dashed region, with a leader only, or alone."""
    joints = page.shuffled([joint for view in views for joint in view.joints])
    wanted = int(page.variant({"0": 0.32, "1": 0.36, "2": 0.22, "3": 0.1}))
    done = 0
    for joint in joints:
        if done >= wanted:
            return
        done += _callout(page, joint)


def _callout(page: Page, joint: Point) -> bool:
    variant = page.variant(page.style.details)
    reach = page.style.radius * page.between(2.0, 3.2) + 6
    for dx, dy in page.shuffled(((1, -1), (-1, -1), (1, 1), (-1, 1), (1, 0), (-1, 0), (0, -1), (0, 1))):
        at = (joint[0] + dx * reach, joint[1] + dy * reach)
        if not page.free(room_for_detail(page, at, variant)):
            continue
        inside = 10 < joint[0] < page.width - 10 and 10 < joint[1] < page.height - 10
        if inside and variant != "flag":
            _lead(page, joint, at)
        draw_detail(page, at, variant)
        return True
    return False


def _lead(page: Page, joint: Point, at: Point) -> None:
    """Draw what leads from a callout to its joint; the callout is drawn over its end."""
    s, dx, dy = page.style, at[0] - joint[0], at[1] - joint[1]
    far = float((dx * dx + dy * dy) ** 0.5)
    kind = page.pick(("region", "region", "leader", "alone"))
    if kind == "region":
        half = page.between(11, 17)
        region(page, around(joint, 2 * half, 2 * half * page.between(0.8, 1.2)), page.chance(0.5))
        page.line((joint[0] + dx / far * half * 1.1, joint[1] + dy / far * half * 1.1), at, width=s.pen, ink=s.ink)
    elif kind == "leader":
        page.line(joint, at, width=s.pen, ink=s.ink)
        arrow(page, joint, (-dx, -dy), 6)


def add_words(page: Page, views: list[View]) -> None:
    """Write names and notes and draw look-alikes where there is room left."""
    for view in views:
        for at, name in view.names:
            page.label(at, name)
        for note in view.notes:
            _note(page, view, note)
        for at, tag in view.tags:
            draw_tag(page, at, tag)
    for tag in page.shuffled(tuple(TAGS))[: page.count(1, 4)]:
        for _ in range(6):
            at = (page.between(20, page.width - 20), page.between(20, page.height - 20))
            if draw_tag(page, at, tag):
                break
    if page.chance(0.12):
        at = (page.between(50, page.width - 50), page.between(50, page.height - 50))
        box = around(at, page.between(40, 70), page.between(30, 50))
        if page.free(grown(box, 8)):
            cloud(page, box)


def _note(page: Page, view: View, note: Note) -> None:
    """Write a note beside its view with a leader to its target, or leave it out."""
    _s, step = page.style, page.style.text * 1.7
    sizes = [page.measure(line) for line in note.lines]
    wide, high = max(w for w, _ in sizes), step * len(note.lines)
    for x in (view.box[2] + 12, view.box[2] + 30, view.box[0] - wide - 14):
        for dy in (0, -14, 14, -30, 30):
            y = note.target[1] + dy
            box = (x - 3, y - high / 2, x + wide + 3, y + high / 2)
            if not page.free(box):
                continue
            edge = x - 3 if x > note.target[0] else x + wide + 3
            bend = edge - 8 if x > note.target[0] else edge + 8
            if any(_crosses(mark.box, note.target, (bend, y)) for mark in page.marks):
                continue
            page.stroke([(edge, y), (bend, y), note.target])
            arrow(page, note.target, (note.target[0] - bend, note.target[1] - y), 5)
            for i, line in enumerate(note.lines):
                page.write((x, y - high / 2 + step * (i + 0.5)), line, anchor="lm")
            page.take(union([box]))
            return


def _crosses(box: tuple[float, float, float, float], a: Point, b: Point) -> bool:
    """Say whether a line comes near a box; sampled every 2 px."""
    steps = max(2, int((abs(a[0] - b[0]) + abs(a[1] - b[1])) / 2))
    x1, y1, x2, y2 = grown(box, 2)
    points = ((a[0] + (b[0] - a[0]) * i / steps, a[1] + (b[1] - a[1]) * i / steps) for i in range(steps + 1))
    return any(x1 < x < x2 and y1 < y < y2 for x, y in points)
