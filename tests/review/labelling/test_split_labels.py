"""Val is labelled from nothing, as a whole, apart from the pool, and becomes part of the dataset in one step."""

import json
import shutil
import signal
import threading
from pathlib import Path

import pandas as pd
import pytest

from stages.base.errors import UserError
from stages.dataset.sheets.manifest import MANIFEST, manifest_row, read_manifest, write_manifest
from stages.dataset.sheets.split_folder import require_as_listed, sheets_in
from stages.intake.acceptance import accept
from stages.iteration.preflight import preflight
from stages.iteration.run_loop import run_loop
from stages.iteration.status import status_lines
from stages.picking.packet import Packet
from stages.project.preconditions import UNLABELLED
from stages.project.repository.transaction import recover
from stages.review.kept.kept_review import (
    ReviewedBox,
    ReviewedSheet,
    head_of,
    review_folder,
    write_head,
    write_sheet,
)
from stages.review.labelling.label_session import label_split
from stages.review.labelling.split_labels import take_labels
from stages.review.labelling.split_packet import packet_for
from stages.review.packet_export import export_review
from stages.review.page.desk import Desk, Refused
from stages.review.review_import import import_review
from stages.review.review_status import status_lines as review_status
from tests import fake_project
from tests.fake_project import dvc, sh
from tests.killing import run_killed
from tests.once import Once
from tests.review.exports import done, yolo
from tests.review.page_asking import Browser, sent

pytestmark = pytest.mark.slow
BOX = (ReviewedBox("elevation", 24, 24, 40, 40),)
ROW = "1 0.500000 0.500000 0.250000 0.250000\n"


@pytest.fixture(scope="session")
def unlabelled(once: Once) -> Path:
    """A project at its start, val and test of which wait for labels: never to be changed."""

    def build(folder: Path) -> None:
        root = folder / "project"
        fake_project.build(root)
        for split in ("val", "test"):
            place = root / "data/dataset" / split
            shutil.rmtree(place / "labels")
            rows = [
                manifest_row(one.image, one.label, added_iteration=0, label_source="none") for one in sheets_in(place)
            ]
            write_manifest(rows, place / MANIFEST)
        dvc(root, "add", "-q", "data/dataset")
        sh(root, "git", "commit", "-qam", "nobody has labelled anything")
        sh(root, "git", "tag", "-d", "dataset-v0")
        sh(root, "git", "tag", UNLABELLED)

    return once("unlabelled", build) / "project"


@pytest.fixture
def root(unlabelled: Path, clean_env: None, tmp_path: Path) -> Path:
    return Path(shutil.copytree(unlabelled, tmp_path / "project", symlinks=True))


def label(root: Path, packet: Packet, *, left: int = 0) -> None:
    """Label the packet as a person would, but for the last `left` sheets."""
    folder = review_folder(root, packet)
    write_head(head_of(packet, source="page"), folder)
    for sheet in packet.sheets[: len(packet.sheets) - left]:
        write_sheet(ReviewedSheet(sheet.image_id, sheet.sha256, "reviewed", 30.0, BOX), folder, order=sheet.order)


def snapshot(root: Path) -> dict[str, bytes]:
    """Return what Git and DVC hold of the dataset, and the person's labels."""
    files = [*root.glob("data/dataset/**/*"), *root.glob("data/review*/**/*"), root / "data/dataset.dvc"]
    return {str(file.relative_to(root)): file.read_bytes() for file in files if file.is_file()}


def test_val_goes_out_bare_whatever_was_predicted_on_it(root):
    """Detections lie there, as a run by hand leaves them; none of them is shown."""
    (root / "data/predict").mkdir(exist_ok=True)
    seen = pd.DataFrame([{"split": "val", "image_id": "v1.jpg", "class_id": 0, "confidence": 0.9}])
    seen.to_parquet(root / "data/predict/detections.parquet")
    packet = packet_for(root, "val")
    assert [sheet.image_id for sheet in packet.sheets] == ["v1.jpg", "v2.jpg"]
    assert packet.prelabels.empty
    assert packet.focus.empty
    assert {sheet.labels_from for sheet in packet.sheets} == {"none"}
    assert packet_for(root, "val").packet_id == packet.packet_id
    shown = Desk(root, packet).sheet(1)
    assert (shown["boxes"], shown["prelabels"], shown["focus"]) == ([], [], [])
    assert packet_for(root, "test").packet_id != packet.packet_id


