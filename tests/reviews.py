"""Reviews a packet as a person would, through the same functions as the page and the importers."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from stages.picking.packet import PACKET, read_packet
from stages.review.kept.kept_review import REVIEW, Review, ReviewedBox, ReviewedSheet, head_of, write_review

CENTRE = (ReviewedBox("elevation", 24, 24, 40, 40),)  # of a fake project's sheets of 64 px


def review_packet(
    root: Path,
    boxes: Mapping[str, Sequence[ReviewedBox]] | None = None,
    *,
    source: str = "page",
    partial: bool = False,
) -> Review:
    """Write into `root` a review of its packet: `boxes` per sheet, the others untouched; None: a box on each."""
    packet = read_packet(root / PACKET)
    drawn = {sheet.image_id: CENTRE for sheet in packet.sheets} if boxes is None else boxes
    sheets = tuple(
        ReviewedSheet(one.image_id, one.sha256, "reviewed", 6.0, tuple(drawn[one.image_id]))
        for one in packet.sheets
        if one.image_id in drawn
    )
    review = Review(*head_of(packet, source=source, partial=partial), sheets=sheets)
    write_review(review, root / REVIEW, packet)
    return review
