"""Gives boxes back what a tool rounded away: who did not touch a box must not be taken for somebody who moved it."""

from collections.abc import Sequence

import numpy as np

from stages.picking.packet import Packet
from stages.review.formats.outgoing_boxes import Prelabel, prelabels_of
from stages.review.formats.returned_boxes import ReturnedBox
from stages.review.identity.rounding import Rounded, Rule, find_rule, untouched
from stages.review.identity.sheet_identity import Match


def restored(matches: Sequence[Match], packet: Packet) -> tuple[Match, ...]:
    """Return `matches` with boxes of whole pixels as they were before the tool rounded them, as far as that shows.

    Only of sheets in their own size, all of whose numbers are whole. What is a rounded pre-label has its corners and
    its id; what a person drew is counted from where we count.
    """
    whole = {match.sheet.image_id: prelabels_of(packet, match.sheet) for match in matches if _is_whole(match)}
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
