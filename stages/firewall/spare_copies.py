"""Of the copies of one sheet, which one stays where one is enough, and whether their labels agree."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

_FIRST = ("val", "test", "train", "pool")  # what is measured on stays, and what is labelled

Copies = Sequence[tuple[str, ...]]  # sets of names of copies of one sheet
Counts = Mapping[str, NDArray[np.int64]]  # boxes per class (classes,) of each image that is labelled


def spare_copies(role_of: Mapping[str, str], copies: Copies, boxes: Counts) -> dict[str, str]:
    """Return the copies that can go, each with the one of its set that stays.

    That is one of val, else of test, else of train (any split of another name), else of the pool; of these the one with
    the most boxes, and then the first by name. `role_of` names the role, or the split, of an image; others are passed
    over.
    """
    spare: dict[str, str] = {}
    for names in copies:
        known = sorted(name for name in names if name in role_of)
        if known:
            stays = min(known, key=lambda name: (_rank(role_of[name]), -_boxes_of(boxes, name), name))
            spare |= {name: stays for name in known if name != stays}
    return spare


def disagreeing(copies: Copies, boxes: Counts) -> list[tuple[str, ...]]:
    """Return of each set of copies whose numbers of boxes per class differ those that are labelled, sorted."""
    labelled = [tuple(sorted(name for name in names if name in boxes)) for names in copies]
    return [names for names in labelled if len({tuple(boxes[name].tolist()) for name in names}) > 1]


def _rank(role: str) -> int:
    return _FIRST.index(role) if role in _FIRST else _FIRST.index("train")


def _boxes_of(boxes: Counts, name: str) -> int:
    return int(boxes[name].sum()) if name in boxes else 0
