"""A set, dealt and with faults in train's labels, and the trainings on it: what `benchmarks.recheck` measures on."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmarks.folds import Training, plain_params, sheet_tables, train
from benchmarks.known_sets import IOU, PRELABEL, REPO, drawn_sheets, real_sheets
from benchmarks.spoil import KINDS, labels_of, plant, yolo_text
from stages.base.boxes import BOX
from stages.base.decoding import read_bgr
from stages.dataset.sheets.split_folder import Sheet
from stages.detector.prediction.predictor import predict
from stages.ruler.matching.matching import outcomes

FAULTS = 0.05  # of train's labels


class Setting(NamedTuple):
    """How a set is dealt and trained on; small enough for two cores."""

    train: int  # sheets
    val: int
    test: int
    pool: int  # at most
    epochs: int = 20  # of the first training; half of them in later ones
    imgsz: int = 320  # px
    batch: int = 4


SETTINGS = {
    "drawn": Setting(train=30, val=16, test=40, pool=48),
    "circuits": Setting(train=36, val=14, test=30, pool=52),
    "bccd": Setting(train=40, val=16, test=40, pool=60),
}


class Cell(NamedTuple):
    """A set, dealt and spoiled: where it lies, its sheets, its classes, what is true, and what train is told."""

    folder: Path
    setting: Setting
    seed: int
    classes: list[str]
    sheets: dict[str, Sheet]
    splits: dict[str, str]
    truth: pd.DataFrame  # image_id, object_id, class_id, box
    told: pd.DataFrame  # the same of train, with faults


def dealt(name: str, seed: int, setting: Setting, datasets: Path, home: Path) -> Cell:
    """Return the sheets of a set by their splits, with faults in train."""
    folder = home / name / f"seed{seed}"
    counts = {split: getattr(setting, split) for split in ("train", "val", "test", "pool")}
    if name == "drawn":
        sheets, classes = drawn_sheets(folder, seed, counts)
    else:
        every, classes = real_sheets(datasets / name)
        sheets = [every[at] for at in np.random.default_rng(seed).permutation(len(every))][: sum(counts.values())]
    order = [split for split, count in counts.items() for _ in range(count)][: len(sheets)]
    sizes = {one.image_id: read_bgr(one.image).shape[1::-1] for one in sheets}
    truth = pd.concat([labels_of(one, classes, sizes[one.image_id]) for one in sheets], ignore_index=True)
    splits = {one.image_id: split for one, split in zip(sheets, order, strict=True)}
    truth["split"] = truth["image_id"].map(splits)
    spoiled = plant(truth[truth["split"] == "train"], FAULTS / len(KINDS), np.random.default_rng([seed, 1]))
    told = spoiled.ground_truth
    told[BOX] = np.clip(told[BOX].to_numpy(float), 0, [list(sizes[one]) * 2 for one in told["image_id"]])
    told["object_id"] = told.groupby("image_id").cumcount()
    return Cell(folder, setting, seed, classes, {one.image_id: one for one in sheets}, splits, truth, told)


def trained(
    cell: Cell, told: pd.DataFrame, names: Sequence[str], start: Path | None, folder: Path | None = None
) -> Path:
    """Return the weights of a training on the sheets `names` with the labels `told`, further from `start`."""
    place = folder or cell.folder / "first"
    if (place / "done").is_file():
        return place / "best.pt"
    labels = place.with_name(f"{place.name}-labels")  # beside it: a training empties its folder
    sheets = [with_labels(cell.sheets[name], told, labels) for name in names]
    epochs = cell.setting.epochs if start is None else max(1, cell.setting.epochs // 2)
    imgsz, batch = cell.setting.imgsz, cell.setting.batch
    ask_for = Training(start or REPO / "starter/yolo26n.pt", imgsz, epochs, batch, 0.2, 0.0, False, 0.001, cell.seed)
    weights = train(sheets, cell.classes, ask_for, place)
    shutil.rmtree(labels)
    (place / "done").touch()
    return weights


def with_labels(sheet: Sheet, told: pd.DataFrame, folder: Path) -> Sheet:
    """Return the sheet with the labels that train is told."""
    folder.mkdir(parents=True, exist_ok=True)
    height, width = read_bgr(sheet.image).shape[:2]
    file = folder / sheet.label.name
    file.write_text(yolo_text(told[told["image_id"] == sheet.image_id], (width, height)), encoding="utf-8")
    return Sheet(sheet.image, file)


def f1(cell: Cell, weights: Path) -> float:
    """Return F1 on test."""
    names = [name for name in cell.sheets if cell.splits[name] == "test"]
    seen = predict(
        weights,
        [cell.sheets[name].image for name in names],
        classes=cell.classes,
        prompts={},
        params=plain_params(imgsz=cell.setting.imgsz, batch=1, max_det=300),
    )
    tables = [sheet_tables(cell.sheets[name], one, cell.classes) for name, one in zip(names, seen, strict=True)]
    boxes = {part: pd.concat([one[part] for one in tables]) for part in ("detections", "ground_truth")}
    count = outcomes(**boxes, iou=IOU, confidence=PRELABEL)["outcome"].value_counts()
    return float(2 * count.get("tp", 0) / max(1, 2 * count.get("tp", 0) + count.get("fp", 0) + count.get("fn", 0)))
