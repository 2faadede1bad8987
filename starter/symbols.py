"""Draws the symbols of the vocabulary, each time another way: size, turn, line width, fonts, text."""

import string
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from demo.drawing.canvas import Canvas, Pixels, arc_points
from demo.drawing.fonts import DRAFTING, OTHERS, font
from starter.vocabulary import STRIPS, Symbol

FONTS = (*DRAFTING, *OTHERS)
SCALE = 2  # drawn px per px: coarser than the demo's sheets, and fast
Points = NDArray[np.float64]  # (n, 2), x and y

_SIDES_OF = {"triangle": 3, "pentagon": 5, "hexagon": 6, "octagon": 8}
_OUTLINES = {
    "square": [(-1, -1), (1, -1), (1, 1), (-1, 1)],
    "double square": [(-1, -1), (1, -1), (1, 1), (-1, 1)],
    "diamond": [(0, -1), (1, 0), (0, 1), (-1, 0)],
    "wide box": [(-1, -0.55), (1, -0.55), (1, 0.55), (-1, 0.55)],
    "shield": [(-0.8, -1), (0.8, -1), (0.8, 0.3), (0, 1), (-0.8, 0.3)],
    "arrow": [(-1, -0.3), (0.2, -0.3), (0.2, -0.8), (1, 0), (0.2, 0.8), (0.2, 0.3), (-1, 0.3)],
    "plus sign": [
        *((-0.3, -1), (0.3, -1), (0.3, -0.3), (1, -0.3), (1, 0.3), (0.3, 0.3)),
        *((0.3, 1), (-0.3, 1), (-0.3, 0.3), (-1, 0.3), (-1, -0.3), (-0.3, -0.3)),
    ],
}


def draw_symbol(symbol: Symbol, size: float, rng: np.random.Generator) -> Pixels:
    """Return a picture of `symbol` that is about `size` px large, trimmed to its ink: black on white."""
    side = round(size * 3 + 12) if symbol.frame not in STRIPS else round(size * 6 + 12)
    canvas = Canvas(side, side, scale=SCALE)
    if symbol.frame in STRIPS:
        _strip(canvas, symbol.frame, size, rng)
    else:
        _composed(canvas, symbol, size / 2, rng)
    return trimmed(np.rot90(canvas.pixels(), int(rng.integers(4)) if rng.random() < 0.3 else 0))


def trimmed(pixels: Pixels) -> Pixels:
    """Return the part of a picture that holds ink darker than half."""
    rows, columns = np.flatnonzero((pixels < 200).any(axis=1)), np.flatnonzero((pixels < 200).any(axis=0))
    return pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def some_text(rng: np.random.Generator, low: int = 1, high: int = 3, letters: str = "") -> str:
    """Return a random text of `low` to `high` characters."""
    known = letters or str(rng.choice([string.digits, string.ascii_uppercase, string.digits + string.ascii_uppercase]))
    return "".join(rng.choice(list(known), int(rng.integers(low, high + 1))))


def some_font(rng: np.random.Generator) -> str:
    """Return the name of a font."""
    return str(rng.choice(FONTS))


def outline(frame: str) -> Points:
    """Return the outline of a frame of radius 1 round the origin, (n, 2)."""
    if frame in _OUTLINES:
        return np.array(_OUTLINES[frame], float)
    if frame in _SIDES_OF:
        return _regular(_SIDES_OF[frame])
    return _CURVED.get(frame, _circle)()


def _regular(sides: int) -> Points:
    angles = np.radians(np.arange(sides) * 360 / sides - 90)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _circle() -> Points:
    return arc_points((0, 0), 1.0, 0, 360)


def _star() -> Points:
    turn = np.array([[np.cos(np.pi / 5), np.sin(np.pi / 5)], [-np.sin(np.pi / 5), np.cos(np.pi / 5)]])
    return np.stack([_regular(5), _regular(5) * 0.45 @ turn], axis=1).reshape(-1, 2)


def _pill() -> Points:
    return np.concatenate([arc_points((0.45, 0), 0.55, -90, 90), arc_points((-0.45, 0), 0.55, 90, 270)])


def _cloud() -> Points:
    middles = arc_points((0, 0), 0.75, 0, 315)[::7]
    angles = np.degrees(np.arctan2(middles[:, 1], middles[:, 0]))
    return np.concatenate([arc_points(m, 0.32, a - 100, a + 100) for m, a in zip(middles, angles, strict=True)])


def _half_circle() -> Points:
    return arc_points((0, 0.5), 1.0, 180, 360)


_CURVED = {"star": _star, "pill": _pill, "cloud": _cloud, "half circle": _half_circle}


