"""Pages to learn from: symbols of the vocabulary, strewn over clutter such as drawings have."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from demo.drawing.canvas import Canvas, Pixels
from demo.drawing.fonts import font
from starter.symbols import SCALE, draw_symbol, some_font, some_text
from starter.vocabulary import Symbol

TRIES = 14  # symbols that are tried on a page; those that find no room are left out


class Page(NamedTuple):
    """A page and what is on it."""

    pixels: Pixels  # (side, side), grey
    class_id: NDArray[np.int32]  # (n,)
    xyxy: NDArray[np.float64]  # (n, 4), px


def draw_page(symbols: Sequence[Symbol], side: int, rng: np.random.Generator) -> Page:
    """Return a page of `side` x `side` px with some of `symbols` on it."""
    canvas = Canvas(side, side, scale=SCALE)
    for _ in range(int(rng.integers(0, 9))):
        _clutter(canvas, rng)
    page = canvas.pixels().copy()
    ids: list[int] = []
    boxes: list[tuple[int, int, int, int]] = []
    for _ in range(TRIES):
        class_id = int(rng.integers(len(symbols)))
        patch = draw_symbol(symbols[class_id], float(np.exp(rng.uniform(np.log(13), np.log(64)))), rng)
        place = _place(patch.shape, side, boxes, rng)
        if place is not None:
            _lay(page, patch, place, rng)
            ids.append(class_id)
            boxes.append(place)
    return Page(_aged(page, rng), np.array(ids, np.int32), np.array(boxes, float).reshape(-1, 4))


def _place(
    shape: tuple[int, ...], side: int, taken: Sequence[tuple[int, int, int, int]], rng: np.random.Generator
) -> tuple[int, int, int, int] | None:
    """Return a free place on the page, x1 y1 x2 y2, or None after three tries."""
    height, width = shape
    if max(height, width) > side - 4:
        return None
    for _ in range(3):
        x, y = int(rng.integers(0, side - width)), int(rng.integers(0, side - height))
        if all(x + width < a - 1 or x > c + 1 or y + height < b - 1 or y > d + 1 for a, b, c, d in taken):
            return x, y, x + width, y + height
    return None


def _lay(page: Pixels, patch: Pixels, place: tuple[int, int, int, int], rng: np.random.Generator) -> None:
    """Put a symbol on the page: over what is there, or with the paper round it wiped clean."""
    x1, y1, x2, y2 = place
    if rng.random() < 0.6:
        pad = int(rng.integers(1, 5))
        page[max(0, y1 - pad) : y2 + pad, max(0, x1 - pad) : x2 + pad] = 255
    lighter = int(rng.integers(0, 110)) if rng.random() < 0.4 else 0
    faint = (patch.astype(np.int32) * (255 - lighter) // 255 + lighter).astype(np.uint8)
    page[y1:y2, x1:x2] = np.minimum(page[y1:y2, x1:x2], faint)


def _clutter(canvas: Canvas, rng: np.random.Generator) -> None:
    """Draw one thing of the kind that drawings are full of and nobody labels."""
    kind = int(rng.integers(8))
    ink = int(rng.integers(0, 170))
    a, b = rng.uniform(0, canvas.width, 2), rng.uniform(0, canvas.width, 2)
    if rng.random() < 0.75:
        b[rng.integers(2)] = a[rng.integers(2)]
    if kind == 0:
        canvas.line(a, b, width=rng.uniform(0.5, 3), ink=ink)
    elif kind == 1:
        gap = rng.uniform(2, 8)
        canvas.line(a, b, width=rng.uniform(0.6, 2), ink=ink)
        canvas.line(a + gap, b + gap, width=rng.uniform(0.6, 2), ink=ink)
    elif kind == 2:
        canvas.dashes(a, b, rng.uniform(2, 12, 4).tolist(), width=rng.uniform(0.5, 1.6), ink=ink)
    elif kind == 3:
        low, high = np.minimum(a, b), np.maximum(a, b) + 6
        box = np.array([low, (high[0], low[1]), high, (low[0], high[1])])
        canvas.hatch(box, spacing=rng.uniform(2.5, 8), angle=float(rng.choice([45, -45, 0, 90, 30])), ink=ink)
    elif kind == 4:
        for row in range(int(rng.integers(1, 4))):
            canvas.text(
                (a[0], a[1] + row * 9),
                some_text(rng, 2, 14),
                size=rng.uniform(4, 9),
                font=font(some_font(rng)),
                ink=ink,
            )
    elif kind == 5:
        canvas.arc(a, rng.uniform(10, 90), rng.uniform(0, 360), rng.uniform(90, 500), width=1.0, ink=ink)
    elif kind == 6:
        step = rng.uniform(6, 30)
        for at in np.arange(rng.uniform(0, step), canvas.width, step)[:8]:
            canvas.line((at, a[1]), (at, b[1]), width=0.7, ink=ink)
    else:
        canvas.polyline(rng.uniform(0, canvas.width, (int(rng.integers(3, 7)), 2)), width=rng.uniform(0.6, 2), ink=ink)


def _aged(page: Pixels, rng: np.random.Generator) -> Pixels:
    """Return the page as a scan may show it: fainter, greyer, grainy, and now and then white on black."""
    values = page.astype(np.int32)
    if rng.random() < 0.3:
        values = 255 - (255 - values) * int(rng.integers(45, 100)) // 100
    if rng.random() < 0.3:
        values = values * int(rng.integers(80, 100)) // 100
    if rng.random() < 0.3:
        values = values + rng.integers(-12, 13, values.shape)
    if rng.random() < 0.05:
        values = 255 - values
    return np.clip(values, 0, 255).astype(np.uint8)
