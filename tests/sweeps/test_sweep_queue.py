"""Sweeps on a project with real Git and DVC, whose stages take milliseconds."""

import re
from pathlib import Path

import pytest

from stages.base.errors import UserError
from stages.sweeps.experiment_table import experiment_lines, experiments
from stages.sweeps.sweep_queue import adopt, known_names, queue_sweep
from tests import fake_project
from tests.fake_project import dvc, sh
from tests.refusal import contents

pytestmark = pytest.mark.slow
TITLE = "data/prompts.yaml:prompts.title"


@pytest.fixture
def root(clean_env, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    fake_project.build(tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    return Path()


@pytest.mark.parametrize(
    ("name", "asked", "says"),
    [
        ("lr", "train.base_lr=fast", "-S: expected train.base_lr: .*, found 'fast'"),
        ("lr", "train.rate=0.1", "-S: expected .* found .*rate"),
        ("lr", "trian.base_lr=0.1", "-S: expected "),
        (
            "lr",
            "data/prompts.yaml:prompts.door=a bar",
            "-S data/prompts.yaml:prompts.door: expected a class of the project",
        ),
        ("l r", "train.base_lr=0.1", "l r: expected a name of letters"),
    ],
)
def test_what_the_project_would_refuse_is_one_line_and_nothing_is_queued(
    root: Path, name: str, asked: str, says: str
) -> None:
    before = contents(root / ".dvc")
    with pytest.raises(UserError, match=says):
        queue_sweep(root, name, [asked])
    assert contents(root / ".dvc") == before


@pytest.mark.parametrize("name", ["params.yaml", "data/prompts.yaml"])
def test_settings_that_are_not_committed_are_refused_and_nothing_is_queued(root: Path, name: str) -> None:
    (root / name).write_text((root / name).read_text() + "# mine\n")
    before = contents(root / ".dvc")
    with pytest.raises(UserError, match=rf"^{name}: expected params and prompts as they were committed, found changes"):
        queue_sweep(root, "lr", ["train.base_lr=0.002"])
    assert contents(root / ".dvc") == before


def test_experiments_of_an_earlier_commit_of_the_iteration_are_named_and_can_be_adopted(root: Path) -> None:
    assert experiment_lines(root) == [
        "no experiments on this commit; begin some: yoloop sweep NAME -S train.base_lr=0.0005,0.002"
    ]
    queue_sweep(root, "lr", ["train.base_lr=0.002"])
    dvc(root, "exp", "run", "--run-all")
    params = (root / "params.yaml").read_text()
    (root / "params.yaml").write_text(params.replace("base_lr: 0.001 #", "base_lr: 0.0001 #"))
    assert (root / "params.yaml").read_text() != params
    sh(root, "git", "commit", "-q", "-a", "-m", "my settings")
    lines = experiment_lines(root)
    assert lines[0] == "none on this commit; these began from an earlier one of this iteration:"
    assert [line.split()[0] for line in lines[1:]] == ["experiment", "lr", "Keep"]
    assert lines[-1] == (
        "Keep one, and finish the iteration with it: yoloop adopt NAME, "
        "which also puts params and prompts back to those that it ran with"
    )
    (root / "notes.md").write_text("mine\n")
    sh(root, "git", "add", "notes.md")
    sh(root, "git", "commit", "-q", "-m", "my notes")
    start = sh(root, "git", "rev-parse", "dataset-v0")[:7]
    with pytest.raises(UserError, match=rf"from before notes\.md changed, .* -c NEW {start} && yoloop adopt lr$"):
        adopt(root, "lr")
    assert (root / "notes.md").read_text() == "mine\n"
    sh(root, "git", "reset", "-q", "--hard", "HEAD~1")
    adopt(root, "lr")
    assert "base_lr: 0.002" in sh(root, "git", "show", "HEAD:params.yaml")
    assert experiment_lines(root)[0].startswith("no experiments on this commit")  # nothing is open that could take one


def test_a_sweep_is_queued_run_and_adopted_and_a_used_name_is_refused(root: Path) -> None:
    text = "a thin arc, it's 'the' $title"
    told = queue_sweep(root, "lr", ["train.base_lr=0.002,0.003", f"{TITLE}={text}"])
    assert told.splitlines()[:2] == [
        f"lr-{number}: train.base_lr = 0.00{number + 1}, prompts.title = {text}" for number in (1, 2)
    ]
    assert told.endswith(
        "Queued. Run them: dvc queue start, which goes on in the background; how far they are: dvc queue status, and "
        "dvc queue logs lr-1 -f; what came out: yoloop experiments"
    )
    assert known_names(root) == dict.fromkeys(["lr-1", "lr-2"], "one that is queued")
    with pytest.raises(UserError, match="lr-1: expected a name that no experiment has, found one that is queued"):
        queue_sweep(root, "lr", ["train.base_lr=0.004,0.005"])
    with pytest.raises(UserError, match="lr-1: expected an experiment that has run, found one that is queued"):
        adopt(root, "lr-1")
    assert sh(root, "git", "status", "--porcelain") == ""
    dvc(root, "exp", "run", "--run-all")
    assert set(known_names(root).values()) == {"an experiment that has run"}
    with pytest.raises(
        UserError, match="lr-2: expected a name that no experiment has, found an experiment that has run"
    ):
        queue_sweep(root, "lr-2", ["train.base_lr=0.004"])

    lines = experiment_lines(root)
    assert [line.split()[0] for line in lines] == ["experiment", "lr-1", "lr-2", "Keep"]
    assert re.fullmatch(rf"lr-2 +0\.\d+ \(0\.\d+ to 0\.\d+\) .*train\.base_lr 0\.003, .*{re.escape(text)}", lines[2])

    (root / "params.yaml").write_text((root / "params.yaml").read_text() + "# mine\n")
    with pytest.raises(UserError, match=r"params\.yaml: expected params and prompts as they were committed"):
        adopt(root, "lr-2")
    sh(root, "git", "checkout", "-q", "params.yaml")
    with pytest.raises(UserError, match="lr-9: expected an experiment that has run, found none of that name"):
        adopt(root, "lr-9")
    adopt(root, "lr-2")
    assert sh(root, "git", "tag", "--points-at", "HEAD").split() == ["iteration-0"]
    assert "base_lr: 0.003" in sh(root, "git", "show", "HEAD:params.yaml")
    assert text in sh(root, "git", "show", "HEAD:data/prompts.yaml")
    with pytest.raises(UserError, match="iteration-0: expected an iteration that is not finished"):
        queue_sweep(root, "more", ["train.base_lr=0.004"])


def test_what_has_not_come_so_far_is_in_the_table_with_its_state() -> None:
    base = {"rev": "abc", "data": {"params": {"params.yaml": {"data": {"train": {"lr": 1}}}}}}
    one = {
        "revs": [{"rev": "def4567", "data": {"params": {"params.yaml": {"data": {"train": {"lr": 2}}}}}}],
        "name": None,
    }
    found = list(
        experiments([{"rev": "workspace"}, {**base, "experiments": [{**one, "executor": {"state": "queued"}}]}])
    )
    assert found == [("def4567", "queued", {}, {"train.lr": 2})]
    assert list(experiments([{"rev": "workspace"}])) == []
