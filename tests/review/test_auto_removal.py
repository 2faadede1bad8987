"""What `--auto` labelled leaves train by one command, and nothing else does."""

import shutil
import signal
from pathlib import Path

import pytest

from stages.base.errors import UserError
from stages.base.tables import read_json
from stages.dataset.sheets.manifest import MANIFEST, count_sources, read_manifest
from stages.dataset.sheets.split_folder import require_as_listed
from stages.intake.acceptance import accept
from stages.iteration.advance import advance
from stages.iteration.finish import finish
from stages.project.repository.transaction import recover
from stages.review.auto_removal import drop_auto
from tests.fake_project import REPO, dvc, sh
from tests.iteration.test_advance import assert_cache_whole, names, snapshot
from tests.killing import run_killed
from tests.once import Once
from tests.review.kept.test_auto_reviewer import with_real_tables
from tests.test_loop import yoloop

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def advanced_template(template: Path, once: Once) -> Path:
    """A project in iteration 1, not run, with two sheets that --auto labelled: to be copied, never changed."""

    def build(folder: Path) -> None:
        root = Path(shutil.copytree(template, folder / "project", symlinks=True))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", str(REPO))
            with_real_tables(root)
            advance(root, reviewer="auto", auto_confidence=0.25)

    return once("auto", build) / "project"


@pytest.fixture
def advanced(clean_env: None, advanced_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTHONPATH", str(REPO))
    return Path(shutil.copytree(advanced_template, tmp_path / "project", symlinks=True))


def test_they_go_back_to_the_pool_and_the_loop_goes_on(advanced: Path) -> None:
    root = advanced
    rows = (root / "metrics/review_sheets.csv").read_text()
    assert [row.split(",")[1:5] for row in rows.splitlines()[1:]] == [
        ["p1.jpg", "picked", "model", "auto"], ["p2.jpg", "random", "model", "auto"]
    ]  # fmt: skip
    assert names(root, "train", "images") == ["p1.jpg", "p2.jpg", "t1.jpg", "t2.jpg", "t3.jpg"]
    picture = (root / "data/dataset/train/images/p1.jpg").read_bytes()
    done = yoloop(root, "review", "drop-auto")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "2 sheets moved from train back to the pool, without labels: p1.jpg, p2.jpg. Train has 3, the pool 4.",
        "Next: `yoloop run`, or `dvc repro` and then `yoloop finish`.",
    ]
    assert names(root, "train", "images") == ["t1.jpg", "t2.jpg", "t3.jpg"]
    assert names(root, "pool", "images") == ["p1.jpg", "p2.jpg", "p3.jpg", "p4.jpg"]
    assert names(root, "pool", "labels") == ["p4.txt"]
    assert (root / "data/dataset/pool/images/p1.jpg").read_bytes() == picture
    for split in ("train", "pool"):
        require_as_listed(root / "data/dataset" / split)
    assert sh(root, "git", "status", "--porcelain", "-uall") == ""
    assert sh(root, "git", "show", "--stat", "--format=%s").split("\n")[0] == (
        "Take 2 sheets that --auto labelled out of train"
    )
    assert sh(root, "git", "diff", "--name-only", "HEAD~1").split() == ["data/dataset.dvc"]
    assert (
        sh(root, "git", "rev-parse", "dataset-v1", "HEAD~1").split()[0] == sh(root, "git", "rev-parse", "HEAD~1")[:-1]
    )
    assert (root / "metrics/review_sheets.csv").read_text() == rows  # what happened, happened
    assert "up to date" in dvc(root, "status", "data/dataset.dvc")
    assert_cache_whole(root)
    assert drop_auto(root) == "Nothing to drop: no sheet in train has labels that --auto made."
    dvc(root, "repro", "-q")
    finish(root)
    assert read_json(root / "metrics/reports/iteration_01.json")["labels"] == {"import": 3}
    advance(root, reviewer="oracle")  # now somebody looks at them
    assert names(root, "train", "labels")[:2] == ["p1.txt", "p2.txt"]
    after = (root / "metrics/review_sheets.csv").read_text()
    assert after.startswith(rows)
    assert [row.split(",")[:5] for row in after.splitlines()[3:]] == [
        ["1", "p1.jpg", "picked", "model", "oracle"], ["1", "p2.jpg", "random", "model", "oracle"]
    ]  # fmt: skip


def test_a_finished_iteration_keeps_its_dataset(advanced: Path) -> None:
    dvc(advanced, "repro", "-q")
    finish(advanced)
    before = snapshot(advanced)
    with pytest.raises(
        UserError, match=r"iteration 1: expected one that is not finished.*yoloop advance, then: yoloop"
    ):
        drop_auto(advanced)
    assert snapshot(advanced) == before


def test_a_change_by_hand_is_neither_lost_nor_made_official(advanced: Path) -> None:
    label = advanced / "data/dataset/val/labels/v1.txt"
    label.write_text("0 0.5 0.5 0.25 0.25\n")
    before = snapshot(advanced)
    with pytest.raises(UserError, match=r"data/dataset: expected the dataset as it was committed.*yoloop data accept"):
        drop_auto(advanced)
    assert snapshot(advanced) == before
    dvc(advanced, "checkout", "-q", "--force", "data/dataset")
    (advanced / "data/dataset/train/labels/p1.txt").write_text("0 0.5 0.5 0.25 0.25\n")
    accept(advanced)  # a person has looked at p1
    assert drop_auto(advanced).startswith("1 sheet moved from train back to the pool, without labels: p2.jpg.")
    assert count_sources(read_manifest(advanced / "data/dataset/train" / MANIFEST)) == {"import": 4}


def test_where_auto_was_never_used_there_is_nothing_to_drop(clean_env: None, finished_template: Path) -> None:
    before = snapshot(finished_template)
    assert drop_auto(finished_template).startswith("Nothing to drop")
    assert snapshot(finished_template) == before


def test_a_kill_after_any_dvc_call_leaves_old_or_new(advanced_template: Path, advanced: Path, tmp_path: Path) -> None:
    script = "import sys; from pathlib import Path; from stages.review.auto_removal import drop_auto; "
    script += "drop_auto(Path(sys.argv[1]))"
    old, seen = snapshot(advanced), []
    for at in range(1, 9):
        root = Path(shutil.copytree(advanced_template, tmp_path / f"run{at}", symlinks=True))
        ended = run_killed(script, str(root), fakes=tmp_path / "fakes", at=at)
        if ended == 0:
            break
        assert ended == -signal.SIGKILL
        recover(root)
        seen.append("p1.jpg" in names(root, "pool", "images"))
        assert not (root / "data/.advance").exists()
        if not seen[-1]:
            assert snapshot(root) == old
            continue
        assert sh(root, "git", "status", "--porcelain", "-uall") == ""
        assert names(root, "train", "images") == ["t1.jpg", "t2.jpg", "t3.jpg"]
        assert "up to date" in dvc(root, "status", "data/dataset.dvc")
    assert seen == [False, False, True]  # status, add, checkout
