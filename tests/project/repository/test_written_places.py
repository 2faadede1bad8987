"""A folder that is closed is named before anything has changed, and the same command works once it is open."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.closed import closed, run_as_owner
from tests.fake_project import sh
from tests.refusal import contents, refs
from tests.reviews import review_packet

pytestmark = pytest.mark.slow

# Asks for each folder in turn, closed and open again, in one process, as `yoloop run` does for all of them at once.
ASK = """
import os, sys
from pathlib import Path
from stages.base.command import outs_of
from stages.base.errors import UserError
from stages.iteration.preflight import STAGES
from stages.project.repository.written_places import require_run_places
outs = [out for stage in STAGES for out in outs_of(stage)]
ask = lambda: require_run_places(Path(), outs, Path(".dvc/cache"))
ask()
for name in sys.argv[1:]:
    mode = os.stat(name).st_mode
    os.chmod(name, mode & ~0o222)
    try:
        ask()
        print(name, "was passed over")
    except UserError as error:
        print(error)
    os.chmod(name, mode)
"""
CLOSED = "expected a folder that can be written into, found that its rights forbid it. Allow it: chmod u+w"


def test_a_run_asks_for_every_folder_that_it_will_write_into(project: Callable[[], Path]) -> None:
    root = project()
    for name in ("logs", ".scratch", ".yoloop"):
        (root / name).mkdir(exist_ok=True)
    names = ["data", "data/predict", "data/sample/packet/images", "models", "metrics", "plots", "plots/train", "logs"]
    names += [".scratch", ".yoloop", ".dvc/tmp", ".dvc/cache/files/md5", ".dvc/cache/runs", ".git", ".git/objects"]
    done = run_as_owner(root, "-c", ASK, *names)
    assert done.stdout.splitlines() == [f"{name}: {CLOSED} {name}; then run this again." for name in names], done.stderr


def test_a_run_asks_for_no_folder_that_it_only_reads(project: Callable[[], Path]) -> None:
    root = project()
    with closed(root / "data/dataset", whole=True):
        assert "data/dataset was passed over" in run_as_owner(root, "-c", ASK, "data/dataset").stdout


@pytest.mark.parametrize(
    ("command", "folder", "whole"),
    [("run", "metrics", False), ("finish", "metrics", True), ("advance", "data/dataset/train/labels", False)],
)
def test_a_closed_folder_stops_a_command_before_it_changes_anything(
    project: Callable[[], Path],
    finished: Callable[[], Path],
    command: str,
    folder: str,
    whole: bool,
) -> None:
    root = finished() if command == "advance" else project()
    if command == "advance":
        review_packet(root)
    if command == "run":
        params = root / "params.yaml"
        params.write_text(params.read_text().replace("epochs_baseline: 150", "epochs_baseline: 2"))
    before = (contents(root), refs(root))
    with closed(root / folder, whole=whole):
        refused = run_as_owner(root, "-m", "stages.loop", command)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1), refused.stderr
    assert refused.stderr == f"error: {folder}: {CLOSED} {folder}; then run this again.\n"
    assert (contents(root), refs(root)) == before
    if command != "run":  # for which that takes a whole iteration
        sh(root, sys.executable, "-m", "stages.loop", command)


def test_what_dvc_may_not_touch_is_named(project: Callable[[], Path]) -> None:
    root = project()
    with closed(root / ".dvc/tmp", whole=True):
        refused = run_as_owner(root, "-m", "stages.loop", "status")
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"error: {root}/.dvc/tmp/lock: expected to be allowed to read and write it, found")


def test_an_iteration_is_finished_though_its_page_cannot_be_written(project: Callable[[], Path]) -> None:
    root = project()
    (root / "reports").mkdir()
    with closed(root / "reports"):
        done = run_as_owner(root, "-m", "stages.loop", "finish")
    assert done.returncode == 0, done.stderr
    said = "The page could not be made; try again with `yoloop report`. reports: expected to be allowed to"
    assert done.stdout.splitlines()[-1].startswith(said)
