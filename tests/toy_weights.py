"""A YOLO-26n that finds toy shapes well, but not perfectly: trained from random weights in about half a minute.

Run as a script in a folder of its own: `python tests/toy_weights.py FILE`.
"""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SETTINGS = {
    "epochs": 24,
    "lr0": 0.002,
    "lrf": 0.05,
    "warmup_epochs": 1.0,
    "warmup_bias_lr": 0.1,
    "optimizer": "AdamW",
    "momentum": 0.9,
    "weight_decay": 0.0005,
    "imgsz": 128,
    "batch": 8,
    "nbs": 8,
    "device": "cpu",
    "workers": 0,
    "amp": False,
    "seed": 0,
    "mosaic": 0.0,
    "hsv_h": 0.0,
    "hsv_s": 0.0,
    "hsv_v": 0.0,
    "fliplr": 0.0,
    "scale": 0.2,
}


def cached_weights(folder: Path) -> Path:
    """Return the toy detector, trained once for all test processes that share `folder`."""
    from stages.detector.training.training_view import fingerprint

    sources = [
        Path(__file__),
        ROOT / "tests/toy.py",
        ROOT / "stages/detector/training/fitting.py",
        ROOT / "stages/detector/training/trainer.py",
    ]
    file = folder / f"toy-{fingerprint(sources)}.pt"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.is_file():
            work = folder / file.stem
            work.mkdir(exist_ok=True)
            env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
            subprocess.run([sys.executable, __file__, str(file)], cwd=work, env=env, check=True, capture_output=True)
    return file


def train(file: Path) -> None:
    """Train in the current folder and write the detector to `file`."""
    from stages.dataset.sheets.split_folder import sheets_in
    from stages.detector.model.checkpoint import save_model
    from stages.detector.model.runtime import start_ultralytics
    from stages.detector.training.fitting import Job, fit
    from stages.detector.training.training_view import write_view
    from tests.toy import CLASSES, write_yolo_folder

    start_ultralytics()
    import torch
    from ultralytics.nn.tasks import DetectionModel

    source = write_yolo_folder(Path("source"), {"train": 64}, seed=11)
    data = write_view(Path("view"), {"train": sheets_in(source / "train")}, CLASSES)
    torch.manual_seed(0)
    model = DetectionModel("yolo26n.yaml", nc=len(CLASSES), verbose=False)
    model.names = dict(enumerate(CLASSES))
    save_model(model, Path("random.pt"), imgsz=128)
    result = fit(Job(Path("random.pt").resolve(), data, Path("run").resolve(), SETTINGS, "last"))
    save_model(result.last, file, imgsz=128)


if __name__ == "__main__":
    train(Path(sys.argv[1]))
