"""What a training costs, and where its seconds come from: the last one here, if they are its own, or a timed step."""

import json
import os
from pathlib import Path

import pytest

from stages.dataset.sheets.manifest import MANIFEST, manifest_row, write_manifest
from stages.detector.rehearsal.training_cost import Training, cost_lines, duration, last_training, scaled, work_line
from stages.project.yaml_edits import edited
from tests.fake_project import person_params, write_files

TRAINED = {"images": 10, "epochs_run": 5, "batch": 4, "imgsz": 320, "encoder": None, "resumed": False}
VALUES = {
    "train.epochs_baseline": 40,
    "train.epochs": 20,
    "train.batch": 4,
    "train.imgsz": 640,
    "train.baseline": "train",
}
SMALL = Training(sheets=10, epochs=5, batch=4, imgsz=320, prompted=False)


def test_windows_are_counted_where_sheets_are_cut(root):
    import cv2
    import numpy as np

    for image in (root / "data/dataset/train/images").iterdir():
        cv2.imwrite(str(image), np.zeros((100, 300, 3), np.uint8))
    rows = [
        manifest_row(image, root / "none.txt", added_iteration=0, label_source="none")
        for image in (root / "data/dataset/train/images").iterdir()
    ]
    write_manifest(rows, root / "data/dataset/train" / MANIFEST)
    change(root, {"tile": 100})
    line, seconds = cost_lines(root, 0, measured=last_training(root), step=None)
    assert "48 windows and whole sheets x 40 epochs = 1920 images" in line  # one of nothing a sheet, and the sheet
    assert seconds.startswith("[COST] About 2.6 h: ")  # 60 s for 50 images of a quarter of the pixels
    trained = json.dumps({**TRAINED, "windows": 40})
    write_files(root, {"logs/train/seconds.json": '{"seconds": 60}', "metrics/train.json": trained})
    assert last_training(root).training.sheets == 40


def test_images_and_steps():
    assert SMALL.images == 50
    assert SMALL.steps == 15  # 3 a turn: 4 + 4 + 2 sheets
    assert work_line(SMALL) == "10 sheets x 5 epochs = 50 images, in 15 steps of 4, at 320 px"


@pytest.mark.parametrize(
    ("changes", "seconds"),
    [
        ({}, 60),
        ({"sheets": 20}, 120),
        ({"epochs": 1}, 12),
        ({"imgsz": 640}, 240),  # four times the pixels
        ({"prompted": True}, 120),
        ({"batch": 1}, 60),  # the same images
    ],
)
def test_seconds_grow_with_images_pixels_and_prompts(changes, seconds):
    assert scaled(60, measured=SMALL, wanted=SMALL._replace(**changes)) == pytest.approx(seconds)


def test_from_a_prompted_training_nothing_is_doubled():
    prompted = SMALL._replace(prompted=True)
    assert scaled(60, measured=prompted, wanted=prompted) == pytest.approx(60)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "less than 1 s"),
        (1, "1 s"),
        (89, "89 s"),
        (90, "2 min"),
        (600, "10 min"),
        (5399, "90 min"),
        (5400, "1.5 h"),
    ],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with 24 sheets in train, in which a training has just taken 60 seconds."""
    (tmp_path / "params.yaml").write_text(person_params())
    change(tmp_path, {**VALUES, "train.select": "last"})
    train = tmp_path / "data/dataset/train"
    write_files(train / "images", {f"{number}.png": "" for number in range(24)})
    rows = [
        manifest_row(image, train / "none.txt", added_iteration=0, label_source="none")
        for image in (train / "images").iterdir()
    ]
    write_manifest(rows, train / MANIFEST)
    write_files(tmp_path, {"logs/train/seconds.json": '{"seconds": 60}', "metrics/train.json": json.dumps(TRAINED)})
    return tmp_path


def change(root: Path, values: dict[str, object]) -> None:
    (root / "params.yaml").write_text(edited((root / "params.yaml").read_text(), values))


def test_scaled_from_the_last_training(root):
    measured = last_training(root)
    assert measured is not None
    assert (measured.training, measured.seconds) == (Training(10, 5, 4, 320, prompted=False), 60)
    assert cost_lines(root, 0, measured=measured, step=None) == [
        "[COST] Training: 24 sheets x 40 epochs = 960 images, in 240 steps of 4, at 640 px",
        # 60 s x 960 / 50 images x 4 times the pixels = 4608 s
        "[COST] About 77 min: the last training here took 60 s for 50 images at 320 px (logs/train/seconds.json)",
    ]
    first, second = cost_lines(root, 1, measured=measured, step=None)
    assert "24 sheets x 20 epochs = 480 images" in first
    assert second.startswith("[COST] About 77 min: ")  # half the epochs, each step twice as long
    assert second.endswith("; times 2, since text prompts make a step longer")


@pytest.mark.parametrize(
    "changes",
    [{"resumed": True}, {"epochs_run": 0}],
    ids=["resumed", "adopted"],
)
def test_seconds_that_say_nothing_are_not_used(root, changes):
    (root / "metrics/train.json").write_text(json.dumps({**TRAINED, **changes}))
    assert last_training(root) is None


def test_metrics_of_another_training_are_not_used(root):
    """As after `git switch`: the file came out of Git, long after the seconds were written."""
    os.utime(root / "metrics/train.json", (1e9, 1e9))
    assert last_training(root) is None


@pytest.mark.parametrize("missing", ["logs/train/seconds.json", "metrics/train.json"])
def test_without_one_of_the_files_there_is_no_last_training(root, missing):
    (root / missing).unlink()
    assert last_training(root) is None


def test_from_a_timed_step(root):
    lines = cost_lines(root, 1, measured=None, step={"seconds": 0.25, "prompted": False})
    took = "one sheet took 0.25 s forward and backward just now, without reading and augmenting it"
    assert lines[1] == f"[COST] About 4 min: {took}; times 2, since text prompts make a step longer"
    assert "times" not in cost_lines(root, 1, measured=None, step={"seconds": 0.25, "prompted": True})[1]


def test_when_no_step_could_be_timed(root):
    assert cost_lines(root, 0, measured=None, step="out of memory")[1].endswith("is unknown: out of memory")


def test_a_slice_is_held_out_and_adopted_weights_cost_nothing(root):
    change(root, {"train.select": "slice", "train.slice": 0.25})
    line = cost_lines(root, 0, measured=None, step="x")[0]
    assert "18 sheets x 40 epochs" in line
    assert line.endswith("; or less, since it stops after 20 epochs without a better slice")
    change(root, {"train.baseline": "adopt"})
    assert cost_lines(root, 0, measured=None, step=None) == ["[COST] Training: none, the weights are taken as they are"]
    assert len(cost_lines(root, 1, measured=None, step="x")) == 2
