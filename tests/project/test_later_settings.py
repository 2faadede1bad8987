"""What is edited under a review is named, with what it was and is."""

import pytest

from stages.project.later_settings import edits, edits_line, is_for_next
from stages.project.location import edited_since
from tests.fake_project import init, sh


@pytest.mark.parametrize(
    ("path", "key", "later"),
    [
        ("params.yaml", "train", True),
        ("params.yaml", "train.epochs", True),
        ("params.yaml", "tile", True),
        ("params.yaml", "iteration", False),
        ("params.yaml", "classes", False),
        ("data/prompts.yaml", "prompts", True),
        ("other.yaml", "train", False),
    ],
)
def test_which_values_may_change(path, key, later):
    assert is_for_next(path, key) is later


def test_each_edit_has_both_values():
    before = {"iteration": 0, "classes": ["a"], "tile": None, "train": {"epochs": 8, "lr": 0.1}, "converge": {"old": 1}}
    now = {"iteration": 1, "classes": ["a"], "tile": 640, "train": {"epochs": 4, "lr": 0.1, "new": [1]}}
    changed = ["tile None -> 640", "train.epochs 8 -> 4", "converge.old 1 -> (none)", "train.new (none) -> [1]"]
    assert edits(before, now) == changed
    assert edits(before, before) == []
    assert edits_line(changed[1:2], 0) == (
        "params.yaml was edited since iteration 0 ran: train.epochs 8 -> 4. That counts from iteration 1 on; what ran "
        "stands in dvc.lock"
    )


def test_a_small_number_as_dvc_writes_it_is_no_edit(clean_env, tmp_path):
    """What is at the tag and what lies here are read in one way: PyYAML alone takes 1e-05 for a text."""
    init(tmp_path / "project")
    root = tmp_path / "project"
    (root / "params.yaml").write_text("iteration: 0\ntrain:\n  base_lr: 1e-05\n  epochs: 8\n")
    sh(root, "git", "add", ".")
    sh(root, "git", "commit", "-qm", "Run")
    sh(root, "git", "tag", "iteration-0")
    assert edited_since(root, 0) == []
    (root / "params.yaml").write_text("iteration: 0\ntrain:\n  base_lr: 1e-05\n  epochs: 4\n")
    assert edited_since(root, 0) == ["train.epochs 8 -> 4"]
    assert edited_since(root, 1) == []  # no tag says what it ran with
