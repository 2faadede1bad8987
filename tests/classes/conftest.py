"""A project whose stages take milliseconds, at the start of iteration 1, with weights that are a real detector."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from stages.iteration.advance import advance
from stages.iteration.finish import finish
from tests import fake_project
from tests.fake_project import dvc, sh
from tests.once import Once

CLASSES = ("detail", "elevation", "title")


def write_detector(file: Path) -> None:
    """Write an untrained YOLO-26n of the project's classes."""
    from stages.detector.model.checkpoint import save_model
    from stages.detector.model.runtime import start_ultralytics

    start_ultralytics()
    import torch
    from ultralytics.nn.tasks import DetectionModel

    torch.manual_seed(0)
    model = DetectionModel("yolo26n.yaml", nc=len(CLASSES), verbose=False)
    model.names = dict(enumerate(CLASSES))
    save_model(model, file, imgsz=64)


@pytest.fixture(scope="session")
def started_template(once: Once) -> Path:
    """That project: to be copied, never changed."""

    def build_it(folder: Path) -> None:
        root = folder / "project"
        fake_project.build(root)
        write_detector(root / "models/parent.pt")
        dvc(root, "add", "-q", "models/parent.pt")
        sh(root, "git", "commit", "-q", "-a", "-m", "Weights that are a detector")
        sh(root, "git", "tag", "-f", "dataset-v0")
        dvc(root, "repro", "-q")
        finish(root)
        advance(root, reviewer="oracle")

    return once("classes", build_it) / "project"


@pytest.fixture
def started(clean_env: None, started_template: Path, tmp_path: Path) -> Callable[[], Path]:
    """Return a function that gives a fresh copy of it."""
    return lambda: Path(shutil.copytree(started_template, tmp_path / "project", symlinks=True))
