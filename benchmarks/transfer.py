"""How well weights serve as a start: mAP50 on drawn sheets after fine-tuning on a few of them.

For every seed other sheets are drawn; all weights are trained and measured on the same ones.

    python -m benchmarks.transfer starter/yolo26n.pt other.pt --sheets 24 --epochs 40 --seeds 3
"""

import statistics
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.trial import REPO, build

STARTER = REPO / "starter/yolo26n.pt"


def main(
    weights: Annotated[list[Path] | None, typer.Argument(help="YOLO-26n weights.")] = None,
    sheets: Annotated[int, typer.Option(help="Sheets to train on.")] = 24,
    epochs: Annotated[int, typer.Option()] = 40,
    seeds: Annotated[int, typer.Option()] = 3,
    val: Annotated[int, typer.Option(help="Sheets to measure on.")] = 40,
    imgsz: Annotated[int, typer.Option(help="px of the longer side, in training and in measuring.")] = 320,
    threads: Annotated[int, typer.Option()] = 2,
) -> None:
    """Print mAP50 and F1 per weights: mean and range over the seeds."""
    counts = {"train": sheets, "val": val}
    values = {"train.imgsz": imgsz, "predict.imgsz": imgsz, "train.epochs_baseline": epochs}
    print(f"{sheets} sheets, {epochs} epochs, {imgsz} px, {seeds} seeds; {val} other sheets to measure on")
    print(f"{'weights':28}{'mAP50':>8}{'lowest':>8}{'highest':>9}{'mAP50-95':>10}{'F1':>8}{'n':>4}")
    for file in weights or [STARTER]:
        rows = [
            _measured(file.resolve(), counts, {**values, "train.seed": seed}, seed, threads) for seed in range(seeds)
        ]
        map50, map50_95, f1 = (list(column) for column in zip(*rows, strict=True))
        print(
            f"{file.name:28}{statistics.mean(map50):8.3f}{min(map50):8.3f}{max(map50):9.3f}"
            f"{statistics.mean(map50_95):10.3f}{statistics.mean(f1):8.3f}{len(rows):4}",
            flush=True,
        )


def _measured(
    file: Path, counts: dict[str, int], values: dict[str, object], seed: int, threads: int
) -> tuple[float, float, float]:
    with tempfile.TemporaryDirectory() as folder:
        trial = build(Path(folder) / "trial", counts, values, baseline=file, seed=seed, threads=threads)
        for stage in ("train", "predict", "validate"):
            trial.stage(stage)
        val = trial.metrics("validate")
    return val["map50"] or 0.0, val["map50_95"] or 0.0, val["f1"] or 0.0


if __name__ == "__main__":
    typer.run(main)
