"""Two at work on data/review: whoever comes second is told, and what was said to be saved is never lost."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from stages.base.errors import UserError
from stages.dataset.sheets.manifest import read_manifest
from stages.dataset.sheets.split_folder import DATASET
from stages.iteration import advance as crossing
from stages.picking.packet import PACKET, read_packet
from stages.project.repository import transaction
from stages.review.kept.kept_review import REVIEW, read_review
from stages.review.kept.review_lock import reviewing as held
from stages.review.page.desk import Desk, Refused
from stages.review.review_import import import_review
from stages.review.review_status import status_lines
from tests.fake_project import REPO
from tests.review import exports as e
from tests.review.page_asking import Browser, sent
from tests.review.page_project import kill, serve
from tests.reviews import review_packet

pytestmark = pytest.mark.slow
Projects = Callable[[], Path]
BUSY = "data/review: expected no other yoloop command at work on it, found one that takes the review in, or adds to it."


def test_a_save_while_advance_takes_the_review_in_is_refused(
    reviewing: Projects, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page is a process of its own; it saves whenever `advance` puts something into DVC's cache."""
    root = reviewing()
    review_packet(root)
    process, url = serve(root)
    try:
        browser = Browser(url)
        body = sent(browser, boxes=[], status="reviewed")
        answers = []

        def meanwhile(project: Path, staged: Path) -> bytes:
            answers.append(browser.ask("PUT", "/api/sheets/1", body)[:2])
            return transaction.stage_dvc(project, staged)

        monkeypatch.setattr(crossing, "stage_dvc", meanwhile)
        crossing.advance(root, reviewer="page")
        assert len(answers) >= 3
        assert all(status == 500 and said["error"].startswith(BUSY) for status, said in answers), answers
        status, said, _ = browser.ask("PUT", "/api/sheets/1", body)
        assert (status, said["gone"]) == (410, True)
    finally:
        kill(process)
    assert "p1.jpg" in [row.image_id for row in read_manifest(root / DATASET / "train/manifest.csv")]
    assert (root / DATASET / "train/labels/p1.txt").read_text() != ""
    assert not (root / REVIEW).exists()


def test_a_save_after_a_refused_advance_is_taken(reviewing: Projects) -> None:
    root = reviewing()
    review_packet(root, {})
    with pytest.raises(UserError, match="3 that are not"):
        crossing.advance(root, reviewer="page")
    process, url = serve(root)
    try:
        browser = Browser(url)
        assert browser.ask("PUT", "/api/sheets/1", sent(browser, status="reviewed"))[0] == 200
    finally:
        kill(process)
    assert [sheet.image_id for sheet in read_review(root / REVIEW).reviewed] == ["p1.jpg"]


def test_nothing_is_saved_into_a_review_that_a_killed_advance_takes_away(
    reviewing: Projects, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = reviewing()
    review_packet(root)
    desk = Desk(root, read_packet(root / PACKET))
    body = b'{"packet": "%s", "revision": "%s", "status": "reviewed", "seconds": 1, "boxes": []}'
    body %= (desk.packet.packet_id.encode(), desk.sheet(1)["revision"].encode())

    def killed(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(transaction, "_follow", killed)
        with pytest.raises(SystemExit):
            crossing.advance(root, reviewer="page")
    with pytest.raises(UserError, match=r"expected no unfinished command, found one\. Run `yoloop status`\."):
        desk.save(1, body)
    assert "it is finished now" in (transaction.recover(root) or "")
    with pytest.raises(Refused, match="The project has gone on"):
        desk.save(1, body)


def test_an_import_is_refused_while_another_command_is_at_work_on_the_review(
    reviewing: Projects, tmp_path: Path
) -> None:
    root = reviewing()
    export = e.yolo(tmp_path / "EXPORT", e.done(read_packet(root / PACKET)))
    command = [sys.executable, "-m", "stages.loop", "review", "import", str(export)]
    with held(root):
        refused = subprocess.run(
            command, check=False, cwd=root, env={**os.environ, "PYTHONPATH": str(REPO)}, capture_output=True, text=True
        )
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert refused.stderr.startswith(f"error: {BUSY}")
    assert not (root / REVIEW).exists()
    import_review(root, export, say=str)
    assert len(read_review(root / REVIEW).reviewed) == 3


def test_a_review_that_goes_from_a_tool_to_the_page_names_both(reviewing: Projects, tmp_path: Path) -> None:
    root = reviewing()
    import_review(root, e.put(tmp_path / "x.json", e.label_studio(read_packet(root / PACKET))), say=str)
    process, url = serve(root)
    try:
        browser = Browser(url)
        for order in (2, 3):
            changed = sent(browser, order=order, boxes=[], status="reviewed")
            assert browser.ask("PUT", f"/api/sheets/{order}", changed)[0] == 200
    finally:
        kill(process)
    assert any("3 of 3 sheets, with label-studio and on the page" in line for line in status_lines(root))
