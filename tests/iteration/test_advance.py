"""`yoloop advance` moves what was reviewed, carries what is named, and touches nothing else."""

import hashlib
import re
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from stages.base.errors import UserError
from stages.base.tables import read_metrics
from stages.dataset.sheets.manifest import read_manifest
from stages.dataset.sheets.split_folder import require_as_listed
from stages.intake.acceptance import accept
from stages.iteration.advance import advance
from stages.iteration.finish import finish
from stages.iteration.status import status_lines
from stages.project.repository.transaction import recover
from stages.review.kept.kept_review import ReviewedBox
from tests.fake_project import dvc, sh, write_files
from tests.killing import run_killed
from tests.meanwhile import types
from tests.reviews import review_packet

pytestmark = pytest.mark.slow

P1 = {"p1.jpg": [ReviewedBox("title", 24, 24, 40, 40)]}


def snapshot(root: Path) -> dict[str, str]:
    """Return every file that a person or DVC may care about, with its hash, and every ref."""
    files = [
        file
        for file in root.rglob("*")
        if file.is_file() and not {".git", ".yoloop", "tmp", "cache"} & set(file.relative_to(root).parts)
    ]
    digests = {str(file.relative_to(root)): hashlib.md5(file.read_bytes()).hexdigest() for file in files}
    return {**digests, "refs": sh(root, "git", "show-ref"), "status": sh(root, "git", "status", "--porcelain")}


def names(root: Path, split: str, kind: str) -> list[str]:
    return sorted(file.name for file in (root / "data/dataset" / split / kind).glob("*"))


def assert_cache_whole(root: Path) -> None:
    for file in (root / ".dvc/cache/files/md5").glob("*/*"):
        assert hashlib.md5(file.read_bytes()).hexdigest() == file.parent.name + file.name.removesuffix(".dir")


@pytest.mark.parametrize("links", ["copy", "hardlink", "symlink"])
def test_oracle_moves_the_packet_and_carries_what_is_named(finished: Callable[[], Path], links: str) -> None:
    root = finished()
    dvc(root, "config", "--local", "cache.type", links)
    dvc(root, "checkout", "-q", "--relink")
    comment = next(line for line in (root / "params.yaml").read_text().splitlines() if "budget:" in line)
    said = advance(root, reviewer="oracle")
    assert "2 sheets with 2 boxes moved from pool to train (1 with nothing on it); train has 5, the pool 2" in said
    assert names(root, "train", "images") == ["p1.jpg", "p2.jpg", "t1.jpg", "t2.jpg", "t3.jpg"]
    assert names(root, "pool", "images") == ["p3.jpg", "p4.jpg"]
    labels = root / "data/dataset/train/labels"
    assert (labels / "p1.txt").read_text() == (
        "0 0.500000 0.500000 0.250000 0.250000\n1 0.200000 0.200000 0.100000 0.100000\n"
    )
    assert (labels / "p2.txt").read_text() == ""
    assert (labels / "t1.txt").read_text() == "0 0.5 0.5 0.2 0.2\n"  # others keep their bytes
    rows = {split: read_manifest(root / "data/dataset" / split / "manifest.csv") for split in ("train", "pool")}
    assert [row[:3] for row in rows["train"][:2]] == [("p1.jpg", 1, "oracle"), ("p2.jpg", 1, "oracle")]
    assert [row[:3] for row in rows["pool"]] == [("p3.jpg", 0, "none"), ("p4.jpg", 0, "import")]
    for split in rows:
        require_as_listed(root / "data/dataset" / split)
    assert (root / "models/parent.pt").read_text() == (root / "models/best.pt").read_text()
    assert (root / "metrics/history.csv").read_bytes() == (root / "plots/converge/history.csv").read_bytes()
    carried, written = (root / f"metrics/{name}_sheets.json" for name in ("history", "converge"))
    assert carried.read_bytes() == written.read_bytes()
    params = (root / "params.yaml").read_text().splitlines()
    assert comment in params
    assert next(line for line in params if line.startswith("iteration:")).startswith("iteration: 1 #")
    assert sh(root, "git", "status", "--porcelain", "-uall") == ""
    assert sh(root, "git", "log", "--format=%s", "-2").splitlines()[0] == "Start iteration 1 with 2 reviewed sheets"
    assert sh(root, "git", "rev-parse", "dataset-v1") == sh(root, "git", "rev-parse", "HEAD")
    assert_cache_whole(root)
    tracked = ("data/dataset.dvc", "models/parent.pt.dvc", "models/target.pt.dvc", "data/oracle.dvc")
    assert "up to date" in dvc(root, "status", *tracked)


