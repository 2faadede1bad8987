"""What a killed DVC leaves of its list of runs goes as a whole: it fails at an empty folder, too."""

from collections.abc import Callable
from pathlib import Path

import pytest

from stages.project.repository import dvc_cache
from stages.project.repository.dvc_cache import drop_unfinished_runs
from tests.fake_project import dvc

HALF = ".aaaaaaaaaaaaaaaaaaaaaa.tmp"  # as DVC names what it is still writing


@pytest.mark.slow
@pytest.mark.parametrize("left", [HALF, None], ids=["half a file", "an empty folder"])
def test_dvc_goes_on_after_it_is_dropped(project: Callable[[], Path], monkeypatch, left: str | None) -> None:
    monkeypatch.setattr(dvc_cache, "_PATIENCE", 0.0)
    root = project()
    dvc(root, "repro", "-q", "train")
    cache = root / ".dvc/cache"
    entry = next((cache / "runs").glob("*/*/*"))
    whole = entry.read_bytes()
    entry.unlink()
    if left:
        (entry.parent / left).write_bytes(whole[: len(whole) // 2])
    (root / "dvc.lock").unlink()  # so that DVC looks into its list
    assert drop_unfinished_runs(cache)
    assert not entry.parent.exists()
    assert not drop_unfinished_runs(cache)
    dvc(root, "repro", "-q", "train")
    assert (root / "models/best.pt").is_file()
