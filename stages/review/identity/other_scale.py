"""Finds the one factor by which the boxes of an export differ from those that went out: it was written for other sizes.

A tool that halves pictures and writes their old sizes gives boxes that are half of what they were, all four sides of
them; one that mistakes half a size for a size gives boxes around the old centres. A person who resizes boxes gives each
a factor of its own.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.base.boxes import Boxes

LEAST = 10  # boxes that agree: fewer may do so by chance
SHARE = 0.5  # of the boxes that came back on sheets with boxes: below that it is no property of the export
ALIKE = 0.02  # of the factor, or of a length: what rounding leaves of a common factor; hands scatter by more
SAME = 0.05  # off 1: up to here it is the same size, perhaps drawn with more or less of a border around it
_NEAR = 2.0  # px: how far a centre, or a length however large, may be off: a tool rounds once or twice
_NOISE = 1e-3  # px: labels of six decimals are off by so much

AT_CORNER = "all four sides are {factor:.2f} times those of a box that went out"
AT_CENTRE = "width and height are {factor:.2f} times those of a box that went out, around the same centre"


class Sides(NamedTuple):
    """The boxes of a sheet that went out, (n, 4), and those that came back, (m, 4), x1 y1 x2 y2 in px of the sheet.

    `rounded` is by how many px a tool may have moved a side when it wrote it.
    """

    before: Boxes
    after: Boxes
    rounded: float = 0.5


class OtherScale(NamedTuple):
    """The factor, the boxes that agree on it, all that came back on sheets with boxes, and what it is a factor of."""

    factor: float
    boxes: int
    total: int
    rule: str  # AT_CORNER or AT_CENTRE


class _Pairs(NamedTuple):
    """Boxes of which one may be the other in another scale: numbers of both, over all sheets, and the factor."""

    before: NDArray[np.int64]
    after: NDArray[np.int64]
    factor: NDArray[np.float64]


def find_other_scale(sheets: Sequence[Sides]) -> OtherScale | None:
    """Return the scale that most boxes agree on, if there is one, of one rule; None where there is none but 1.

    A box that came back in its size and place explains itself, and no other one: it is in no pair.
    """
    out = [sheet for sheet in sheets if len(sheet.before)]
    total = sum(len(sheet.after) for sheet in out)
    least = max(LEAST, SHARE * total)
    found = []
    for rule in (AT_CORNER, AT_CENTRE):
        factor, boxes = _agreed(_pairs(out, rule))
        if boxes >= least:
            found.append(OtherScale(factor, boxes, total, rule))
    return max(found, key=lambda one: one.boxes, default=None)


def _pairs(sheets: Sequence[Sides], rule: str) -> _Pairs:
    """Return the pairs of all sheets whose factor is over `SAME` from 1."""
    found, first_before, first_after = [], 0, 0
    for sheet in sheets:
        before, after, factor = _pairs_of(sheet, rule)
        found.append((before + first_before, after + first_after, factor))
        first_before, first_after = first_before + len(sheet.before), first_after + len(sheet.after)
    if not found:
        return _Pairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    return _Pairs(*(np.concatenate(column) for column in zip(*found, strict=True)))


def _pairs_of(sheet: Sides, rule: str) -> _Pairs:
    before, after = sheet.before[:, None, :], sheet.after[None, :, :]
    stayed = _all_sides(np.abs(before - after) <= sheet.rounded + _NOISE)
    if rule == AT_CENTRE:
        near = _all_sides(np.abs(_centres(before) - _centres(after)) <= _NEAR)
        before, after = _lengths(before), _lengths(after)
    else:
        near = np.ones(stayed.shape, np.bool_)
    factor = (before * after).sum(axis=2) / np.maximum((before * before).sum(axis=2), 1e-9)
    wanted = factor[..., None] * before
    off = np.clip(ALIKE * np.abs(wanted), sheet.rounded + _NOISE, max(sheet.rounded, _NEAR))
    fits = near & _all_sides(np.abs(after - wanted) <= off) & (np.abs(factor - 1) > SAME)
    fits[stayed.any(axis=1)] = False
    fits[:, stayed.any(axis=0)] = False
    i, j = np.nonzero(fits)
    return _Pairs(i, j, factor[i, j])


def _agreed(pairs: _Pairs) -> tuple[float, int]:
    """Return the factor that most pairs agree on, and how many boxes do; each stands for one alone."""
    if not len(pairs.factor):
        return 1.0, 0
    order = np.argsort(pairs.factor, kind="stable")
    factor = pairs.factor[order]
    ends = np.searchsorted(factor, factor * (1 + ALIKE), side="right")
    start = int(np.argmax(ends - np.arange(len(factor))))
    chosen = order[start : ends[start]]
    boxes = min(len(np.unique(pairs.before[chosen])), len(np.unique(pairs.after[chosen])))
    return float(np.median(pairs.factor[chosen])), boxes


def _all_sides(holds: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray(holds.all(axis=2))


def _centres(boxes: Boxes) -> Boxes:
    return (boxes[..., :2] + boxes[..., 2:]) / 2


def _lengths(boxes: Boxes) -> Boxes:
    return boxes[..., 2:] - boxes[..., :2]
