"""Fits a detector: every setting is explicit, and what the run really used is read back from its checkpoint."""

import logging
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from stages.base.errors import UserError, problem
from stages.base.tables import write_csv
from stages.detector.model.encoders import PromptVectors


class Job(NamedTuple):
    """One training."""

    start: Path  # checkpoint to start from
    data: Path  # YAML with absolute paths
    folder: Path  # of the run: checkpoints, results.csv
    settings: Mapping[str, Any]  # of Ultralytics: epochs, lr0, ...
    select: str  # last | slice
    text: PromptVectors | None = None  # of a promptable model, None for YOLO-26
    prompt_noise: float = 0.0  # length of what is added to each vector of a class in a batch, of length 1 itself
    live: Path | None = None  # where the curves so far are written after each epoch


class Fit(NamedTuple):
    """What came out of a training."""

    best: Any  # models
    last: Any
    curves: pd.DataFrame  # one row per epoch
    used: dict[str, Any]  # read back from the run
    resumed: bool


def fit(job: Job) -> Fit:
    """Train, or go on with an interrupted training in the same folder; raise `UserError` when the loss blows up."""
    from stages.detector.training.trainer import TEXT_FILE, BaselineTrainer, PromptTrainer

    job.folder.mkdir(parents=True, exist_ok=True)
    if job.text is not None:
        import torch

        told = {**job.text._asdict(), "noise": job.prompt_noise}
        torch.save(told, job.folder.parent / TEXT_FILE)
    interrupted = _latest_checkpoint(job.folder)
    done = interrupted is not None and interrupted[1]["epoch"] + 1 >= job.settings["epochs"]
    if not done:
        trainer = BaselineTrainer if job.text is None else PromptTrainer
        overrides = _overrides(job, resume=interrupted[0] if interrupted else None)
        with _one_line_of_other_processes(str(job.settings["device"])):
            begun = trainer(overrides=overrides)
            if job.live:
                begun.add_callback("on_fit_epoch_end", partial(_show, job))
            begun.train()
    return _result(job, resumed=interrupted is not None)


def _show(job: Job, trainer: Any) -> None:
    """Write the curves so far where the finished ones will be: an editor or `dvc plots show` draws them meanwhile."""
    file = job.folder / "results.csv"
    if job.live and file.is_file():
        write_csv(read_curves(file, with_slice=job.select == "slice"), job.live)


@contextmanager
def _one_line_of_other_processes(device: str) -> Iterator[None]:
    """Raise `UserError` when one of the processes that train on several GPUs failed: it has said why itself."""
    try:
        yield
    except subprocess.CalledProcessError as error:
        raise problem(
            "fitting.several_gpus", "params.yaml: train.device", device=device, code=error.returncode
        ) from error


def _overrides(job: Job, *, resume: Path | None) -> dict[str, Any]:
    overrides = {
        "task": "detect",
        "mode": "train",
        "save": True,
        "plots": False,
        "verbose": True,
        "deterministic": True,
        "project": str(job.folder.parent),
        "name": job.folder.name,
        "exist_ok": True,
        "save_dir": str(job.folder),
        **job.settings,
        "model": str(job.start),
        "data": str(job.data),
        "val": job.select == "slice",
    }
    return {**overrides, "model": str(resume), "resume": str(resume)} if resume else overrides


def _latest_checkpoint(folder: Path) -> tuple[Path, dict[str, Any]] | None:
    """Return the newest checkpoint of an interrupted run that is whole and can be resumed, or None."""
    from ultralytics.utils.patches import torch_load

    from stages.detector.training.trainer import PREVIOUS

    for name in ("last.pt", PREVIOUS):
        file = folder / "weights" / name
        try:
            checkpoint = torch_load(file)
        except Exception:  # half a file: the kill came while it was written; the one before it is whole
            continue
        if checkpoint.get("optimizer") is not None and checkpoint.get("epoch", -1) >= 0:
            return file, checkpoint
    return None


def _result(job: Job, *, resumed: bool) -> Fit:
    from ultralytics.utils.patches import torch_load

    from stages.detector.training.trainer import plain_model

    last = torch_load(job.folder / "weights" / "last.pt")
    best = torch_load(job.folder / "weights" / "best.pt") if job.select == "slice" else last
    curves = read_curves(job.folder / "results.csv", with_slice=job.select == "slice")
    if curves.empty or not curves["loss"].notna().all():
        raise UserError("train: the loss became infinite. Lower train.base_lr, or set train.amp: false.")
    return Fit(plain_model(best), plain_model(last), curves, _used(best, last), resumed)


def _used(best: dict[str, Any], last: dict[str, Any]) -> dict[str, Any]:
    """Return what the run used, from its own checkpoint and optimizer, not from what we asked for."""
    args, optimizer = last["train_args"], last["optimizer"]
    tensors = sum(1 for _ in (last.get("ema") or last["model"]).parameters())
    return {
        "optimizer": args["optimizer"],
        "lr": float(optimizer["param_groups"][0]["initial_lr"]),
        "momentum": args["momentum"],
        "batch": int(args["batch"]),
        "imgsz": int(args["imgsz"]),
        "trained_tensors": len(optimizer["state"]),
        "untouched_tensors": tensors - len(optimizer["state"]),  # frozen, or never reached (visual prompts)
        "epochs_run": int(last["epoch"]) + 1,
        "best_epoch": int(best["epoch"]) + 1,
    }


def read_curves(file: Path, *, with_slice: bool) -> pd.DataFrame:
    """Return one row per epoch: epoch, loss (sum of its parts), the parts, the slice's mAP50-95, lr. No clock."""
    raw = pd.read_csv(file).rename(columns=str.strip).drop_duplicates("epoch", keep="last").reset_index(drop=True)
    losses = [name for name in raw.columns if name.startswith("train/")]
    curves = pd.DataFrame({"epoch": raw["epoch"].astype(int), "loss": raw[losses].sum(axis=1, skipna=False)})
    for name in losses:
        curves[name.removeprefix("train/")] = raw[name]
    if with_slice:
        curves["slice_map50_95"] = raw["metrics/mAP50-95(B)"]
    return curves.assign(lr=raw["lr/pg0"])


def log_to(file: Path, *, goes_on: bool) -> None:
    """Write what Ultralytics says to `file`, after what an interrupted training said there if this one `goes_on`."""
    from ultralytics.utils import LOGGER

    file.parent.mkdir(parents=True, exist_ok=True)
    LOGGER.addHandler(logging.FileHandler(file, mode="a" if goes_on else "w", encoding="utf-8"))
