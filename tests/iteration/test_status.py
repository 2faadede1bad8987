"""`yoloop status` and `yoloop prompts history` on a project with real Git and DVC."""

import json
import shutil

import pytest
import yaml

from stages.base.errors import UserError
from stages.iteration.finish import finish
from stages.iteration.status import status_lines
from stages.report.prompt_history import changes, history_lines
from tests.fake_project import dvc, sh


def last_two(root):
    """Return the state and the next step."""
    lines = status_lines(root)
    assert len(lines) == 5
    return [line[9:] for line in lines[3:]]


def set_param(root, section, key, value):
    params = yaml.safe_load((root / "params.yaml").read_text())
    params[section][key] = value
    (root / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))


@pytest.mark.slow
def test_a_clone_that_holds_the_demo_is_told_how_to_begin(project):
    root = project()
    (root / "data/demo.md").write_text("demo")
    sh(root, "git", "add", "data/demo.md")
    sh(root, "git", "commit", "-q", "-m", "hold the demo")
    for place in (root / "data/dataset", root / ".dvc/cache"):
        shutil.rmtree(place)
    assert last_two(root)[1] == "yoloop data import SOURCE (your sheets), or make demo (drawn ones)"
    with pytest.raises(UserError, match=r"found .* not in cache\. Next: yoloop data import SOURCE"):
        finish(root)


@pytest.mark.slow
def test_a_project_on_its_way_through_an_iteration(project):
    root = project()
    assert status_lines(root) == [
        "project  project: iteration 0, branch main",
        "dataset  dataset-v0: train 3, val 2, test 1, pool 4 sheets; 3 boxes in train",
        "last     no iteration is finished",
        "state    iteration 0: run, but not finished",
        "next     yoloop finish",
    ]

    params = (root / "params.yaml").read_bytes()
    set_param(root, "converge", "target_f1", 0.5)
    assert last_two(root) == ["iteration 0: to be run again: converge", "yoloop run"]
    (root / "params.yaml").write_bytes(params)

    finish(root)
    done = [
        "iteration 0: finished",
        "review the packet (yoloop review open, or export and import), then: yoloop advance",
    ]
    assert status_lines(root)[2:] == [
        "last     iteration-0: F1 0.800 (0.74 to 0.86), P 0.900, R 0.800; "
        "verdict: go on (1 of 10 iterations are done.)",
        f"state    {done[0]}",
        f"next     {done[1]}",
    ]
    prompts = (root / "data/prompts.yaml").read_text()
    (root / "data/prompts.yaml").write_text(prompts.replace("round callout", "small round callout"))
    assert last_two(root) == done  # prompts that are edited in the review are for the next iteration

    set_param(root, "train", "seed", 7)
    state, step = last_two(root)
    assert state.startswith(
        "iteration 0: finished; params.yaml was edited since iteration 0 ran: train.seed 0 -> 7. That"
    )
    assert step == done[1]
    sh(root, "git", "checkout", "-q", ".")

    sh(root, "git", "switch", "-q", "--detach", "iteration-0")
    assert last_two(root) == ["iteration 0: a look back: no branch is checked out", "git switch main && dvc checkout"]
    sh(root, "git", "switch", "-q", "main")


@pytest.mark.slow
def test_missing_and_changed_files(project):
    root = project()
    shutil.rmtree(root / "data/dataset")
    assert status_lines(root)[1:] == [
        "dataset  dataset-v0, not in the workspace",
        "last     no iteration is finished",
        "state    iteration 0: inputs are not in the workspace: data/dataset",
        "next     dvc checkout data/dataset",
    ]
    dvc(root, "checkout", "-q")
    (root / "models/parent.pt").unlink()
    (root / "models/parent.pt").write_text("other")
    state, step = last_two(root)
    assert state == "iteration 0: inputs were changed by hand: models/parent.pt"
    assert step.endswith("dvc checkout --force models/parent.pt")
    dvc(root, "checkout", "-q", "--force")
    (root / "models/best.pt").unlink()
    assert last_two(root)[0] == "iteration 0: run, but its outputs are not in the workspace"
    shutil.rmtree(root / ".dvc/cache")
    assert last_two(root)[1] == "dvc pull"


def test_before_the_import(project):
    root = project()
    sh(root, "git", "rm", "-q", "--cached", "data/dataset.dvc")
    sh(root, "git", "commit", "-qm", "without")
    assert last_two(root) == ["iteration 0: no dataset yet", "yoloop data import SOURCE"]


def commit_prompts(root, iteration, prompts, f1):
    """Commit prompts and metrics as iteration `iteration` and tag it."""
    (root / "data/prompts.yaml").write_text(yaml.safe_dump({"prompts": prompts}))
    (root / "metrics/validate.json").write_text(json.dumps({"f1": f1}))
    sh(root, "git", "add", "-f", "data/prompts.yaml", "metrics/validate.json")
    sh(root, "git", "commit", "-q", "--allow-empty", "-m", "x")
    sh(root, "git", "tag", f"iteration-{iteration}")


def test_the_history_of_prompts(project):
    root = project()
    with pytest.raises(UserError, match="a finished iteration"):
        history_lines(root)
    commit_prompts(root, 0, {"a": "round", "b": "square"}, 0.5)
    commit_prompts(root, 1, {"a": "round", "b": "square"}, None)
    commit_prompts(root, 2, {"a": "very round", "b": "square"}, 0.75)
    assert [line.split(maxsplit=2) for line in history_lines(root)[1:]] == [
        ["0", "0.500", 'a: "round"; b: "square"'],
        ["1", "–", "as before"],
        ["2", "0.750", '* a: "round" -> "very round"'],
        ["a:", "by", "hand; F1 – -> –"],
    ]


def test_new_and_gone_prompts():
    assert changes({"a": "1", "b": "2"}, {"b": "2", "c": "3"}) == ['+ c: "3"', "- a"]
