"""The reviewer `auto`: the model's detections become labels, which are marked for ever; nothing seen proves nothing."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from stages.base.errors import UserError
from stages.base.tables import write_table
from stages.dataset.sheets.manifest import MANIFEST, manifest_row, read_manifest, write_manifest
from stages.iteration.advance import advance
from stages.iteration.finish import finish
from stages.iteration.status import status_lines
from stages.picking.packet import PRELABELS, Packet, PacketSheet
from stages.review.kept.auto_reviewer import WARNING, auto_review
from stages.review.kept.dataset_merge import TakenIn, merge_reviewed
from stages.review.kept.kept_review import ReviewedBox
from stages.ruler.pairing.box_tables import DETECTIONS
from stages.ruler.schemas import IMAGES
from tests.fake_project import REPO, dvc, sh, write_files
from tests.iteration.test_run_loop import in_pipe, replace
from tests.test_loop import one_line, yoloop

CLASSES = ("detail", "elevation", "title")
BOXES = [  # sheet, class_id, confidence, box in px of sheets of 200 x 100
    ("p1.jpg", 0, 0.9, (20, 20, 60, 40)),
    ("p1.jpg", 1, 0.8, (21, 20, 60, 40)),  # on the first one
    ("p1.jpg", 2, 0.5, (100, 50, 140, 90)),
    ("p1.jpg", 2, 0.49, (150, 10, 160, 20)),
    ("p2.jpg", 1, 0.3, (0, 0, 10, 10)),
    ("p3.jpg", 1, 0.6, (0, 0, 20, 10)),
    ("p4.jpg", 0, 0.95, (0, 0, 100, 100)),  # a sheet with labels of its own
]


def write_sheets(root: Path) -> None:
    """Write what `validate` leaves: the four sheets of the pool."""
    sheets = pd.DataFrame({"image_id": ["p1.jpg", "p2.jpg", "p3.jpg", "p4.jpg"]})
    images = sheets.assign(split="pool", width=200, height=100, labelled=sheets["image_id"] == "p4.jpg")
    write_table(images, root / "data/validate/images.parquet", IMAGES)


def write_detections(root: Path) -> None:
    """Write what `predict` leaves: the detections on the sheets of the pool."""
    rows = pd.DataFrame([(*row[:3], *row[3]) for row in BOXES], columns=["image_id", "class_id", "confidence", *"abcd"])
    rows = rows.rename(columns=dict(zip("abcd", ("x1", "y1", "x2", "y2"), strict=True))).assign(split="pool")
    numbered = rows.assign(detection_id=rows.groupby("image_id").cumcount())
    write_table(numbered, root / "data/predict/detections.parquet", DETECTIONS)


def list_pool(root: Path, sources: dict[str, str]) -> None:
    """Write the pool's manifest: who labelled each of its sheets."""
    folder = root / "data/dataset/pool"
    rows = [
        manifest_row(folder / "images" / name, folder / f"labels/{name[:2]}.txt", added_iteration=0, label_source=by)
        for name, by in sources.items()
    ]
    write_manifest(rows, folder / MANIFEST)


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    """Four sheets, one of them with labels."""
    write_sheets(tmp_path)
    write_detections(tmp_path)
    images = {f"images/p{i}.jpg": "pixels" for i in range(1, 5)}
    write_files(tmp_path / "data/dataset/pool", {**images, "labels/p4.txt": "2 0.25 0.25 0.5 0.5\n"})
    list_pool(tmp_path, dict.fromkeys(sorted(Path(name).name for name in images), "none"))
    return tmp_path


