"""Detectors as a loop has them before its first and its second packet, for `benchmarks.yields`: trained, then asked.

For each set and seed a few sheets are drawn for train and for val; the rest are the pool, whose labels are held back.
A detector is trained on train, and sees all. Before the second packet sheets of the pool that were drawn at random have
been reviewed: they joined train, and the detector of before was trained on. Left are tables per packet, below
.scratch/benchmarks/yields; what is there is not done again. No weights and no sheets of it belong into the repository.

    python -m benchmarks.yield_models drawn circuits bccd callouts --seeds 5
"""

import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import product
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import pandas as pd
import typer

from benchmarks.folds import SCRATCH, Training, plain_params, read_names, sheet_tables, sheets_of, train
from demo.demo_data import write_source
from demo.drawing.sets import draw_set
from demo.drawing.sheet import CLASSES
from stages.base.tables import write_table
from stages.dataset.sheets.split_folder import Sheet, SplitSheet, read_labels
from stages.detector.prediction.prediction_tables import predicted_tables, save_predicted
from stages.detector.prediction.predictor import predict
from stages.ruler.schemas import GROUND_TRUTH

REPO = Path(__file__).parents[1]
HOME = SCRATCH / "yields"
DATASETS = REPO.parent / "shared/datasets"
PACKETS = (1, 2)


class Setting(NamedTuple):
    """How a set is dealt and trained on; small enough for two cores."""

    train: int  # sheets at the start
    val: int  # sheets
    pool: int  # sheets at most
    reviewed: int  # sheets at random that join before the second packet
    imgsz: int  # px
    epochs: int  # of the first training; half of them in the second
    batch: int = 4


SETTINGS = {
    "drawn": Setting(train=10, val=60, pool=72, reviewed=14, imgsz=320, epochs=60),
    "circuits": Setting(train=24, val=25, pool=83, reviewed=20, imgsz=320, epochs=30),
    "bccd": Setting(train=16, val=30, pool=120, reviewed=16, imgsz=320, epochs=30),
    "callouts": Setting(train=12, val=10, pool=39, reviewed=8, imgsz=768, epochs=20, batch=2),
}


def main(
    sets: Annotated[list[str], typer.Argument(help=f"Of {', '.join(SETTINGS)}.")],
    seeds: Annotated[int, typer.Option(help="Repetitions, each with other sheets in train.")] = 5,
    workers: Annotated[int, typer.Option(help="Trainings side by side.")] = 2,
    datasets: Annotated[Path, typer.Option(help="Folder with circuits, bccd and callouts.")] = DATASETS,
    home: Annotated[Path, typer.Option(help="Where all is left.")] = HOME,
    shrink: Annotated[int, typer.Option(min=1, help="Divide sheets and epochs by it, to try the program.")] = 1,
) -> None:
    """Train and predict for every set, seed and packet."""
    work = [(name, seed) for seed, name in product(range(seeds), sets)]
    with ProcessPoolExecutor(workers) as pool:
        for line in pool.map(partial(_cell, datasets=datasets, home=home, shrink=shrink), work):
            print(line, flush=True)


def _cell(cell: tuple[str, int], *, datasets: Path, home: Path, shrink: int) -> str:
    name, seed = cell
    setting = SETTINGS[name]._replace(
        **{
            key: max(2, getattr(SETTINGS[name], key) // shrink)
            for key in ("train", "val", "pool", "reviewed", "epochs")
        }
    )
    folder = home / name / f"seed{seed}"
    if all((folder / f"packet{packet}/done").exists() for packet in PACKETS):
        return f"{name}, seed {seed}: was done"
    counts = {split: getattr(setting, split) for split in ("train", "val", "pool")}
    sheets, classes = drawn_sheets(folder, seed, counts) if name == "drawn" else real_sheets(datasets / name)
    rng = np.random.default_rng(seed)
    shuffled = sheets if name == "drawn" else [sheets[place] for place in rng.permutation(len(sheets))]
    seen = setting.train + setting.val
    order = shuffled[: seen + setting.pool]
    splits = ["train"] * setting.train + ["val"] * setting.val + ["pool"] * (len(order) - seen)
    reviewed = sorted(rng.choice(range(seen, len(order)), size=setting.reviewed, replace=False).tolist())
    later = ["train" if place in reviewed else split for place, split in enumerate(splits)]
    dealt = {1: splits, 2: later}
    start = REPO / "starter/yolo26n.pt"
    for packet in PACKETS:
        place = folder / f"packet{packet}"
        if not (place / "done").exists():
            known = [sheet for sheet, split in zip(order, dealt[packet], strict=True) if split == "train"]
            epochs = setting.epochs if packet == 1 else max(1, setting.epochs // 2)
            training = Training(start, setting.imgsz, epochs, setting.batch, 0.2, 0.0, False, 0.001, seed)
            weights = train(known, classes, training, place / "fit")
            ask(weights, order, dealt[packet], classes, setting.imgsz, place)
            pd.DataFrame({"image_id": [order[at].image_id for at in reviewed]}).to_csv(
                place / "reviewed.csv", index=False
            )
            (place / "classes.txt").write_text("\n".join(classes), encoding="utf-8")
            (place / "done").touch()
        start = place / "fit/best.pt"
    shutil.rmtree(folder / "sheets", ignore_errors=True)
    return f"{name}, seed {seed}: done"


def ask(
    weights: Path, sheets: Sequence[Sheet], splits: Sequence[str], classes: Sequence[str], imgsz: int, place: Path
) -> None:
    """Leave what `predict` would, and the labels of all sheets, in `place`."""
    split = [
        SplitSheet(split, sheet, read_labels(sheet.label, classes)) for split, sheet in zip(splits, sheets, strict=True)
    ]
    seen = list(
        predict(
            weights,
            [sheet.image for sheet in sheets],
            classes=classes,
            prompts={},
            params=plain_params(imgsz=imgsz, batch=1, max_det=300),
        )
    )
    save_predicted(predicted_tables(split, seen), place)
    rows = [
        sheet_tables(one.sheet, its, classes)["ground_truth"].assign(split=one.split)
        for one, its in zip(split, seen, strict=True)
    ]
    write_table(pd.concat(rows, ignore_index=True), place / "ground_truth.parquet", GROUND_TRUTH)


def drawn_sheets(folder: Path, seed: int, counts: Mapping[str, int]) -> tuple[list[Sheet], list[str]]:
    """Draw `counts[split]` sheets for each split below `folder`; return them split by split, and the classes."""
    shutil.rmtree(folder / "sheets", ignore_errors=True)
    source = write_source(folder / "sheets", draw_set(seed, counts))
    # in this order: val and the pool have styles that train lacks
    return [sheet for split in counts for sheet in sheets_of(source, [split])], list(CLASSES)


def real_sheets(dataset: Path) -> tuple[list[Sheet], list[str]]:
    """Return all sheets of a folder of `../shared/datasets`, and the classes."""
    splits = sorted(folder.name for folder in (dataset / "images").iterdir())
    return sheets_of(dataset, splits), read_names(dataset)


if __name__ == "__main__":
    typer.run(main)
