"""Real weights and real toy data for tests that run Ultralytics."""

from pathlib import Path

import pytest

from stages.detector.prediction.filters import Filters
from stages.detector.prediction.prediction_params import FilterParams, PredictParams
from stages.detector.prediction.predictor import Prediction, predict
from tests.toy import CLASSES, write_yolo_folder

PROMPTS = {"detail": ("open dark circle",), "elevation": ("solid blue triangle",), "title": ("flat red bar",)}


def seen(weights, sheets, conf, max_det, *, batch=1, labels=None, prompts=PROMPTS, **limits) -> list[Prediction]:
    """Return what `weights` see on `sheets` of 128 px; `limits` are those of the filters."""
    filters = FilterParams(**{**Filters()._asdict(), **limits})
    how = {"imgsz": 128, "batch": batch, "device": "cpu", "confidence_floor": conf, "max_det": max_det}
    params = PredictParams(**how, filters=filters)
    images = [one.image for one in sheets]
    return list(predict(weights, images, classes=CLASSES, prompts=prompts, params=params, labels=labels))


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
