"""A class that is added at iteration 2: when is it found, and what becomes of the older ones?

The demo's sheets are imported without the boxes of `title`; two iterations run, reviewed by the oracle. Then
`yoloop classes add title` at the start of iteration 2, its boxes are written into the labels, as a person would draw
them, and accepted, and the loop goes on. Printed is F1 on val of every class after each iteration, with its interval.
Minutes on two cores.

    python -m benchmarks.added_class
"""

import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from demo.demo_data import BASELINE, TARGET, write_source
from demo.demo_run import copy_project, run_step, start_repository
from demo.drawing.sets import DEFAULT_COUNTS, draw_set
from demo.drawing.sheet import CLASSES
from stages.base.params import PARAMS
from stages.convergence.score_files import read_scores
from stages.dataset.new_dataset import write_description
from stages.dataset.sheets.split_folder import label_text, read_labels
from stages.intake.demo_values import drawn_params
from stages.project.repository import git
from stages.project.yaml_edits import edited
from stages.ruler.scores.score_rows import row_of

REPO = Path(__file__).parents[1]
ADDED = "title"
KEPT = tuple(name for name in CLASSES if name != ADDED)
BUDGET = 20  # sheets of a packet
WHERE = ("dataset/train", "dataset/val", "dataset/test", "dataset/pool", "oracle")


def main(
    shrink: Annotated[int, typer.Option(min=1, help="Divide the number of sheets.")] = 1,
    epochs: Annotated[int | None, typer.Option(help="Of every training; default: the demo's.")] = None,
) -> None:
    """Run four iterations, and print a row of scores after each."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "project"
        splits = {name: sheets[::shrink] for name, sheets in draw_set(0, DEFAULT_COUNTS).items()}
        source = write_source(Path(folder) / "all", splits)
        print(f"{'iteration':<12}" + "".join(f"{name:>26}" for name in CLASSES), flush=True)
        begin(root, without(source, Path(folder) / "without"), epochs, budget=max(2, BUDGET // shrink))
        for iteration in range(4):
            if iteration == 2:
                add_class(root, source)
            for step in ("dvc repro -q", "yoloop finish"):
                run_step(root, step if step.startswith("yoloop") else f"python -m {step}")
            print(row(root, iteration), flush=True)
            if iteration < 3:
                run_step(root, "yoloop advance --review oracle --despite-stop measured")


def begin(root: Path, source: Path, epochs: int | None, *, budget: int) -> None:
    """Make a project with the demo's values and the sheets of `source`."""
    copy_project(REPO, root)
    start_repository(root)
    run_step(root, f"yoloop data import {source} --oracle --baseline {BASELINE} --target {TARGET}")
    values: dict[str, object] = {"converge.max_iterations": 10, "classes": list(KEPT), "sample.budget": budget}
    if epochs:
        values |= {"train.epochs": epochs, "train.epochs_baseline": epochs}
    (root / PARAMS).write_text(edited(drawn_params(root), values), encoding="utf-8")
    git.run(root, "commit", "-qam", "Take the demo's values")


def without(source: Path, folder: Path) -> Path:
    """Copy a YOLO folder without the boxes of the class that comes later."""
    shutil.copytree(source, folder)
    for file in (folder / "labels").rglob("*.txt"):
        labels = read_labels(file, CLASSES)
        stay = labels.class_id != CLASSES.index(ADDED)
        ids = [KEPT.index(CLASSES[one]) for one in labels.class_id[stay].tolist()]
        file.write_text(label_text(ids, labels.xywhn[stay]), encoding="utf-8")
    write_description(folder, KEPT)
    return folder


def add_class(root: Path, source: Path) -> None:
    """Add the class, and draw its boxes on all sheets that have labels."""
    run_step(root, f"yoloop classes add {ADDED}")
    now = (*KEPT, ADDED)
    truth = {file.stem: file for file in (source / "labels").rglob("*.txt")}
    for where in WHERE:
        for file in sorted((root / "data" / where / "labels").glob("*.txt")):
            labels, all_labels = read_labels(file, now), read_labels(truth[file.stem], CLASSES)
            new = all_labels.class_id == CLASSES.index(ADDED)
            ids = [*labels.class_id.tolist(), *[now.index(ADDED)] * int(new.sum())]
            file.unlink()  # a link into DVC's cache
            file.write_text(label_text(ids, np.concatenate([labels.xywhn, all_labels.xywhn[new]])), encoding="utf-8")
    run_step(root, "yoloop data accept")


def row(root: Path, iteration: int) -> str:
    """Return F1 of each class with its interval, as the last `validate` found it."""
    scores = read_scores(root / "data/validate/scores.csv")
    known = set(scores["name"])
    return f"{iteration:<12}" + "".join(f"{_cell(scores, name) if name in known else '–':>26}" for name in CLASSES)


def _cell(scores: object, name: str) -> str:
    found = row_of(scores, split="val", part="class", name=name)
    return f"{found['f1']:.3f} ({found['f1_low']:.3f} to {found['f1_high']:.3f})"


if __name__ == "__main__":
    typer.run(main)