def _composed(canvas: Canvas, symbol: Symbol, radius: float, rng: np.random.Generator) -> None:
    middle = np.array([canvas.width / 2, canvas.height / 2])
    turn = np.radians(rng.uniform(-180, 180) if rng.random() < 0.15 else 0.0)
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    points = middle + radius * outline(symbol.frame) @ rotation
    width = rng.uniform(0.7, 1.5) * (2.2 if symbol.stroke == "bold" else 1.0) * (radius / 14) ** 0.5
    _side(canvas, symbol.side, middle, radius, width, rng)
    if symbol.stroke == "solid black":
        canvas.polygon(points)
        return
    canvas.polygon(points, ink=255)
    _mark(canvas, symbol, points, middle, radius, rng)
    if symbol.stroke == "dashed":
        for i, point in enumerate(points):
            canvas.dashes(point, points[(i + 1) % len(points)], (radius * 0.3, radius * 0.2), width=width)
    else:
        canvas.polyline(points, width=width, closed=True)
    if symbol.frame.startswith("double"):
        canvas.polyline(middle + (points - middle) * 0.8, width=width, closed=True)


def _mark(
    canvas: Canvas, symbol: Symbol, points: Points, middle: Points, radius: float, rng: np.random.Generator
) -> None:
    """Draw what is inside the frame: fillings first, then bars, then text."""
    low, high = points.min(axis=0), points.max(axis=0)
    face, mark = font(some_font(rng)), symbol.mark
    if mark in ("black half", "black quarter"):
        _black(canvas, points, middle, int(rng.integers(4)), quarter=mark == "black quarter")
    elif mark == "hatching":
        canvas.hatch(points, spacing=radius * rng.uniform(0.22, 0.4), angle=float(rng.choice([45, -45, 0, 90])))
    elif mark == "dot":
        canvas.disc(middle, radius * rng.uniform(0.15, 0.3))
    elif mark == "ring":
        canvas.circle(middle, radius * rng.uniform(0.3, 0.5))
    elif mark == "small square":
        canvas.polyline(middle + radius * 0.35 * outline("square"), closed=True)
    elif mark == "x mark":
        canvas.line(middle - radius * 0.5, middle + radius * 0.5)
        canvas.line(middle + radius * np.array([-0.5, 0.5]), middle + radius * np.array([0.5, -0.5]))
    elif mark == "two rows of text":
        for row in (-0.4, 0.4):
            canvas.text((middle[0], middle[1] + row * radius), some_text(rng, 1, 3), size=radius * 0.4, font=face)
    elif mark in ("number", "letter"):
        letters = string.digits if mark == "number" else string.ascii_uppercase
        text = some_text(rng, 1, 2 if mark == "number" else 1, letters)
        canvas.text(middle, text, size=radius * rng.uniform(0.6, 0.9), font=face)
    if symbol.split in ("horizontal bar", "cross of bars"):
        canvas.line((low[0], middle[1]), (high[0], middle[1]))
    if symbol.split in ("vertical bar", "cross of bars"):
        canvas.line((middle[0], low[1]), (middle[0], high[1]))
    if symbol.split == "diagonal bar":
        canvas.line(middle - radius * 0.65, middle + radius * 0.65)


def _black(canvas: Canvas, points: Points, middle: Points, turn: int, *, quarter: bool) -> None:
    """Fill one half or one quarter of the outline, cut along the axes through its middle."""
    axis, sign = turn % 2, 1 if turn < 2 else -1
    part = points.copy()
    part[:, axis] = sign * np.maximum(sign * part[:, axis], sign * middle[axis])
    if quarter:
        part[:, 1 - axis] = np.maximum(part[:, 1 - axis], middle[1 - axis])
    canvas.polygon(part)


def _side(canvas: Canvas, side: str, middle: Points, radius: float, width: float, rng: np.random.Generator) -> None:
    """Draw what is at the side of the frame, behind it, in one of four directions."""
    angle = np.radians(90.0 * rng.integers(4))
    out, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    tip, foot = middle + out * radius * rng.uniform(1.4, 1.7), middle + out * radius * 0.5
    triangle = np.array([tip, foot + across * radius * 0.85, foot - across * radius * 0.85])
    if side == "filled triangle":
        canvas.polygon(triangle)
    elif side == "open triangle":
        canvas.polyline(triangle, width=width, closed=True)
    elif side in ("tail", "arrowhead"):
        end = middle + out * radius * rng.uniform(1.7, 2.4)
        canvas.line(middle, end, width=width)
        if side == "arrowhead":
            canvas.polygon(
                [end + out * 3, end - out * radius * 0.3 + across * 3, end - out * radius * 0.3 - across * 3]
            )
    elif side == "flag":
        top = middle + out * radius * 1.8
        canvas.line(middle, top, width=width)
        canvas.polygon([top, top - out * radius * 0.5, top - out * radius * 0.25 + across * radius * 0.7])
    elif side == "short bar":
        canvas.line(
            middle + out * radius * 1.3 - across * radius, middle + out * radius * 1.3 + across * radius, width=3
        )
    elif side in ("pair of ticks", "four ticks"):
        for way in (out, -out) if side == "pair of ticks" else (out, -out, across, -across):
            canvas.line(middle + way * radius, middle + way * radius * 1.45, width=width)