def packet(names: list[str]) -> Packet:
    """Return a packet of sheets of 200 x 100 px; p4 starts from its own label."""
    sheets = tuple(
        PacketSheet(place, name, "", 200, 100, "claims" if name == "p4.jpg" else "model", "")
        for place, name in enumerate(names, 1)
    )
    own = [("p4.jpg", "3-1", "title", 0.0, 0.0, 100.0, 50.0, None)]
    prelabels = pd.DataFrame(own, columns=list(PRELABELS)).astype(PRELABELS)
    return Packet(Path(), "abc", 0, CLASSES, 0, "", sheets, prelabels, pd.DataFrame())


PACKET = ["p1.jpg", "p2.jpg", "p4.jpg"]


def test_detections_become_labels_and_what_somebody_drew_stays(pool):
    review = auto_review(pool, packet(PACKET), confidence=0.5)
    assert [sheet.image_id for sheet in review.reviewed] == ["p1.jpg", "p4.jpg"]
    first, own = review.reviewed
    # From the confidence on, and none on a more confident one.
    assert first.boxes == (ReviewedBox("detail", 20, 20, 60, 40), ReviewedBox("title", 100, 50, 140, 90))
    assert own.boxes == (ReviewedBox("title", 0, 0, 100, 50, "3-1"),)
    assert [sheet.image_id for sheet in review.sheets if sheet.status == "unreviewed"] == ["p2.jpg"]


def test_labels_that_somebody_drew_are_not_marked_as_the_models(pool):
    """p4 was imported with labels, p1 without."""
    list_pool(pool, {"p1.jpg": "none", "p2.jpg": "none", "p3.jpg": "none", "p4.jpg": "import"})
    write_manifest([], pool / "data/dataset/train" / MANIFEST)
    sent = packet(PACKET)
    review = auto_review(pool, sent, confidence=0.5)
    merge_reviewed(
        pool / "data/dataset", pool / "next", TakenIn(review.reviewed), sent, iteration=1, label_source="auto"
    )
    found = {row.image_id: row.label_source for row in read_manifest(pool / "next/train" / MANIFEST)}
    assert (found["p1.jpg"], found["p4.jpg"]) == ("auto", "import")
    assert (pool / "next/train/labels/p1.txt").read_text().splitlines() == [
        "0 0.200000 0.300000 0.200000 0.200000",
        "2 0.600000 0.700000 0.200000 0.400000",
    ]


def test_a_sheet_of_train_is_left_as_it_is(pool):
    """Nobody looked at old.jpg a second time, whatever it starts from."""
    sent = packet(PACKET)
    old = sent.sheets[2]._replace(order=4, image_id="old.jpg")
    claims = sent.prelabels.assign(image_id="old.jpg", prelabel_id="4-1")
    both = sent._replace(sheets=(*sent.sheets, old), prelabels=pd.concat([sent.prelabels, claims]))
    review = auto_review(pool, both, confidence=0.5)
    assert [sheet.image_id for sheet in review.reviewed] == ["p1.jpg", "p4.jpg"]


@pytest.mark.parametrize(("confidence", "boxes"), [(0.0, {0: 3, 1: 1}), (0.5, {0: 2}), (0.51, {0: 1}), (0.95, {})])
def test_the_confidence_decides(pool, confidence, boxes):
    review = auto_review(pool, packet(PACKET[:2]), confidence=confidence)
    names = {name: number for number, name in enumerate(PACKET)}
    assert {names[sheet.image_id]: len(sheet.boxes) for sheet in review.reviewed} == boxes


def test_nothing_that_was_not_asked_for(pool):
    found = auto_review(pool, packet(["p3.jpg"]), confidence=0.5)
    assert [sheet.image_id for sheet in found.reviewed] == ["p3.jpg"]


