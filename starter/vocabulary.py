"""The vocabulary that the starter weights learn: some hundred symbols, composed at random, each with a description.

None of them is what the demo's sheets ask for: no circle with a bar across it, no circle with a filled triangle at its
side, no underlined words.
"""

from typing import NamedTuple

import numpy as np

FRAMES = (
    "circle",
    "double circle",
    "square",
    "double square",
    "diamond",
    "triangle",
    "pentagon",
    "hexagon",
    "octagon",
    "wide box",
    "pill",
    "cloud",
    "star",
    "plus sign",
    "arrow",
    "half circle",
    "shield",
)
ROUND = ("circle", "double circle")
STROKES = ("thin", "bold", "dashed", "solid black")
SPLITS = ("", "horizontal bar", "vertical bar", "cross of bars", "diagonal bar")
MARKS = (
    "",
    "number",
    "letter",
    "two rows of text",
    "dot",
    "ring",
    "small square",
    "black half",
    "black quarter",
    "hatching",
    "x mark",
)
SIDES = (
    "",
    "filled triangle",
    "open triangle",
    "tail",
    "pair of ticks",
    "flag",
    "arrowhead",
    "short bar",
    "four ticks",
)
STRIPS = (
    "word in capitals",
    "word in small letters",
    "long number",
    "number with a dash",
    "word in a frame",
    "word in a black box",
    "word between two arrows",
    "struck out word",
    "word after a square",
    "word after a triangle",
    "two rows of words",
    "word over a wavy line",
    "row of dots",
    "row of squares",
    "row of triangles",
    "zigzag line",
    "wavy line",
    "checkered bar",
    "strip of hatching",
    "line with arrows at both ends",
    "line with ticks at both ends",
    "ladder",
    "chain of circles",
    "word in brackets",
)


class Symbol(NamedTuple):
    """One class of the vocabulary: a frame with what is in it and at its side, or a strip (then the rest is "")."""

    name: str
    prompt: str
    frame: str
    stroke: str = ""
    split: str = ""
    mark: str = ""
    side: str = ""


def vocabulary(count: int, rng: np.random.Generator) -> list[Symbol]:
    """Return `count` different symbols: every strip, and compositions drawn at random."""
    symbols = [Symbol(f"s{i:03d}", strip, strip) for i, strip in enumerate(STRIPS)]
    seen: set[str] = set()
    while len(symbols) < count:
        drawn = _composition(rng)
        prompt = _described(drawn)
        if prompt not in seen and not _asked_for(drawn):
            seen.add(prompt)
            symbols.append(drawn._replace(name=f"s{len(symbols):03d}", prompt=prompt))
    return symbols


def _composition(rng: np.random.Generator) -> Symbol:
    frame, stroke = str(rng.choice(FRAMES)), str(rng.choice(STROKES, p=(0.5, 0.2, 0.15, 0.15)))
    empty = stroke == "solid black" or frame in ("plus sign", "arrow")
    split = "" if empty or rng.random() < 0.5 else str(rng.choice(SPLITS[1:]))
    mark = "" if empty or rng.random() < 0.25 else str(rng.choice(MARKS[1:]))
    side = "" if rng.random() < 0.4 else str(rng.choice(SIDES[1:]))
    return Symbol("", "", frame, stroke, split, mark, side)


def _asked_for(symbol: Symbol) -> bool:
    """Say whether a symbol is one of those that the demo asks for."""
    return symbol.frame in ROUND and (symbol.split == "horizontal bar" or symbol.side == "filled triangle")


def _described(symbol: Symbol) -> str:
    inside = [f"a {part}" for part in (symbol.split, symbol.mark) if part]
    text = f"{symbol.stroke} {symbol.frame}" + (f" with {' and '.join(inside)}" if inside else "")
    return text + (f", a {symbol.side} at its side" if symbol.side else "")
