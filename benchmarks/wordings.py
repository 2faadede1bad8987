"""What other prompts do to trained weights: swapped, said in other words, nonsense, shown by examples, drawn together.

PROJECT is a copy of the demo that ran to its end (`.demo`). For each seed its last training is run again with that
seed, in a copy, and the new weights look at val with each set of prompts, without another training. Printed are F1 on
val over the seeds, mean (least to most). Then the embedding of `detail` is drawn towards that of `elevation`, to a
cosine, in both directions: from which on both classes suffer says from where two prompts are too near.

    python -m demo run && python -m benchmarks.wordings .demo --seeds 3
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from stages.audit.prompt_effect import class_effects
from stages.audit.variant_counts import variant_counts
from stages.base.params import PARAMS, read_classes, read_section
from stages.dataset.sheets.split_folder import DATASET, read_split, split_sheets
from stages.detector.model.checkpoint import load_model
from stages.detector.model.encoders import encode
from stages.detector.model.runtime import start_ultralytics
from stages.detector.prediction.prediction_params import PredictParams
from stages.detector.training.example_vectors import example_vectors
from stages.detector.training.prompt_changes import Embeddings
from stages.detector.training.starting_model import promptable
from stages.detector.training.told_prompts import embeddings_for
from stages.detector.training.training_params import TARGET, TrainParams
from stages.project.yaml_edits import edited
from stages.prompts.texts.examples import DrawnExample, example_text
from stages.prompts.texts.prompt_file import PROMPTS, Prompts, read_prompts
from stages.ruler.validate_params import ValidateParams

REWORDED = {  # as another person might put the same words
    "detail": ("round callout bubble with the detail number above a sheet number",),
    "elevation": ("elevation marker: circle with a filled triangle that points to a wall",),
    "title": ("title below a drawing view with its number in a circle and a name underlined",),
}
PARAPHRASE = {
    "detail": ("circular bubble holding the number of a detail above that of its sheet",),
    "elevation": ("marker of an elevation: a round symbol whose solid arrow points to a wall",),
    "title": ("name of a view, underlined, below the drawing, beside its number in a ring",),
}
NONSENSE = {
    "detail": ("purple elephant on the moon",),
    "elevation": ("seventeen loud bananas",),
    "title": ("grammar of a silent river",),
}
COSINES = (0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999)
ROOT = Path(__file__).parents[1]
SHOWN = 5  # examples of a class
Vector = NDArray[np.float32]


def main(
    project: Annotated[Path, typer.Argument(exists=True, help="The demo, run to its end.")],
    seeds: Annotated[int, typer.Option(min=1)] = 3,
    noise: Annotated[float, typer.Option(min=0, help="train.prompt_noise of these trainings.")] = 0.0,
) -> None:
    """Print a table for all sets of prompts, and one for pairs that come near."""
    scores: dict[str, list[list[float]]] = {}
    names: list[str] = []
    for seed in range(seeds):
        with tempfile.TemporaryDirectory() as folder:
            root = retrained(
                project.resolve(), Path(folder) / "project", {"train.seed": seed, "train.prompt_noise": noise}
            )
            found, names = measured(root)
        for name, f1 in found.items():
            scores.setdefault(name, []).append(f1)
        print(
            f"seed {seed}: F1 {found['as trained'][0]:.3f}, in other words {found['in other words'][0]:.3f}", flush=True
        )
    print(f"\nF1 on val, {seeds} seeds: mean (least to most)\n{'prompts':<24}" + "".join(f"{n:>24}" for n in names))
    for name, rows in scores.items():
        cells = [f"{statistics.mean(one):.3f} ({min(one):.3f} to {max(one):.3f})" for one in zip(*rows, strict=True)]
        print(f"{name:<24}" + "".join(f"{cell:>24}" for cell in cells))


def retrained(project: Path, folder: Path, values: Mapping[str, float]) -> Path:
    """Copy the project, and run its training again there with other `values` of params.yaml."""
    shutil.copytree(
        project, folder, symlinks=True, ignore=shutil.ignore_patterns(".git", "logs", ".scratch", "reports")
    )
    text = (folder / PARAMS).read_text(encoding="utf-8")
    (folder / PARAMS).write_text(edited(text, values), encoding="utf-8")
    code = ["-P", "-m", "stages.train"]  # this checkout's, not the project's own
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, *code], cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    return folder


def measured(root: Path) -> tuple[dict[str, list[float]], list[str]]:
    """Return F1 of all classes together and of each, with each set of prompts, and what these numbers are of."""
    classes = read_classes(root / PARAMS)
    start_ultralytics()
    weights = root / "models/best.pt"
    model, target = load_model(weights), promptable(load_model(root / TARGET), root / TARGET)
    trained = scores_of(root, model, variants(root, model, classes), weights, classes)
    prompts = read_prompts(classes, root / PROMPTS)
    untrained = {
        "target, told": _told(root, target, classes, prompts),
        f"target, {SHOWN} examples": _shown(root, target, classes),
    }
    return {**trained, **scores_of(root, target, untrained, root / TARGET, classes)}, ["all", *classes]


def scores_of(
    root: Path, model: object, sets: Mapping[str, Embeddings], weights: Path, classes: tuple[str, ...]
) -> dict[str, list[float]]:
    """Return F1 on val of all classes and of each, for each set of prompts."""
    sheets = split_sheets(("val",), classes, root / DATASET)
    point = read_section(ValidateParams, "validate", root / PARAMS)
    counts = variant_counts(
        model,
        sheets,
        list(sets.values()),
        params=read_section(PredictParams, "predict", root / PARAMS),
        weights=weights,
        tiling=None,
        iou=point.iou,
        confidence=float(point.confidence),
        said="val",
    )
    unit = np.arange(len(sheets))
    rows = [class_effects(before=counts[0], now=now, unit=unit, classes=classes) for now in counts]
    return {name: [one.f1_now or 0.0 for one in row] for name, row in zip(sets, rows, strict=True)}


def variants(root: Path, model: object, classes: tuple[str, ...]) -> Mapping[str, Embeddings]:
    """Return the embeddings of each set of prompts, those of the training first."""
    prompts = read_prompts(classes, root / PROMPTS)
    swapped = {**prompts, "detail": prompts["elevation"], "elevation": prompts["detail"]}
    told = _told(root, model, classes, prompts)
    return {
        "as trained": told,
        "detail, elevation swapped": _told(root, model, classes, swapped),
        "slightly reworded": _told(root, model, classes, REWORDED),
        "in other words": _told(root, model, classes, PARAPHRASE),
        "both, averaged": _told(root, model, classes, {name: (*prompts[name], *PARAPHRASE[name]) for name in classes}),
        "nonsense": _told(root, model, classes, NONSENSE),
        f"{SHOWN} examples each": _shown(root, model, classes),
        **{f"cosine {cosine}": _drawn_together(told, cosine) for cosine in COSINES},
    }


def _told(root: Path, model: object, classes: tuple[str, ...], prompts: Prompts) -> Embeddings:
    return embeddings_for(model, classes, encode(_encoder(root), classes, prompts))


def _encoder(root: Path) -> str:
    return read_section(TrainParams, "train", root / PARAMS).encoder


def _shown(root: Path, model: object, classes: tuple[str, ...]) -> Embeddings:
    """Return the embeddings of the first boxes of each class in train, as the target weights see them."""
    sheets = [one for one in split_sheets(("train",), classes, root / DATASET) if one.labels is not None]
    rows = [
        (class_id, DrawnExample(one.sheet.image_id, row))
        for one in sheets
        for row, class_id in enumerate(one.labels.class_id.tolist() if one.labels else [], 1)
    ]
    shown = {
        name: tuple(example_text(example) for own, example in rows if own == place)[:SHOWN]
        for place, name in enumerate(classes)
    }
    target = promptable(load_model(root / TARGET), root / TARGET)
    imgsz = read_section(TrainParams, "train", root / PARAMS).imgsz
    examples = example_vectors(target, shown, read_split("train", root / DATASET), classes, imgsz=imgsz)
    return embeddings_for(model, classes, encode(_encoder(root), classes, shown, examples))


def _drawn_together(told: Embeddings, cosine: float) -> Embeddings:
    """Return the embeddings with those of `detail` and `elevation` turned to each other, alike, up to `cosine`."""
    one, other = told["detail"], told["elevation"]
    middle, across = one + other, one - other
    middle, across = middle / np.linalg.norm(middle), across / np.linalg.norm(across)
    half = np.arccos(min(max(cosine, float(one @ other)), 1.0)) / 2
    one, other = np.cos(half) * middle + np.sin(half) * across, np.cos(half) * middle - np.sin(half) * across
    return {**told, "detail": one.astype(np.float32), "elevation": other.astype(np.float32)}


if __name__ == "__main__":
    typer.run(main)