def with_real_tables(root: Path) -> Path:
    """Let `validate` and `predict` of the project leave real tables for the first packet, and finish it."""
    call = "from tests.review.kept.test_auto_reviewer import {0}; {0}(Path())"
    others = 'for name in ("ground_truth", "matches"):'
    marked = f'{call.format("write_sheets")}\n    write("data/validate/run.txt", f"{{N}}")\n    {others}'
    replace(root / "fake_stages.py", 'for name in ("images", "ground_truth", "matches"):', marked)
    seen = next(line for line in (root / "fake_stages.py").read_text().splitlines() if "data/predict/det" in line)
    replace(root / "fake_stages.py", seen.strip(), call.format("write_detections"))
    dvc(root, "repro", "-q", "-f")
    sh(root, "git", "commit", "-qam", "Real tables")
    finish(root)
    return root


@pytest.fixture
def seeing(project: Callable[[], Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose `validate` leaves real tables for the first packet, and which is finished."""
    monkeypatch.setenv("PYTHONPATH", str(REPO))
    return with_real_tables(project())


@pytest.mark.slow
def test_auto_marks_its_labels_for_ever(seeing: Path) -> None:
    done = yoloop(seeing, "advance", "--review", "auto")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(WARNING)
    assert "1 sheet with 2 boxes moved from pool to train" in done.stdout
    assert "Nothing was seen there, which proves nothing, so still in the pool: p2.jpg" in done.stdout
    manifest = seeing / "data/dataset/train/manifest.csv"
    assert ("p1.jpg", 1, "auto") in [row[:3] for row in read_manifest(manifest)]
    said = sh(seeing, "git", "log", "-1", "--format=%s", "dataset-v1").strip()
    assert said == "Start iteration 1 with 1 sheet (labels: the model's own detections from 0.5 on)"
    assert status_lines(seeing)[1].endswith("5 boxes in train; 1 of its sheets labelled by --auto")

    dvc(seeing, "repro", "-q")
    finish(seeing)
    report = json.loads((seeing / "metrics/reports/iteration_01.json").read_text())
    assert report["labels"] == {"import": 3, "auto": 1}
    assert "Labelled by --auto: 1 of the 4 sheets in train." in (seeing / "reports/iteration_01.html").read_text()
    advance(seeing, reviewer="oracle")  # a later merge, by another reviewer
    assert {("p1.jpg", 1, "auto"), ("p2.jpg", 2, "oracle")} <= {row[:3] for row in read_manifest(manifest)}
    assert "1 of its sheets labelled by --auto" in status_lines(seeing)[1]


@pytest.mark.slow
def test_run_auto_warns_and_goes_through_without_a_pause(seeing: Path) -> None:
    done = in_pipe(seeing, "--auto", "--auto-confidence", "0.9")
    assert WARNING in done.stdout
    assert "MANUAL REVIEW" not in done.stdout
    assert "1 sheet with 1 box moved from pool to train" in done.stdout
    assert "detections from 0.9 on" in sh(seeing, "git", "log", "-1", "--format=%s", "dataset-v1")
    # The packet of iteration 1 is p2 and p3, and nothing is seen there with this confidence.
    assert done.returncode == 2
    assert "expected a sheet with a detection of confidence 0.9 or more, found none among 2." in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.slow
def test_the_params_can_say_so_too(seeing: Path) -> None:
    replace(seeing / "params.yaml", "  by: person", "  by: auto")
    replace(seeing / "params.yaml", "auto_confidence: 0.5", "auto_confidence: 0.25")
    advanced = yoloop(seeing, "advance")
    assert "2 sheets with 4 boxes moved" in advanced.stdout, advanced.stderr


@pytest.mark.slow
def test_without_any_detection_nothing_changes(seeing: Path) -> None:
    before = sh(seeing, "git", "show-ref")
    with pytest.raises(UserError, match=r"Lower review\.auto_confidence .* yoloop review open"):
        advance(seeing, reviewer="auto", auto_confidence=0.99)
    assert sh(seeing, "git", "show-ref") == before


@pytest.mark.slow
def test_a_confidence_for_another_reviewer_is_refused(seeing: Path) -> None:
    one_line(yoloop(seeing, "advance", "--review", "oracle", "--auto-confidence", "0.5"), "expected the reviewer auto")
