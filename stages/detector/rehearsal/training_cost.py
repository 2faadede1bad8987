"""What the training of an iteration would cost, from the last training here or from one timed step."""

from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from stages.base.params import PARAMS, read_classes, read_section, read_tile
from stages.base.tables import read_json, read_metrics
from stages.dataset.sheets.split_folder import DATASET, Sheet, read_split
from stages.detector.training.training_params import LOGS, METRICS, TrainParams, epochs
from stages.detector.training.training_view import split_slice
from stages.detector.training.window_view import count_windows

PROMPTED = 2.0  # times as long as without text prompts: measured for YOLOE-26n against YOLO-26n
_TOGETHER = 10.0  # seconds between the two files that one training writes last


class Training(NamedTuple):
    """How much there is to compute."""

    sheets: int  # or windows of them
    epochs: int
    batch: int  # sheets per step
    imgsz: int  # px of the longer side
    prompted: bool  # YOLOE with text prompts
    cut: bool = False  # into windows, which are counted as sheets

    @property
    def images(self) -> int:
        """Sheets, each counted once per epoch."""
        return self.sheets * self.epochs

    @property
    def steps(self) -> int:
        """Batches over all epochs; the last one of an epoch may be smaller."""
        return self.epochs * ceil(self.sheets / self.batch)


class MeasuredTraining(NamedTuple):
    """A training that was done here, and its seconds."""

    training: Training
    seconds: float


def last_training(root: Path) -> MeasuredTraining | None:
    """Return the last training in this folder, or None where its seconds and its numbers are not both there.

    A training that was resumed or adopted weights tells nothing, and metrics that came out of Git or the cache are
    not those of the seconds: then they were not written together.
    """
    seconds, metrics = root / LOGS / "seconds.json", root / METRICS
    if not seconds.is_file() or not metrics.is_file():
        return None
    done = read_metrics(metrics)
    apart = abs(seconds.stat().st_mtime - metrics.stat().st_mtime)
    if apart > _TOGETHER or done.get("resumed") or not done.get("epochs_run"):
        return None
    prompted = done["encoder"] is not None
    training = Training(done.get("windows", done["images"]), done["epochs_run"], done["batch"], done["imgsz"], prompted)
    return MeasuredTraining(training, float(read_json(seconds)["seconds"]))


def cost_lines(
    root: Path, iteration: int, *, measured: MeasuredTraining | None, step: Mapping[str, Any] | str | None
) -> list[str]:
    """Return the work of the training at `root` and about how long it takes, with where that number comes from.

    `step` is used without a `measured` training: seconds per sheet and whether it was prompted, or why there is none.
    """
    params = read_section(TrainParams, "train", root / PARAMS)
    if iteration == 0 and params.baseline == "adopt":
        return ["[COST] Training: none, the weights are taken as they are"]
    if iteration == 0 and params.baseline == "zero-shot":
        return ["[COST] Training: none, the target weights are told the prompts"]
    wanted = _wanted(params, read_split("train", root / DATASET), iteration, root / PARAMS)
    line = f"[COST] Training: {work_line(wanted)}"
    if params.select == "slice":
        line += f"; or less, since it stops after {params.patience} epochs without a better slice"
    if measured:
        done = measured.training
        seconds = scaled(measured.seconds, measured=done, wanted=wanted)
        took = f"the last training here took {duration(measured.seconds)} for {done.images} images at {done.imgsz} px"
        return [line, f"[COST] About {duration(seconds)}: {took} (logs/train/seconds.json){_doubled(done, wanted)}"]
    if isinstance(step, str) or step is None:
        return [line, f"[COST] How long it takes is unknown: {step or 'nothing was measured'}"]
    one = Training(1, 1, 1, params.imgsz, bool(step["prompted"]))
    seconds = scaled(float(step["seconds"]), measured=one, wanted=wanted)
    took = f"one sheet took {step['seconds']:.2f} s forward and backward just now, without reading and augmenting it"
    return [line, f"[COST] About {duration(seconds)}: {took}{_doubled(one, wanted)}"]


def scaled(seconds: float, *, measured: Training, wanted: Training) -> float:
    """Return what `wanted` takes when `measured` took `seconds`: by images, by pixels, and by text prompts."""
    ratio = wanted.images * wanted.imgsz**2 / (measured.images * measured.imgsz**2)
    return seconds * ratio * PROMPTED ** (wanted.prompted - measured.prompted)


def duration(seconds: float) -> str:
    """Return seconds as a person says them: 40 s, 12 min, 3.5 h."""
    if seconds < 90:
        return f"{seconds:.0f} s" if seconds >= 1 else "less than 1 s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"


def work_line(wanted: Training) -> str:
    """Return how much there is to compute, in one line."""
    of = "windows and whole sheets" if wanted.cut else "sheets"
    return (
        f"{wanted.sheets} {of} x {wanted.epochs} epochs = {wanted.images} images, in {wanted.steps} steps of "
        f"{wanted.batch}, at {wanted.imgsz} px"
    )


def _wanted(params: TrainParams, sheets: Sequence[Sheet], iteration: int, file: Path) -> Training:
    if params.select == "slice":
        sheets, _ = split_slice(sheets, params.slice, np.random.default_rng(params.seed))
    tile, count = read_tile(file), len(sheets)
    if tile is not None:
        rng = np.random.default_rng(params.seed)
        count = count_windows(sheets, read_classes(file), side=tile, rng=rng)
    return Training(count, epochs(params, iteration), params.batch, params.imgsz, iteration > 0, tile is not None)


def _doubled(measured: Training, wanted: Training) -> str:
    differ = wanted.prompted and not measured.prompted
    return f"; times {PROMPTED:g}, since text prompts make a step longer" if differ else ""
