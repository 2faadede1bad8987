"""What windows bring on large sheets: recall by size, with and without, for as many pictures seen in training.

One detector is trained on whole sheets at `--imgsz`, one on windows of `--tile` px at the same `--imgsz`, both from the
same weights and for as many steps, so that the one on windows goes over the sheets less often. Then both look at the
held sheets, as they are and enlarged by `--enlarge`, with windows that grow with them: what a detector on whole sheets
sees stays the same then, and so does a window. Recall is that at confidence 0.25 and IoU 0.5, by the size of objects in
px of the sheet as it is; seconds are those of the prediction, reading included.

    python -m benchmarks.tiles ../shared/datasets/callouts --tile 1024 --imgsz 512 --steps 1500
"""

import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer

from benchmarks.folds import REPO, SCRATCH, Training, plain_params, read_names, sheet_tables, sheets_of, train
from stages.base.boxes import BOX, area
from stages.base.decoding import read_bgr
from stages.dataset.sheets.split_folder import Sheet
from stages.detector.prediction.predictor import predict
from stages.detector.prediction.tiles.label_overlap import longer_sides, overlap
from stages.detector.prediction.tiles.windows import Tiling
from stages.detector.training.window_view import write_windows
from stages.ruler.matching.matching import outcomes

BOUNDS = (0, 24, 48, 96, 10_000)  # px, square root of an object's area
IOU, CONFIDENCE = 0.5, 0.25


def main(
    dataset: Annotated[Path, typer.Argument(help="Folder with data.yaml, images/<split> and labels/<split>.")],
    tile: Annotated[int, typer.Option(help="px of a window's side")] = 1024,
    imgsz: Annotated[int, typer.Option(help="px, of a sheet or of a window")] = 512,
    steps: Annotated[int, typer.Option(help="Batches of either training.")] = 1500,
    batch: Annotated[int, typer.Option()] = 4,
    enlarge: Annotated[int, typer.Option(help="Times, for the second look.")] = 3,
    fit: Annotated[str, typer.Option(help="Splits to train on.")] = "train",
    held: Annotated[str, typer.Option(help="Splits to look at.")] = "val,test",
    seeds: Annotated[int, typer.Option()] = 1,
    home: Annotated[Path, typer.Option(help="Folder of all that is left.")] = SCRATCH / "tiles",
) -> None:
    """Print recall by size, precision and seconds a sheet of each way."""
    classes = read_names(dataset)
    sheets, seen = sheets_of(dataset, fit.split(",")), sheets_of(dataset, held.split(","))
    tiling = Tiling(tile, overlap(longer_sides(sheets, classes), tile))
    print(f"{len(sheets)} sheets to train on, {len(seen)} to look at; windows share {tiling.overlap} of {tile} px")
    large = enlarged(seen, home / "large", enlarge)
    rows = []
    for seed in range(seeds):
        weights = trained(
            sheets, classes, home / f"seed{seed}", tile=tile, imgsz=imgsz, steps=steps, batch=batch, seed=seed
        )
        for name, times, looked_at in (("as they are", 1, seen), (f"{enlarge} times as large", enlarge, large)):
            for way, cut in (("whole", None), ("windows", Tiling(tile * times, tiling.overlap * times))):
                row = measured(weights[way], looked_at, classes, cut, imgsz=imgsz, times=times)
                rows.append({"sheets": name, "seen": way, **row})
                print(f"seed {seed}: {rows[-1]}", flush=True)
    table = pd.DataFrame(rows).groupby(["sheets", "seen"], sort=False).mean()
    print(f"\nrecall by size (px), precision and F1 at {CONFIDENCE}, seconds a sheet; mean of {seeds} seeds")
    print(table.round(3).to_string())


def trained(
    sheets: Sequence[Sheet],
    classes: Sequence[str],
    folder: Path,
    *,
    tile: int,
    imgsz: int,
    steps: int,
    batch: int,
    seed: int,
) -> dict[str, Path]:
    """Return weights that have seen whole sheets, and weights that have seen windows, for `steps` batches each."""
    rng = np.random.default_rng(seed)
    cut = folder / "cut"
    views = {"whole": list(sheets)}
    if not cut.exists():
        views["windows"] = write_windows(sheets, cut, classes, side=tile, imgsz=imgsz, rng=rng)
    else:
        views["windows"] = [
            Sheet(file, cut / "labels" / f"{file.stem}.txt") for file in sorted((cut / "images").iterdir())
        ]
    found = {}
    for way, pictures in views.items():
        epochs = max(1, round(steps * batch / len(pictures)))
        print(f"{way}: {len(pictures)} pictures, {epochs} epochs", flush=True)
        start = REPO / "starter/yolo26n.pt"
        training = Training(start, imgsz, epochs, batch, scale=0.2, mosaic=0.0, rect=False, lr=0.001, seed=seed)
        place = folder / way
        found[way] = place / "best.pt" if (place / "best.pt").exists() else train(pictures, classes, training, place)
    return found


def enlarged(sheets: Sequence[Sheet], folder: Path, times: int) -> list[Sheet]:
    """Write `sheets` enlarged below `folder`; labels are fractions, and stay."""
    import cv2

    folder.mkdir(parents=True, exist_ok=True)
    found = [Sheet(folder / f"{sheet.image.stem}.png", sheet.label) for sheet in sheets]
    for sheet, large in zip(sheets, found, strict=True):
        if not large.image.exists():
            pixels = read_bgr(sheet.image)
            cv2.imwrite(str(large.image), cv2.resize(pixels, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC))
    return found


def measured(
    weights: Path, sheets: Sequence[Sheet], classes: Sequence[str], tiling: Tiling | None, *, imgsz: int, times: int
) -> dict[str, float]:
    """Return recall by size, precision, F1 and seconds a sheet of what `weights` see on `sheets`."""
    params = plain_params(imgsz=imgsz, batch=1, max_det=1000)
    began = time.perf_counter()
    seen = list(
        predict(weights, [one.image for one in sheets], classes=classes, prompts={}, params=params, tiling=tiling)
    )
    seconds = (time.perf_counter() - began) / len(sheets)
    rows = [sheet_tables(sheet, one, classes) for sheet, one in zip(sheets, seen, strict=True)]
    truth, detections = (pd.concat([row[name] for row in rows]) for name in ("ground_truth", "detections"))
    found = outcomes(detections=detections, ground_truth=truth, iou=IOU, confidence=CONFIDENCE)
    count = found["outcome"].value_counts()
    tp, fp, fn = (int(count.get(one, 0)) for one in ("tp", "fp", "fn"))
    hits = found[found["outcome"] == "tp"][["image_id", "object_id"]].assign(hit=True)
    sized = truth.merge(hits, on=["image_id", "object_id"], how="left")
    size = np.sqrt(area(sized[BOX].to_numpy(float))) / times
    names = [f"{low} to {high}" if high < BOUNDS[-1] else f"from {low}" for low, high in pairwise(BOUNDS)]
    part = pd.cut(size, BOUNDS, labels=names)
    recall = sized["hit"].notna().groupby(part, observed=False).mean().to_dict()
    rates = {"all": tp / max(1, tp + fn), "precision": tp / max(1, tp + fp), "f1": 2 * tp / max(1, 2 * tp + fp + fn)}
    return {**recall, **rates, "seconds": seconds}


if __name__ == "__main__":
    typer.run(main)
