"""The demo from end to end, on fewer steps than `make demo` takes, and a person's own sheets after it."""

import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from ruamel.yaml import YAML
from yaml import safe_load

from demo.demo_run import copy_project
from demo.drawing.sets import DEFAULT_COUNTS
from stages.base.image_size import image_size
from stages.project.yaml_edits import flat
from tests.browser import CHROMIUM
from tests.fake_project import REPO, person_params
from tests.once import Once
from tests.real_project import Project
from tests.toy import write_yolo_folder

pytestmark = pytest.mark.slow
QUICK = {
    "train": {"epochs_baseline": 1, "epochs": 1, "imgsz": 96, "batch": 16},
    "predict": {"imgsz": 96},
    "converge": {"max_iterations": 2},
}


class Shown(NamedTuple):
    clone: Project
    demo: Project
    said: str


@pytest.fixture(scope="session")
def shown(once: Once) -> Shown:
    """A clone in which `python -m demo run` has been typed: to be copied, never changed."""
    folder = once("shown", show)
    return shown_in(folder, (folder / "said").read_text())


def show(folder: Path) -> None:
    root = folder / "clone"
    copy_project(REPO, root)
    yaml = YAML()
    params = yaml.load(root / "demo/params.yaml")
    for section, values in QUICK.items():
        params[section].update(values)
    yaml.dump(params, root / "demo/params.yaml")
    clone = Project(root, folder / "home")
    clone.git("init", "-q", "-b", "main")
    clone.git("add", ".")
    clone.git("commit", "-q", "-m", "A clone")
    (folder / "said").write_text(clone.run(sys.executable, "-m", "demo", "run").stdout)


def shown_in(folder: Path, said: str) -> Shown:
    home = folder / "home"
    return Shown(Project(folder / "clone", home), Project(folder / "clone/.demo", home), said)


@pytest.fixture
def copy(shown: Shown, tmp_path: Path) -> Shown:
    """A copy of all of it, to be changed."""
    shutil.copytree(shown.clone.root, tmp_path / "clone", symlinks=True)
    return shown_in(tmp_path, shown.said)


@pytest.mark.faults
def test_the_demo_twice_from_one_seed_is_the_same_to_the_bit(shown: Shown, tmp_path: Path, *, every_kill: bool):
    """Metrics and reports, and by the digests in dvc.lock all tables, pictures and weights of every iteration."""
    if not every_kill:
        pytest.skip("a demo more; make test-faults runs it")
    show(tmp_path)
    again = shown_in(tmp_path, "").demo
    tags = shown.demo.git("tag").split()
    assert len(tags) > 3
    for tag in tags:
        made = ("dvc.lock", "data", "metrics", "models", "params.yaml", "plots")
        listed = [demo.git("ls-tree", "-r", tag, *made).splitlines() for demo in (shown.demo, again)]
        assert listed[0] == listed[1]
        assert len(listed[0]) > 10


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_the_pictures_of_the_docs_are_taken_from_a_demo_that_has_run(shown: Shown, tmp_path: Path):
    program = ("-m", "benchmarks.screenshots", str(shown.demo.root), "--into", str(tmp_path))
    shown.clone.run(sys.executable, *program)
    sizes = {name: image_size(tmp_path / name) for name in ("report.jpg", "review_page.jpg")}
    assert sizes == {"report.jpg": (1100, 1960), "review_page.jpg": (1400, 880)}


def test_the_clone_stays_clean(shown: Shown):
    assert shown.clone.git("status", "--porcelain") == ""
    assert shown.clone.git("tag") == ""
    assert (shown.clone.root / "params.yaml").read_text() == person_params()


