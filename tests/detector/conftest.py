"""Real weights and real toy data for tests that run Ultralytics."""

from pathlib import Path

import pytest

from stages.detector.model.checkpoint import save_model
from stages.detector.model.encoders import encode, set_prompts
from stages.detector.prediction.filters import Filters
from stages.detector.prediction.prediction_params import FilterParams, PredictParams
from stages.detector.prediction.predictor import Prediction, predict
from stages.detector.training.starting_model import letterboxed, prompt_start
from stages.detector.training.told_prompts import remember, save_embeddings
from stages.detector.weights import resolve
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


def toy_params(*, batch: int) -> PredictParams:
    """Return what a prediction on toy sheets is told where boxes are compared."""
    filters = FilterParams(**Filters()._asdict())
    how = {"imgsz": 128, "batch": batch, "device": "cpu", "confidence_floor": 0.05, "max_det": 100}
    return PredictParams(**how, filters=filters)


def prompted(parent: Path, images: list[Path], prompts=PROMPTS) -> Path:
    """Write a promptable detector that sees what `parent` sees to best.pt, and return it."""
    resolve("yoloe-26n.yaml", Path("target.pt"), kind="target", seed=0)
    vectors = encode("wordllama", CLASSES, prompts)
    how = {"encoder": "wordllama", "vectors": vectors, "carry": "all", "images": letterboxed(images[:8], 128)}
    model = prompt_start(parent, Path("target.pt"), CLASSES, **how).model
    set_prompts(model, CLASSES, prompts)
    remember(model, prompts)
    save_model(model, Path("best.pt"), imgsz=128)
    save_embeddings(model, CLASSES, Path("best.pt"), Path("prompts.npz"))
    return Path("best.pt")


@pytest.fixture
def images(easy_sheets: Path) -> list[Path]:
    """The pictures of `easy_sheets`."""
    return sorted((easy_sheets / "train/images").iterdir())


@pytest.fixture
def classes() -> tuple[str, ...]:
    """The classes of the toy sheets."""
    return CLASSES
