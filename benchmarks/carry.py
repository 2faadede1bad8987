"""What F1 does at iteration 1, where YOLO-26 gives way to YOLOE-26, for each `train.carry`.

Toy sheets, toy weights, target yoloe-26n.yaml. The table shows F1 on val of iteration 0 and, for every way of carrying,
of iteration 1 after the same steps on the same sheets: mean and range over the seeds.

    python -m benchmarks.carry --seeds 3 --epochs 8
"""

import json
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from tests.real_project import Project, build, set_params
from tests.toy_weights import cached_weights

WAYS = ("none", "body", "all")


def main(
    seeds: Annotated[int, typer.Option()] = 3,
    epochs: Annotated[int, typer.Option()] = 8,
    ways: Annotated[str, typer.Option(help="Of carrying.")] = ",".join(WAYS),
    ran: Annotated[Path | None, typer.Option(help="Go on from a copy of a toy project that ran iteration 0.")] = None,
) -> None:
    """Run and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "project"
        if ran is None:
            project = build(root, _weights())
            project.dvc("repro")
        else:
            project = Project(Path(shutil.copytree(ran, root, symlinks=True)), Path(folder) / "home")
        before = _f1(project)
        project.yoloop("finish")
        project.yoloop("advance", "--review", "oracle")
        print(f"iteration 0: F1 {before:.3f} (one run); {epochs} epochs at iteration 1")
        print(f"{'carry':8}{'mean F1':>9}{'lowest':>9}{'highest':>9}{'n':>4}")
        for carry in ways.split(","):
            scores = [_iteration_1(project, carry, seed, epochs) for seed in range(seeds)]
            numbers = f"{statistics.mean(scores):9.3f}{min(scores):9.3f}{max(scores):9.3f}{len(scores):4}"
            print(f"{carry:8}{numbers}", flush=True)


def _iteration_1(project: Project, carry: str, seed: int, epochs: int) -> float:
    values = {"carry": carry, "seed": seed, "epochs": epochs, "warmup_bias_lr": 0.1}
    set_params(project.root, {"train": values})
    for stage in ("train", "predict", "validate"):
        project.stage(stage)
    return _f1(project)


def _f1(project: Project) -> float:
    metrics = json.loads((project.root / "metrics/validate.json").read_text())
    return float(metrics["f1"] or 0)


def _weights() -> Path:
    folder = Path(".pytest_cache/d/toy").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return cached_weights(folder)


if __name__ == "__main__":
    typer.run(main)
