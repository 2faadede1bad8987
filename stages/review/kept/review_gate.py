"""The gate of `yoloop advance`: which review is taken in, and what it must be for that."""

from pathlib import Path

from stages.base.errors import problem
from stages.dataset.sheets.split_folder import DATASET, sheets_in
from stages.picking.packet import PACKET, Packet, read_packet
from stages.review.kept.auto_reviewer import auto_review
from stages.review.kept.kept_review import HEAD, REVIEW, Review, read_review, review_folder
from stages.review.kept.oracle import read_oracle
from stages.review.kept.reviewers import BY_HAND, Reviewer
from stages.wording.quantities import some


def take_review(root: Path, packet: Packet, reviewer: Reviewer, *, confidence: float, partial: bool) -> Review:
    """Return the review of `packet` by `reviewer`, with at least one sheet that is done.

    `confidence` is from where `auto` takes detections. `partial`: sheets that are not done may stay in the pool. Raises
    `UserError` for no review, one of another packet, and one that is not complete.
    """
    if not packet.sheets:
        raise problem("review_gate.sheets_review", root / PACKET, pool_size=pool_size(root))
    if reviewer == "oracle":
        return read_oracle(packet, root)
    if reviewer == "auto":
        review = auto_review(root, packet, confidence=confidence)
        if not review.reviewed:
            sheets = len(packet.sheets)
            raise problem("review_gate.sheet_detection_confidence", root / PACKET, confidence=confidence, sheets=sheets)
        return review
    review = read_review(root / REVIEW)
    require_of_packet(root, review, packet)
    _require_complete(root, review, packet, partial=partial or review.partial)
    return review


def all_reviewed(root: Path) -> bool:
    """Say whether each sheet of the packet that waits is reviewed; raise `UserError` for a damaged review."""
    if not (root / REVIEW).is_dir():
        return False
    packet, review = read_packet(root / PACKET), read_review(root / REVIEW)
    return bool(packet.sheets) and review.packet_id == packet.packet_id and not still_open(review, packet)


def require_of_packet(root: Path, review: Review, packet: Packet) -> None:
    """Raise `UserError` unless `review` is one of `packet`, sheet by sheet."""
    folder = review_folder(root, packet)
    if review.packet_id != packet.packet_id:
        raise problem(
            "review_gate.review_packet_iteration",
            folder / HEAD,
            packet_id=packet.packet_id,
            iteration=packet.iteration,
            packet_id_2=review.packet_id,
            iteration_2=review.iteration,
            review=folder.relative_to(root),
        )
    listed = {sheet.image_id: sheet.sha256 for sheet in packet.sheets}
    for sheet in review.sheets:
        if listed.get(sheet.image_id) != sheet.sha256:
            raise problem(
                "review_gate.sheets_packet_their",
                folder,
                image_id=sheet.image_id,
                value="with other content" if sheet.image_id in listed else "which is not in it",
            )


def still_open(review: Review, packet: Packet) -> list[str]:
    """Return the sheets of `packet` that are not reviewed, in its order."""
    done = {sheet.image_id for sheet in review.reviewed}
    return [sheet.image_id for sheet in packet.sheets if sheet.image_id not in done]


def pool_size(root: Path) -> int:
    """Return how many sheets are left in the pool."""
    return len(sheets_in(root / DATASET / "pool"))


def is_by_hand(reviewer: Reviewer) -> bool:
    """Say whether a person reviews, so that the review lies in data/review."""
    return reviewer in BY_HAND


def _require_complete(root: Path, review: Review, packet: Packet, *, partial: bool) -> None:
    rest = still_open(review, packet)
    if not rest or (partial and review.reviewed):
        return
    leave = "; or leave them in the pool: yoloop advance --partial" if review.reviewed else ""
    raise problem(
        "review_gate.all_sheets_packet",
        root / REVIEW,
        number_of_sheets=len(packet.sheets),
        number_of_rest=len(rest),
        some=some(rest),
        leave=leave,
    )
