"""`python -m demo lock`: iteration 0 of the demo in a copy, of which the clone gets what Git keeps."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from demo.demo_run import copy_project
from tests.fake_project import REPO, person_params, sh

pytestmark = pytest.mark.slow
# Two stages that take milliseconds: one counts how often it runs, the other one fails where a file says so.
GRAPH = """
stages:
  train:
    cmd: echo run >> {runs} && cp models/parent.pt models/best.pt
    params: [train.epochs]
    deps: [models/parent.pt, data/dataset/train]
    outs: [models/best.pt]
  validate:
    cmd: test ! -e broken && cp wanted.json metrics/validate.json
    deps: [models/best.pt, wanted.json]
    metrics: [{{metrics/validate.json: {{cache: false}}}}]
"""
COUNTS = {"train": 2, "val": 2, "test": 1, "pool": 2}


@pytest.fixture
def clone(clean_env: None, tmp_path: Path) -> Path:
    """A clone of the repository in which nothing is laid out, and whose one stage takes milliseconds."""
    root = tmp_path / "clone"
    copy_project(REPO, root)
    (root / "dvc.yaml").write_text(GRAPH.format(runs=tmp_path / "runs"))
    (root / "wanted.json").write_text("{}")
    sets = root / "demo/drawing/sets.py"
    sets.write_text(f"{sets.read_text()}\nDEFAULT_COUNTS = {COUNTS}\n")
    sh(root, "git", "init", "-q")
    sh(root, "git", "add", ".")
    sh(root, "git", "commit", "-qm", "start")
    return root


def lock(root: Path, *, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Type the command, fail unless it ends with `code`, and see that it leaves no data behind."""
    env = {**os.environ, "TMPDIR": str(root.parent / "tmp")}
    (root.parent / "tmp").mkdir(exist_ok=True)
    command = [sys.executable, "-m", "demo", "lock"]
    done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert list((root.parent / "tmp").glob("yoloop*")) == []
    assert (root / "params.yaml").read_text() == person_params()
    assert not (root / "data/dataset").exists()
    assert not (root / "models/best.pt").exists()
    return done


def changed(root: Path) -> list[str]:
    return [line[3:] for line in sh(root, "git", "status", "--porcelain").splitlines()]


def test_the_clone_gets_the_results_of_the_demos_values_and_nothing_else(clone: Path):
    said = lock(clone).stdout.splitlines()[-1]
    renewed = ["data/dataset.dvc", "data/oracle.dvc", "dvc.lock", "metrics/validate.json"]
    assert said == f"Changed: {', '.join(renewed)}"
    assert changed(clone) == renewed
    assert (clone / "metrics/validate.json").read_text() == "{}"
    stage = yaml.safe_load((clone / "dvc.lock").read_text())["stages"]["train"]
    assert stage["params"] == {"params.yaml": {"train.epochs": 10}}

    (clone / "wanted.json").write_text("[]")
    (clone / "broken").touch()
    before = (clone / "dvc.lock").read_bytes()
    failed = lock(clone, code=2).stderr.splitlines()[-1]
    assert failed == "error: the demo's step `dvc repro` ended with exit code 255; see above"
    assert (clone / "dvc.lock").read_bytes() == before
    assert (clone / "metrics/validate.json").read_text() == "{}"
    assert (clone.parent / "runs").read_text() == "run\n"  # what nothing has made stale came from the cache


def test_a_project_of_a_persons_own_sheets_is_refused(clone: Path):
    sh(clone, "git", "rm", "-q", "data/demo.md")
    sh(clone, "git", "commit", "-qm", "import")
    assert "expected a project that holds the demo (data/demo.md)" in lock(clone, code=2).stderr
