"""`yoloop classes …` brings all that knows a class to the new list, in one step, and loses nobody's box."""

import csv
import json
import re
import shutil
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from stages.base.errors import UserError
from stages.base.params import read_classes
from stages.classes.class_change import added, merged, renamed, split_up
from stages.classes.class_gate import TRACKED
from stages.classes.class_migration import change_classes, remove_class
from stages.convergence.history.history_file import read_history
from stages.dataset.sheets.split_folder import read_split
from stages.detector.model.checkpoint import class_names, load_model
from stages.iteration.advance import advance
from stages.iteration.finish import finish
from stages.iteration.new_line import start_over
from stages.iteration.status import status_lines
from stages.project.preconditions import start_tag
from stages.project.repository.transaction import recover
from tests.fake_project import dvc, sh
from tests.iteration.test_advance import assert_cache_whole, edit, snapshot
from tests.killing import chosen_calls, run_killed
from tests.meanwhile import types

pytestmark = pytest.mark.slow
Change = Callable[[Path], str]

CHANGES: dict[str, Change] = {
    "add": lambda root: change_classes(root, lambda *now: added(*now, "door", ["a door with its swing"])),
    "rename": lambda root: change_classes(root, lambda *now: renamed(*now, "elevation", "marker")),
    "merge": lambda root: change_classes(root, lambda *now: merged(*now, ["title", "detail"], "callout")),
    "split": lambda root: change_classes(root, lambda *now: split_up(*now, "detail", ["detail", "section"])),
}
NEW = {
    "add": ("detail", "elevation", "title", "door"),
    "rename": ("detail", "marker", "title"),
    "merge": ("callout", "elevation"),
    "split": ("detail", "elevation", "title", "section"),
}
BECOMES = {  # what every box of before is now
    "add": {},
    "rename": {"elevation": "marker"},
    "merge": {"title": "callout", "detail": "callout"},
    "split": {},
}


def boxes(root: Path) -> dict[str, Counter[str]]:
    """Return how many boxes of each class name every label file has, read as anybody would: from the files alone."""
    names = yaml.safe_load((root / "data/dataset/data.yaml").read_text())["names"]
    return {
        str(file.relative_to(root)): Counter(names[int(line.split()[0])] for line in file.read_text().splitlines())
        for file in sorted(root.glob("data/*/**/labels/*.txt"))
        if ".advance" not in file.parts and "sample" not in file.parts
    }


def places(root: Path) -> dict[str, list[str]]:
    """Return where the boxes of every label file lie, in the order of its rows."""
    return {
        str(file.relative_to(root)): [line.split(" ", 1)[1] for line in file.read_text().splitlines()]
        for file in sorted(root.glob("data/*/**/labels/*.txt"))
        if "sample" not in file.parts
    }


def assert_whole(root: Path, classes: tuple[str, ...]) -> None:
    """Check that everything in the project speaks of `classes`, and is as Git and DVC have it."""
    assert read_classes(root / "params.yaml") == classes
    assert yaml.safe_load((root / "data/dataset/data.yaml").read_text())["names"] == list(classes)
    assert tuple(yaml.safe_load((root / "data/prompts.yaml").read_text())["prompts"]) == classes
    assert class_names(load_model(root / "models/parent.pt")) == classes
    read_history(root / "metrics/history.csv", classes)
    for split in ("train", "val", "test", "pool"):
        read_split(split, root / "data/dataset")
    assert sh(root, "git", "status", "--porcelain", "-uall") == ""
    assert "up to date" in dvc(root, "status", *(f"{name}.dvc" for name in TRACKED))
    assert_cache_whole(root)


@pytest.mark.parametrize("name", CHANGES)
def test_all_that_knows_a_class_follows_and_no_box_is_lost(started: Callable[[], Path], name: str) -> None:
    root = started()
    before, where, head = boxes(root), places(root), sh(root, "git", "rev-parse", "dataset-v1")
    assert sum(map(Counter.total, before.values())) == 12  # of train, val, test, pool and the oracle
    said = CHANGES[name](root)
    assert_whole(root, NEW[name])
    after = boxes(root)
    assert places(root) == where  # to the byte
    assert after == {
        file: Counter({new: 0}) + Counter(BECOMES[name].get(one, one) for one in counts.elements())
        for file, counts in before.items()
        for new in [""]
    }
    assert sh(root, "git", "rev-parse", "dataset-v1") == head
    assert sh(root, "git", "rev-parse", "dataset-v1.1") == sh(root, "git", "rev-parse", "HEAD")
    assert sh(root, "git", "log", "-1", "--format=%s").strip().endswith("(dataset-v1.1)")
    assert "Tag dataset-v1.1." in said
    params = (root / "params.yaml").read_text()
    assert "# names in the order of the ids in the labels; read by every stage\nclasses:\n- " in params
    assert "# px of the side of the windows that a sheet is trained on" in params
    assert status_lines(root)[1].partition("dataset")[2].strip().startswith("dataset-v1.1: ")
    assert status_lines(root)[-1] == "next     yoloop run"


