"""The order in which a reviewer sees the sheets of a packet."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class OrderedSheet(NamedTuple):
    """A sheet of a packet: its group ("" for none), and the rank of its best object; None: it was drawn at random."""

    image_id: str
    group: str
    rank: int | None


def in_order(sheets: Sequence[OrderedSheet], rng: np.random.Generator) -> list[str]:
    """Return the image_ids in the reviewer's order: the most valuable first, the sheets of a group together.

    A group stands where its best sheet would. What was drawn at random stands at a place drawn by `rng`, in its group
    or by itself, so that no place tells what a sheet is.
    """
    blocks: dict[tuple[str, str], list[OrderedSheet]] = {}
    for sheet in sorted(sheets, key=lambda one: (one.rank is None, one.rank or 0, one.image_id)):
        blocks.setdefault((sheet.group, "" if sheet.group else sheet.image_id), []).append(sheet)
    ordered: list[list[str]] = []
    for block in blocks.values():  # those with a picked sheet come first, by rank
        names = [sheet.image_id for sheet in block if sheet.rank is not None]
        by_chance = [sheet.image_id for sheet in block if sheet.rank is None]
        if names:
            for name in by_chance:
                names.insert(int(rng.integers(len(names) + 1)), name)
            ordered.append(names)
        else:
            ordered.insert(int(rng.integers(len(ordered) + 1)), rng.permutation(by_chance).tolist())
    return [name for block in ordered for name in block]