def test_the_next_iteration_runs_and_the_old_one_comes_back(finished: Callable[[], Path]) -> None:
    root = finished()
    advance(root, reviewer="oracle")
    dvc(root, "repro", "-q")
    finish(root)
    assert "iteration 1 from iteration 0 from baseline" in (root / "models/best.pt").read_text()
    sh(root, "git", "checkout", "-q", "iteration-0")
    dvc(root, "checkout", "-q")
    assert "up to date" in dvc(root, "status")
    assert names(root, "train", "images") == ["t1.jpg", "t2.jpg", "t3.jpg"]


def test_a_review_is_merged_kept_in_history_and_taken_away(finished: Callable[[], Path]) -> None:
    root = finished()
    review_packet(root, P1, partial=True)
    files = {str(file.relative_to(root / "data/review")) for file in (root / "data/review").rglob("*.json")}
    prompts = (root / "data/prompts.yaml").read_text().replace("title under", "the title of")
    (root / "data/prompts.yaml").write_text(prompts)  # changed during the review: for the next iteration
    before = (root / "data/dataset/pool/images/p1.jpg").read_bytes()
    said = advance(root, reviewer="person")
    assert "1 sheet with 1 box moved" in said
    assert "Not reviewed, so still in the pool: p2.jpg" in said
    assert (root / "data/dataset/train/labels/p1.txt").read_text() == "2 0.500000 0.500000 0.250000 0.250000\n"
    assert (root / "data/dataset/train/images/p1.jpg").read_bytes() == before  # our bytes
    assert read_manifest(root / "data/dataset/train/manifest.csv")[0][:3] == ("p1.jpg", 1, "person")
    assert not (root / "data/review").exists()
    assert not (root / "data/review.dvc").exists()
    assert sh(root, "git", "status", "--porcelain", "-uall") == ""
    assert sh(root, "git", "show", "HEAD:data/prompts.yaml") == prompts
    command = re.search(r"to get it back: dvc (.*)", said)
    assert command is not None
    dvc(root, *command[1].split())
    kept = {str(file.relative_to(root / "review")) for file in (root / "review").rglob("*.*") if file.is_file()}
    assert kept == {*files, "ledger.csv"}


def test_the_ledger_says_what_the_review_changed(finished: Callable[[], Path]) -> None:
    """The packet's pre-label on both sheets is a title at 8 8 24 24; p1 was picked, p2 drawn at random."""
    root = finished()
    kept = ReviewedBox("title", 8, 8, 24, 24, "1-1")
    review_packet(root, {"p1.jpg": [kept, ReviewedBox("detail", 40, 40, 50, 50)], "p2.jpg": []})
    said = advance(root, reviewer="person")
    assert "[REVIEW] 3 boxes: 1 confirmed, 1 added, 1 deleted, on the page" in said
    assert "[REVIEW] The pre-labels were right with P 0.500, R 0.500, F1 0.500; 0.2 minutes, 4.0 s per box" in said
    assert "not known yet: 1 random sheet reviewed so far, at least 2 " in said
    found = read_metrics(root / "metrics/review.json")
    assert (found["sheets"], found["boxes"], found["errors"], found["picker_gain"]) == (2, 3, 2, 0.5 - 1)
    assert sh(root, "git", "show", "dataset-v1:metrics/review_sheets.csv").splitlines()[1:] == [
        "0,p1.jpg,picked,model,page,2,1,0,0,0,1,0,1,6.0",
        "0,p2.jpg,random,model,page,1,0,0,0,0,0,1,1,6.0",
    ]
    dvc(root, "repro", "-q")
    finish(root)
    advance(root, reviewer="oracle")  # the next review adds its sheets
    rows = (root / "metrics/review_sheets.csv").read_text().splitlines()[1:]
    assert [row.split(",")[:2] for row in rows] == [["0", "p1.jpg"], ["0", "p2.jpg"], ["1", "p3.jpg"], ["1", "p4.jpg"]]


