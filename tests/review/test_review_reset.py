"""A review that is put aside, and brought back."""

from collections.abc import Callable
from pathlib import Path

import pytest

from stages.base.errors import UserError
from stages.picking.packet import PACKET, read_packet
from stages.review.kept.kept_review import REVIEW, ReviewedBox, read_review
from stages.review.review_import import import_review
from stages.review.review_reset import reset_review
from tests.refusal import contents
from tests.review import exports as e
from tests.reviews import review_packet

BOXES = {"p1.jpg": [ReviewedBox("title", 1.0, 2.0, 30.0, 40.0)]}


def test_a_review_is_put_aside_whole_and_another_begins(reviewing: Callable[[], Path], tmp_path: Path) -> None:
    root = reviewing()
    review_packet(root, BOXES)
    before = contents(root / REVIEW)
    said = reset_review(root, "pool")
    packet = read_packet(root / PACKET)
    aside = root / f"exports/review-{packet.packet_id}"
    assert said.splitlines()[0] == f"1 reviewed sheet with 1 box (page): data/review is now {aside.relative_to(root)}"
    assert not (root / REVIEW).exists()
    assert contents(aside) == before

    import_review(root, e.yolo(tmp_path / "EXPORT", e.done(packet)), say=lambda text: None)
    assert "page" not in read_review(root / REVIEW).tools
    reset_review(root, "pool")
    assert sorted(file.name for file in (root / "exports").iterdir()) == [aside.name, f"{aside.name}-2"]
    aside.rename(root / REVIEW)  # as it says
    assert contents(root / REVIEW) == before


def test_without_a_review_there_is_nothing_to_put_aside(reviewing: Callable[[], Path]) -> None:
    root = reviewing()
    before = contents(root)
    with pytest.raises(UserError, match="data/review: expected a review of the packet that waits, found none"):
        reset_review(root, "pool")
    assert contents(root) == before
