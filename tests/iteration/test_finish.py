"""`yoloop finish` commits exactly what an iteration made, and refuses half an iteration."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from stages.base.errors import UserError
from stages.iteration.advance import advance
from stages.iteration.finish import _next_step, finish
from stages.iteration.run_loop import run_iteration
from stages.iteration.status import status_lines
from stages.project.location import locate
from stages.review import review_status
from tests.fake_project import dvc, sh, write_files
from tests.reviews import review_packet

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("verdict", "sheets", "said"),
    [("go on", 3, "Next: review"), ("go on", 0, "Nothing was picked"), ("stop", 3, "The loop ends here; to go on")],
)
def test_the_next_step_is_one_that_can_be_taken(verdict: str, sheets: int, said: str) -> None:
    assert _next_step({"verdict": verdict}, sheets, unopened=False).startswith(said)


def test_commits_results_only_and_tags(project: Callable[[], Path]) -> None:
    root = project()
    (root / "fake_stages.py").open("a").write("# edited by the person\n")
    write_files(root, {"notes.txt": "mine", "metrics_of_mine.json": "{}"})
    start = sh(root, "git", "rev-parse", "HEAD").strip()
    write_files(root, {".yoloop/running": ""})  # as where `yoloop run` was stopped behind the last stage
    said = finish(root)
    assert not (root / ".yoloop/running").exists()
    assert "Iteration 0 is finished: F1 0.800 (0.74 to 0.86). Tag iteration-0" in said
    assert "Verdict: go on. 1 of 10 iterations are done." in said
    assert "yoloop advance" in said
    status = sh(root, "git", "status", "--porcelain").splitlines()
    assert status == [" M fake_stages.py", "?? metrics_of_mine.json", "?? notes.txt"]
    assert sh(root, "git", "rev-parse", "iteration-0", "HEAD~1").split() == [
        sh(root, "git", "rev-parse", "HEAD").strip(),
        start,
    ]
    committed = set(sh(root, "git", "show", "--format=", "--name-only", "HEAD").split())
    assert {"dvc.lock", "metrics/validate.json", "plots/converge/history.csv"} < committed
    assert not [name for name in committed if name.endswith((".pt", ".parquet", ".png"))]
    report = json.loads((root / "metrics/reports/iteration_00.json").read_text())
    assert (report["iteration"], report["start"], report["dataset"]) == (0, start, "dataset-v0")
    assert report["validate"]["f1"] == 0.8
    assert {name: len(rows) for name, rows in report["tables"].items()} == {
        **{"scores": 10, "ledger": 1, "errors": 2, "counts": 1}
    }
    assert report["tables"]["scores"][0]["f1_low"] == 0.74
    assert report["params"]["sample"]["budget"] == 20
    assert report["prompts"]["title"].startswith("title under")
    assert "up to date" in dvc(root, "status")
    assert finish(root).startswith("Iteration 0 is finished already (tag iteration-0).")
    assert sh(root, "git", "rev-parse", "HEAD~1").strip() == start  # and nothing more was committed


def test_an_iteration_is_an_experiment_also_where_another_had_the_name(project: Callable[[], Path]) -> None:
    root = project()
    start = sh(root, "git", "rev-parse", "HEAD").strip()
    sh(root, "git", "update-ref", f"refs/exps/{start[:2]}/{start[2:]}/iter-0", start)  # an earlier try
    finish(root)
    assert (
        sh(root, "git", "rev-parse", f"refs/exps/{start[:2]}/{start[2:]}/iter-0", "iteration-0").split()
        == [sh(root, "git", "rev-parse", "HEAD").strip()] * 2
    )
    assert dvc(root, "exp", "list", "--name-only", "--rev", "dataset-v0").split() == ["iter-0"]
    assert "0.8,0.74,0.86" in dvc(root, "exp", "show", "--rev", "dataset-v0", "--csv", "--no-pager", "--hide-workspace")


@pytest.mark.parametrize("how", ["setting", "default file"])
def test_what_a_person_ignores_everywhere_is_committed_all_the_same(project: Callable[[], Path], how: str) -> None:
    root = project()
    ignored = Path(os.environ["XDG_CONFIG_HOME"]) / "git/ignore"
    write_files(ignored.parent, {"ignore": "*.csv\n*.json\n*.dvc\ndata/\n*.lock\n.DS_Store\n"})
    if how == "setting":
        sh(root, "git", "config", "--global", "core.excludesFile", str(ignored.rename(ignored.with_name("mine"))))
    write_files(root, {"metrics/.DS_Store": ""})
    assert "metrics/train.json" not in sh(root, "git", "status", "--porcelain", "-uall")  # Git sees none of it
    finish(root)
    review_packet(root)
    advance(root, reviewer="person")
    held = set(sh(root, "git", "ls-tree", "-r", "--name-only", "iteration-0").split())
    assert {"dvc.lock", "metrics/train.json", "metrics/reports/iteration_00.json", "plots/train/results.csv"} < held
    assert {"data/dataset.dvc", "models/parent.pt.dvc"} < held
    assert "metrics/.DS_Store" not in held
    assert sh(root, "git", "diff", "--stat", "dataset-v0", "dataset-v1", "--", "data/dataset.dvc")
    run_iteration(root, locate(root), say=print)
    finish(root)
    assert "metrics/reports/iteration_01.json" in sh(root, "git", "ls-tree", "-r", "--name-only", "iteration-1")


def test_a_stop_is_tagged_as_well(project: Callable[[], Path]) -> None:
    root = project()
    params = (root / "params.yaml").read_text()
    (root / "params.yaml").write_text(re.sub("max_iterations: 10", "max_iterations: 1", params))
    dvc(root, "repro", "-q")
    said = finish(root)
    assert "Verdict: stop." in said
    assert (
        "The loop ends here. Next: yoloop holdout, which scores test, once; to go on all the same: yoloop adv" in said
    )
    assert status_lines(root)[-1] == (
        "next     yoloop holdout (scores test, once); to go on in spite of it: yoloop advance --despite-stop REASON"
    )
    review_packet(root)
    assert review_status.status_lines(root)[-1] == (
        "next      none: the verdict of iteration-0 is to stop; to go on in spite of it: yoloop advance "
        "--despite-stop REASON"
    )
    assert "max_iterations: 1" in sh(root, "git", "show", "iteration-0:params.yaml")


def edit(name: str, old: str, new: str) -> Callable[[Path], object]:
    return lambda root: (root / name).write_text((root / name).read_text().replace(old, new))


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda root: (root / "dvc.lock").unlink(), "dvc.lock: expected iteration 0 to have run, found no file"),
        (edit("params.yaml", "budget: 20", "budget: 5"), "stage sample: expected the results of iteration 0"),
        (edit("data/prompts.yaml", "title under", "the title of"), "found data/prompts.yaml prompts modified"),
        (edit("data/dataset/train/labels/t1.txt", "0.2", "0.3"), "data/dataset.dvc: expected"),
        (lambda root: (root / "models/best.pt").write_text("other"), "stage train: expected"),
        (lambda root: (root / "models/best.pt").unlink(), "found models/best.pt deleted"),
        (lambda root: sh(root, "git", "switch", "-q", "--detach"), "HEAD: expected a branch"),
        (lambda root: sh(root, "rm", "-rf", ".dvc"), "expected a DVC project"),
    ],
)
def test_refuses_half_an_iteration(
    project: Callable[[], Path], spoil: Callable[[Path], object], complaint: str
) -> None:
    root = project()
    spoil(root)
    before = sh(root, "git", "status", "--porcelain", "-uall"), sh(root, "git", "log", "--format=%H")
    with pytest.raises(UserError) as caught:
        finish(root)
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)
    assert (sh(root, "git", "status", "--porcelain", "-uall"), sh(root, "git", "log", "--format=%H")) == before
    assert sh(root, "git", "tag").split() == ["dataset-v0"]


def test_finished_with_other_results_names_both_ways_on(finished: Callable[[], Path]) -> None:
    root = finished()
    edit("params.yaml", "budget: 20", "budget: 5")(root)
    dvc(root, "repro", "-q")
    with pytest.raises(UserError, match=r"git checkout iteration-0 -- .* git tag -d iteration-0 && yoloop finish"):
        finish(root)


def test_new_prompts_for_the_next_iteration_do_not_matter_once_finished(finished: Callable[[], Path]) -> None:
    root = finished()
    edit("data/prompts.yaml", "title under", "the title of")(root)
    assert "finished already" in finish(root)


def test_a_tag_on_another_branch_is_named(finished: Callable[[], Path]) -> None:
    root = finished()
    sh(root, "git", "switch", "-q", "-c", "second", "dataset-v0")
    with pytest.raises(UserError, match="found one on another branch"):
        finish(root)