@pytest.mark.parametrize("links", ["hardlink", "symlink"])
def test_what_the_cache_holds_stays_whole_where_files_are_links_into_it(
    started: Callable[[], Path], links: str
) -> None:
    root = started()
    dvc(root, "config", "--local", "cache.type", links)
    dvc(root, "checkout", "-q", "--relink")
    CHANGES["merge"](root)
    assert_whole(root, NEW["merge"])


def test_a_merge_says_what_it_did(started: Callable[[], Path]) -> None:
    root = started()
    file = root / "data/dataset/train/labels/t2.txt"
    file.write_text("0 0.3 0.3 0.1 0.1\n2 0.3 0.3 0.1 0.1\n1 0.5 0.5 0.2 0.2\n")  # a detail and a title on one place
    from stages.intake.acceptance import accept

    accept(root)
    said = CHANGES["merge"](root).splitlines()
    assert said == [
        "Merge classes title, detail into callout: the classes are 0 callout, 1 elevation now. Tag dataset-v1.1.",
        "train: 4 boxes on 3 sheets renamed; 6 before and after",
        "val: 2 boxes on 2 sheets renamed; 2 before and after",
        "test: no box renamed; 1 before and after",
        "pool: 1 box on 1 sheet renamed; 1 before and after",
        "held-back labels: 1 box on 1 sheet renamed; 3 before and after",
        "1 box now exactly on another one of the same class, and left there: look at t2.jpg",
        "Weights: rows of the class branch: callout from detail (most boxes in train); every other class keeps its "
        "row.",
        "Prompts (data/prompts.yaml): callout: title under a drawing view with a number in a circle and an underlined "
        "name | round callout bubble with a detail number over a sheet number",
        "History: F1 over all classes of iterations before is not compared with that of later ones; numbers per class "
        "go on for those that stayed (elevation).",
        "Next: `yoloop run`, or `dvc repro` and then `yoloop finish`.",
    ]
    rows = list(csv.DictReader((root / "metrics/history.csv").open()))
    assert {name: rows[0][name] for name in rows[0] if "[" in name} == {
        "f1[callout]": "",
        "f1[elevation]": "0.8",
        "fn[callout]": "",
        "fn[elevation]": "1",
    }


def test_a_split_says_which_sheets_a_person_should_look_at(started: Callable[[], Path]) -> None:
    root = started()
    said = CHANGES["split"](root)
    assert "until somebody does, every box counts as detail, also where it is section:" in said
    assert "  train: 2 boxes on 2 sheets: p1.jpg, t1.jpg" in said
    assert "  val: 1 box on 1 sheet: v1.jpg" in said
    assert "  held-back labels: 1 box on 1 sheet: p1.txt" in said
    listed = sh(root, "git", "show", "-s", "--format=%b", "dataset-v1.1").splitlines()
    assert listed[1:3] == ["train p1.jpg 1", "train t1.jpg 1"]
    assert "No packet brings them by itself: correct the labels in data/dataset, then `yoloop data accept`" in said


def test_a_renaming_there_and_back_changes_nothing(started: Callable[[], Path]) -> None:
    root = started()

    def turn() -> dict[str, str]:
        CHANGES["rename"](root)
        assert read_history(root / "metrics/history.csv", NEW["rename"])["f1[marker]"].tolist() == [0.8]
        change_classes(root, lambda *now: renamed(*now, "marker", "elevation"))
        kept = ("params.yaml", "data/", "metrics/", "models/")
        return {file: digest for file, digest in snapshot(root).items() if file.startswith(kept)}

    before = snapshot(root)
    once = turn()  # lays files out as this writes them
    assert {name for name in once if once[name] != before[name]} == {
        "data/dataset.dvc",
        "data/dataset/data.yaml",
        "metrics/history_sheets.json",
        "metrics/parent_outcomes.json",
        "models/parent.pt",
        "models/parent.pt.dvc",
    }
    assert turn() == once
    assert start_tag(root, 1) == "dataset-v1.4"


