"""Sets of sheets for benchmarks, and what a detector sees on them."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from benchmarks.folds import plain_params, read_names, sheet_tables, sheets_of
from demo.demo_data import write_source
from demo.drawing.sets import draw_set
from demo.drawing.sheet import CLASSES
from stages.base.tables import write_table
from stages.dataset.sheets.split_folder import Sheet, SplitSheet, read_labels
from stages.detector.prediction.prediction_tables import predicted_tables, save_predicted
from stages.detector.prediction.predictor import predict
from stages.ruler.schemas import GROUND_TRUTH

REPO = Path(__file__).parents[1]
DATASETS = REPO.parent / "shared/datasets"
IOU, PRELABEL = 0.5, 0.25


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
