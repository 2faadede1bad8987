"""Plants label errors of known kinds: in a table of labels, or in a copy of a dataset, for a training that sees them.

Of each kind an equal share of the labels is spoiled: dropped, shifted by 35 to 80 % of its sides, given another class,
doubled (with 5 % of jitter).

    python -m benchmarks.spoil ../shared/datasets/circuits .scratch/benchmarks/circuits_spoiled_data
"""

import shutil
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import pandas as pd
import typer

from benchmarks.folds import read_names, sheets_of
from stages.base.boxes import BOX, xywhn_to_xyxy, xyxy_to_xywhn
from stages.base.decoding import read_bgr
from stages.dataset.sheets.split_folder import Sheet, read_labels

KINDS = ("drop", "shift", "swap", "duplicate")


class Spoiled(NamedTuple):
    """Labels with planted errors, and the errors: kind, sheet, object_id and twin (-1: none), class_id, true box."""

    ground_truth: pd.DataFrame
    errors: pd.DataFrame


def main(
    dataset: Annotated[Path, typer.Argument(help="Folder with data.yaml, images/<split> and labels/<split>.")],
    out: Annotated[Path, typer.Argument(help="Folder of the copy; errors.csv in it lists what was planted.")],
    share: Annotated[float, typer.Option(help="Of the labels, per kind.")] = 0.03,
    seed: Annotated[int, typer.Option()] = 0,
) -> None:
    """Write a copy of a dataset with planted errors; images are links."""
    sheets = sheets_of(dataset, sorted(folder.name for folder in (dataset / "images").iterdir()))
    sizes = {sheet.image_id: read_bgr(sheet.image).shape[1::-1] for sheet in sheets}
    truth = pd.concat([labels_of(sheet, read_names(dataset), sizes[sheet.image_id]) for sheet in sheets])
    spoiled = renumbered(plant(truth, share, np.random.default_rng(seed)))
    shutil.rmtree(out, ignore_errors=True)
    for sheet in sheets:
        split = sheet.image.parent.name
        for part in ("images", "labels"):
            (out / part / split).mkdir(parents=True, exist_ok=True)
        (out / "images" / split / sheet.image.name).symlink_to(sheet.image.resolve())
        rows = spoiled.ground_truth[spoiled.ground_truth["image_id"] == sheet.image_id]
        (out / "labels" / split / sheet.label.name).write_text(yolo_text(rows, sizes[sheet.image_id]))
    shutil.copyfile(dataset / "data.yaml", out / "data.yaml")
    spoiled.errors.to_csv(out / "errors.csv", index=False)
    print(f"{len(spoiled.errors)} errors among {len(truth)} labels")


def labels_of(sheet: Sheet, classes: list[str], size: tuple[int, int]) -> pd.DataFrame:
    """Return the labels of a sheet of `size` (width, height) as rows of GROUND_TRUTH, all as split val."""
    labels = read_labels(sheet.label, classes)
    boxes = pd.DataFrame(xywhn_to_xyxy(labels.xywhn, width=size[0], height=size[1]), columns=BOX)
    return boxes.assign(split="val", image_id=sheet.image_id, object_id=np.arange(len(boxes)), class_id=labels.class_id)


def renumbered(spoiled: Spoiled) -> Spoiled:
    """Return the same with the object_id that each label will have in its file: its row."""
    truth = spoiled.ground_truth.sort_values(["image_id", "object_id"], kind="stable", ignore_index=True)
    rows = truth.groupby("image_id").cumcount()
    new = dict(zip(zip(truth["image_id"], truth["object_id"], strict=True), rows, strict=True))
    errors = spoiled.errors.assign(
        **{
            name: [new.get(key, -1) for key in zip(spoiled.errors["image_id"], spoiled.errors[name], strict=True)]
            for name in ("object_id", "twin")
        }
    )
    return Spoiled(truth.assign(object_id=rows), errors)


def yolo_text(rows: pd.DataFrame, size: tuple[int, int]) -> str:
    """Return labels as lines `class x y w h`; what reaches over the border of the sheet is cut."""
    corners = np.clip(rows[BOX].to_numpy(float), 0, [*size, *size])
    boxes = xyxy_to_xywhn(corners, width=size[0], height=size[1])
    lines = zip(rows["class_id"], boxes.tolist(), strict=True)
    return "".join(f"{class_id} {' '.join(f'{value:.6f}' for value in box)}\n" for class_id, box in lines)


def plant(ground_truth: pd.DataFrame, share: float, rng: np.random.Generator) -> Spoiled:
    """Return the labels with `share` of them spoiled in each way; no label is spoiled twice."""
    truth = ground_truth.reset_index(drop=True)
    count = round(share * len(truth))
    picked = rng.permutation(len(truth))[: count * len(KINDS)].reshape(len(KINDS), count)
    errors = [truth.loc[rows].assign(kind=kind, twin=-1) for kind, rows in zip(KINDS, picked, strict=True)]
    spoiled = truth.copy()
    spoiled.loc[picked[1], BOX] = shifted(truth.loc[picked[1], BOX].to_numpy(float), rng)
    spoiled.loc[picked[2], "class_id"] = other_class(truth["class_id"], picked[2], rng)
    copies = truth.loc[picked[3]].copy()
    copies[BOX] = jittered(copies[BOX].to_numpy(float), rng)
    copies["object_id"] += 10_000
    errors[3]["twin"] = errors[3]["object_id"] + 10_000
    errors[0]["object_id"] = -1
    return Spoiled(
        pd.concat([spoiled.drop(index=picked[0]), copies], ignore_index=True), pd.concat(errors, ignore_index=True)
    )


def shifted(boxes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return boxes (n, 4) moved by 35 to 80 % of their sides into any direction: IoU 0.1 to 0.5 with before."""
    angle, far = rng.uniform(0, 2 * np.pi, len(boxes)), rng.uniform(0.35, 0.8, len(boxes))
    step = (far * np.stack([np.cos(angle), np.sin(angle)])).T * (boxes[:, 2:] - boxes[:, :2])
    return np.asarray(boxes + np.hstack([step, step]))


def jittered(boxes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return boxes (n, 4) with every edge moved by up to 5 % of their sides."""
    sides = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    return np.asarray(boxes + sides * rng.uniform(-0.05, 0.05, boxes.shape))


def other_class(classes: pd.Series, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return another class for each of `rows`, all equally likely."""
    names = np.sort(classes.unique())
    return np.array([rng.choice(names[names != own]) for own in classes.loc[rows]], dtype="int32")


if __name__ == "__main__":
    typer.run(main)
