"""What is laid over views: titles, markers, callouts, then words and look-alikes where there is room left."""

from demo.drawing.details import draw_detail, region, room_for_detail
from demo.drawing.elevations import ONWARD, draw_elevation, room_for_elevation
from demo.drawing.page import Page, Point, around, crosses, grown, union
from demo.drawing.tags import TAGS, arrow, cloud, draw_tag
from demo.drawing.titles import Title, draw_title, plan_title
from demo.drawing.views import Aim, View
from demo.drawing.words import NOTES, PARTS, SCALES, VIEWS, sheet_number

RARELY_TITLED = {"key": 0.35}  # share of these views that have a title; the others have one where there is room
MARKERS = {"0": 0.42, "1": 0.33, "2": 0.25}
LONGEST_LEADER = 110.0  # px to the side
CALLOUTS = {"0": 0.4, "1": 0.36, "2": 0.18, "3": 0.06}


def add_title(page: Page, view: View, room: float) -> None:
    """Write a title under a view if the page has room for it there, `room` px high."""
    if view.kind not in VIEWS or not page.chance(RARELY_TITLED.get(view.kind, 1.0)):
        return
    variant = page.variant(page.style.titles)
    name, scale = page.pick(VIEWS[view.kind]), page.pick(SCALES)
    if page.chance(0.2):
        scale += f"   REF: {sheet_number(page)}"
    longer = name + page.pick(PARTS)
    if not (page.chance(0.4) and _title(page, view, room, plan_title(page, variant, longer, scale), variant)):
        _title(page, view, room, plan_title(page, variant, name, scale), variant)


def _title(page: Page, view: View, room: float, plan: tuple[Title, float, float], variant: str) -> bool:
    """Write a title at the first place that is free under its view; say whether there was one."""
    title, wide, high = plan
    x1, _, x2, y2 = view.box
    middle = (max(x1, 0) + min(x2, page.width)) / 2
    for x in (max(x1, 8.0), middle - wide / 2, 8.0, page.width - wide - 6):
        for y in (y2 + room / 2 + page.between(0, 6), y2 + room * 0.75 + 6, y2 + high / 2 + 6):
            box = (x - 3, y - high / 2, x + wide, y + high / 2)
            if page.free(box, margin=3) and page.inked(box) < 0.01:
                draw_title(page, (x, y), variant, title)
                return True
    return False


def add_markers(page: Page, views: list[View]) -> None:
    """Set elevation markers where views offer places for them."""
    aims = page.shuffled([aim for view in views for aim in view.aims])
    wanted, done = int(page.variant(MARKERS)), 0
    for aim in aims:
        if done >= wanted:
            return
        done += _marker(page, aim)


def _marker(page: Page, aim: Aim) -> bool:
    variant = page.variant(page.style.elevations)
    box = room_for_elevation(page, aim.at, variant)
    if not page.free(box) or page.inked(box) > 0.3:
        return False
    draw_elevation(page, aim.at, variant, aim.direction)
    if variant == "section" and page.chance(0.7):
        _cutting_line(page, aim)
    return True


def _cutting_line(page: Page, aim: Aim) -> None:
    """Draw the line along which a section cuts, from its head on as far as it meets no other symbol."""
    (x, y), (dx, dy) = aim.at, ONWARD[aim.direction]
    start, end = (page.style.radius * 2.3, page.style.radius * 2.3 + page.between(60, 220))
    a, b = (x + dx * start, y + dy * start), (x + dx * end, y + dy * end)
    if not any(crosses(mark.box, a, b) for mark in page.marks[:-1]):
        page.dashes(a, b, (12, 3, 3, 3), width=page.style.bubble, ink=page.style.ink)


def add_callouts(page: Page, views: list[View]) -> None:
    """Set detail callouts near what they show: with a leader to a dashed region, with a leader only, or alone."""
    joints = page.shuffled([joint for view in views for joint in view.joints])
    wanted, done = int(page.variant(CALLOUTS)), 0
    for joint in joints:
        if done >= wanted:
            return
        done += _callout(page, joint)