def test_all_its_sheets_were_drawn_with_exactly_the_hashes_that_git_holds(shown: Shown):
    """Others are refused when they are drawn, as tests/demo/test_demo_run.py sees on a few."""
    assert f"Drawn: {', '.join(f'{split} {count}' for split, count in DEFAULT_COUNTS.items())} sheets" in shown.said
    for name in ("data/dataset.dvc", "data/oracle.dvc", "models/parent.pt.dvc", "models/target.pt.dvc"):
        assert shown.demo.git("show", f"dataset-v0:{name}") == (REPO / name).read_text()
    assert len(list((shown.demo.root / "data/oracle/labels").iterdir())) > 50


def test_it_ends_with_a_row_per_iteration_a_page_and_commands_to_try(shown: Shown):
    lines = shown.said.splitlines()
    head = next(i for i, line in enumerate(lines) if line.split()[:2] == ["iteration", "reviewed"])
    assert [line.split()[0] for line in lines[head + 1 : head + 3]] == ["0", "1"]
    assert int(lines[head + 1].split()[1]) == 0
    assert int(lines[head + 2].split()[1]) > 0
    page = next(line.removeprefix("Open ") for line in lines if line.startswith("Open "))
    assert Path(page.removeprefix("file://")).is_file()
    assert sum(line.startswith("  ") for line in lines[head + 4 :]) == 3


def test_the_loop_was_real(shown: Shown):
    assert shown.demo.git("tag").split() == ["dataset-v0", "dataset-v1", "iteration-0", "iteration-1"]
    assert shown.demo.git("status", "--porcelain") == ""
    assert "up to date" in shown.demo.dvc("status")


def test_a_persons_sheets_take_the_place_of_the_demo(copy: Shown, tmp_path: Path):
    """In the demo's own folder, where all its tags are."""
    source = write_yolo_folder(tmp_path / "mine", {"train": 3, "val": 2, "pool": 2}, seed=1)
    weights = ["--baseline", "starter/yolo26n.pt", "--target", "starter/yoloe-26n.pt"]
    said = copy.demo.yoloop("data", "import", str(source), *weights).stdout
    assert "demo: its 4 tags are now demo/…" in said
    tags = {f"demo/{kind}{i}" for kind in ("iteration-", "dataset-v") for i in (0, 1)}
    assert set(copy.demo.git("tag").split()) == {"dataset-v0", *tags}
    left = copy.demo.git("ls-files", "metrics", "plots", "dvc.lock", "data/demo.md", "data/oracle.dvc").split()
    carried = ("history.csv", "history_sheets.json", "parent_outcomes.json", "review.json")
    assert left == [f"metrics/{name}" for name in carried]
    assert len(list((copy.demo.root / "data/dataset/train/images").iterdir())) == 3
    assert copy.demo.git("status", "--porcelain") == ""
    fitting = {"train.encoder": "wordllama", "classes": ["detail", "elevation", "title"]}
    mine = flat(safe_load((copy.demo.root / "params.yaml").read_text()))
    assert mine == {**flat(safe_load(person_params())), **fitting}
    assert "yoloop run" in copy.demo.yoloop("status").stdout
    refused = copy.demo.yoloop("data", "import", str(source), *weights, code=2).stderr
    assert "expected a project that has not begun, found an import (dataset-v0). " in refused


def test_the_starter_weights_are_placed_in_a_clone_that_names_them_already(copy: Shown, tmp_path: Path):
    """The way without a network that README shows; the clone has the demo's .dvc files, and none of its data."""
    assert not (copy.clone.root / "models/parent.pt").exists()
    source = write_yolo_folder(tmp_path / "mine", {"train": 3, "val": 2, "pool": 2}, seed=1)
    weights = ["--baseline", "starter/yolo26n.pt", "--target", "starter/yoloe-26n.pt"]
    copy.clone.yoloop("data", "import", str(source), *weights)
    for name, starter in (("parent", "yolo26n"), ("target", "yoloe-26n")):
        placed = (copy.clone.root / f"models/{name}.pt").read_bytes()
        assert placed == (REPO / f"starter/{starter}.pt").read_bytes()
    assert "next     yoloop run" in copy.clone.yoloop("status").stdout
