"""What a drawn view offers to the symbols and words that are laid over it later."""

from typing import NamedTuple

from stages.drawing.page import Box, Point


class Aim(NamedTuple):
    """A place for a marker: where its centre may lie, and which way it points from there."""

    at: Point
    direction: str  # up, right, down or left


class Note(NamedTuple):
    """Words with a leader to a point of the drawing."""

    target: Point
    material: str  # a key of NOTES in words.py


class View(NamedTuple):
    """A drawn view; all places in px of the page."""

    kind: str  # a key of VIEWS in words.py, or another word for what never has a title
    box: Box
    joints: list[Point] = []  # noqa: RUF012  what a detail may show
    aims: list[Aim] = []  # noqa: RUF012  where elevation markers may stand
    names: list[tuple[Point, str]] = []  # noqa: RUF012  words to write there if the place stays free
    notes: list[Note] = []  # noqa: RUF012
    tags: list[tuple[Point, str]] = []  # noqa: RUF012  look-alikes to draw there if the place stays free
