"""Real predictions for measurements: trains on a part of a dataset, predicts on the rest, leaves the boxes as tables.

DATASET is a folder with data.yaml, images/<split> and labels/<split>. Without `--fit`, all sheets are dealt
into folds, and each fold is predicted by a model that was trained on the others: every sheet is judged by weights that
never saw it. The tables are those of `validate`, with split "val" for all that was predicted, below
.scratch/benchmarks/NAME. Nothing of it, and no weights, belong into the repository.

    python -m benchmarks.folds ../shared/datasets/circuits --name circuits --imgsz 480 --epochs 20 --folds 3
    python -m benchmarks.folds ../shared/datasets/bccd --name bccd --imgsz 320 --epochs 12 --fit train --on val,test
"""

import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import pandas as pd
import typer
import yaml

from stages.base.boxes import xywhn_to_xyxy
from stages.base.params import read_params
from stages.base.tables import write_table
from stages.dataset.sheets.split_folder import Sheet, read_labels
from stages.detector.model.checkpoint import save_model
from stages.detector.model.runtime import start_ultralytics
from stages.detector.prediction.prediction_params import FilterParams, PredictParams
from stages.detector.prediction.predictor import Prediction, predict
from stages.detector.training.fitting import Job, fit
from stages.detector.training.training_params import TrainParams as Params
from stages.detector.training.training_params import settings
from stages.detector.training.training_view import write_view
from stages.ruler.matching.matching import outcomes
from stages.ruler.pairing.box_tables import DETECTIONS
from stages.ruler.schemas import GROUND_TRUTH, IMAGES

REPO = Path(__file__).parents[1]
SCRATCH = REPO / ".scratch/benchmarks"
FLOOR = 0.001


class Training(NamedTuple):
    """What is asked of every training, and of every prediction after it."""

    start: Path
    imgsz: int
    epochs: int
    batch: int
    scale: float
    mosaic: float
    rect: bool
    lr: float
    seed: int


class Fold(NamedTuple):
    """The sheets to train on, and those to predict on."""

    fit: list[Sheet]
    held: list[Sheet]


def main(
    dataset: Annotated[Path, typer.Argument(help="Folder with data.yaml, images/<split> and labels/<split>.")],
    name: Annotated[str, typer.Option(help="Folder below .scratch/benchmarks.")],
    imgsz: Annotated[int, typer.Option(help="px of the longer side, in training and prediction.")] = 640,
    epochs: Annotated[int, typer.Option()] = 20,
    folds: Annotated[int, typer.Option(help="Parts that the sheets are dealt into.")] = 3,
    fit_on: Annotated[str, typer.Option("--fit", help="Train on these splits instead of folds.")] = "",
    on: Annotated[str, typer.Option(help="Splits to predict on with --fit.")] = "val,test",
    start: Annotated[Path, typer.Option(help="YOLO-26n weights; {fold} stands for the fold's number.")] = REPO
    / "starter/yolo26n.pt",
    batch: Annotated[int, typer.Option()] = 4,
    scale: Annotated[float, typer.Option(help="Zoom in training, +- fraction.")] = 0.2,
    mosaic: Annotated[float, typer.Option()] = 0.0,
    rect: Annotated[bool, typer.Option("--rect", help="Train without padding, in a fixed order: faster.")] = False,
    lr: Annotated[float, typer.Option()] = 0.001,
    seed: Annotated[int, typer.Option()] = 0,
    home: Annotated[Path, typer.Option(help="Folder of all that is left.")] = SCRATCH,
) -> None:
    """Leave images, ground_truth and detections of all predicted sheets as Parquet."""
    classes = read_names(dataset)
    training = Training(start.resolve(), imgsz, epochs, batch, scale, mosaic, rect, lr, seed)
    splits = [fit_on.split(","), on.split(",")] if fit_on else []
    parts = (
        [Fold(sheets_of(dataset, splits[0]), sheets_of(dataset, splits[1]))] if splits else deal(dataset, folds, seed)
    )
    start_ultralytics()
    done: list[dict[str, pd.DataFrame]] = []
    for number, part in enumerate(parts):
        own = training._replace(start=Path(str(training.start).format(fold=number)))
        done.append(predicted(part, classes, own, home / name / f"fold{number}"))
        tables = {table: pd.concat([one[table] for one in done], ignore_index=True) for table in done[0]}
        save(tables, home / name)  # after each fold: a long run may be cut short
        print(f"fold {number}: {summary(tables)}", flush=True)


def read_names(dataset: Path) -> list[str]:
    """Return the class names of a dataset in the order of their ids."""
    names = yaml.safe_load((dataset / "data.yaml").read_text(encoding="utf-8"))["names"]
    return [names[number] for number in range(len(names))]


def sheets_of(dataset: Path, splits: Sequence[str]) -> list[Sheet]:
    """Return the sheets of `splits`, sorted by path."""
    images = sorted(file for split in splits for file in (dataset / "images" / split).iterdir())
    return [Sheet(file, dataset / "labels" / file.parent.name / f"{file.stem}.txt") for file in images]


