"""`yoloop run --start-iteration N`: a second line of tags on a branch of its own, and the first one is untouched."""

import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from stages.iteration.advance import advance
from stages.iteration.finish import finish
from stages.iteration.new_line import start_over
from stages.iteration.status import status_lines
from stages.project.repository import git
from stages.project.repository.transaction import recover
from stages.report.prompt_history import history_lines
from tests.fake_project import REPO, dvc, sh, write_files
from tests.iteration.test_advance import assert_cache_whole, names, snapshot
from tests.iteration.test_run_loop import in_pipe
from tests.killing import run_killed
from tests.once import Once

pytestmark = pytest.mark.slow
STATE = (
    "params.yaml",
    "data/prompts.yaml",
    "data/dataset.dvc",
    "models/parent.pt.dvc",
    "metrics/history.csv",
    "metrics/history_sheets.json",
    "metrics/parent_outcomes.json",
    "dvc.lock",
)


@pytest.fixture(scope="module")
def twice(finished_template: Path, once: Once) -> Path:
    """A project whose iterations 0 and 1 are finished; the program has changed since. To be copied, never changed."""

    def build(folder: Path) -> None:
        root = Path(shutil.copytree(finished_template, folder / "project", symlinks=True))
        advance(root, reviewer="oracle")
        dvc(root, "repro", "-q")
        finish(root)
        (root / "fake_stages.py").open("a").write("# a newer program\n")
        sh(root, "git", "commit", "-qam", "A newer program")

    return once("twice", build) / "project"


