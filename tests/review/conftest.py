"""A project with a packet of three sheets under review."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from stages.iteration.finish import finish
from tests import fake_project
from tests.once import Once


@pytest.fixture(scope="session")
def under_review(once: Once) -> Path:
    """A project whose iteration 0 is finished, with sheets p1, p2 and p3 in its packet: never to be changed."""

    def build(folder: Path) -> None:
        root = folder / "project"
        fake_project.build(root)
        stages = root / "fake_stages.py"
        text = stages.read_text(encoding="utf-8")
        for two, three in (
            ('sheets("pool")[:2]', 'sheets("pool")[:3]'),
            ('("picked", "random")', '("picked", "random", "picked")'),
        ):
            assert two in text
            text = text.replace(two, three)
        stages.write_text(text, encoding="utf-8")
        fake_project.sh(root, "git", "commit", "-qam", "A packet of three sheets")
        fake_project.dvc(root, "repro", "-q")
        finish(root)

    return once("under_review", build) / "project"


@pytest.fixture
def reviewing(under_review: Path, clean_env: None, tmp_path: Path) -> Callable[[], Path]:
    """Return a function that gives a fresh copy of that project."""
    return lambda: Path(shutil.copytree(under_review, tmp_path / "project", symlinks=True))
