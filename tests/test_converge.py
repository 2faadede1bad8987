"""The stage as a process would see it: a project folder with its declared inputs, and nothing else."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from stages import converge
from stages.core.errors import UserError
from stages.core.history import empty_history
from stages.files.history import read_carried, write_history
from stages.files.params import read_section
from tests.fake_project import person_params

ROOT = Path(__file__).parents[1]
CLASSES = ("detail", "elevation", "title")
OUTS = ["metrics/converge.json", "plots/converge/classes.csv", "plots/converge/history.csv"]


def numbers(f1):
    return {
        **dict.fromkeys(("f1", "precision", "recall", "map50", "map50_95", "ap50", "ap50_95"), f1),
        **{"tp": 5, "fp": 3, "fn": 2, "images": 4, "boxes": 7},
    }


def measure(f1, train_f1=0.5):
    metrics = {
        "val": numbers(f1),
        "train": numbers(train_f1),
        "pool": {"images": 6, "labelled": 0},
        "per_class": {"val": {name: numbers(f1) for name in CLASSES}, "train": {}},
    }
    Path("metrics/validate.json").write_text(json.dumps(metrics))


def set_iteration(number):
    text = person_params().splitlines()
    lines = [f"iteration: {number}" if line.startswith("iteration:") else line for line in text]
    Path("params.yaml").write_text("\n".join(lines) + "\n")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project at iteration 0 in which `validate` has measured F1 0.5."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "metrics").mkdir()
    write_history(empty_history(CLASSES), Path("metrics/history.csv"))
    set_iteration(0)
    measure(0.5)
    return tmp_path


def verdict():
    return json.loads(Path("metrics/converge.json").read_text())


def carry():
    Path("metrics/history.csv").write_bytes(Path("plots/converge/history.csv").read_bytes())


def test_writes_its_outs_and_nothing_else(project):
    before = {str(file.relative_to(project)) for file in project.rglob("*") if file.is_file()}
    converge.run()
    after = {str(file.relative_to(project)) for file in project.rglob("*") if file.is_file()}
    assert sorted(after - before) == OUTS
    assert list(verdict()) == ["verdict", "rule", "reason", "gain", "gap"]
    assert verdict() | {"reason": ""} == {
        "verdict": "go on",
        "rule": None,
        "reason": "",
        "gain": None,
        "gap": 0.0,
    }


def test_four_flat_iterations_are_a_plateau_with_one_row_each(project):
    for iteration in range(4):
        set_iteration(iteration)
        measure(0.5)
        converge.run()
        assert verdict()["verdict"] == ("stop" if iteration == 3 else "go on")
        carry()
    history = read_carried(4, CLASSES)
    assert history["verdict"].tolist() == ["go on", "go on", "go on", "stop"]
    assert history["rule"].tolist() == ["", "", "", "plateau"]
    assert len(pd.read_csv("plots/converge/classes.csv")) == 4 * len(CLASSES)


def test_earlier_reasons_for_going_on_are_kept(project):
    measure(0.99)
    converge.run()
    text = Path("plots/converge/history.csv").read_text()
    Path("metrics/history.csv").write_text(text.replace("stop,target_f1,", "stop,target_f1,more to come"))
    set_iteration(1)
    converge.run()
    assert pd.read_csv("plots/converge/history.csv", keep_default_na=False)["despite_stop"].tolist() == [
        "more to come",
        "",
    ]


def test_undefined_f1_goes_on_and_says_so(project):
    measure(None, train_f1=None)
    converge.run()
    assert verdict()["verdict"] == "go on"
    assert "undefined" in verdict()["reason"]
    assert Path("plots/converge/history.csv").read_text().splitlines()[1].startswith("0,,,,,,5,3,2,,4,7,6,")


def test_equal_inputs_are_equal_bytes(project):
    converge.run()
    first = [Path(out).read_bytes() for out in OUTS]
    converge.run()
    assert [Path(out).read_bytes() for out in OUTS] == first


def test_iteration_that_does_not_follow_changes_nothing(project):
    set_iteration(2)
    with pytest.raises(UserError, match="Set iteration back to 0; or finish iteration 0"):
        converge.run()
    assert not Path("plots").exists()


def test_metrics_of_an_older_version_are_one_line(project):
    Path("metrics/validate.json").write_text('{"val": {"f1": 0.5}}')
    with pytest.raises(UserError, match=r"metrics/validate.json: expected the key 'train', found none"):
        converge.run()


def test_params_are_strict(project):
    text = Path("params.yaml").read_text()
    Path("params.yaml").write_text(text.replace("  plateau_window: 3", "  plateau_window: 0"))
    with pytest.raises(
        UserError, match=r"params.yaml:\d+: expected converge.plateau_window: greater than or equal to 1"
    ):
        converge.run()


def test_defaults_are_those_of_the_shipped_params():
    assert read_section(converge.Params, "converge", ROOT / "params.yaml").plateau_window >= 1


def test_as_a_process_a_mistake_is_one_line_and_2(tmp_path):
    run = subprocess.run(
        [sys.executable, "-m", "stages.converge"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2
    assert run.stderr.startswith("error: params.yaml: expected the file, found none in ")
    assert run.stderr.count("\n") == 1
