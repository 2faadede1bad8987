"""Brings Ultralytics up so that it downloads, installs, logs and remembers nothing behind our back."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stages.base.errors import problem

SCRATCH = Path(".scratch")
# Services that Ultralytics would log to when they happen to be installed; `dvc` even rewrites our dvc.yaml.
_LOGGERS = ("clearml", "comet", "dvc", "hub", "mlflow", "neptune", "raytune", "sync", "tensorboard", "wandb")


def start_ultralytics(*, download: bool = False) -> Any:
    """Return the `ultralytics` module, with its settings in our scratch folder and every integration off.

    Call it before anything else imports ultralytics: some of its switches are read at import.
    """
    home = (SCRATCH / "ultralytics").resolve()
    home.mkdir(parents=True, exist_ok=True)
    cache_folder().mkdir(parents=True, exist_ok=True)
    os.environ["YOLO_CONFIG_DIR"] = str(home)
    os.environ["YOLO_AUTOINSTALL"] = "false"
    os.environ["YOLO_OFFLINE"] = "false" if download else "true"
    with _without_news():
        import ultralytics
        from ultralytics.utils import SETTINGS

    wanted = {
        "runs_dir": str(home / "runs"),
        "datasets_dir": str(home / "datasets"),
        "weights_dir": str(cache_folder()),
        **{key: False for key in _LOGGERS if key in SETTINGS},
    }
    if any(SETTINGS[key] != value for key, value in wanted.items()):
        SETTINGS.update(wanted)
    return ultralytics


def cache_folder() -> Path:
    """Return where downloaded weights are kept for all projects and experiments of this user."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "yoloop"


@contextmanager
def _without_news() -> Iterator[None]:
    """Keep Ultralytics from announcing that it made a settings file; warnings still come through."""
    before = logging.root.manager.disable
    logging.disable(logging.INFO)
    try:
        yield
    finally:
        logging.disable(before)


def pick_device(asked: str) -> str:
    """Return what Ultralytics calls the device: `auto` is the first GPU, or the CPU when there is none.

    Raises `UserError` for a device that this machine does not have.
    """
    import torch

    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if asked == "auto":
        return "0" if gpus else "cpu"
    if asked == "mps":
        there = torch.backends.mps.is_available()
    else:
        there = asked == "cpu" or all(part.isdecimal() and int(part) < gpus for part in asked.split(","))
    if not there:
        names = ", ".join(map(str, range(gpus))) or "none"
        raise problem("runtime.device_machine_cpu", "params.yaml", names=names, asked=asked)
    return asked


@contextmanager
def fits_into_memory(section: str, *, batch: int, imgsz: int) -> Iterator[None]:
    """Raise `UserError` that says what to lower in `section` of params.yaml when memory runs out inside."""
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        first = f"{section}.batch first, then {section}.imgsz" if batch > 1 else f"{section}.imgsz"
        raise problem(
            "runtime.sheets_fit_into", f"params.yaml: {section}", batch=batch, imgsz=imgsz, first=first
        ) from error


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an exception of torch or OpenCV, on a GPU or a CPU, says that memory ran out."""
    text = str(error).lower()
    words = ("out of memory", "outofmemory", "not enough memory", "can't allocate memory", "alloc_failed", "bad_alloc")
    return isinstance(error, MemoryError) or any(word in text for word in words)


def versions() -> dict[str, str]:
    """Return the versions that decide what a training gives."""
    import torch
    import ultralytics

    return {"ultralytics": str(ultralytics.__version__), "torch": str(torch.__version__).split("+")[0]}
