"""A project with a packet of three sheets under review."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from stages.iteration.finish import finish
from tests import fake_project
from tests.once import Once
from tests.review.exports import SIX


@pytest.fixture(scope="session")
def under_review(once: Once) -> Path:
    """A project whose iteration 0 is finished, with sheets p1, p2 and p3 in its packet: never to be changed."""

    return once("under_review", lambda folder: _build(folder, {})) / "project"


@pytest.fixture(scope="session")
def six_each(once: Once) -> Path:
    """The same with the boxes `SIX` on each sheet to start from, which the model calls titles: never to be changed."""
    one = "last, 8, 8, 24, 24, 0.6] for place, name in places]\n    seen"
    six = f"last, *box, 0.6] for place, name in places for box in {SIX}]\n    seen"
    number = {'boxes = [[name, f"{place}-1", ': 'boxes = [[name, f"{place}-{box[0]}-{box[1]}", '}
    return once("six_each", lambda folder: _build(folder, {one: six, **number})) / "project"


def _build(folder: Path, more: dict[str, str]) -> None:
    root = folder / "project"
    fake_project.build(root)
    stages = root / "fake_stages.py"
    text = stages.read_text(encoding="utf-8")
    three = {'sheets("pool")[:2]': 'sheets("pool")[:3]', '("picked", "random")': '("picked", "random", "picked")'}
    for old, new in {**three, **more}.items():
        assert old in text
        text = text.replace(old, new)
    stages.write_text(text, encoding="utf-8")
    fake_project.sh(root, "git", "commit", "-qam", "A packet of three sheets")
    fake_project.dvc(root, "repro", "-q")
    finish(root)


@pytest.fixture
def many_boxes(six_each: Path, clean_env: None, tmp_path: Path) -> Callable[[], Path]:
    """Return a function that gives a fresh copy of the project with six boxes on each sheet."""
    return lambda: Path(shutil.copytree(six_each, tmp_path / "project", symlinks=True))


@pytest.fixture
def reviewing(under_review: Path, clean_env: None, tmp_path: Path) -> Callable[[], Path]:
    """Return a function that gives a fresh copy of that project."""
    return lambda: Path(shutil.copytree(under_review, tmp_path / "project", symlinks=True))
