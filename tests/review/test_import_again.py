"""Imports over time: one that is killed at any moment, and an export that is offered again an iteration later."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from stages.base.errors import UserError
from stages.iteration.advance import advance
from stages.iteration.finish import finish
from stages.picking.packet import PACKET, read_packet
from stages.review.kept.kept_review import REVIEW, ReviewedBox, read_review
from stages.review.review_import import import_review
from tests import fake_project
from tests.refusal import contents
from tests.review import exports as e
from tests.reviews import review_packet

Projects = Callable[[], Path]


def killed_at(step: int, root: Path, export: Path, **options: bool) -> bool:
    """Import in a process of its own that is killed before it renames a file for the `step`th time; say if it was."""
    child = os.fork()
    if child == 0:
        count = iter(range(step, -1, -1))
        rename = os.replace

        def dying(*args: object, **names: object) -> None:
            if next(count) == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            rename(*args, **names)

        os.replace = os.rename = dying
        try:
            import_review(root, export, say=lambda text: None, **options)
        finally:
            os._exit(0)
    return os.waitpid(child, 0)[1] == signal.SIGKILL


def test_a_kill_at_any_moment_loses_nothing_and_the_next_import_goes_on(reviewing: Projects, tmp_path: Path) -> None:
    """What lay there is there, or kept; each sheet is as it was before or as it is after."""
    root = reviewing()
    page = {name: [ReviewedBox("title", 1.0, 2.0, 30.0, 40.0)] for name in ("p1.jpg", "p2.jpg")}
    review_packet(root, page)
    before = read_review(root / REVIEW)
    export = e.yolo(tmp_path / "EXPORT", e.done(read_packet(root / PACKET)))
    kills = 0
    while killed_at(kills, root, export, replace=True):
        kills += 1
        now = {sheet.image_id: sheet for sheet in read_review(root / REVIEW).sheets}
        kept = [read_review(folder) for folder in (root / ".yoloop").glob("review-*")]
        for sheet in before.sheets:
            assert now[sheet.image_id] == sheet or any(sheet in review.sheets for review in kept)
    assert kills >= 3  # a copy of what was, the head, sheets one by one: the tries before had done some of them
    boxes = {sheet.image_id: [box[:5] for box in sheet.boxes] for sheet in read_review(root / REVIEW).reviewed}
    assert boxes == {name: [("elevation", *e.BOX)] for name in ("p1.jpg", "p2.jpg", "p3.jpg")}
    said = import_review(root, export, say=lambda text: None)
    assert said.startswith("Nothing new: ")


@pytest.mark.slow
def test_an_export_of_the_last_iteration_is_recognised(reviewing: Projects, tmp_path: Path) -> None:
    root = reviewing()
    first = e.done(read_packet(root / PACKET))
    export = e.yolo(tmp_path / "first", first)
    import_review(root, export, say=print)
    advance(root, reviewer="person")
    fake_project.dvc(root, "repro", "-q")
    finish(root)

    packet = read_packet(root / PACKET)
    assert [sheet.image_id for sheet in packet.sheets] == ["p4.jpg"]
    before = contents(root)
    with pytest.raises(UserError) as caught:
        import_review(root, export, say=print)
    assert str(caught.value) == (
        f"{export}: expected sheets of packet {packet.packet_id}, that of iteration 1, found an old export: "
        "p1.jpg, p2.jpg, p3.jpg, in train since the review of iteration 0. "
        "Export what was reviewed since, or send this packet out: yoloop review export --to TOOL"
    )
    assert contents(root) == before

    said = import_review(root, e.yolo(tmp_path / "grown", [*first, *e.done(packet)]), say=print)
    assert "Reviewed before, and passed over: 3 sheets: p1.jpg, p2.jpg, p3.jpg" in said.splitlines()
    assert [sheet.image_id for sheet in read_review(root / REVIEW).reviewed] == ["p4.jpg"]
