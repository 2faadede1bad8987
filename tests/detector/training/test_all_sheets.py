"""What Ultralytics would leave out of a training in silence is trained on, or ends the training with a line."""

from pathlib import Path

import cv2
import PIL.Image
import pytest

from stages.base.errors import UserError
from stages.dataset.sheets.split_folder import sheets_in
from stages.detector.model.runtime import start_ultralytics
from stages.detector.training.fitting import Job, fit
from stages.detector.training.training_view import write_view
from tests.toy import CLASSES
from tests.toy_weights import SETTINGS

pytestmark = pytest.mark.slow


def trained(folder: Path, weights: Path) -> int:
    """Train an epoch on the sheets of a split, and return how many sheets Ultralytics listed."""
    start_ultralytics()
    data = write_view(Path("view"), {"train": sheets_in(folder)}, CLASSES)
    fit(Job(weights, data, Path("scratch/run").resolve(), {**SETTINGS, "epochs": 1, "batch": 4}, "last"))
    return len(list(Path("view/train/images").iterdir()))


def test_a_sheet_over_the_image_librarys_limit_is_trained_on(easy_sheets, toy_weights, monkeypatch):
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 100)  # as an A0 sheet at 400 dpi is over the real one
    assert trained(easy_sheets / "train", toy_weights) == 12
    assert PIL.Image.MAX_IMAGE_PIXELS == 100


def test_the_curves_so_far_are_there_after_each_epoch(easy_sheets, toy_weights, monkeypatch):
    """As an editor sees them while the stage runs: the finished ones, epoch by epoch."""
    start_ultralytics()
    data = write_view(Path("view"), {"train": sheets_in(easy_sheets / "train")}, CLASSES)
    seen: list[int] = []
    monkeypatch.setattr("stages.detector.training.fitting.write_csv", lambda table, file: seen.append(len(table)))
    run, live = Path("scratch/run").resolve(), Path("curves.csv")
    done = fit(Job(toy_weights, data, run, {**SETTINGS, "epochs": 2, "batch": 4}, "last", live=live))
    assert seen == [1, 2]
    assert len(done.curves) == 2


def test_a_sheet_that_is_left_out_ends_the_training_with_its_name(easy_sheets, toy_weights):
    """OpenCV reads a PPM whatever it is called; Ultralytics' own check does not take that format."""
    file = sorted((easy_sheets / "train/images").iterdir())[3]
    file.write_bytes(cv2.imencode(".ppm", cv2.imread(str(file)))[1].tobytes())
    with pytest.raises(UserError) as caught:
        trained(easy_sheets / "train", toy_weights)
    assert str(caught.value).startswith(f"data/dataset/train/images/{file.name}: expected a sheet that Ultralytics")
    assert "(1 in all)" in str(caught.value)