def deal(dataset: Path, count: int, seed: int) -> list[Fold]:
    """Return `count` folds over the sheets of all splits."""
    sheets = sheets_of(dataset, sorted(folder.name for folder in (dataset / "images").iterdir()))
    order = np.random.default_rng(seed).permutation(len(sheets))
    fold = np.empty(len(sheets), dtype=int)
    fold[order] = np.arange(len(sheets)) % count
    return [
        Fold(
            [sheet for sheet, its in zip(sheets, fold, strict=True) if its != number],
            [sheet for sheet, its in zip(sheets, fold, strict=True) if its == number],
        )
        for number in range(count)
    ]


def predicted(part: Fold, classes: Sequence[str], training: Training, folder: Path) -> dict[str, pd.DataFrame]:
    """Train on a fold and predict its held sheets; return the tables by name, all as split val."""
    began = time.monotonic()
    weights = train(part.fit, classes, training, folder)
    trained = time.monotonic()
    seen = predict(
        weights,
        [sheet.image for sheet in part.held],
        classes=classes,
        prompts={},
        params=plain_params(imgsz=training.imgsz, batch=1, max_det=1000),
    )
    rows = [sheet_tables(sheet, one, classes) for sheet, one in zip(part.held, seen, strict=True)]
    print(f"{trained - began:.0f} s training, {time.monotonic() - trained:.0f} s predicting", flush=True)
    return {table: pd.concat([row[table] for row in rows], ignore_index=True) for table in rows[0]}


def plain_params(*, imgsz: int, batch: int, max_det: int) -> PredictParams:
    """Return what a prediction on CPU is told that keeps all boxes from FLOOR on, without filters."""
    filters = dict.fromkeys(FilterParams.model_fields)
    sizes = {"imgsz": imgsz, "batch": batch, "max_det": max_det, "confidence_floor": FLOOR}
    return PredictParams.model_validate({**sizes, "device": "cpu", "filters": filters})


def train(sheets: Sequence[Sheet], classes: Sequence[str], training: Training, folder: Path) -> Path:
    """Fine-tune as the train stage does, with the project's own settings but for those of `training`."""
    import torch

    params = Params.model_validate(read_params(REPO / "params.yaml")["train"])
    wanted = {
        **settings(params, 0, "cpu"),
        "epochs": training.epochs,
        "imgsz": training.imgsz,
        "batch": training.batch,
        "nbs": training.batch,
        "scale": training.scale,
        "mosaic": training.mosaic,
        "close_mosaic": max(1, training.epochs // 4) if training.mosaic else 0,
        "rect": training.rect,
        "lr0": training.lr,
        "seed": training.seed,
        "warmup_bias_lr": 0.1,
    }
    start_ultralytics()  # or DVCLive, where it is installed, writes into dvc.yaml
    torch.set_num_threads(1)
    shutil.rmtree(folder, ignore_errors=True)  # or `fit` would go on with an earlier training
    data = write_view(folder / "data", {"train": list(sheets)}, classes)
    result = fit(Job(training.start, data, (folder / "run").resolve(), wanted, "last"))
    save_model(result.best, folder / "best.pt", imgsz=training.imgsz)
    return folder / "best.pt"


def sheet_tables(sheet: Sheet, seen: Prediction, classes: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Return one sheet's rows of the three tables."""
    labels = read_labels(sheet.label, classes)
    key = {"split": "val", "image_id": sheet.image_id}
    image = {**key, "width": seen.width, "height": seen.height, "labelled": True}
    unset = {"group": "", "confidence": 0.0, "near_copy": False}  # known to the one who measures
    truth = _boxes(xywhn_to_xyxy(labels.xywhn, width=seen.width, height=seen.height))
    found = _boxes(seen.xyxy)
    return {
        "images": pd.DataFrame([{**image, **unset}]),
        "ground_truth": truth.assign(**key, object_id=np.arange(len(truth)), class_id=labels.class_id),
        "detections": found.assign(
            **key, detection_id=np.arange(len(found)), class_id=seen.class_id, confidence=seen.confidence
        ),
    }


def save(tables: dict[str, pd.DataFrame], folder: Path) -> None:
    """Write the tables with the schemas of `validate`."""
    for name, schema in {"images": IMAGES, "ground_truth": GROUND_TRUTH, "detections": DETECTIONS}.items():
        write_table(tables[name], folder / f"{name}.parquet", schema)


def summary(tables: dict[str, pd.DataFrame]) -> str:
    """Return sheets, boxes, and F1 at the best of a few fixed thresholds."""
    best = (0.0, 0.0)
    for confidence in np.arange(0.1, 0.75, 0.05):
        boxes = {"detections": tables["detections"], "ground_truth": tables["ground_truth"]}
        count = outcomes(**boxes, iou=0.5, confidence=float(confidence))["outcome"].value_counts()
        f1 = 2 * count.get("tp", 0) / max(1, 2 * count.get("tp", 0) + count.get("fp", 0) + count.get("fn", 0))
        best = max(best, (f1, float(confidence)))
    counts = ", ".join(f"{len(frame)} {name}" for name, frame in tables.items())
    return f"{counts}; best F1 {best[0]:.3f} at confidence {best[1]:.2f}"


def _boxes(xyxy: "np.ndarray[Any, Any]") -> pd.DataFrame:
    return pd.DataFrame(np.asarray(xyxy, dtype=float).reshape(-1, 4), columns=["x1", "y1", "x2", "y2"])


if __name__ == "__main__":
    typer.run(main)
