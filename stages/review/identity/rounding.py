"""Gives boxes back what a tool rounded away: who did not touch a box must not be taken for somebody who moved it.

Pascal VOC is written in whole pixels by most tools, each of them with a rule of its own, and no file says which. Where
the boxes are known that went into the tool, most of them untouched, the rule shows.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.base.boxes import Boxes
from stages.review.formats.outgoing_boxes import Prelabel
from stages.review.formats.returned_boxes import ReturnedBox
from stages.review.identity.sheet_identity import Match

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


def restored(matches: Sequence[Match], prelabels: Mapping[str, Sequence[Prelabel]]) -> tuple[Match, ...]:
    """Return `matches` with boxes of whole pixels as they were before the tool rounded them, as far as that shows.

    `prelabels` has the boxes that each sheet started from. Only of sheets in their own size, all of whose numbers are
    whole. What is a rounded pre-label has its corners and its id; what a person drew is counted from where we count.
    """
    whole = {match.sheet.image_id: prelabels[match.sheet.image_id] for match in matches if _is_whole(match)}
    sheets = {name: _rounded(match, whole[name]) for match in matches if (name := match.sheet.image_id) in whole}
    if not sheets:
        return tuple(matches)
    rule = find_rule(list(sheets.values()))
    return tuple(
        _with_decimals(match, sheets[name], whole[name], rule) if (name := match.sheet.image_id) in whole else match
        for match in matches
    )


def _is_whole(match: Match) -> bool:
    boxes, size = match.returned.boxes, (match.sheet.width, match.sheet.height)
    whole = all(float(value).is_integer() for box in boxes for value in box.xyxy)
    return bool(boxes) and whole and match.pixel == 1 and match.returned.frame == size


def _rounded(match: Match, prelabels: Sequence[Prelabel]) -> Rounded:
    boxes = match.returned.boxes
    return Rounded(
        np.array([one[2:6] for one in prelabels], dtype=np.float64).reshape(-1, 4),
        np.array([box.xyxy for box in boxes], dtype=np.float64).reshape(-1, 4),
        np.array([[one.class_name == box.class_name for box in boxes] for one in prelabels], dtype=np.bool_).reshape(
            -1, len(boxes)
        ),
    )


def _with_decimals(match: Match, sheet: Rounded, prelabels: Sequence[Prelabel], rule: Rule) -> Match:
    known = {j: prelabels[i] for i, j in untouched(sheet, rule)}
    boxes = tuple(_box(box, known.get(place), rule) for place, box in enumerate(match.returned.boxes))
    return match._replace(returned=match.returned._replace(boxes=boxes))


def _box(box: ReturnedBox, prelabel: Prelabel | None, rule: Rule) -> ReturnedBox:
    if prelabel is None:
        x1, y1, x2, y2 = (value - by for value, by in zip(box.xyxy, rule.shift, strict=True))
        return box._replace(xyxy=(x1, y1, x2, y2))
    corners = (prelabel.x1, prelabel.y1, prelabel.x2, prelabel.y2)
    return box._replace(xyxy=corners, prelabel=box.prelabel or prelabel.prelabel_id)


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