def _callout(page: Page, joint: Point) -> bool:
    """Draw a callout at the emptiest free place around a joint, if there is one."""
    variant = page.variant(page.style.details)
    reach = page.style.radius * page.between(2.0, 3.0) + 6
    places = []
    for dx, dy in page.shuffled(((1, -1), (-1, -1), (1, 1), (-1, 1), (1, 0), (-1, 0), (0, -1), (0, 1))):
        at = (joint[0] + dx * reach, joint[1] + dy * reach)
        box = room_for_detail(page, at, variant)
        if page.free(box) and page.inked(box) < 0.35:
            places.append((round(page.inked(box), 2), at))
    if not places:
        return False
    at = min(places, key=lambda place: place[0])[1]
    inside = 10 < joint[0] < page.width - 10 and 10 < joint[1] < page.height - 10
    if inside and variant != "flag" and not any(crosses(mark.box, joint, at) for mark in page.marks):
        _lead(page, joint, at)
    draw_detail(page, at, variant)
    return True


def _lead(page: Page, joint: Point, at: Point) -> None:
    """Draw what leads from a callout to its joint; the callout is drawn over its end."""
    s, dx, dy = page.style, at[0] - joint[0], at[1] - joint[1]
    far = float((dx * dx + dy * dy) ** 0.5)
    kind = page.pick(("region", "region", "leader", "alone"))
    if kind == "region":
        half = page.between(11, 17)
        area = around(joint, 2 * half, 2 * half * page.between(0.8, 1.2))
        if page.free(area, margin=-20):
            region(page, area, page.chance(0.5))
            page.line((joint[0] + dx / far * half * 1.1, joint[1] + dy / far * half * 1.1), at, width=s.pen, ink=s.ink)
    elif kind == "leader":
        page.line(joint, at, width=s.pen, ink=s.ink)
        arrow(page, joint, (-dx, -dy), 6)


def add_words(page: Page, views: list[View]) -> None:
    """Write names and notes and draw look-alikes where there is room left."""
    for view in views:
        for at, name in view.names:
            _name(page, at, name)
        said: list[tuple[str, ...]] = []
        for note in page.shuffled(view.notes):
            lines = page.pick([lines for lines in NOTES[note.material] if lines not in said])
            said.append(lines)
            _note(page, view, note.target, lines)
        for at, tag in view.tags:
            draw_tag(page, at, tag)
    for tag in page.shuffled(tuple(TAGS))[: page.count(1, 4)]:
        for _ in range(8):
            if draw_tag(page, (page.between(16, page.width - 16), page.between(16, page.height - 16)), tag):
                break
    if page.chance(0.12):
        at = (page.between(50, page.width - 50), page.between(50, page.height - 50))
        box = around(at, page.between(40, 70), page.between(30, 50))
        if page.free(grown(box, 8)):
            cloud(page, box)
            draw_tag(page, (box[2] + 16, box[1]), "revision")


def _name(page: Page, at: Point, name: str) -> None:
    """Write a room's name near a point, where it covers nothing if possible."""
    wide, high = page.measure(name)
    for dx, dy in ((0, 0), (0, 12), (0, -12), (-10, 0), (10, 0), (0, 22), (0, -22), (-14, 14), (14, -14)):
        place = (at[0] + dx, at[1] + dy)
        if page.inked(around(place, wide + 4, high + 4)) == 0 and page.label(place, name):
            return
    page.label(at, name)


def _note(page: Page, view: View, target: Point, lines: tuple[str, ...]) -> None:
    """Write a note beside its view with a leader to its target, or leave it out."""
    step = page.style.text * 1.7
    wide, high = max(page.measure(line)[0] for line in lines), step * len(lines)
    for x in (view.box[2] + 12, view.box[2] + 30, view.box[0] - wide - 14):
        for dy in (0, -14, 14, -30, 30):
            y = target[1] + dy
            box = (x - 3, y - high / 2, x + wide + 3, y + high / 2)
            right = x > target[0]
            edge, bend = (x - 3, x - 11) if right else (x + wide + 3, x + wide + 11)
            if not page.free(box, margin=-30 if right else 4) or not 4 < y < page.height - 4 or page.inked(box) > 0:
                continue  # at the right, notes may run over the border
            if abs(bend - target[0]) > LONGEST_LEADER or any(crosses(taken, target, (bend, y)) for taken in page.taken):
                continue
            page.stroke([(edge, y), (bend, y), target])
            arrow(page, target, (target[0] - bend, target[1] - y), 5)
            for i, line in enumerate(lines):
                page.write((x, y - high / 2 + step * (i + 0.5)), line, anchor="lm")
            page.take(union([box, (min(edge, bend), y - 1, max(edge, bend), y + 1)]))
            return
