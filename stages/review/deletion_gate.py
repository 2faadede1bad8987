"""Asks before a review is taken in that lost nearly all boxes that went out: a wrong export looks like that."""

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from stages.base.errors import problem
from stages.picking.packet import Packet
from stages.project.location import params_as_run
from stages.review.kept.kept_review import AND, REVIEW, Review
from stages.review.ledger.ledger_files import review_boxes

LEAST = 10  # boxes that went out: of fewer a person may well delete most
SHARE = 0.8  # of them: a wrong export loses nearly all; of what a weak model proposes most is rightly deleted
_PAGE = "page"  # our own: there a person deleted each box that is gone


class Deletions(NamedTuple):
    """How many of the boxes are gone that went out on the sheets of exports."""

    gone: int
    total: int


def many_deletions(boxes: pd.DataFrame, review: Review) -> Deletions | None:
    """Return what is gone where nearly all is, by the ledger `boxes` of `review`; None where more are still there."""
    named = {sheet.image_id: sheet.source or review.source for sheet in review.reviewed}
    exported = [name for name, source in named.items() if _PAGE not in source.split(AND)]
    out = boxes[boxes["image_id"].isin(exported) & (boxes["outcome"] != "added")]
    found = Deletions(int((out["outcome"] == "deleted").sum()), len(out))
    return found if found.total >= LEAST and found.gone > SHARE * found.total else None


def require_few_deletions(root: Path, packet: Packet, review: Review) -> None:
    """Raise `UserError` where nearly all boxes that went out are gone from `review`."""
    params = params_as_run(root, packet.iteration)
    found = many_deletions(review_boxes(packet, review, iou=params["validate"]["iou"]), review)
    if found:
        raise problem("deletion_gate.boxes_left", root / REVIEW, gone=found.gone, total=found.total)
