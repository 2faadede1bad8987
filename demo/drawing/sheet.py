"""One window of a construction drawing, with the boxes of what a detector should find on it."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from demo.drawing.facade import draw_facade
from demo.drawing.overlay import add_callouts, add_markers, add_title, add_words
from demo.drawing.page import CLASSES, Box, Page
from demo.drawing.papers import draw_key, draw_notes, draw_schedule
from demo.drawing.plan import draw_plan
from demo.drawing.roof import draw_roof
from demo.drawing.section import JOINTS, draw_section
from demo.drawing.style import Style
from demo.drawing.views import View

__all__ = ["CLASSES", "DrawnSheet", "draw_sheet"]

SIZES = ((320, 320), (320, 320), (256, 320), (320, 256))  # height, width
SIDEWAYS = 0.08  # share of windows that lie on their side
TITLE_ROOM = 44.0  # px under a view
LAYOUTS = {"plan": 4.0, "facade": 2.0, "section": 2.5, "roof": 1.5, "joints": 4.0, "papers": 1.0}
DRAW: dict[str, Callable[[Page, Box], View]] = {
    "plan": draw_plan, "facade": draw_facade, "section": draw_section, "roof": draw_roof, **JOINTS,
    "schedule": draw_schedule, "notes": draw_notes, "key": draw_key,
}  # fmt: skip


class DrawnSheet(NamedTuple):
    """A window and its labels: classes are places in CLASSES, boxes px with x1 < x2 and y1 < y2 inside it."""

    pixels: NDArray[np.uint8]  # (height, width), grey
    class_id: NDArray[np.int32]  # (n,)
    xyxy: NDArray[np.float64]  # (n, 4)


def draw_sheet(rng: np.random.Generator, style: Style) -> DrawnSheet:
    """Draw a window of at most 320 px per side. Equal generators and styles give equal bits."""
    height, width = SIZES[int(rng.integers(len(SIZES)))]
    page = Page(height, width, style, rng)
    layout = page.variant(LAYOUTS)
    views = {"joints": _joints, "papers": _papers}.get(layout, _single)(page, layout)
    _frame(page)
    for view in views:
        add_title(page, view, TITLE_ROOM)
    add_markers(page, views)
    add_callouts(page, views)
    add_words(page, views)
    return _finished(page)


def _single(page: Page, kind: str) -> list[View]:
    """One view; large ones may reach over the page, and then have no title on it."""
    titled = page.chance(0.75)
    above = page.between(46, 64) if page.chance(0.6) else page.between(10, 20)
    left, right = page.between(30, 60), page.width - page.between(24, 56)
    bottom = page.height - TITLE_ROOM - page.between(14, 40) if titled else page.height - page.between(20, 50)
    if kind != "section" and page.chance(0.55):
        left, right = (-page.between(20, 60), right) if page.chance(0.5) else (left, page.width + page.between(20, 60))
    if kind == "plan" and not titled and page.chance(0.6):
        bottom = page.height + page.between(20, 60)
    if kind in ("section", "facade") and page.chance(0.3):
        above = -page.between(20, 70)
    if kind == "section":
        left, right = page.between(24, 50), page.width * page.between(0.48, 0.6)
    return [DRAW[kind](page, (left, above, right, bottom))]


def _joints(page: Page, _: str) -> list[View]:
    """Two or four views beside and above each other, divided by the sheet's lines."""
    rows = 2 if page.height >= 300 and page.chance(0.7) else 1
    columns = 2 if page.width >= 300 else 1
    wide, high = page.width / columns, page.height / rows
    others = ("key", "schedule") if rows * columns > 2 else ()
    kinds = page.shuffled(("footing", "beam", "jamb", "eave", *others))
    views = []
    for i in range(rows * columns):
        left, top = wide * (i % columns), high * (i // columns)
        kind = "section" if rows == 1 and page.chance(0.5) else kinds[i]
        share = 0.62 if kind not in ("key", "schedule") else 0.9
        box = (
            left + 14,
            top + page.between(14, 24),
            left + wide * share,
            top + high - TITLE_ROOM - page.between(10, 20),
        )
        views.append(DRAW[kind](page, box))
    if page.chance(0.5):
        for x in (wide,) if columns == 2 else ():
            page.thick([(x, 0), (x, page.height)])
        for y in (high,) if rows == 2 else ():
            page.thick([(0, y), (page.width, y)])
    return views


def _papers(page: Page, _: str) -> list[View]:
    """A schedule, a list of notes or a key plan over another one: often a window without any object."""
    half = page.height * page.between(0.45, 0.55)
    kinds = page.shuffled(("schedule", "notes", "key"))[:2]
    views = []
    for kind, top, bottom in zip(kinds, (18.0, half + 12), (half - 40, page.height - 20.0), strict=True):
        left = page.between(16, 40)
        views.append(DRAW[kind](page, (left, top, page.width - page.between(20, 60), bottom)))
    return views


def _frame(page: Page) -> None:
    """Draw the frame of the sheet with its zones at the lower or right side, where nothing else is."""
    across = page.chance(0.6)
    side, other = (page.height, page.width) if across else (page.width, page.height)
    strip = (0.0, side - 16.0, float(other), float(side)) if across else (side - 16.0, 0.0, float(side), float(other))
    if not page.chance(0.35) or page.inked(strip) > 0 or not page.free(strip, margin=0):
        return
    at, zone, step = page.between(20, 90), page.count(0, 5), page.between(90, 130)
    page.thick([(0, side - 14), (other, side - 14)] if across else [(side - 14, 0), (side - 14, other)])
    while at < other - 8:
        page.stroke([(at, side - 14), (at, side)] if across else [(side - 14, at), (side, at)])
        middle = at + step / 2
        if middle < other - 6:
            page.write((middle, side - 7) if across else (side - 7, middle), chr(65 + zone), size=page.style.text * 1.2)
        at, zone = at + step, zone + 1
    page.take(strip)


def _finished(page: Page) -> DrawnSheet:
    """Scan the page: grain, clipped boxes, and perhaps a quarter turn."""
    pixels = page.pixels()
    if page.style.grain:
        grain = page.rng.integers(-page.style.grain, page.style.grain + 1, size=pixels.shape)
        pixels = np.clip(pixels.astype(np.int64) + grain, 0, 255).astype(np.uint8)
    height, width = pixels.shape
    xyxy = np.array([mark.box for mark in page.marks], np.float64).reshape(-1, 4)
    xyxy = np.clip(xyxy, 0, [width, height, width, height])
    if page.chance(SIDEWAYS):  # a quarter turn anticlockwise
        pixels = np.ascontiguousarray(np.rot90(pixels))
        xyxy = np.stack([xyxy[:, 1], width - xyxy[:, 2], xyxy[:, 3], width - xyxy[:, 0]], axis=1)
    class_id = np.array([CLASSES.index(mark.class_name) for mark in page.marks], np.int32)
    return DrawnSheet(pixels, class_id, xyxy)
