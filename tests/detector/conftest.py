"""Real weights and real toy data for tests that run Ultralytics."""

from pathlib import Path

import pytest

from tests.toy import CLASSES, write_yolo_folder

PROMPTS = {"detail": "open dark circle", "elevation": "solid blue triangle", "title": "flat red bar"}


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder with a home and a cache of its own."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home/.cache"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


@pytest.fixture
def easy_sheets(workplace: Path) -> Path:
    """A YOLO folder with 12 easy sheets in `train`."""
    return write_yolo_folder(workplace / "easy", {"train": 12}, seed=3)


@pytest.fixture
def classes() -> tuple[str, ...]:
    """The classes of the toy sheets."""
    return CLASSES