def test_a_class_that_comes_in_iteration_2_goes_through_the_loop(started: Callable[[], Path]) -> None:
    root = started()
    dvc(root, "repro", "-q")
    finish(root)
    advance(root, reviewer="oracle")
    CHANGES["add"](root)
    finished = sh(root, "git", "rev-parse", "iteration-1")
    dvc(root, "repro", "-q")
    assert "Iteration 2 is finished" in finish(root)
    history = read_history(root / "plots/converge/history.csv", NEW["add"])
    assert history["iteration"].tolist() == [0, 1, 2]
    assert history["f1[door]"].isna().tolist() == [True, True, False]
    assert sh(root, "git", "rev-parse", "iteration-1") == finished
    sh(root, "git", "checkout", "-q", "iteration-1")
    dvc(root, "checkout", "-q")
    assert "up to date" in dvc(root, "status")  # what is finished stays as it was
    sh(root, "git", "checkout", "-q", "main")
    dvc(root, "checkout", "-q")
    with pytest.raises(UserError, match="expected sheets to review"):  # four sheets in the pool, two a packet
        advance(root, reviewer="oracle")
    assert "branch again-1" in start_over(root, 2)  # from where iteration 2 began in the end
    assert read_classes(root / "params.yaml") == NEW["add"]
    assert sh(root, "git", "rev-parse", "HEAD~1") == sh(root, "git", "rev-parse", "dataset-v2.1")
    change_classes(root, lambda *now: renamed(*now, "door", "gate"))
    assert sh(root, "git", "rev-parse", "again-1/dataset-v2.1") == sh(root, "git", "rev-parse", "HEAD")


def test_a_class_without_boxes_goes_and_others_close_up(started: Callable[[], Path]) -> None:
    root = started()
    before = boxes(root)
    CHANGES["add"](root)
    change_classes(root, lambda *now: merged(*now, ["detail", "door"], "detail"))
    change_classes(root, lambda *now: added(*now, "window"))
    assert remove_class(root, "window").startswith(
        "Remove class window: the classes are 0 detail, 1 elevation, 2 title"
    )
    assert boxes(root) == before
    assert start_tag(root, 1) == "dataset-v1.4"


def test_classes_that_are_told_the_same_can_still_be_renamed_or_made_one(started: Callable[[], Path]) -> None:
    root = started()
    prompts = yaml.safe_load((root / "data/prompts.yaml").read_text())["prompts"]
    edit("data/prompts.yaml", prompts["title"], prompts["detail"].upper())(root)
    sh(root, "git", "commit", "-qam", "as an import of GND and gnd leaves it")
    CHANGES["rename"](root)
    CHANGES["merge"](root)
    told = yaml.safe_load((root / "data/prompts.yaml").read_text())["prompts"]
    assert told["callout"].casefold() == prompts["detail"].casefold()


def has_run(root: Path) -> None:
    dvc(root, "repro", "-q")


def is_finished(root: Path) -> None:
    has_run(root)
    finish(root)


REFUSED: list[tuple[Callable[[Path], object], Change, str]] = [
    (
        is_finished,
        CHANGES["add"],
        "iteration 1: expected the start of an iteration, where classes may change, found one",
    ),
    (has_run, CHANGES["add"], "dvc.lock: expected the start of iteration 1, where classes may change"),
    (edit("params.yaml", "epochs: 100", "epochs: 5"), CHANGES["add"], "params.yaml: expected no uncommitted changes"),
    (edit("data/prompts.yaml", "title under", "a"), CHANGES["add"], "data/prompts.yaml: expected no uncommitted chan"),
    (lambda root: (root / "data/dataset/train/labels/t1.txt").unlink(), CHANGES["add"], "data/dataset: expected what "),
    (lambda root: shutil.rmtree(root / "data/oracle"), CHANGES["add"], "Run `dvc checkout data/oracle.dvc`"),
    (lambda root: (root / "models/parent.pt").unlink(), CHANGES["add"], "Run `dvc checkout models/parent.pt.dvc`"),
    (lambda root: sh(root, "git", "tag", "-d", "dataset-v1"), CHANGES["add"], "expected its start (tag dataset-v1)"),
    (lambda root: sh(root, "git", "checkout", "-q", "--detach"), CHANGES["add"], "HEAD: expected a branch"),
    (lambda root: None, lambda root: remove_class(root, "title"), "found 3 boxes on 3 sheets, which would go with it"),
    (
        lambda root: None,
        lambda root: change_classes(root, lambda *now: renamed(*now, "tilte", "a")),
        "params.yaml: expected one of the classes (detail, elevation, title), found 'tilte'.",
    ),
]


