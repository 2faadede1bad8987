"""What F1 does at iteration 1, where YOLO-26 gives way to YOLOE-26, for each `train.carry`.

Toy sheets, toy weights, target yoloe-26n.yaml. The table shows F1 on val of iteration 0 and, for every way of carrying,
of iteration 1 after the same steps on the same sheets: mean and range over the seeds.

    python -m benchmarks.carry --seeds 3 --epochs 8
"""

import argparse
import json
import statistics
import tempfile
from pathlib import Path

from tests.real_project import Project, build, set_params
from tests.toy_weights import cached_weights


def main() -> None:
    """Run and print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--epochs", type=int, default=8)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        project = build(Path(folder) / "project", _weights())
        project.dvc("repro")
        before = _f1(project)
        project.yoloop("finish")
        project.yoloop("advance", "--review", "oracle")
        print(f"iteration 0: F1 {before:.3f} (one run); {chosen.epochs} epochs at iteration 1")
        print(f"{'carry':8}{'mean F1':>9}{'lowest':>9}{'highest':>9}{'n':>4}")
        for carry in ("none", "body", "all"):
            scores = [_iteration_1(project, carry, seed, chosen.epochs) for seed in range(chosen.seeds)]
            numbers = f"{statistics.mean(scores):9.3f}{min(scores):9.3f}{max(scores):9.3f}{len(scores):4}"
            print(f"{carry:8}{numbers}", flush=True)


def _iteration_1(project: Project, carry: str, seed: int, epochs: int) -> float:
    values = {"carry": carry, "seed": seed, "epochs": epochs, "warmup_bias_lr": 0.1}
    set_params(project.root, {"train": values})
    project.stage("train")
    project.stage("validate")
    return _f1(project)


def _f1(project: Project) -> float:
    metrics = json.loads((project.root / "metrics/validate.json").read_text())
    return float(metrics["f1"] or 0)


def _weights() -> Path:
    folder = Path(".pytest_cache/d/toy").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return cached_weights(folder)


if __name__ == "__main__":
    main()
