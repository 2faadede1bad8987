"""What a drawn view offers to the symbols and words that are laid over it later."""

from collections.abc import Sequence
from typing import NamedTuple

from demo.drawing.page import Box, Point


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
    joints: Sequence[Point] = ()  # what a detail may show
    aims: Sequence[Aim] = ()  # where elevation markers may stand
    names: Sequence[tuple[Point, str]] = ()  # words to write there if the place stays free
    notes: Sequence[Note] = ()
    tags: Sequence[tuple[Point, str]] = ()  # look-alikes to draw there if the place stays free
