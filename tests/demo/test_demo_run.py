"""`python -m demo run` and `draw`: a copy that leaves the clone as it is, sheets with the hashes that Git holds."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import yaml

from demo.demo_data import SEED, draw_demo, write_source
from demo.demo_run import PLACE, copy_project, run_demo, start_repository, table
from demo.drawing.sets import draw_set
from stages.base.errors import UserError
from stages.convergence.history.history_columns import column_types
from stages.convergence.history.history_file import write_history
from stages.formats.yolo_folder import read_source
from stages.intake.demo_values import demo_values
from stages.project.yaml_edits import flat
from tests.fake_project import REPO, sh, write_files

CLASSES = ("detail", "elevation", "title")
ROW = {
    **dict.fromkeys(("f1", "precision", "recall", "map50", "map50_95", "train_f1"), 0.5),
    **dict.fromkeys(("tp", "fp", "fn", "train_images", "pool_images"), 1),
    **{f"f1[{name}]": 0.25 for name in CLASSES},
    **{f"fn[{name}]": 2 for name in CLASSES},
    "despite_stop": "",
}


def history(rows: list[dict]) -> pd.DataFrame:
    types = column_types(CLASSES)
    return pd.DataFrame([{**ROW, **row} for row in rows], columns=list(types)).astype(types)


def test_the_table_has_a_row_per_iteration_with_the_boxes_that_were_reviewed_for_it(tmp_path: Path):
    (tmp_path / "params.yaml").write_text("classes: [detail, elevation, title]\n")
    (tmp_path / "plots/converge").mkdir(parents=True)
    rows = [
        {"iteration": 0, "train_boxes": 30, "verdict": "go on", "rule": "", "f1": None, "f1[title]": None},
        {"iteration": 1, "train_boxes": 72, "verdict": "stop", "rule": "max_iterations", "f1": 0.875},
    ]
    write_history(history(rows), tmp_path / "plots/converge/history.csv")
    head, first, second, classes, *per_class, legend = table(tmp_path)
    assert head.split() == ["iteration", "reviewed", "in", "train", "F1", "P", "R", "verdict"]
    assert first.split() == ["0", "0", "30", "–", "0.500", "0.500", "go", "on"]
    assert second.split()[:5] == ["1", "42", "72", "0.875", "0.500"]
    assert second.endswith("stop (max_iterations)")
    assert classes.split() == ["F1", "of", "0", "1"]
    assert [line.split() for line in per_class] == [
        ["detail", "0.250", "0.250"],
        ["elevation", "0.250", "0.250"],
        ["title", "–", "0.250"],
    ]
    assert "boxes" in legend


def test_thirteen_classes_fit_into_a_terminal(tmp_path: Path):
    names = [f"transistor {number}" for number in range(13)]
    (tmp_path / "params.yaml").write_text(f"classes: {names}\n")
    (tmp_path / "plots/converge").mkdir(parents=True)
    own = {f"{what}[{name}]": value for name in names for what, value in (("f1", 0.25), ("fn", 2))}
    types = column_types(names)
    rows = [{**ROW, **own, "iteration": step, "verdict": "stop", "rule": "max_iterations"} for step in range(12)]
    frame = pd.DataFrame(rows).reindex(columns=list(types)).astype(types)
    write_history(frame, tmp_path / "plots/converge/history.csv")
    lines = table(tmp_path)
    assert len(lines) == 1 + 12 + 1 + 13 + 1
    assert max(map(len, lines)) <= 80


VALUES = {
    "params.yaml": "iteration: 0\ntrain:\n  epochs: 100 # passes\n  batch: 2\n",
    "demo/params.yaml": "train:\n  epochs: 500 # quick\n",
}
DRAWN = VALUES["params.yaml"].replace("100", "500")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A small repository with a changed file, a new one, a deleted one and an ignored one."""
    root = tmp_path / "clone"
    root.mkdir()
    sh(root, "git", "init", "-q")
    texts = {"a.txt": "a", "gone.txt": "b", ".gitignore": "secret\n.demo\n.demo.*\n", **VALUES}
    write_files(root, texts)
    sh(root, "git", "add", ".")
    sh(root, "git", "-c", "user.name=n", "-c", "user.email=e", "commit", "-qm", "x")
    (root / "a.txt").write_text("changed")
    (root / "gone.txt").unlink()
    (root / "folder").mkdir()
    (root / "folder/new.txt").write_text("new")
    (root / "secret").write_text("s")
    return root


