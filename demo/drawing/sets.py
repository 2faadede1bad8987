"""Drawing sets: which style each window of each split has, and what it is called."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from demo.drawing.sheet import DrawnSheet, draw_sheet
from demo.drawing.style import STYLES, Style

SPLITS = ("train", "val", "test", "pool")
DEFAULT_COUNTS = {"train": 10, "val": 60, "test": 20, "pool": 72}
KNOWN = 5  # styles that train has; val, test and pool have all
WINDOWS = 4  # of one sheet of paper


class NamedSheet(NamedTuple):
    """A window and the stem of its files, such as A-102_03: the third window of sheet 102 of set A."""

    stem: str
    sheet: DrawnSheet


def draw_set(seed: int, counts: Mapping[str, int]) -> dict[str, list[NamedSheet]]:
    """Draw `counts[split]` windows for each split named in SPLITS; 0 where none is given.

    Stems are unique over all splits. Each window has random numbers of its own, so that a larger count only adds
    windows. Raises KeyError for a split that is not in SPLITS.
    """
    unknown = set(counts) - set(SPLITS)
    if unknown:
        raise KeyError(f"no split is called {', '.join(sorted(unknown))}")
    return {split: [draw_window(seed, split, n) for n in range(counts.get(split, 0))] for split in SPLITS}


def draw_window(seed: int, split: str, number: int) -> NamedSheet:
    """Draw window `number`, from 0, of a split."""
    place = SPLITS.index(split)
    style, stem = style_of(split, number)
    return NamedSheet(stem, draw_sheet(np.random.default_rng([seed, place, number]), style))


def style_of(split: str, number: int) -> tuple[Style, str]:
    """Return the style of window `number` of a split, and its stem: styles take turns."""
    styles = STYLES[:KNOWN] if split == "train" else STYLES
    turn, which = divmod(number, len(styles))
    paper, window = divmod(turn, WINDOWS)
    style = styles[which]
    # The first digit tells the splits apart, so sheets of the same set never share a number between them.
    return style, f"{style.name}-{SPLITS.index(split) + 1}{paper + 1:02d}_{window + 1:02d}"
