"""An example in place of words: a labelled box of train that shows what a class looks like, `example:SHEET#ROW`."""

from typing import NamedTuple

PREFIX = "example:"


class DrawnExample(NamedTuple):
    """A box that somebody drew."""

    image_id: str  # a sheet of train
    row: int  # of its label file, from 1


def is_example(text: str) -> bool:
    """Return whether a text of a prompt stands for a box."""
    return text.startswith(PREFIX)


def example_of(text: str) -> DrawnExample | None:
    """Return the box that a text stands for; None where it is none, or none that can be read."""
    name, _, row = text.removeprefix(PREFIX).rpartition("#")
    if not is_example(text) or not name or not row.isdecimal() or int(row) < 1:
        return None
    return DrawnExample(name, int(row))


def example_text(example: DrawnExample) -> str:
    """Return how data/prompts.yaml writes an example."""
    return f"{PREFIX}{example.image_id}#{example.row}"