def test_labels_that_were_checked_are_replaced_and_a_repeat_changes_none(project: Callable[[], Path]) -> None:
    """t1 of train is in the packet to be checked, t2 as if it were new; each sheet comes back with one elevation."""
    root = project()
    edit("params.yaml", "recheck_share: 0\n", "recheck_share: 0.1\n")(root)
    edit("params.yaml", "repeat_every: 0\n", "repeat_every: 1\n")(root)
    dvc(root, "repro", "-q")
    finish(root)
    review_packet(root)
    train = root / "data/dataset/train"
    before = (train / "labels/t2.txt").read_text()
    said = advance(root, reviewer="person")
    assert "2 sheets with 2 boxes moved from pool to train; train has 5, the pool 2" in said
    assert "In train the labels of 1 sheet are those of the review now: t1.jpg" in said
    # One elevation lies where train has one (IoU 0.64); the title that train has beside it is not there now.
    assert "came back with F1 0.667 beside the labels of before (1 box alike, 0 only now, 1 only then)" in said
    assert "on those whose labels were checked." in said
    assert (train / "labels/t1.txt").read_text() == "1 0.500000 0.500000 0.250000 0.250000\n"
    assert (train / "labels/t2.txt").read_text() == before
    rows = {row.image_id: row[:3] for row in read_manifest(train / "manifest.csv")}
    assert sorted(rows) == ["p1.jpg", "p2.jpg", "t1.jpg", "t2.jpg", "t3.jpg"]
    assert (rows["t1.jpg"], rows["t2.jpg"]) == (("t1.jpg", 0, "person"), ("t2.jpg", 0, "import"))
    dvc(root, "get", "-q", ".", "data/dataset/train/labels/t1.txt", "--rev", "dataset-v0", "-o", "old.txt")
    assert (root / "old.txt").read_text() == "0 0.5 0.5 0.2 0.2\n"  # nobody's labels are lost
    found = read_metrics(root / "metrics/review.json")
    assert (found["rechecked"], found["agreement"]["fn"]) == (["t1.jpg"], 1)


def test_what_is_not_complete_needs_a_word(finished: Callable[[], Path]) -> None:
    root = finished()
    review_packet(root, P1)
    before = snapshot(root)
    with pytest.raises(UserError, match=r"all 2 sheets .* found 1 that are not: p2\.jpg\. .*yoloop advance --partial"):
        advance(root, reviewer="person")
    assert snapshot(root) == before
    assert "still in the pool: p2.jpg" in advance(root, reviewer="person", partial=True)


def test_going_on_despite_a_stop_is_written_into_the_history(project: Callable[[], Path]) -> None:
    root = project()
    params = root / "params.yaml"
    params.write_text(params.read_text().replace("max_iterations: 10", "max_iterations: 1"))
    dvc(root, "repro", "-q")
    finish(root)
    before = snapshot(root)
    for reason in (None, "", "  "):
        with pytest.raises(UserError, match=r"expected the verdict 'go on', found 'stop' \(1 of 1"):
            advance(root, reviewer="oracle", despite_stop=reason)
    assert snapshot(root) == before
    advance(root, reviewer="oracle", despite_stop="two, new\nprojects")
    rows = (root / "metrics/history.csv").read_text().splitlines()
    assert rows[1].endswith(',stop,max_iterations,"two, new projects",')
    assert len(rows) == 2


@pytest.fixture
def regressed(project: Callable[[], Path]) -> Path:
    """A finished iteration whose model lost the class `title`."""
    root = project()
    edit("params.yaml", "overfit_gap: 0.05", "overfit_gap: 0.13")(root)
    dvc(root, "repro", "-q")
    said = finish(root)
    assert "LOST since iteration 0: class title: F1 0.900 to 0.700, -0.200 (-0.30 to -0.10); 14 boxes lost" in said
    assert "yoloop advance --accept-regression WHY" in said
    return root


def test_a_loss_is_carried_on_only_with_a_word(regressed: Path) -> None:
    root = regressed
    assert (root / "metrics/parent_outcomes.json").read_text() == '{"outcomes":[]}\n'
    before = snapshot(root)
    for reason in (None, "", "  "):
        with pytest.raises(
            UserError,
            match=r"^metrics/converge.json: expected nothing lost since iteration 0 beyond chance, found class title: "
            r"F1 0.900 to 0.700, -0.200 \(-0.30 to -0.10\); 14 boxes lost on 9 sheets, 2 won, 1 false alarm more\. .*"
            r"yoloop advance --accept-regression WHY",
        ):
            advance(root, reviewer="oracle", accept_regression=reason)
    assert snapshot(root) == before
    assert any("advance --accept-regression WHY" in line for line in status_lines(root))
    assert any("LOST since iteration 0: class title" in line for line in status_lines(root))
    advance(root, reviewer="oracle", accept_regression="titles move to\nanother drawing")
    rows = (root / "metrics/history.csv").read_text().splitlines()
    assert rows[1].endswith(",go on,,,titles move to another drawing")
    message = sh(root, "git", "log", "-1", "--format=%b")
    assert message.strip() == "Although something was lost: titles move to another drawing"
    carried, written = (root / f"metrics/{name}_outcomes.json" for name in ("parent", "converge"))
    assert carried.read_bytes() == written.read_bytes()


