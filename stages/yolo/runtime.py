"""Brings Ultralytics up so that it downloads, installs, logs and remembers nothing behind our back."""

import os
from pathlib import Path
from typing import Any

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
    import ultralytics
    from ultralytics.utils import SETTINGS

    folders = {
        "runs_dir": str(home / "runs"),
        "datasets_dir": str(home / "datasets"),
        "weights_dir": str(cache_folder()),
    }
    wanted = {**folders, **{key: False for key in _LOGGERS if key in SETTINGS}}
    if any(SETTINGS[key] != value for key, value in wanted.items()):
        SETTINGS.update(wanted)
    return ultralytics


def cache_folder() -> Path:
    """Return where downloaded weights are kept for all projects and experiments of this user."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "yoloop"


def pick_device(asked: str) -> str:
    """Return what Ultralytics calls the device: `auto` is the first GPU, or the CPU when there is none."""
    if asked != "auto":
        return asked
    import torch

    return "0" if torch.cuda.is_available() else "cpu"


def versions() -> dict[str, str]:
    """Return the versions that decide what a training gives."""
    import torch
    import ultralytics

    return {"ultralytics": str(ultralytics.__version__), "torch": str(torch.__version__).split("+")[0]}
