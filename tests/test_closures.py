"""The code that dvc.yaml names: rooms that hold all that a stage runs, and for the dear stages nothing more."""

import json
import shutil

import pytest
import yaml

from tests.closures import ROOT, closure
from tests.fake_project import dvc, sh

STAGES = ("train", "predict", "validate", "analyze", "converge", "sample")
DEAR = ("train", "predict")  # an edit that makes them stale costs hours
MOST_LINES = 8
GRAPH = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]


def code(stage: str) -> list[str]:
    return [dep for dep in GRAPH[stage]["deps"] if dep.startswith("stages")]


def files_of(stage: str) -> set[str]:
    """Return the modules in the rooms that dvc.yaml names for a stage; `__init__.py` files are empty."""
    found = set()
    for dep in code(stage):
        path = ROOT / dep
        modules = path.rglob("*.py") if path.is_dir() else [path]
        found |= {str(file.relative_to(ROOT)) for file in modules if file.name != "__init__.py"}
    return found


def test_every_stage_is_in_the_graph():
    assert set(GRAPH) == set(STAGES)
    assert all(stage["cmd"] == f"python -m stages.{name}" for name, stage in GRAPH.items())


@pytest.mark.parametrize("stage", STAGES)
def test_the_rooms_of_a_stage_are_few_and_are_there(stage):
    assert len(code(stage)) <= MOST_LINES
    assert all((ROOT / dep).exists() for dep in code(stage))
    assert code(stage) == sorted(code(stage))


@pytest.mark.parametrize("stage", STAGES)
def test_the_rooms_of_a_stage_hold_all_that_it_runs(stage):
    assert closure(f"stages.{stage}") - files_of(stage) == set()


@pytest.mark.parametrize("stage", STAGES)
def test_no_room_of_a_stage_is_without_use(stage):
    used = closure(f"stages.{stage}")
    assert [dep for dep in code(stage) if not any(file == dep or file.startswith(f"{dep}/") for file in used)] == []


@pytest.mark.parametrize("stage", DEAR)
def test_the_rooms_of_a_dear_stage_hold_nothing_else(stage):
    assert files_of(stage) - closure(f"stages.{stage}") == set()


@pytest.mark.parametrize("stage", DEAR)
def test_the_rooms_of_a_dear_stage_hold_code_alone(stage):
    """A file that is no module (a text, a picture) would make the stage stale, and no closure would show it."""
    others = {
        str(file.relative_to(ROOT))
        for dep in code(stage)
        for file in (ROOT / dep).rglob("*")
        if file.is_file() and file.suffix != ".py" and "__pycache__" not in file.parts
    }
    assert others == set()


def test_a_package_holds_no_code():
    assert [file for file in (ROOT / "stages").rglob("__init__.py") if len(file.read_text().splitlines()) > 1] == []


def test_a_closure_looks_into_functions():
    assert "stages/detector/training/fitting.py" in closure("stages.train")  # imported inside a function only
    assert "stages/detector/prediction/predictor.py" not in closure("stages.train")


@pytest.fixture
def with_code(project):
    """A project whose stages have run, with fast commands and the real dependencies on code."""
    root = project()
    shutil.copytree(ROOT / "stages", root / "stages", ignore=shutil.ignore_patterns("__pycache__"))
    graph = yaml.safe_load((root / "dvc.yaml").read_text())
    for name, stage in graph["stages"].items():
        stage["deps"] += code(name)
    (root / "dvc.yaml").write_text(yaml.safe_dump(graph, sort_keys=False))
    sh(root, "git", "add", "-A")
    dvc(root, "repro", "-q")
    assert json.loads(dvc(root, "status", "--json")) == {}
    return root


EDITS = [  # file -> the stages that have to run again because of it alone
    ("stages/base/boxes.py", set(STAGES)),
    ("stages/detector/training/carry_over.py", {"train", "analyze"}),
    ("stages/detector/prediction/predictor.py", {"predict", "validate", "analyze"}),
    ("stages/ruler/losses/tide.py", {"validate", "analyze", "converge", "sample"}),  # a statistic
    ("stages/convergence/stop_rules.py", {"converge"}),
    ("stages/picking/greedy_choice.py", {"sample"}),
    ("stages/iteration/advance.py", set()),
    ("stages/report/iteration_report.py", set()),
    ("stages/messages/base.toml", set()),  # what is wrong with params.yaml
    ("stages/messages/dataset.toml", set()),  # what is wrong with a manifest
]


@pytest.mark.slow
def test_editing_a_file_makes_exactly_its_stages_stale(with_code):
    for name, stale in EDITS:
        file = with_code / name
        before = file.read_text()
        file.write_text(before + "\n# edited\n")
        assert set(json.loads(dvc(with_code, "status", "--json"))) == stale, name
        file.write_text(before)
