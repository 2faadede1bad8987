"""How long both engines take for the same sheets, side by side, and how far apart their boxes are.

    python -m benchmarks.engines .demo/models/best.pt ../shared/datasets/callouts/images --imgsz 2048

Each round predicts all sheets once with each engine; printed are the medians of the rounds' ratios, without the export,
which is made before. Of each box the nearest one of its class is taken; sheets of which the two keep another number are
counted.
"""

import itertools
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.folds import plain_params
from stages.detector.model.checkpoint import class_names, load_model
from stages.detector.model.runtime import start_ultralytics
from stages.detector.prediction.predictor import Prediction, predict

ENGINES = ("torch", "onnx")
PICTURES = (".jpg", ".png")


def main(
    weights: Annotated[Path, typer.Argument(exists=True)],
    images: Annotated[Path, typer.Argument(exists=True, help="Folder; the first sheets below it.")],
    imgsz: Annotated[int, typer.Option(help="px")] = 1024,
    sheets: Annotated[int, typer.Option()] = 12,
    rounds: Annotated[int, typer.Option()] = 3,
) -> None:
    """Print the ratio, and what the boxes differ by."""
    start_ultralytics()
    classes = class_names(load_model(weights))
    files = sorted(file for file in images.rglob("*") if file.suffix.lower() in PICTURES)[:sheets]
    prompts = {name: (name,) for name in classes}
    asked = plain_params(imgsz=imgsz, batch=1, max_det=1000)

    def seen(engine: str) -> tuple[float, list[Prediction]]:
        params = asked.model_copy(update={"engine": engine})
        start = time.perf_counter()
        found = list(predict(weights, files, classes=classes, prompts=prompts, params=params))
        return time.perf_counter() - start, found

    seen("onnx")  # exports
    runs = [{engine: seen(engine) for engine in ENGINES} for _ in range(rounds)]
    ratio = np.median([run["torch"][0] / run["onnx"][0] for run in runs])
    took = {engine: np.median([run[engine][0] for run in runs]) / len(files) for engine in ENGINES}
    print(f"{len(files)} sheets at {imgsz} px, {rounds} rounds: torch {took['torch']:.2f} s, onnx {took['onnx']:.2f} s")
    print(f"onnx is {ratio:.2f} times as fast; reading and checking included")
    print(_apart(runs[0]["torch"][1], runs[0]["onnx"][1]))


def _apart(ours: list[Prediction], theirs: list[Prediction]) -> str:
    pairs = list(zip(ours, theirs, strict=True))
    even = [pair for pair in pairs if len(pair[0].class_id) == len(pair[1].class_id)]
    gaps = list(itertools.chain.from_iterable(_gaps(one, other) for one, other in even))
    boxes = sum(len(one.class_id) for one in ours)
    most = f"{max(gaps):.4f} px" if gaps else "nothing"
    return f"{boxes} boxes; {len(pairs) - len(even)} sheets with another number; the others differ by {most} at most"


def _gaps(one: Prediction, other: Prediction) -> np.ndarray:
    """Return how far the nearest box of its class lies from each box; equal confidences may change places."""
    far = np.abs(one.xyxy[:, None] - other.xyxy[None, :]).max(axis=2)
    return np.where(one.class_id[:, None] == other.class_id[None, :], far, np.inf).min(axis=1)


if __name__ == "__main__":
    typer.run(main)