def test_the_labels_are_taken_in_one_commit(root):
    packet = packet_for(root, "val")
    label(root, packet)
    before = snapshot(root)
    said = take_labels(root, packet)
    assert said.splitlines()[0] == "val is labelled: 2 sheets, 2 boxes, in 1.0 minutes. Tag dataset-v0."
    assert "val holds no box of detail, title" in said
    assert sh(root, "git", "log", "-1", "--format=%s %D").startswith("Label val: 2 sheets, 2 boxes, by page HEAD")
    assert sh(root, "git", "rev-parse", "dataset-v0") == sh(root, "git", "rev-parse", "HEAD")
    assert sh(root, "git", "status", "--porcelain", "-uall") == ""
    rows = read_manifest(root / "data/dataset/val" / MANIFEST)
    assert [(row.image_id, row.label_source) for row in rows] == [("v1.jpg", "person"), ("v2.jpg", "person")]
    assert (root / "data/dataset/val/labels/v2.txt").read_text() == ROW
    for split in ("train", "val", "test", "pool"):
        require_as_listed(root / "data/dataset" / split)
    after = snapshot(root)
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    assert all(name.startswith(("data/dataset/val/", "data/review_val/", "data/dataset.dvc")) for name in changed)
    assert not (root / "data/review_val").exists()
    assert "up to date" in dvc(root, "status", "data/dataset.dvc")
    assert status_lines(root)[-1] == "next     yoloop run"
    with pytest.raises(UserError, match="expected sheets of val that wait for labels, found none among 2"):
        packet_for(root, "val")


def test_until_val_is_labelled_nothing_runs(root):
    assert status_lines(root)[-2:] == [
        "state    iteration 0: val is not labelled: 2 of 2 sheets",
        "next     yoloop review open --split val",
    ]
    with pytest.raises(UserError, match=r"val is not labelled: 2 of 2 sheets\. Next: yoloop review open --split val"):
        run_loop(root, reviewer="person", say=lambda _: None)
    with pytest.raises(UserError, match="expected val to be labelled, found 2 of 2 sheets without labels"):
        preflight(root, ("train", "predict", "validate", "analyze", "converge", "sample"))


@pytest.mark.parametrize("left", [1, 2])
def test_a_part_of_val_is_no_ruler(root, left):
    packet = packet_for(root, "val")
    label(root, packet, left=left)
    before = snapshot(root)
    with pytest.raises(UserError, match=f"expected labels of all 2 sheets of val, found {left} that are not done"):
        take_labels(root, packet)
    with pytest.raises(Refused, match=f"{left} sheets are not done"):
        Desk(root, packet).finish(json.dumps({"packet": packet.packet_id, "partial": True}).encode())
    assert snapshot(root) == before


def test_what_was_changed_by_hand_is_not_made_official(root):
    packet = packet_for(root, "val")
    label(root, packet)
    (root / "data/dataset/train/labels/t1.txt").write_text("1 0.5 0.5 0.5 0.5\n")
    with pytest.raises(UserError, match=r"data/dataset: expected the dataset as it was committed.*yoloop data accept"):
        take_labels(root, packet)


def test_labels_of_a_finished_iteration_come_too_late(root):
    packet = packet_for(root, "val")
    label(root, packet)
    sh(root, "git", "tag", "iteration-0")
    with pytest.raises(UserError, match="iteration 0: expected one that is not finished"):
        take_labels(root, packet)


def test_test_is_labelled_whenever_and_has_a_tag_of_its_own(root):
    sh(root, "git", "tag", "iteration-0")
    packet = packet_for(root, "test")
    label(root, packet)
    assert "Tag dataset-test." in take_labels(root, packet)
    assert status_lines(root)[1].startswith("dataset  dataset-unlabelled: train 3, val 2, test 1, pool 4 sheets")


