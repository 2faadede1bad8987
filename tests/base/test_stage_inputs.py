"""A file that changes while a stage runs is seen; what nobody changed, and what DVC ignores, is not."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from stages.base.stage_inputs import FileChange, first_change, states_of
from tests.fake_project import dvc, sh, write_files

DEPS = ["data/train", "models/parent.pt", "stages/base", "metrics/review.json"]
FILES = {
    "data/train/labels/a.txt": "0 0.5 0.5 0.2 0.2\n",
    "data/train/images/a.jpg": "picture",
    "models/parent.pt": "weights",
    "stages/base/boxes.py": "ONE = 1\n",
    ".dvcignore": "*.cache\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_files(tmp_path, FILES)
    return tmp_path


def rewritten(name: str, text: str) -> Callable[[Path], object]:
    def change(root: Path) -> None:
        replacing = root / f"{name}.new"
        replacing.write_text(text)
        replacing.rename(root / name)

    return change


def later(root: Path, name: str) -> None:
    """Write the same again, as an editor does that saves what nobody has changed."""
    text = (root / name).read_text()
    (root / name).write_text(text)
    os.utime(root / name, (2e9, 2e9))


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        (lambda root: None, None),
        (rewritten("data/train/labels/a.txt", ""), FileChange("data/train/labels/a.txt", "changed")),
        (rewritten("data/train/labels/a.txt", "1 0.5 0.5 0.2 0.2\n"), FileChange("data/train/labels/a.txt", "changed")),
        (rewritten("models/parent.pt", "others"), FileChange("models/parent.pt", "changed")),
        (rewritten("stages/base/boxes.py", "ONE = 2\n"), FileChange("stages/base/boxes.py", "changed")),
        (lambda root: (root / "data/train/images/a.jpg").unlink(), FileChange("data/train/images/a.jpg", "removed")),
        (lambda root: write_files(root, {"data/train/b.txt": ""}), FileChange("data/train/b.txt", "added")),
        (lambda root: write_files(root, {"metrics/review.json": "{}"}), FileChange("metrics/review.json", "added")),
        (lambda root: later(root, "stages/base/boxes.py"), None),
        (lambda root: write_files(root, {"stages/base/__pycache__/boxes.pyc": "code"}), None),
        (lambda root: write_files(root, {"data/other/b.txt": ""}), None),  # of no concern to this stage
    ],
)
def test_what_was_changed_since(root: Path, change: Callable[[Path], object], seen: FileChange | None) -> None:
    before = states_of(DEPS, root)
    change(root)
    assert first_change(before, DEPS, root) == seen


@pytest.mark.slow
def test_what_dvc_ignores_does_not_count(clean_env: None, root: Path) -> None:
    sh(root, "git", "init", "-q")
    dvc(root, "init", "-q")
    write_files(root, FILES)
    before = states_of(DEPS, root)
    write_files(root, {"data/train/labels.cache": "of a training"})
    assert first_change(before, DEPS, root) is None
    write_files(root, {"data/train/labels/b.txt": ""})
    assert first_change(before, DEPS, root) == FileChange("data/train/labels/b.txt", "added")
