"""Classes that come and go in a project with real trainings: YOLO-26 and then YOLOE go on with what they know."""

from pathlib import Path

import pytest
import yaml

from stages.base.tables import read_metrics
from stages.convergence.history.history_file import read_history
from stages.detector.model.checkpoint import class_names, is_promptable, load_model
from stages.detector.training.told_prompts import remembered
from tests.real_project import PROMPTS, Project, build, set_params

pytestmark = pytest.mark.slow


def turn(project: Project) -> None:
    """Run the iteration and finish it."""
    project.dvc("repro", "-q")
    project.yoloop("finish")


@pytest.fixture(scope="module")
def project(toy_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Three iterations: a class renamed and one added before the first, two merged before the second."""
    folder = tmp_path_factory.mktemp("classes")
    project = build(folder / "project", toy_weights, counts={"train": 6, "val": 6, "test": 1, "pool": 9})
    set_params(project.root, {"train": {"epochs": 2}})
    project.git("commit", "-q", "-a", "-m", "Short trainings")
    turn(project)
    project.yoloop("advance", "--review", "oracle")
    project.yoloop("classes", "rename", "detail", "callout")
    said = project.yoloop("classes", "add", "door", "--prompt", "violet hexagon").stdout
    assert "Weights: a fresh row for door; every other class keeps its row." in said
    turn(project)
    project.yoloop("advance", "--review", "oracle")
    said = project.yoloop("classes", "merge", "title", "door", "--into", "bar").stdout
    assert "Weights: all stay; the head is told texts, and each class that stayed keeps its own." in said
    parent = load_model(project.root / "models/parent.pt")
    assert is_promptable(parent)
    assert class_names(parent) == ("callout", "elevation", "bar")
    assert remembered(parent) == {
        "callout": (PROMPTS["detail"],),
        "elevation": (PROMPTS["elevation"],),
        "bar": (PROMPTS["title"], "violet hexagon"),
    }
    turn(project)
    return project


def test_each_iteration_started_from_the_one_before(project):
    starts = [yaml.safe_load(project.git("show", f"iteration-{n}:metrics/train.json")) for n in range(3)]
    found = [(one | (one.get("details") or [{}])[0])["start"] for one in starts]
    assert found == ["baseline", "target, carried: all", "parent"]
    assert class_names(load_model(project.root / "models/best.pt")) == ("callout", "elevation", "bar")


def test_what_was_learned_is_still_there(project):
    """F1 of the classes that stayed does not fall to what new rows would come to."""
    history = read_history(project.root / "plots/converge/history.csv", ("callout", "elevation", "bar"))
    assert history["f1[bar]"].isna().tolist() == [True, True, False]
    assert history["f1[callout]"].notna().all()
    assert history["f1[callout]"].iloc[1] > history["f1[callout]"].iloc[0] - 0.2
    assert history["f1[callout]"].iloc[2] > history["f1[callout]"].iloc[1] - 0.2


def test_f1_over_other_classes_is_compared_with_nothing_and_boxes_of_those_that_stayed_are(project):
    for number, stayed in ((1, ["callout", "elevation", "title"]), (2, ["callout", "elevation"])):
        converge = yaml.safe_load(project.git("show", f"iteration-{number}:metrics/converge.json"))
        converge |= converge.pop("details")[0]
        assert [gain["gain"] for gain in converge["gains"]] == [None] * len(converge["gains"])
        assert converge["gains"][0]["other_ruler"].startswith("classes ")
        regression = converge["regression"]
        assert (regression["since"], regression["note"]) == (number - 1, "")
        assert [part["name"] for part in regression["parts"] if part["part"] == "class"] == stayed
        assert regression["parts"][0]["name"] == "stayed"
        if number == 1:  # after it no sheet is left in the pool
            assert converge["pool_agreement"]["since"] == 0


def test_the_page_of_an_iteration_shows_numbers_that_are_not_known(project):
    assert "violet hexagon" in project.yoloop("prompts", "history").stdout
    project.yoloop("report")
    page = (project.root / "reports/iteration_02.html").read_text()
    assert "classes that stayed" in page
    assert read_metrics(project.root / "metrics/reports/iteration_02.json")["dataset"] == "dataset-v2.1"