@pytest.mark.parametrize(("spoil", "change", "complaint"), REFUSED)
def test_refusals_are_one_line_and_change_nothing(started, spoil, change, complaint) -> None:
    root = started()
    spoil(root)
    before = snapshot(root)
    with pytest.raises(UserError) as caught:
        change(root)
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)
    assert re.search(r": expected .+, found .+\. ", str(caught.value))
    assert snapshot(root) == before


def test_weights_with_fused_prompts_are_refused(started: Callable[[], Path]) -> None:
    from stages.detector.model.checkpoint import save_model
    from stages.detector.model.runtime import start_ultralytics

    root = started()
    start_ultralytics()
    import torch
    from ultralytics.nn.tasks import YOLOEModel

    model = YOLOEModel("yoloe-26n.yaml", nc=3, verbose=False).eval()
    model.names = dict(enumerate(("detail", "elevation", "title")))
    model.model[-1].fuse(torch.nn.functional.normalize(torch.rand(1, 3, 512), dim=-1))
    save_model(model, root / "models/parent.pt", imgsz=64)
    dvc(root, "add", "-q", "models/parent.pt")
    sh(root, "git", "commit", "-q", "-a", "-m", "fused")
    before = snapshot(root)
    with pytest.raises(UserError, match=r"models/parent\.pt: expected weights whose prompts are still text"):
        CHANGES["add"](root)
    assert snapshot(root) == before


def test_what_is_typed_meanwhile_is_not_overwritten(started, monkeypatch, tmp_path) -> None:
    root = started()
    types(monkeypatch, tmp_path / "fakes", at="read-tree", into=root / "data/prompts.yaml")
    with pytest.raises(UserError, match=r"prompts\.yaml: expected what it held when this began, found other content"):
        CHANGES["merge"](root)
    assert (root / "data/prompts.yaml").read_text().endswith("# typed meanwhile\n")
    assert sh(root, "git", "status", "--porcelain") == " M data/prompts.yaml\n"


SCRIPT = (
    "import sys; from pathlib import Path; from stages.classes.class_change import merged; "
    "from stages.classes.class_migration import change_classes; "
    "change_classes(Path(sys.argv[1]), lambda *now: merged(*now, ['title', 'detail'], 'callout'))"
)


@pytest.mark.faults
@pytest.mark.parametrize("what", ["dvc", "git"])
def test_a_kill_at_any_call_leaves_the_old_classes_or_the_new_ones(
    started: Callable[[], Path], tmp_path: Path, every_kill: bool, what: str
) -> None:
    """Before a call of Git and after it by turns; each call of both kinds where every kill is asked for."""
    fakes = tmp_path / "fakes"
    root = started()
    before = snapshot(root)
    assert run_killed(SCRIPT, str(root), fakes=fakes, what=what, at=0) == 0
    assert_whole(root, NEW["merge"])
    after = snapshot(root)
    calls = chosen_calls(int((fakes / "count").read_text()), every=every_kill or what == "dvc")
    turns = [(at, kill) for at in calls for kill in ("before", "after")]
    if not every_kill:
        turns = [(at, "after") for at in calls] if what == "dvc" else turns[:: len(turns) // len(calls) + 1]
    seen = []
    for at, kill in turns:
        shutil.rmtree(root)
        root = started()
        assert run_killed(SCRIPT, str(root), fakes=fakes, what=what, kill=kill, at=at) == -signal.SIGKILL
        recover(root)
        now = snapshot(root)
        seen.append("refs/tags/dataset-v1.1" in now["refs"])
        same = {name: now.get(name) for name in {*now, *after} - {"refs"}}
        assert now == before if not seen[-1] else same == {name: after.get(name) for name in same}
    assert seen == sorted(seen)
    assert set(seen) == {False, True}


def test_what_the_review_taught_of_a_class_goes_with_it(started: Callable[[], Path]) -> None:
    root = started()
    review = json.loads((root / "metrics/review.json").read_text())
    judged = [
        {"iteration": 0, "class_name": name, "confidence": 0.5, "right": 3, "wrong": 1}
        for name in ("detail", "elevation", "")
    ]
    review["details"][0]["judged"] = judged
    (root / "metrics/review.json").write_text(json.dumps(review))
    sh(root, "git", "commit", "-q", "-a", "-m", "judged")
    CHANGES["rename"](root)
    CHANGES["merge"](root)
    after = json.loads((root / "metrics/review.json").read_text())["details"][0]["judged"]
    assert [row["class_name"] for row in after] == ["marker", ""]