def test_a_word_for_a_loss_that_is_none_is_not_kept(finished: Callable[[], Path]) -> None:
    root = finished()
    advance(root, reviewer="oracle", accept_regression="just in case")
    assert (root / "metrics/history.csv").read_bytes() == (root / "plots/converge/history.csv").read_bytes()


def edit(name: str, old: str, new: str) -> Callable[[Path], object]:
    return lambda root: (root / name).write_text((root / name).read_text().replace(old, new))


def reviewed(old: str, new: str, file: str = "sheets/001.json") -> Callable[[Path], object]:
    """Review all, then change `old` to `new` in a file of the review, as no tool of ours would."""

    def spoil(root: Path) -> None:
        review_packet(root)
        edit(f"data/review/{file}", old, new)(root)

    return spoil


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda root: sh(root, "git", "tag", "-d", "iteration-0"), "expected a finished iteration (tag iteration-0)"),
        (lambda root: sh(root, "git", "tag", "dataset-v1"), "tag dataset-v1: expected"),
        (lambda root: None, "data/review/review.json: expected a review, found no file"),
        (lambda root: review_packet(root, {}), "expected all 2 sheets of the packet reviewed, found 2 that are not"),
        (reviewed('"packet_id": "', '"packet_id": "0', "review.json"), "that of iteration 0, found one of packet 0"),
        (reviewed("p1.jpg", "p3.jpg"), "found p3.jpg, which is not in it"),  # in the pool, not in the packet
        (reviewed('"sha256": "', '"sha256": "0'), "found p1.jpg, with other content"),
        (reviewed("elevation", "door"), "sheets/001.json: expected a reviewed sheet, found class 'door'"),
        (reviewed('"x1": 24', '"x1": 41'), "found a box without a size: 41.0 24.0 40.0 40.0"),
        (reviewed("{", "", "review.json"), "review.json: expected the head of a review, found Invalid JSON"),
        (edit("params.yaml", "title", "tittle"), "stage train: expected the results of iteration 0"),
        (edit("params.yaml", "iteration: 0", "iteration: 3"), "expected a finished iteration (tag iteration-3)"),
        (edit("data/prompts.yaml", "title:", "tittle:"), "expected a prompt for each of"),
        (edit("data/dataset/pool/manifest.csv", "p3.jpg,0,none", "p3.jpg,0,person"), "data/dataset.dvc: expected"),
        (edit("metrics/converge.json", "go on", "go  on"), "stage converge: expected"),
    ],
)
def test_refusals_change_nothing(finished: Callable[[], Path], spoil: Callable[[Path], object], complaint: str) -> None:
    root = finished()
    spoil(root)
    before = snapshot(root)
    with pytest.raises(UserError) as caught:
        advance(root, reviewer="person")
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)
    assert snapshot(root) == before


def test_params_edited_in_the_pause_are_those_of_the_next_iteration(finished: Callable[[], Path]) -> None:
    root = finished()
    lock = (root / "dvc.lock").read_bytes()
    edit("params.yaml", "epochs: 100", "epochs: 5")(root)
    edit("params.yaml", "iou: 0.5", "iou: 0.9")(root)
    line = (
        "params.yaml was edited since iteration 0 ran: train.epochs 100 -> 5, validate.iou 0.5 -> 0.9. That counts "
        "from iteration 1 on; what ran stands in dvc.lock"
    )
    assert status_lines(root)[3:] == [
        f"state    iteration 0: finished; {line}",
        "next     review the packet (yoloop review open, or export and import), then: yoloop advance",
    ]
    assert f"{line}." in advance(root, reviewer="oracle").splitlines()
    params = (root / "params.yaml").read_text()
    assert "epochs: 5 " in params
    assert "iteration: 1 " in params
    assert sh(root, "git", "status", "--porcelain", "-uall") == ""  # the commit that starts iteration 1 holds them
    assert (root / "dvc.lock").read_bytes() == lock
    assert "to be run again" not in status_lines(root)[3]


def test_results_other_than_the_finished_ones_are_refused(finished: Callable[[], Path]) -> None:
    root = finished()
    edit("params.yaml", "budget: 20", "budget: 5")(root)
    dvc(root, "repro", "-q")
    for _ in range(2):  # not committed, then committed by hand
        with pytest.raises(UserError, match="expected the results that iteration 0 was finished with"):
            advance(root, reviewer="oracle")
        sh(root, "git", "commit", "-q", "--allow-empty", "-a", "-m", "by hand")


