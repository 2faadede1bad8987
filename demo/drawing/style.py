"""Drafting styles: what all sheets of one drawing set have in common."""

from typing import NamedTuple

Weights = dict[str, float]  # name of a variant -> how often, relative to the others


class Style(NamedTuple):
    """How an office draws. Lengths are px of the window, greys 0 (black) to 255 (white)."""

    name: str  # the letter that its sheet numbers start with
    lettering: str  # font file of fonts.py, or "" for single strokes
    heading: str  # the same for the names of views
    stretch: float  # letters narrower (< 1) or wider than the font has them
    text: float  # height of capitals in notes
    title: float  # height of capitals in the names of views
    pen: float  # ordinary lines
    cut: float  # lines of what is cut
    bubble: float  # lines of symbols
    radius: float  # of symbols
    ink: int
    faint: int  # ink of what lies behind: furniture, grids
    axis: int  # ink of column lines and their heads
    paper: int
    grain: int  # greatest grey that the scanner adds to or takes from a pixel
    sheet: str  # pattern of sheet numbers: letters, then digits for #
    lettered: bool  # views are called B3 instead of 3
    wall: str  # black, grey, hatch or open
    end: str  # of dimension lines: tick, arrow or dot
    details: Weights
    elevations: Weights
    titles: Weights


STYLES: tuple[Style, ...] = (
    Style(
        "A", "DejaVuSans.ttf", "DejaVuSans.ttf", 0.8, 5.8, 10.2, 0.7, 1.6, 1.1, 15.5, 0, 150, 0, 255, 0, "A-#0#", True,
        "open", "tick",
        {"split": 8, "flag": 2, "plain": 1}, {"pointer": 8, "four": 1.5, "section": 2}, {"bubble": 8, "underlined": 1},
    ),
    Style(
        "B", "", "", 0.85, 5.6, 9.2, 0.8, 1.5, 1.0, 14.5, 25, 140, 120, 250, 4, "A#.#", False, "hatch", "arrow",
        {"split": 6, "double": 1, "square": 1}, {"tip": 7, "diamond": 2, "section": 1},
        {"double": 7, "bubble": 2, "centred": 1},
    ),
    Style(
        "C", "DejaVuSans-Oblique.ttf", "DejaVuSans-Bold.ttf", 0.85, 5.6, 8.7, 0.8, 1.8, 1.2, 14.0, 10, 165, 10, 255, 0,
        "A##", False, "black", "tick",
        {"filled": 7, "split": 2, "capsule": 1}, {"diamond": 7, "pointer": 1, "four": 2},
        {"underlined": 7, "right": 2, "boxed": 1},
    ),
    Style(
        "D", "DejaVuSansMono.ttf", "DejaVuSansMono-Bold.ttf", 0.8, 5.8, 9.2, 0.7, 1.4, 1.0, 16.5, 60, 175, 170, 240, 5,
        "S-#0#", False, "grey", "dot",
        {"split": 7, "flag": 3}, {"section": 6, "pointer": 3, "square": 1}, {"split": 6, "bubble": 2, "underlined": 1},
    ),
    Style(
        "E", "cmss10.ttf", "cmss10.ttf", 0.95, 6.0, 9.7, 0.6, 1.3, 0.9, 15.0, 105, 185, 105, 252, 3, "A-#0#", True,
        "open", "arrow",
        {"split": 7, "plain": 2, "capsule": 1}, {"pointer": 5, "tip": 3, "half": 1}, {"bubble": 5, "centred": 3},
    ),
    Style(
        "F", "", "DejaVuSans-Bold.ttf", 0.9, 5.4, 8.7, 0.8, 1.9, 1.3, 15.0, 0, 135, 90, 246, 4, "A#-#", False,
        "black", "dot",
        {"square": 6, "split": 2, "double": 1}, {"square": 6, "four": 2, "half": 1}, {"boxed": 6, "double": 2},
    ),
    Style(
        "G", "DejaVuSerif.ttf", "DejaVuSerif-Bold.ttf", 0.8, 5.6, 8.7, 0.7, 1.5, 1.0, 14.5, 30, 150, 150, 255, 0, "#/A",
        False, "hatch", "tick",
        {"capsule": 5, "split": 3, "filled": 1}, {"half": 5, "tip": 3, "diamond": 1}, {"right": 6, "centred": 3},
    ),
    Style(
        "H", "DejaVuSans.ttf", "", 0.75, 5.6, 9.7, 0.6, 1.2, 0.9, 16.0, 125, 195, 125, 249, 6, "AE##", False,
        "grey", "arrow",
        {"double": 6, "filled": 2, "split": 1}, {"four": 5, "half": 2, "square": 1},
        {"split": 5, "boxed": 2, "double": 2},
    ),
)  # fmt: skip
