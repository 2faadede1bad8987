"""A bar that is made of parts, with its key: what became of a number of boxes."""

from collections.abc import Sequence
from typing import NamedTuple

from stages.core.markup import number, text


class Part(NamedTuple):
    """One part of the bar: its colour (a class of page_style.py), its words, what they mean, and how many it is."""

    colour: str
    name: str
    meaning: str
    boxes: int


def stack(parts: Sequence[Part], *, label: str) -> str:
    """Return the parts side by side, each as wide as its share of their sum, and below them what they are."""
    total = sum(part.boxes for part in parts)
    bar = "".join(
        f'<i class="{part.colour}" style="width:{100 * part.boxes / total:.2f}%" '
        f'title="{text(f"{part.name}: {part.boxes}")}"></i>'
        for part in parts
    )
    keys = "".join(
        f'<li title="{text(part.meaning)}"><i class="{part.colour}"></i>{text(part.name)} '
        f'<b>{number(part.boxes)}</b> <span class="soft">{100 * part.boxes / total:.1f}%</span></li>'
        for part in parts
    )
    return f'<div class="stack" role="img" aria-label="{text(label)}">{bar}</div><ul class="fates">{keys}</ul>'