def test_labels_written_by_hand_are_accepted_and_tagged(root):
    for name in ("v1", "v2"):
        fake_project.write_files(root / "data/dataset/val/labels", {f"{name}.txt": ROW})
    accept(root)
    assert sh(root, "git", "rev-parse", "dataset-v0") == sh(root, "git", "rev-parse", "HEAD")
    assert status_lines(root)[-1] == "next     yoloop run"


def test_a_tool_brings_labels_of_val_sheet_by_sheet(root, tmp_path):
    said = export_review(root, to="yolo", out=tmp_path / "out", url=None, project=None, say=str, split="val")
    assert "yoloop review import EXPORT --split val" in said
    assert all(not file.read_text() for file in (tmp_path / "out").rglob("v?.txt"))
    sheets = done(packet_for(root, "val"))
    first = import_review(root, yolo(tmp_path / "a", sheets[:1]), partial=True, split="val", say=str)
    assert "1 sheet of it taken into data/review_val" in first
    assert "yoloop review open --split val" in first
    assert "reviewed  1 of 2 sheets" in "\n".join(review_status(root, "val"))
    last = import_review(root, yolo(tmp_path / "b", sheets[1:]), partial=True, split="val", say=str)
    assert "val is labelled: 2 sheets, 2 boxes. Tag dataset-v0." in last
    assert not (root / "data/review").exists()


def test_sheets_of_the_pool_are_no_labels_of_val(root, tmp_path):
    pool = root / "data/dataset/pool/images/p1.jpg"
    sheets = [*done(packet_for(root, "val")), ("p1.jpg", pool.read_bytes(), ROW)]
    with pytest.raises(UserError, match=r"p1\.jpg"):
        import_review(root, yolo(tmp_path / "a", sheets), split="val", say=str)
    assert not (root / "data/review_val").exists()


def test_the_page_labels_val_and_takes_it(root):
    said: list[str] = []

    def say(text: str) -> None:
        said.append(text)
        if text.startswith("Labels of val"):
            threading.Thread(target=person, args=(text.rsplit(maxsplit=1)[-1],)).start()

    def person(url: str) -> None:
        browser = Browser(url)
        box = BOX[0]._asdict()
        for order in (1, 2):
            assert (
                browser.ask("PUT", f"/api/sheets/{order}", sent(browser, order, status="reviewed", boxes=[box]))[0]
                == 200
            )
        packet = browser.ask("GET", "/api/packet")[1]
        assert packet["split"] == "val"
        assert browser.ask("POST", "/api/finish", {"packet": packet["packet"], "partial": False})[0] == 200

    label_split(root, "val", port=0, browser=False, say=say)
    assert "val is labelled: 2 sheets, 2 boxes" in said[-1]
    assert "data/review_val" in "\n".join(said)


def test_a_kill_after_any_dvc_call_leaves_old_or_new(unlabelled: Path, clean_env: None, tmp_path: Path) -> None:
    script = "import sys; from pathlib import Path; from stages.review.labelling.split_packet import packet_for; "
    script += "from stages.review.labelling.split_labels import take_labels; root = Path(sys.argv[1]); "
    script += "take_labels(root, packet_for(root, 'val'))"
    seen = []
    for at in range(1, 9):
        root = Path(shutil.copytree(unlabelled, tmp_path / f"run{at}", symlinks=True))
        label(root, packet_for(root, "val"))
        old = snapshot(root)
        ended = run_killed(script, str(root), fakes=tmp_path / "fakes", at=at)
        if ended == 0:
            break
        assert ended == -signal.SIGKILL
        recover(root)
        seen.append((root / ".git/refs/tags/dataset-v0").exists())
        if not seen[-1]:
            assert snapshot(root) == old
            continue
        assert sh(root, "git", "status", "--porcelain", "-uall") == ""
        assert not (root / "data/review_val").exists()
        assert (root / "data/dataset/val/labels/v1.txt").read_text() == ROW
        assert "up to date" in dvc(root, "status", "data/dataset.dvc")
    assert seen == [False, False, True]  # status, add, checkout


def test_a_project_that_began_is_no_fresh_one(root: Path, tmp_path: Path) -> None:
    from stages.intake.dataset_import import import_data
    from stages.intake.import_source import ImportOptions

    with pytest.raises(UserError, match=UNLABELLED):
        import_data(root, tmp_path, ImportOptions())
