"""Seconds per epoch of our training beside Ultralytics' own with the same arguments, alternating in one run.

Each round trains once with our trainer, once with Ultralytics' DetectionTrainer, and once with Ultralytics' and the
sheets kept in memory (`cache: ram`); which comes first changes from round to round. The first epoch of each, in which
things are loaded, does not count. Printed are the medians, and the medians of the rounds' ratios to Ultralytics' own.

    python -m benchmarks.training_speed ../shared/datasets/circuits --imgsz 640 --rounds 5
"""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer

from benchmarks.folds import REPO, SCRATCH, read_names, sheets_of
from stages.base.params import read_params
from stages.detector.model.runtime import start_ultralytics
from stages.detector.training.fitting import Job, fit
from stages.detector.training.training_params import TrainParams, settings
from stages.detector.training.training_view import write_view

OURS, THEIRS, CACHED = "ours", "Ultralytics", "Ultralytics, in memory"


def main(
    dataset: Annotated[Path, typer.Argument(help="Folder with data.yaml, images/<split> and labels/<split>.")],
    imgsz: Annotated[int, typer.Option(help="px")] = 640,
    batch: Annotated[int, typer.Option()] = 4,
    epochs: Annotated[int, typer.Option(min=2, help="Of each training; the first one does not count.")] = 3,
    rounds: Annotated[int, typer.Option()] = 5,
    sheets: Annotated[int, typer.Option(help="The first of train.")] = 24,
    fit_on: Annotated[str, typer.Option("--fit", help="Splits to train on.")] = "train",
    start: Annotated[Path, typer.Option(help="YOLO-26 weights.")] = REPO / "starter/yolo26n.pt",
    home: Annotated[Path, typer.Option(help="Folder of all that is left.")] = SCRATCH / "training_speed",
) -> None:
    """Print seconds per epoch, and ratios."""
    import torch

    start_ultralytics()
    from ultralytics.utils import LOGGER  # not before: it would make settings in the home folder

    LOGGER.setLevel("ERROR")  # what it says of each epoch is no result
    torch.set_num_threads(1)
    params = TrainParams.model_validate(read_params(REPO / "params.yaml")["train"])
    wanted = {
        **settings(params, 0, "cpu"),
        "epochs": epochs,
        "imgsz": imgsz,
        "batch": batch,
        "nbs": batch,
        "workers": 0,
    }
    data = write_view(
        home.resolve() / "data", {"train": sheets_of(dataset, fit_on.split(","))[:sheets]}, read_names(dataset)
    )
    ways: dict[str, Callable[[Path], None]] = {
        OURS: lambda folder: _ours(start.resolve(), data, folder, wanted),
        THEIRS: lambda folder: _theirs(start.resolve(), data, folder, wanted),
        CACHED: lambda folder: _theirs(start.resolve(), data, folder, {**wanted, "cache": "ram"}),
    }
    rows = []
    for number in range(rounds):
        names = list(ways)[number % len(ways) :] + list(ways)[: number % len(ways)]
        rows.append({name: _seconds(ways[name], home.resolve() / "run") for name in names})
        print(f"round {number + 1}: " + ", ".join(f"{name} {rows[-1][name]:.2f} s" for name in ways), flush=True)
    table = pd.DataFrame(rows)[list(ways)]
    ratio = table.div(table[THEIRS], axis=0)
    print(
        f"\n{sheets} sheets at {imgsz} px, batch {batch}, seconds per epoch over {rounds} rounds: median (least, most)"
    )
    for name in ways:
        times = f"{table[name].median():.2f} s ({table[name].min():.2f} to {table[name].max():.2f})"
        print(f"{name:24}{times}, {ratio[name].median():.2f} times Ultralytics' own")


def _seconds(way: Callable[[Path], None], folder: Path) -> float:
    """Return the seconds of an epoch, the mean of all but the first."""
    shutil.rmtree(folder, ignore_errors=True)
    way(folder)
    times = pd.read_csv(folder / "results.csv")["time"].to_numpy(float)  # since the start, at the end of each epoch
    return float(np.diff(times).mean())


def _ours(start: Path, data: Path, folder: Path, wanted: Mapping[str, Any]) -> None:
    fit(Job(start, data, folder, wanted, "last"))


def _theirs(start: Path, data: Path, folder: Path, wanted: Mapping[str, Any]) -> None:
    from ultralytics.models.yolo.detect import DetectionTrainer

    where = {"project": str(folder.parent), "name": folder.name, "exist_ok": True, "save_dir": str(folder)}
    asked = {"model": str(start), "data": str(data), "val": False, "plots": False, "deterministic": True}
    DetectionTrainer(overrides={**wanted, **where, **asked}).train()


if __name__ == "__main__":
    typer.run(main)