@pytest.fixture
def project(clean_env: None, twice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTHONPATH", str(REPO))
    return Path(shutil.copytree(twice, tmp_path / "project", symlinks=True))


def refs(root: Path) -> dict[str, str]:
    listed = sh(root, "git", "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads", "refs/tags")
    return dict(line.split() for line in listed.splitlines())


def test_a_second_line_of_tags_and_the_first_is_untouched(project: Path) -> None:
    before, status = refs(project), status_lines(project)
    done = in_pipe(project, "--start-iteration", "1", "--review", "oracle")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Started over from dataset-v1: branch again-1" in done.stdout
    assert "[STEP 1/6] Training" in done.stdout
    after = refs(project)
    assert before.items() <= after.items()
    new = {name.split("/", 2)[2] for name in after.keys() - before.keys()}
    assert {"again-1", "again-1/dataset-v1", "again-1/iteration-1", "again-1/dataset-v2"} <= new
    assert all(name.startswith("again-1") for name in new)
    for name in STATE:
        assert git.content(project, "again-1/dataset-v1", name) == git.content(project, "dataset-v1", name)
    assert git.is_ancestor(project, "dataset-v1", "again-1")
    assert not git.is_ancestor(project, "iteration-1", "again-1")
    assert "a newer program" in sh(project, "git", "show", "again-1:fake_stages.py")  # the program is that of today
    assert sh(project, "git", "status", "--porcelain") == ""
    assert sh(project, "git", "symbolic-ref", "--short", "HEAD").strip() == "again-1"
    assert_cache_whole(project)

    lines = status_lines(project)
    assert "branch again-1" in lines[0]
    assert "again-1/dataset-v" in lines[1]
    assert "again-1/iteration-" in lines[2]
    assert [row.split()[0] for row in history_lines(project)[1:3]] == ["0", "1"]  # 0 is that of the first line

    sh(project, "git", "switch", "-q", "main")
    dvc(project, "checkout", "-q")
    assert status_lines(project) == status


def test_from_the_very_start_and_again_from_there(project: Path) -> None:
    assert "branch again-1" in start_over(project, 0)
    assert names(project, "pool", "images") == ["p1.jpg", "p2.jpg", "p3.jpg", "p4.jpg"]
    assert yaml.safe_load((project / "params.yaml").read_text())["iteration"] == 0
    assert not (project / "dvc.lock").exists()
    assert status_lines(project)[3:] == ["state    iteration 0: not run yet", "next     yoloop run"]
    head = git.head(project)
    assert "going on from here" in start_over(project, 0)  # typed again after Ctrl+C: no third line
    assert git.head(project) == head
    dvc(project, "repro", "-q")
    finish(project)
    assert "branch again-2" in start_over(project, 0)
    assert {"again-1/iteration-0", "again-2/dataset-v0"} <= set(sh(project, "git", "tag").split())


def test_adopted_weights_are_adopted_again(project: Path) -> None:
    """What params.yaml of the tag says, holds: here that iteration 0 takes its weights as they are."""
    start_over(project, 0)
    text = (project / "params.yaml").read_text()
    assert "baseline: train" in text
    (project / "params.yaml").write_text(text.replace("baseline: train", "baseline: adopt"))
    sh(project, "git", "commit", "-qam", "Adopt")
    sh(project, "git", "tag", "-f", "again-1/dataset-v0")
    dvc(project, "repro", "-q")
    finish(project)
    start_over(project, 0)
    assert yaml.safe_load((project / "params.yaml").read_text())["train"]["baseline"] == "adopt"
    done = in_pipe(project)
    assert "Model: the weights that were brought, unchanged" in done.stdout
    assert "again-2/iteration-0" in sh(project, "git", "tag").split()


def test_a_clone_knows_the_line(project: Path, tmp_path: Path) -> None:
    start_over(project, 1)
    sh(tmp_path, "git", "clone", "-q", "-b", "again-1", str(project), "clone")
    assert "again-1/dataset-v1" in status_lines(tmp_path / "clone")[1]
    sh(tmp_path / "clone", "git", "switch", "-q", "-c", "mine")
    assert "again-1/dataset-v1" in status_lines(tmp_path / "clone")[1]
    assert not git.changed(tmp_path / "clone")


def remove_from_cache(root: Path) -> None:
    pointer = yaml.safe_load(git.content(root, "dataset-v0", "data/dataset.dvc") or b"")
    digest = pointer["outs"][0]["md5"]
    (root / ".dvc/cache/files/md5" / digest[:2] / digest[2:]).unlink()


@pytest.mark.parametrize(
    ("spoil", "number", "complaint"),
    [
        (
            lambda root: None,
            5,
            "--start-iteration 5: expected an iteration that has started (tag dataset-v5), found only 0, 1",
        ),
        (lambda root: (root / "params.yaml").open("a").write("# mine\n"), 1, "params.yaml: expected no uncommitted"),
        (
            lambda root: (root / "fake_stages.py").open("a").write("# mine\n"),
            1,
            "fake_stages.py: expected no uncommitted",
        ),
        (lambda root: (root / "metrics/mine.json").write_text("{}"), 1, "metrics/mine.json: expected no uncommitted"),
        (
            lambda root: (root / "data/dataset/train/labels/t1.txt").write_text(""),
            1,
            "data/dataset: expected the content",
        ),
        (
            remove_from_cache,
            0,
            "data/dataset.dvc of dataset-v0: expected its content in DVC's cache, found not all of it. No remote is",
        ),
        (
            lambda root: (remove_from_cache(root), dvc(root, "remote", "add", "-q", "--local", "shelf", "../shelf")),
            0,
            "found not all of it. Fetch it from the remote: dvc fetch --all-tags",
        ),
    ],
)
def test_refusals_change_nothing(project: Path, spoil: Callable[[Path], object], number: int, complaint: str) -> None:
    spoil(project)
    before = snapshot(project)
    done = in_pipe(project, "--start-iteration", str(number))
    assert done.returncode == 2
    assert complaint in done.stderr
    assert done.stderr.count("\n") == 1
    assert snapshot(project) == before


def test_files_that_git_does_not_know_stay(project: Path) -> None:
    write_files(project, {"notes.txt": "mine", "data/review/x": "reviewed"})
    start_over(project, 1)
    assert (project / "notes.txt").read_text() == "mine"
    assert (project / "data/review/x").read_text() == "reviewed"


DRIVER = "import sys; from pathlib import Path; from stages.iteration.new_line import start_over; "
DRIVER += "start_over(Path(sys.argv[1]), 0)"
CALLS = ("status", "cache dir", "checkout of inputs", "checkout of results")


def drive(root: Path, fakes: Path, *, kill: str, at: int) -> int:
    """Start over from iteration 0, killed at call `at` of DVC; return the exit code."""
    return run_killed(DRIVER, str(root), fakes=fakes, kill=kill, at=at)


@pytest.mark.parametrize("kill", ["before", "after"])
@pytest.mark.parametrize("call", CALLS)
def test_a_kill_at_any_dvc_call_leaves_the_old_line_or_the_new_one(
    project: Path, tmp_path: Path, call: str, kill: str
) -> None:
    """Kills at calls of Git are in tests/project/repository/test_switch.py."""
    old = snapshot(project)
    assert drive(project, tmp_path / "fakes", kill=kill, at=CALLS.index(call) + 1) == -signal.SIGKILL
    recover(project)
    assert recover(project) is None
    if not call.startswith("checkout"):
        assert snapshot(project) == old
        return
    assert sh(project, "git", "symbolic-ref", "--short", "HEAD").strip() == "again-1"
    assert sh(project, "git", "status", "--porcelain", "-uall") == ""
    assert git.resolve(project, "again-1/dataset-v0") == git.head(project)
    assert (project / "models/parent.pt").read_text() == "baseline"
    assert names(project, "pool", "images") == ["p1.jpg", "p2.jpg", "p3.jpg", "p4.jpg"]
    assert status_lines(project)[3] == "state    iteration 0: not run yet"


def test_a_person_who_left_meanwhile_is_not_pulled_back(project: Path, tmp_path: Path) -> None:
    drive(project, tmp_path / "fakes", kill="before", at=CALLS.index("checkout of inputs") + 1)
    assert (project / ".yoloop/journal.json").exists()
    sh(project, "git", "switch", "-q", "-f", "main")
    sh(project, "git", "commit", "-q", "--allow-empty", "-m", "mine")
    head = git.head(project)
    assert "HEAD has moved" in str(recover(project))
    assert git.head(project) == head
    assert recover(project) is None