def test_the_copy_holds_the_working_tree_without_what_is_ignored(clone: Path):
    copy_project(clone, clone / PLACE)
    found = {str(path.relative_to(clone / PLACE)) for path in (clone / PLACE).rglob("*") if path.is_file()}
    assert found == {"a.txt", ".gitignore", "folder/new.txt", *VALUES}
    assert (clone / PLACE / "a.txt").read_text() == "changed"


def test_the_copy_is_a_repository_that_needs_no_settings_of_the_machine(clone: Path, monkeypatch):
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"):
        monkeypatch.delenv(name, raising=False)
    copy_project(clone, clone / PLACE)
    start_repository(clone / PLACE)
    assert sh(clone / PLACE, "git", "tag").split() == ["dataset-v0"]
    assert sh(clone / PLACE, "git", "status", "--porcelain") == ""
    assert "yoloop demo" in sh(clone / PLACE, "git", "log", "--format=%an")


@pytest.mark.parametrize("text", [VALUES["params.yaml"], DRAWN])
def test_the_copy_has_the_demos_values_and_before_them_a_persons(clone: Path, text: str):
    (clone / "params.yaml").write_text(text)
    copy_project(clone, clone / PLACE)
    start_repository(clone / PLACE)
    assert (clone / "params.yaml").read_text() == text
    assert (clone / PLACE / "params.yaml").read_text() == DRAWN
    assert sh(clone / PLACE, "git", "show", "dataset-v0:params.yaml") == DRAWN
    assert sh(clone / PLACE, "git", "show", "HEAD~1:params.yaml") == VALUES["params.yaml"]


def test_settings_of_a_person_do_not_get_in_the_way(clone: Path, tmp_path: Path, monkeypatch):
    hooks, ignored = tmp_path / "hooks", tmp_path / "ignored"
    hooks.mkdir()
    (hooks / "pre-commit").write_text("#!/bin/sh\nexit 1\n")
    (hooks / "pre-commit").chmod(0o755)
    ignored.write_text("*.txt\n")
    settings = (
        f"[commit]\ngpgsign = true\n[tag]\ngpgsign = true\n[core]\nhooksPath = {hooks}\nexcludesFile = {ignored}\n"
    )
    (tmp_path / "gitconfig").write_text(settings)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    copy_project(clone, clone / PLACE)
    start_repository(clone / PLACE)
    assert sh(clone / PLACE, "git", "ls-files").split() == [".gitignore", "a.txt", *sorted(VALUES)]
    assert sh(clone / PLACE, "git", "tag").split() == ["dataset-v0"]


def test_a_file_whose_name_is_no_utf_8_is_copied(clone: Path):
    name = os.fsdecode(b"M\xfcller.txt")
    (clone / name).write_text("m")
    copy_project(clone, clone / PLACE)
    assert (clone / PLACE / name).read_text() == "m"


def test_a_demo_of_before_is_put_aside_and_a_failing_step_is_named(clone: Path):
    (clone / PLACE).mkdir()
    (clone / PLACE / "mine.txt").write_text("mine")
    said: list[str] = []
    before = sh(clone, "git", "status", "--porcelain")
    with pytest.raises(UserError, match=r"demo's step `python -m demo draw` ended with exit code"):
        run_demo(clone, say=said.append)
    assert (clone / ".demo.1/mine.txt").read_text() == "mine"
    assert any(".demo.1" in line for line in said)
    with pytest.raises(UserError):
        run_demo(clone, say=said.append)
    assert (clone / ".demo.1/mine.txt").read_text() == "mine"
    assert (clone / ".demo.2").is_dir()
    assert sh(clone, "git", "status", "--porcelain") == before


def test_an_unpacked_archive_is_refused_before_anything_moves(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    (tmp_path / PLACE).mkdir()
    with pytest.raises(UserError, match="expected a clone of the repository, found a folder without Git"):
        run_demo(tmp_path, say=print)
    assert [path.name for path in tmp_path.iterdir()] == [".demo"]


STEP = """
import pathlib, sys, time
if __spec__.name.partition(".")[0] == pathlib.Path("slow").read_text():
    pathlib.Path("running").touch()
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        time.sleep(1)  # longer than subprocess.run would wait before it kills
        print("stopped in good order", flush=True)
        sys.exit(130)
"""


@pytest.mark.parametrize(
    ("slow", "left"),
    [("demo", "python -m demo draw && yoloop run --review oracle"), ("stages", "yoloop run --review oracle")],
)
def test_ctrl_c_lets_the_loop_stop_in_good_order_and_says_how_to_go_on(clone: Path, slow: str, left: str):
    (clone / "slow").write_text(slow)
    steps = {"stages/__init__.py": "", "stages/loop.py": STEP, "demo/__init__.py": "", "demo/__main__.py": STEP}
    write_files(clone, steps)
    code = f"import sys; sys.path.insert(0, {str(REPO)!r}); from pathlib import Path; "
    code += "from demo.demo_run import run_demo; run_demo(Path(), say=lambda text: print(text, flush=True))"
    command = [sys.executable, "-P", "-c", code]
    process = subprocess.Popen(command, cwd=clone, stdout=subprocess.PIPE, text=True, start_new_session=True)
    deadline = time.monotonic() + 60
    while not (clone / PLACE / "running").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=30)
    stopped, how = said.splitlines()[-2:]
    assert stopped == "stopped in good order"
    assert how.startswith("The demo stopped. Go on with: ")
    assert how.endswith(f"cd .demo && {left}")
    activate = Path(sys.executable).with_name("activate")
    assert activate.is_file() == (f". {activate} && " in how)


