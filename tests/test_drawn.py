"""Tests of the drawing are left out of `make test` only when they passed with exactly what is there."""

import shutil
from pathlib import Path

import pytest

from tests.drawn import STAMP, fingerprint
from tests.fake_project import REPO


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder in ("demo/drawing", "starter", "tests/demo/drawing", "tests/starter"):
        ignored = shutil.ignore_patterns("*.pt", "__pycache__")
        shutil.copytree(REPO / folder, tmp_path / folder, ignore=ignored)
    shutil.copy(REPO / "requirements.lock", tmp_path)
    return tmp_path


def test_it_is_the_same_in_every_clone(root: Path) -> None:
    assert fingerprint(root) == fingerprint(REPO)
    (root / "demo/drawing/notes.txt").write_text("no code")
    (root / "requirements.lock").open("a").write("another==1.0\n")
    assert fingerprint(root) == fingerprint(REPO)


@pytest.mark.parametrize(
    "file", ["demo/drawing/canvas.py", "starter/pages.py", "tests/demo/drawing/test_sets.py", "tests/starter/new.py"]
)
def test_any_edit_changes_it(root: Path, file: str) -> None:
    (root / file).open("a").write("\n")
    assert fingerprint(root) != fingerprint(REPO)


def test_a_move_and_another_version_of_a_library_change_it(root: Path) -> None:
    before = fingerprint(root)
    (root / "demo/drawing/roof.py").rename(root / "demo/drawing/roofs.py")
    moved = fingerprint(root)
    lock = root / "requirements.lock"
    lock.write_text(lock.read_text().replace("\nopencv-python==", "\nopencv-python==9"))
    assert len({before, moved, fingerprint(root)}) == 3


def test_the_stamp_is_in_the_repository() -> None:
    assert len(STAMP.read_text().strip()) == 64