def test_a_review_that_leaves_nothing_to_learn_from_is_refused(project: Callable[[], Path]) -> None:
    """As after a start without labels, where a packet may hold no object; the next training would need one."""
    root = project()
    for label in (root / "data/dataset/train/labels").glob("*.txt"):
        label.unlink()
        label.write_text("")
    accept(root)
    dvc(root, "repro", "-q")
    finish(root)
    review_packet(root, {"p1.jpg": [], "p2.jpg": []})
    before = snapshot(root)
    with pytest.raises(UserError, match=r"expected a box to learn from.*git tag -d iteration-0 && yoloop run"):
        advance(root, reviewer="person")
    assert snapshot(root) == before
    review_packet(root, {**P1, "p2.jpg": []})
    assert "2 sheets with 1 box moved" in advance(root, reviewer="person")


def test_a_used_up_pool_ends_the_loop(finished: Callable[[], Path]) -> None:
    root = finished()
    for _ in range(2):
        advance(root, reviewer="oracle")
        dvc(root, "repro", "-q")
        finish(root)
    assert names(root, "pool", "images") == []
    with pytest.raises(UserError, match=r"expected sheets to review, found none \(0 left in the pool\)"):
        advance(root, reviewer="oracle")


def test_a_missing_oracle_label_is_named(finished: Callable[[], Path]) -> None:
    root = finished()
    (root / "data/oracle/labels/p2.txt").unlink()
    with pytest.raises(UserError, match=r"p2\.txt|data/oracle\.dvc"):
        advance(root, reviewer="oracle")


def test_a_kill_after_any_dvc_call_leaves_old_or_new(finished: Callable[[], Path], tmp_path: Path) -> None:
    fakes = tmp_path / "fakes"
    script = "import sys; from pathlib import Path; from stages.iteration.advance import advance; "
    script += "advance(Path(sys.argv[1]), reviewer='person')"
    seen = []
    for at in range(1, 20):
        shutil.rmtree(tmp_path / "project", ignore_errors=True)
        root = finished()
        review_packet(root, P1, partial=True)
        before = snapshot(root)
        ended = run_killed(script, str(root), fakes=fakes, at=at)
        if ended == 0:
            break
        assert ended == -signal.SIGKILL
        recover(root)
        new = (root / ".git/refs/tags/dataset-v1").exists()
        seen.append(new)
        if not new:
            assert snapshot(root) == before
            continue
        assert sh(root, "git", "status", "--porcelain", "-uall") == ""
        assert names(root, "train", "images") == ["p1.jpg", "t1.jpg", "t2.jpg", "t3.jpg"]
        assert not (root / "data/review").exists()
        assert "up to date" in dvc(root, "status", "data/dataset.dvc", "models/parent.pt.dvc")
    assert seen == sorted(seen)
    assert len(seen) == 5  # status, three times add, checkout


@pytest.mark.parametrize("name", ["params.yaml", "data/prompts.yaml"])
def test_what_is_typed_before_the_commit_is_not_overwritten(finished, monkeypatch, tmp_path, name):
    """Read at the beginning, typed into while the next dataset is made: nothing changes, and the line says why."""
    root = finished()
    types(monkeypatch, tmp_path / "fakes", at="read-tree", into=root / name)
    refs = sh(root, "git", "show-ref")
    with pytest.raises(UserError, match=rf"{name}: expected what it held when this began, found other content\. Run"):
        advance(root, reviewer="oracle")
    assert (root / name).read_text().endswith("# typed meanwhile\n")
    assert sh(root, "git", "show-ref") == refs
    assert sh(root, "git", "status", "--porcelain") == f" M {name}\n"


def test_what_is_typed_at_the_commit_is_put_aside_and_said(finished, monkeypatch, tmp_path, capsys):
    root = finished()
    aside = root / ".yoloop/yours"
    write_files(aside, {"params.yaml": "put aside before"})
    types(monkeypatch, tmp_path / "fakes", at="update-ref", into=root / "params.yaml")
    advance(root, reviewer="oracle")
    assert "iteration: 1 " in (root / "params.yaml").read_text()
    assert (aside / "params.yaml").read_text() == "put aside before"
    assert (aside / "params.yaml.1").read_text().endswith("# typed meanwhile\n")
    line = "params.yaml was changed meanwhile: what was typed there is kept in .yoloop/yours/params.yaml.1\n"
    assert capsys.readouterr().err == line