def test_drawn_sheets_become_a_folder_as_any_tool_exports_it(tmp_path: Path):
    source = read_source(write_source(tmp_path, draw_set(0, {"train": 2, "val": 1, "pool": 1})))
    assert source.classes == CLASSES
    assert {split: len(items) for split, items in source.splits.items()} == {"train": 2, "val": 1, "test": 0, "pool": 1}


def test_a_project_without_the_demo_is_refused(tmp_path: Path):
    sh(tmp_path, "git", "init", "-q")
    (tmp_path / ".dvc").mkdir()
    with pytest.raises(UserError, match=r"expected a project that holds the demo .* Type it in a fresh clone"):
        draw_demo(tmp_path)


def test_a_demo_that_has_gone_on_keeps_its_sheets(tmp_path: Path):
    sh(tmp_path, "git", "init", "-q")
    (tmp_path / ".dvc").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data/demo.md").touch()
    (tmp_path / "params.yaml").write_text("iteration: 2\n")
    sh(tmp_path, "git", "add", ".")
    sh(tmp_path, "git", "commit", "-qm", "x")
    with pytest.raises(UserError, match=r"expected the demo at iteration 0, which .* found iteration 2"):
        draw_demo(tmp_path, renew=True)


FEW = {"train": 3, "val": 2, "test": 1, "pool": 4}


@pytest.mark.slow
def test_the_demo_is_drawn_again_with_exactly_the_hashes_that_git_holds(clean_env: None, tmp_path: Path, monkeypatch):
    """On a few of its sheets; tests/real/test_demo.py draws all of them."""
    sheets = dict(draw_set(SEED, FEW))  # once: what is drawn below is the same each time
    monkeypatch.setattr("demo.demo_data.draw_set", lambda *_: sheets)
    root = tmp_path / "project"
    copy_project(REPO, root)
    sh(root, "git", "init", "-q")
    sh(root, "git", "add", ".")
    sh(root, "git", "commit", "-qm", "start")
    params = (root / "params.yaml").read_text()
    held = (root / "data/dataset.dvc").read_text()
    draw_demo(root, renew=True)
    assert (root / "data/dataset.dvc").read_text() != held
    sh(root, "git", "checkout", "-q", "params.yaml")
    sh(root, "git", "commit", "-qam", "fewer sheets")
    shutil.rmtree(root / "data/dataset")
    (root / "params.yaml").write_text(params.replace("epochs: 100", "epochs: 7"))
    env, command = {**os.environ, "PYTHONPATH": str(root)}, [sys.executable, "-m", "demo", "draw"]
    done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: params.yaml: expected no uncommitted changes where the demo's values go")
    assert done.stderr.count("\n") == 1
    assert not (root / "data/dataset").exists()
    (root / "params.yaml").write_text(params)
    for time_ in (1, 2):  # the second time everything is there already
        assert ("git checkout params.yaml" in draw_demo(root)) == (time_ == 1)
        assert sh(root, "git", "status", "--porcelain") == " M params.yaml\n"
        assert flat(yaml.safe_load((root / "params.yaml").read_text())) == {
            **flat(yaml.safe_load(params)),
            **demo_values(root),
        }
        assert len(list((root / "data/dataset/pool/images").iterdir())) == FEW["pool"]
        assert not list((root / "data/dataset/pool").glob("labels/*"))
    (root / "data/dataset/data.yaml").write_text("mine")
    with pytest.raises(UserError, match=r"data/dataset: expected what its \.dvc file says, found changes of yours"):
        draw_demo(root)
    assert (root / "data/dataset/data.yaml").read_text() == "mine"
    sheets["train"] = sheets["train"][1:]
    with pytest.raises(
        UserError, match=r"data/dataset\.dvc: expected the hashes of what this version draws, found oth"
    ):
        draw_demo(root)
