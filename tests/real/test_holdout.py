"""Opening test with real weights: one ruler for val and test, a record that a kill cannot half-write, and a count."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from stages.base.tables import read_json
from stages.convergence.score_files import read_scores
from stages.holdout.openings_file import OPENINGS, read_openings
from stages.ruler.scores.score_rows import row_of
from tests.forks import REAL
from tests.real_project import Project

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def closed(ran: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose iteration 0 is finished, and whose test nobody has opened."""
    folder = tmp_path_factory.mktemp("closed") / "project"
    shutil.copytree(ran.root, folder, symlinks=True)
    project = Project(folder, ran.root.parent / "home")
    project.yoloop("finish")
    return project


def test_a_kill_while_it_measures_leaves_no_number_and_no_record(closed: Project) -> None:
    before = closed.git("for-each-ref"), closed.git("status", "--porcelain")
    command = [sys.executable, "-um", "stages.loop", "holdout", "--yes"]
    pipe = subprocess.PIPE
    env = {**closed.env, REAL: "1"}
    with subprocess.Popen(command, cwd=closed.root, env=env, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        for said in process.stdout:
            if said == "test: 1 of 1 sheets\n":  # the predictions are there, and nothing is measured yet
                break
        os.kill(process.pid, signal.SIGKILL)
        rest = process.stdout.read()
    assert said == "test: 1 of 1 sheets\n"
    assert "F1" not in rest
    assert (closed.git("for-each-ref"), closed.git("status", "--porcelain")) == before
    assert read_openings(closed.root) == []


def test_it_is_opened_once_with_the_ruler_of_val_and_again_only_with_a_reason(closed: Project) -> None:
    outputs = {name: (closed.root / name).read_bytes() for name in ("dvc.lock", "metrics/validate.json")}
    assert "expected the verdict 'stop', or `--yes`, found 'go on'" in closed.yoloop("holdout", code=2).stderr
    said = closed.yoloop("holdout", "--yes").stdout
    assert "test: F1 " in said
    assert "test opened once." in said
    (row,) = read_openings(closed.root)
    val = row_of(read_scores(closed.root / "data/validate/scores.csv"), split="val")
    assert {key: row[f"val_{key}"] for key in ("f1", "f1_low", "precision", "recall")} == {
        key: val[key] for key in ("f1", "f1_low", "precision", "recall")
    }
    assert row["ruler"] == read_json(closed.root / "metrics/validate.json")["ruler"]
    assert (row["opening"], row["iteration"], row["sheets"], row["reason"]) == (1, 0, 1, "")
    assert row["commit"] == closed.git("rev-parse", "iteration-0").strip()
    assert closed.git("show", "--format=", "--name-only", "holdout-1").split() == [str(OPENINGS)]
    assert closed.git("rev-parse", "holdout-1") == closed.git("rev-parse", "HEAD")
    assert closed.git("status", "--porcelain") == ""
    assert {name: (closed.root / name).read_bytes() for name in outputs} == outputs
    assert "up to date" in closed.dvc("status")

    refused = closed.yoloop("holdout", "--yes", code=2).stderr
    assert "found test opened once" in refused
    again = closed.yoloop("holdout", "--yes", "--again", "a label was wrong").stdout
    assert "test opened 2 times: numbers after the first are no longer a surprise" in again
    first, second = read_openings(closed.root)
    assert first == row
    assert {**second, "opening": 1, "date": row["date"], "reason": ""} == row  # the same weights and sheets
    assert second["reason"] == "a label was wrong"
    assert "test opened 2 times" in closed.yoloop("status").stdout
    page = Path(closed.yoloop("report").stdout.strip().removeprefix("file://")).read_text(encoding="utf-8")
    assert "Opening 2: a label was wrong" in page
    assert closed.yoloop("advance", "--review", "oracle").stdout.startswith("Iteration 1 starts")
