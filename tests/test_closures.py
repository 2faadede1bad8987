"""The dependencies in dvc.yaml are what the stages really run: no module too few, none too many."""

import json
import shutil

import pytest
import yaml

from tests.closures import ROOT, closure
from tests.fake_project import dvc, sh

STAGES = ("train", "validate", "analyze", "converge", "sample")
GRAPH = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]


def code(stage: str) -> list[str]:
    return [dep for dep in GRAPH[stage]["deps"] if dep.startswith("stages")]


@pytest.mark.parametrize("stage", STAGES)
def test_the_code_of_a_stage_is_its_import_closure(stage):
    assert sorted(code(stage)) == sorted(closure(f"stages.{stage}"))


def test_every_stage_is_in_the_graph():
    assert set(GRAPH) == set(STAGES)
    assert all(stage["cmd"] == f"python -m stages.{name}" for name, stage in GRAPH.items())


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
    ("stages/detector/prediction/predictor.py", {"validate"}),
    ("stages/detector/training/carry_over.py", {"train"}),
    ("stages/convergence/stop_rules.py", {"converge"}),
    ("stages/picking/greedy_choice.py", {"sample"}),
    ("stages/iteration/advance.py", set()),
    ("stages/base/command.py", set(STAGES)),
]


@pytest.mark.slow
def test_editing_a_module_makes_exactly_its_stages_stale(with_code):
    for name, stale in EDITS:
        file = with_code / name
        before = file.read_text()
        file.write_text(before + "\n# edited\n")
        assert set(json.loads(dvc(with_code, "status", "--json"))) == stale, name
        file.write_text(before)
