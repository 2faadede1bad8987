"""Which boxes of whole pixels are boxes that a tool only rounded, and by which rule it did.

Pascal VOC is written in whole pixels by most tools, each of them with a rule of its own, and no file says which. Where
the boxes are known that went into the tool, most of them untouched, the rule shows.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.base.boxes import Boxes

Bools = NDArray[np.bool_]
_NOISE = 1e-3  # px: labels of six decimals are off by so much


class Rule(NamedTuple):
    """How a tool rounds: from how many px below to how many above a corner its whole number may lie.

    `least` is the smallest left and top edge that it writes. `shift` is where its counting begins: what has to be
    taken off corners that a person drew.
    """

    low: tuple[float, float, float, float]
    high: tuple[float, float, float, float]
    shift: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    least: float = 0.0


# The plainest rule first: it wins where several explain as many boxes.
RULES = {
    "to the nearest": Rule((-0.5, -0.5, -0.5, -0.5), (0.5, 0.5, 0.5, 0.5)),
    "decimals cut off": Rule((-1.0, -1.0, -1.0, -1.0), (0.0, 0.0, 0.0, 0.0)),
    "decimals cut off, from 1 on (labelImg)": Rule((-1.0, -1.0, -1.0, -1.0), (0.0, 0.0, 0.0, 0.0), least=1.0),
    "corner and size cut off (Label Studio)": Rule((-1.0, -1.0, -2.0, -2.0), (0.0, 0.0, 0.0, 0.0)),
    "pixels from 1, the last one in the box (supervision)": Rule(
        (0.5, 0.5, -0.5, -0.5), (1.5, 1.5, 0.5, 0.5), shift=(1.0, 1.0, 0.0, 0.0)
    ),
    "pixels from 1, all around the box (datumaro)": Rule(
        (0.0, 0.0, 0.0, 0.0), (1.0, 1.0, 1.0, 1.0), shift=(1.0, 1.0, 0.0, 0.0)
    ),
    "corners from 1 (Roboflow)": Rule((0.5, 0.5, 0.5, 0.5), (1.5, 1.5, 1.5, 1.5), shift=(1.0, 1.0, 1.0, 1.0)),
}


class Rounded(NamedTuple):
    """The boxes of one sheet before they went to a tool (n, 4), those that came back (m, 4), which are of one class."""

    before: Boxes
    after: Boxes
    same_class: Bools  # (n, m)


def find_rule(sheets: Sequence[Rounded]) -> Rule:
    """Return the rule that explains most boxes of an export as boxes that were only rounded."""
    counts = {name: sum(len(untouched(sheet, rule)) for sheet in sheets) for name, rule in RULES.items()}
    return RULES[max(counts, key=lambda name: counts[name])]


def untouched(sheet: Rounded, rule: Rule) -> list[tuple[int, int]]:
    """Return which box before (row of `before`) is which box after by `rule`, one to one and as many as possible."""
    from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]

    before = sheet.before.reshape(-1, 1, 4).copy()
    before[..., :2] = np.maximum(before[..., :2], rule.least)
    off = sheet.after.reshape(1, -1, 4) - before
    fits = ((off >= np.array(rule.low) - _NOISE) & (off <= np.array(rule.high) + _NOISE)).all(axis=2) & sheet.same_class
    middle = (np.array(rule.low) + np.array(rule.high)) / 2
    worth = np.where(fits, 100.0 - np.abs(off - middle).sum(axis=2), 0.0)
    chosen = zip(*linear_sum_assignment(worth, maximize=True), strict=True)
    return [(int(i), int(j)) for i, j in chosen if fits[i, j]]