def _strip(canvas: Canvas, strip: str, size: float, rng: np.random.Generator) -> None:
    """Draw a symbol that is wider than high; `size` is about a third of its width."""
    middle = np.array([canvas.width / 2, canvas.height / 2])
    if "word" in strip or "number" in strip:
        _words(canvas, strip, middle, size * rng.uniform(0.25, 0.45), rng)
        return
    half = size * rng.uniform(1.0, 1.8)
    high = size * rng.uniform(0.15, 0.3)
    steps = np.linspace(middle[0] - half, middle[0] + half, int(rng.integers(5, 9)))
    if strip.startswith("line with"):
        _ended_line(canvas, strip, middle, half, high)
    elif strip in ("zigzag line", "wavy line"):
        phase = np.linspace(0, 2 * half, 61) / (high * 3)
        wave = np.sin(phase * 2 * np.pi) if strip == "wavy line" else 4 * np.abs(phase % 1 - 0.5) - 1
        x = np.linspace(middle[0] - half, middle[0] + half, 61)
        canvas.polyline(np.stack([x, middle[1] + wave * high], axis=1))
    elif strip in ("strip of hatching", "checkered bar", "ladder"):
        _bar(canvas, strip, middle[1], steps, high)
    else:
        _row(canvas, strip, middle[1], steps, high)


def _ended_line(canvas: Canvas, strip: str, middle: Points, half: float, high: float) -> None:
    along, up = np.array([half, 0.0]), np.array([0.0, high * 0.6])
    canvas.line(middle - along, middle + along)
    for end, way in ((middle - along, 1), (middle + along, -1)):
        if "arrows" in strip:
            foot = end + np.array([way * high * 1.6, 0.0])
            canvas.polygon([end, foot + up, foot - up])
        else:
            canvas.line(end - high, end + high)


def _bar(canvas: Canvas, strip: str, y: float, steps: Points, high: float) -> None:
    def cell(a: float, b: float) -> Points:
        return np.array([(a, y - high), (b, y - high), (b, y + high), (a, y + high)])

    canvas.polyline(cell(steps[0], steps[-1]), closed=True)
    if strip == "strip of hatching":
        canvas.hatch(cell(steps[0], steps[-1]), spacing=high * 0.7)
    for i, (a, b) in enumerate(pairwise(steps)):
        if strip == "ladder":
            canvas.line((a, y - high), (a, y + high))
        elif strip == "checkered bar" and i % 2:
            canvas.polygon(cell(a, b))


def _row(canvas: Canvas, strip: str, y: float, steps: Points, high: float) -> None:
    for x in steps:
        at = np.array([x, y])
        if strip == "row of dots":
            canvas.disc(at, high * 0.6)
        elif strip == "chain of circles":
            canvas.circle(at, (steps[1] - steps[0]) / 2)
        else:
            canvas.polyline(at + high * outline("square" if "squares" in strip else "triangle"), closed=True)


def _words(canvas: Canvas, strip: str, middle: Points, size: float, rng: np.random.Generator) -> None:
    """Draw text, and what is around it."""
    letters = string.ascii_lowercase if "small" in strip else string.ascii_uppercase
    letters = string.digits if "number" in strip else letters
    text = some_text(rng, 4, 9, letters)
    if "dash" in strip:
        text = f"{text[:2]}-{text[2:]}"
    if "brackets" in strip:
        text = f"({text})"
    face, dark = font(some_font(rng)), strip == "word in a black box"
    x1, y1, x2, y2 = canvas.text(middle, text, size=size, font=face)
    pad = size * 0.5
    frame = np.array([(x1 - pad, y1 - pad), (x2 + pad, y1 - pad), (x2 + pad, y2 + pad), (x1 - pad, y2 + pad)])
    if dark:
        canvas.polygon(frame)
        canvas.text(middle, text, size=size, font=face, ink=255)
    elif "frame" in strip:
        canvas.polyline(frame, closed=True)
    elif "struck" in strip:
        canvas.line((x1 - pad, middle[1]), (x2 + pad, middle[1]))
    elif "rows" in strip:
        canvas.text((middle[0], middle[1] + size * 1.8), some_text(rng, 3, 9, letters), size=size, font=face)
    elif "wavy" in strip:
        wave = np.linspace(x1, x2, 61)
        canvas.polyline(np.stack([wave, y2 + size + np.sin(wave / size * 2) * size * 0.3], axis=1))
    elif "after" in strip:
        shape = outline("square" if "square" in strip else "triangle")
        canvas.polyline(np.array([x1 - size * 2, middle[1]]) + size * shape, closed=True)
    elif "arrows" in strip:
        for x, way in ((x1 - size * 2, -1), (x2 + size * 2, 1)):
            canvas.polygon(
                [(x, middle[1]), (x - way * size, middle[1] - size * 0.5), (x - way * size, middle[1] + size * 0.5)]
            )
