"""Stage `train` with real Ultralytics: what was asked is what was done, and nothing that was done is lost."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from stages.base.tables import read_metrics, with_details
from tests import spoil
from tests.forks import REAL
from tests.once import Once
from tests.real_project import Project, build, set_params

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def imported(toy_weights: Path, once: Once) -> Project:
    """A project at the start of iteration 0: to be copied, never changed."""
    counts = {"train": 6, "val": 2, "pool": 2}
    folder = once("imported", lambda folder: build(folder / "project", toy_weights, counts=counts))
    return Project(folder / "project", folder / "home")


@pytest.fixture
def project(imported: Project, tmp_path: Path) -> Project:
    shutil.copytree(imported.root, tmp_path / "project", symlinks=True)
    return Project(tmp_path / "project", imported.root.parent / "home")


def train(project: Project, **changes: object) -> dict:
    set_params(project.root, {"train": changes})
    project.stage("train")
    return read_metrics(project.root / "metrics/train.json")


def test_what_was_asked_is_what_was_done(project):
    used = train(project, optimizer="SGD", base_lr=0.003, freeze=10, epochs_baseline=2, batch=2)
    assert (used["optimizer"], used["lr"], used["batch"], used["imgsz"]) == ("SGD", 0.003, 2, 128)
    assert used["epochs_run"] == 2
    assert used["untouched_tensors"] > 90  # of the ten frozen layers; none without freeze, as the other tests see
    assert used["resumed"] is False
    assert used["boxes"] > 0


def test_equal_inputs_give_equal_bytes_without_a_clock(project):
    outs = ("models/best.pt", "models/last.pt", "metrics/train.json", "plots/train/results.csv")
    runs = []
    for _ in range(2):
        train(project, epochs_baseline=2)
        runs.append([(project.root / out).read_bytes() for out in outs])
    assert runs[0] == runs[1]
    assert runs[0][0] == runs[0][1]  # select: last
    assert with_details(json.loads(runs[0][2]))["untouched_tensors"] == 0


def test_sheets_in_windows_are_trained_on_seen_and_measured_as_such(project):
    params = project.root / "params.yaml"
    params.write_text(params.read_text().replace("tile: null", "tile: 80"))
    used = train(project, epochs_baseline=1)
    assert used["tile"] == 80
    assert used["windows"] > 3 * used["images"] == 18  # of 128 px: several windows, one of nothing, and the whole
    for stage in ("predict", "validate"):
        project.stage(stage)
    measured = read_metrics(project.root / "metrics/validate.json")
    (statement,) = measured["ruler_statement"]
    assert (statement["tile"], statement["overlap"]) == (80, 40)
    seen = pd.read_parquet(project.root / "data/predict/detections.parquet")
    assert len(seen)
    assert (seen[["x2", "y2"]].max() > 80).all()  # px of the sheet, not of a window
    fates = pd.read_csv(project.root / "data/validate/ledger.csv")
    assert "merge" in fates
    params.write_text(params.read_text().replace("tile: 80", "tile: 63"))
    refused = project.stage("train", code=2)
    assert "params.yaml" in refused.stderr
    assert "expected tile: null" in refused.stderr


def test_a_killed_training_goes_on_from_its_last_checkpoint(project):
    set_params(project.root, {"train": {"epochs_baseline": 12}})
    process = subprocess.Popen(
        [sys.executable, "-m", "stages.train"],
        cwd=project.root,
        env={**project.env, REAL: "1"},  # to be killed as a whole, at once
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while not _epochs(project.root) >= 3 and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    done = _epochs(project.root)
    assert 3 <= done < 12
    project.stage("train")
    used = read_metrics(project.root / "metrics/train.json")
    assert used["resumed"] is True
    assert used["epochs_run"] == 12
    assert pd.read_csv(project.root / "plots/train/results.csv")["epoch"].tolist() == list(range(1, 13))
    assert not list((project.root / ".scratch/train").iterdir())


def _epochs(root: Path) -> int:
    """Return how many epochs the training in progress has written down."""
    files = list((root / ".scratch/train").glob("*/run/results.csv"))
    return len(files[0].read_text().splitlines()) - 1 if files else 0


def test_a_slice_of_train_selects_the_epoch_and_val_is_never_read(project):
    shutil.rmtree(project.root / "data/dataset/val")
    shutil.rmtree(project.root / "data/dataset/pool")
    used = train(project, select="slice", slice=0.34, patience=1, epochs_baseline=4)
    curves = pd.read_csv(project.root / "plots/train/results.csv")
    assert curves["slice_map50_95"].notna().all()
    score = curves.set_index("epoch")["slice_map50_95"]
    assert score[used["best_epoch"]] == score.max()  # of equal ones Ultralytics keeps the last
    assert used["epochs_run"] == len(curves)


def test_adopted_weights_stay_as_they_are(project):
    used = train(project, baseline="adopt")
    parent = (project.root / "models/parent.pt").read_bytes()
    assert (project.root / "models/best.pt").read_bytes() == (project.root / "models/last.pt").read_bytes() == parent
    assert (used["start"], used["epochs_run"]) == ("adopted", 0)


def test_zero_shot_weights_are_told_the_prompts_and_iteration_1_learns_from_them(project):
    told = train(project, baseline="zero-shot")
    assert (told["start"], told["epochs_run"], told["encoder"]) == ("zero-shot", 0, "wordllama")
    assert (project.root / "models/best.pt").read_bytes() == (project.root / "models/last.pt").read_bytes()
    first = (project.root / "models/best.pt").read_bytes()
    assert train(project, baseline="zero-shot") == told
    assert (project.root / "models/best.pt").read_bytes() == first
    project.stage("predict")  # it is a detector of the classes
    shutil.copyfile(project.root / "models/best.pt", project.root / "models/parent.pt")
    history = project.root / "metrics/history.csv"
    columns = history.read_text().strip().split(",")
    history.write_text(",".join(columns) + "\n" + ",".join("0" if one == "iteration" else "" for one in columns) + "\n")
    params = project.root / "params.yaml"
    params.write_text(params.read_text().replace("iteration: 0", "iteration: 1"))
    used = train(project, baseline="zero-shot", epochs_baseline=2, epochs=1, warmup_bias_lr=0.1)
    assert (used["start"], used["epochs_run"], used["lr"]) == ("parent", 2, 0.001)


def test_boxes_are_shown_in_place_of_words(project):
    from stages.detector.model.checkpoint import load_model
    from stages.detector.model.encoders import known_examples

    set_params(project.root, {"train": {"baseline": "zero-shot"}})
    said = project.yoloop("prompts", "examples", "title", "--only").stdout
    assert said.startswith("title: example:")
    project.stage("train")
    project.stage("predict")  # by the vectors that the checkpoint goes with
    told = read_metrics(project.root / "metrics/train.json")
    shown = known_examples(load_model(project.root / "models/best.pt"))
    assert 1 <= len(shown) <= 5
    assert all(text in said for text in shown)
    project.yoloop("prompts", "examples", "detail")  # beside its text
    assert "new, told" not in project.yoloop("prompts", "audit").stdout
    project.stage("train")
    assert read_metrics(project.root / "metrics/train.json")["prompts_sha256"] != told["prompts_sha256"]


def test_only_a_zero_shot_iteration_needs_no_labels(project):
    from stages.dataset.sheets.manifest import write_manifest

    shutil.rmtree(project.root / "data/dataset/train")
    (project.root / "data/dataset/train/images").mkdir(parents=True)
    write_manifest([], project.root / "data/dataset/train/manifest.csv")
    assert train(project, baseline="zero-shot")["images"] == 0
    set_params(project.root, {"train": {"baseline": "train"}})
    refused = project.stage("train", code=2)
    assert "expected sheets to train on, found none" in refused.stderr
    assert "zero-shot" in refused.stderr


def test_a_label_cache_never_lands_in_the_dataset(project):
    before = sorted(str(path) for path in (project.root / "data").rglob("*"))
    train(project)
    assert sorted(str(path) for path in (project.root / "data").rglob("*")) == before
    assert (project.root / "dvc.yaml").read_bytes() == (Path(__file__).parents[2] / "dvc.yaml").read_bytes()


def test_a_jpeg_with_bytes_after_its_end_is_not_rewritten(project):
    """Ultralytics would call it corrupt, and save its own version over the person's sheet."""
    import cv2

    sheet = sorted((project.root / "data/dataset/train/images").iterdir())[0]
    photo = sheet.with_suffix(".jpg")
    assert cv2.imwrite(str(photo), cv2.imread(str(sheet)))
    sheet.unlink()
    photo.write_bytes(photo.read_bytes() + b"scanner footer")
    spoil.list_again(project.root)
    before = photo.read_bytes()
    train(project)
    assert photo.read_bytes() == before
