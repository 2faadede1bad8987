"""How the time of a prediction grows with the sheets, in this process and on 1 and 2 workers of a Ray cluster.

    python -m benchmarks.ray_growth starter/yolo26n.pt --sheets 500,1000,2000,4000 --workers 1,2

Sheets are drawn small, so that what the workers cost stands out: at 2,560 px the network takes a hundred times as long,
and messages do not. `--kill` kills all workers in the middle of the last run. Whatever happened, a digest over all that
was seen has to be the same. Seconds of a run on Ray hold the start of a cluster and the loading of the model.
"""

import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import psutil
import typer

from benchmarks.folds import plain_params
from stages.detector.model.checkpoint import class_names, load_model
from stages.detector.model.runtime import start_ultralytics
from stages.detector.prediction.prediction_params import PredictParams
from stages.detector.prediction.predictor import Prediction, predict
from stages.detector.prediction.ray_run import predict_on_ray

SIDE = 128  # px of a drawn sheet
SHAPES = 12  # on each


def main(
    weights: Annotated[Path, typer.Argument(exists=True)],
    sheets: Annotated[str, typer.Option(help="Numbers of sheets, with commas.")] = "500,1000,2000,4000",
    workers: Annotated[str, typer.Option(help="Numbers of workers; empty: this process alone.")] = "1,2",
    imgsz: Annotated[int, typer.Option(help="px")] = 128,
    engine: Annotated[str, typer.Option(help="torch | onnx")] = "torch",
    kill: Annotated[bool, typer.Option("--kill", help="Kill the workers of the last run in its middle.")] = False,
) -> None:
    """Print seconds, sheets in a second after the first one, and whether the digests are the same."""
    weights = weights.resolve()
    counts = [int(one) for one in sheets.split(",")]
    crews = [int(one) for one in workers.split(",") if one]
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        start_ultralytics()
        classes = class_names(load_model(weights))
        files = list(_drawn(Path("sheets"), max(counts)))
        plain = plain_params(imgsz=imgsz, batch=1, max_det=300).model_copy(update={"engine": engine, "device": "cpu"})
        print(f"{'sheets':>8} {'where':>12} {'seconds':>8} {'a second':>9}  same bytes", flush=True)
        for count in counts:
            local = _run(weights, files[:count], classes, plain)
            print(f"{count:>8} {'local':>12} {local[0]:>8.1f} {local[1]:>9.1f}", flush=True)
            for crew in crews:
                dies = kill and (count, crew) == (counts[-1], crews[-1])
                params = plain.model_copy(update={"run_on": "ray", "ray_workers": crew})
                seconds, rate, digest = _run(weights, files[:count], classes, params, dies=dies)
                same = "yes" if digest == local[2] else "NO"
                where = f"{crew} worker{'s' * (crew > 1)}{', killed' * dies}"
                print(f"{count:>8} {where:>12} {seconds:>8.1f} {rate:>9.1f}  {same}", flush=True)
                if digest != local[2]:
                    sys.exit(1)


def _run(
    weights: Path, files: list[Path], classes: tuple[str, ...], params: PredictParams, *, dies: bool = False
) -> tuple[float, float, str]:
    """Return the seconds of a run, its sheets in a second after the first, and a digest of what it saw."""
    see = predict_on_ray if params.run_on == "ray" else predict
    start = first = time.perf_counter()
    sha = hashlib.sha256()
    prompts = {name: (name,) for name in classes}
    for place, seen in enumerate(see(weights, files, classes=classes, prompts=prompts, params=params)):
        first = time.perf_counter() if place == 0 else first
        if dies and place == len(files) // 2:
            _kill_workers()
        sha.update(_bytes(seen))
    end = time.perf_counter()
    return end - start, (len(files) - 1) / max(end - first, 1e-9), sha.hexdigest()


def _bytes(seen: Prediction) -> bytes:
    arrays = (seen.class_id, seen.confidence, seen.xyxy, seen.features)
    return b"".join(np.ascontiguousarray(one).tobytes() for one in arrays)


def _kill_workers() -> None:
    below = psutil.Process().children(recursive=True)
    for worker in [one for one in below if any("ray::RayWorker" in part for part in one.cmdline())]:
        worker.kill()


def _drawn(folder: Path, count: int) -> Iterator[Path]:
    """Draw `count` sheets with some shapes each, from a seed."""
    import cv2

    folder.mkdir()
    for place in range(count):
        rng = np.random.default_rng(place)
        sheet = np.full((SIDE, SIDE, 3), 245, np.uint8)
        for x, y, half in rng.integers((8, 8, 4), (SIDE - 8, SIDE - 8, 16), (SHAPES, 3)).tolist():
            cv2.rectangle(sheet, (x - half, y - half), (x + half, y + half), (60, 60, 60), int(rng.integers(1, 4)))
        file = folder / f"{place:05d}.png"
        cv2.imwrite(str(file), sheet)
        yield file


if __name__ == "__main__":
    typer.run(main)
