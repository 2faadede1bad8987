"""From a folder of pictures to the second iteration, with the real stages: nothing but val is labelled at the start."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

from stages.base.tables import with_details
from tests.once import Once
from tests.real_project import Project, fresh, set_params
from tests.toy import CLASSES, write_yolo_folder

pytestmark = pytest.mark.slow
VALUES = {
    "train": {"epochs_baseline": 2, "epochs": 1, "warmup_bias_lr": 0.1},
    "converge": {"max_iterations": 3},
    "sample": {"budget": 3},
}


@pytest.fixture(scope="session")
def started(once: Once) -> Project:
    """A project after three iterations, with what its commands said in `said.json`: never to be changed."""
    folder = once("started_without_labels", start)
    return Project(folder / "project", folder / "home")


def start(folder: Path) -> None:
    """Import pictures, label val in a tool, and let held-back labels answer the packets."""
    project = fresh(folder / "project")
    set_params(project.root, VALUES)
    project.git("commit", "-qam", "values")
    drawn = write_yolo_folder(folder / "source", {"train": 16}, seed=5, hard=True)
    [images] = drawn.rglob("images/train") if (drawn / "images").is_dir() else drawn.rglob("train/images")
    labels = {file.stem: file for file in drawn.rglob("*.txt")}
    flat = shutil.copytree(images, folder / "sheets")
    options = ["--classes", ",".join(CLASSES), "--val", "0.25", "--target", "yoloe-26n.yaml", "--keep-params"]
    said = {"import": project.yoloop("data", "import", str(flat), *options).stdout}
    said["refused"] = project.yoloop("run", code=2).stderr
    said["dry"] = project.yoloop("run", "--dry-run", code=2).stderr
    for stage in ("train", "predict"):
        project.stage(stage)
    said["validate"] = project.stage("validate", code=2).stderr
    said["status"] = project.yoloop("status").stdout
    export = folder / "export"
    said["export"] = project.yoloop("review", "export", "--split", "val", "--to", "yolo", "--out", str(export)).stdout
    for label in export.rglob("*.txt"):
        if label.stem in labels:
            shutil.copy(labels[label.stem], label)
    said["taken"] = project.yoloop("review", "import", "--split", "val", str(export), "--all-reviewed").stdout
    held = project.root / "data/oracle/labels"
    held.mkdir(parents=True)
    for label in labels.values():
        shutil.copy(label, held)
    said["run"] = project.yoloop("run", "--review", "oracle").stdout
    (folder / "project/said.json").write_text(json.dumps(said))


@pytest.fixture
def said(started: Project) -> dict[str, str]:
    found: dict[str, str] = json.loads((started.root / "said.json").read_text())
    return found


def metrics(project: Project, rev: str, stage: str) -> dict:
    return with_details(json.loads(project.git("show", f"{rev}:metrics/{stage}.json")))


def test_nothing_runs_before_val_is_labelled(said):
    assert "yoloop review open --split val" in said["import"].splitlines()[-1]
    assert "val is not labelled: 4 of 4 sheets. Next: yoloop review open --split val" in said["refused"]
    assert "expected val to be labelled, found 4 of 4 sheets without labels" in said["dry"]
    assert "Label them: yoloop review open --split val" in said["validate"]
    assert "val is not labelled: 4 of 4 sheets" in said["status"]
    for name in ("refused", "dry", "validate"):
        assert len(said[name].strip().splitlines()) == 1 or "Traceback" not in said[name]


def test_val_is_labelled_apart_and_from_nothing(started, said):
    """Predictions on val lay there already; what went out had none of them."""
    assert "val is labelled: 4 sheets" in said["taken"]
    assert "Tag dataset-v0." in said["taken"]
    changed = started.git("diff", "--name-only", "dataset-unlabelled", "dataset-v0").split()
    assert changed == ["data/dataset.dvc"]
    val = pd.read_csv(started.root / "data/dataset/val/manifest.csv")
    assert set(val["label_source"]) == {"person"}


def test_iteration_0_is_told_and_learns_nothing(started):
    train, validate = (metrics(started, "iteration-0", stage) for stage in ("train", "validate"))
    assert (train["start"], train["epochs_run"], train["images"]) == ("zero-shot", 0, 0)
    assert validate["train_f1"] is None
    assert [one["labelled"] for one in validate["splits"]] == [4, 0, 0]
    assert metrics(started, "iteration-0", "converge")["verdict"] == "go on"


def test_the_first_packet_says_why_coverage_picked_it(started, said):
    first, second = (metrics(started, f"iteration-{i}", "sample") for i in range(2))
    assert first["strategy"] == "coverage"
    assert "no label has taught the model anything yet" in first["strategy_because"]
    assert (second["strategy"], second["strategy_because"]) == ("earned", None)
    assert "coverage picked in place of earned, since no label" in said["run"]


def test_iteration_1_is_the_first_that_learns(started):
    first, second = (metrics(started, f"iteration-{i}", "train") for i in (1, 2))
    assert (first["start"], first["epochs_run"], first["lr"]) == ("parent", 2, 0.001)
    assert (second["start"], second["epochs_run"], second["lr"]) == ("parent", 1, 0.0005)
    assert second["images"] > first["images"] > 0


def test_the_project_is_as_any_other(started):
    assert started.git("tag").split() == [
        "dataset-unlabelled",
        "dataset-v0",
        "dataset-v1",
        "dataset-v2",
        "iteration-0",
        "iteration-1",
        "iteration-2",
    ]
    assert started.git("status", "--porcelain") == "?? said.json\n"
    assert "Running stage" not in started.dvc("repro")
    history = pd.read_csv(started.root / "plots/converge/history.csv")
    assert history["train_images"].tolist()[0] == 0
    assert history["train_f1"].isna().tolist()[0]
    assert sorted(file.name for file in (started.root / "reports").glob("*.html"))[0] == "iteration_00.html"
    for command in (("status",), ("prompts", "history"), ("report", "0"), ("data", "check"), ("plots",)):
        assert started.yoloop(*command).returncode == 0
    page = (started.root / "reports/iteration_00.html").read_text()
    assert "Traceback" not in page
    params = yaml.safe_load(started.git("show", "iteration-1:params.yaml"))
    assert params["train"]["baseline"] == "zero-shot"
