"""Whether reviewing pays: the demo's loop beside a control that trains as many steps on the sheets it began with.

For every seed other sheets are drawn. Both arms share iteration 0; the loop is the product's own, with the labels that
were held back as reviewer; the control carries its weights over in the same way, but no sheet. Every iteration of the
control has as many optimizer steps as the loop's, rounded up to whole epochs.

    python -m benchmarks.control --seeds 3
"""

import math
import shutil
import statistics
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer
import yaml

from benchmarks.trial import REPO, Trial
from demo.demo_data import BASELINE, TARGET, write_source
from demo.demo_run import copy_project, start_repository
from demo.drawing.sets import DEFAULT_COUNTS, draw_set
from stages.convergence.outcome_files import OUTCOMES, PARENT_OUTCOMES
from stages.project.repository import dvc, git

HISTORY, CARRIED = "plots/converge/history.csv", "metrics/history.csv"
SHEETS, CARRIED_SHEETS = "metrics/converge_sheets.json", "metrics/history_sheets.json"


def main(
    seeds: Annotated[int, typer.Option(help="Repetitions, each with other sheets.")] = 3,
    folder: Annotated[Path, typer.Option(help="Where the runs are kept; what is done there is not done again.")] = Path(
        ".scratch/control"
    ),
    threads: Annotated[int, typer.Option(help="Threads of a run; two runs go side by side.")] = 1,
    shrink: Annotated[int, typer.Option(min=1, help="Divide the demo's sheets by it, to try the program.")] = 1,
    change: Annotated[
        list[str] | None, typer.Option("--set", help="KEY=VALUE of params.yaml, in place of the demo's.")
    ] = None,
) -> None:
    """Print F1 on val per iteration, of the loop and of the control: mean and range over the seeds."""
    values = {key: yaml.safe_load(value) for key, _, value in (one.partition("=") for one in change or ())}
    counts = {split: max(1, sheets // shrink) for split, sheets in DEFAULT_COUNTS.items()}
    with ProcessPoolExecutor(2) as runs:
        done = list(runs.map(partial(_seed, folder.resolve(), threads, counts, values), range(seeds)))
    rows = pd.concat(done, ignore_index=True)
    print(f"{seeds} seeds; F1 on val")
    print(f"{'iteration':>9}  {'loop':>24}  {'control':>24}  {'steps':>6}  {'boxes in train':>14}")
    for iteration, part in rows.groupby("iteration"):
        loop, control = (_spread(part[name].tolist()) for name in ("loop", "control"))
        steps, boxes = round(part["steps"].mean()), round(part["boxes"].mean())
        print(f"{iteration:>9}  {loop:>24}  {control:>24}  {steps:>6}  {boxes:>14}")
    last = rows[rows["iteration"] == rows["iteration"].max()]
    gains = (last["loop"] - last["control"]).tolist()
    print(f"loop minus control at the last iteration, per seed: {', '.join(f'{gain:+.3f}' for gain in gains)}")
    if seeds > 1:
        from scipy.stats import t

        reach = t.ppf(0.975, seeds - 1) * statistics.stdev(gains) / math.sqrt(seeds)
        print(f"mean {statistics.mean(gains):+.3f} +- {reach:.3f} (95 % interval, t, n = {seeds})")


def _spread(values: list[float]) -> str:
    return f"{statistics.mean(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def _seed(home: Path, threads: int, counts: dict[str, int], values: dict[str, Any], seed: int) -> pd.DataFrame:
    """Return both arms of one seed: iteration, loop, control, steps, boxes."""
    folder = home / f"seed-{seed}"
    result = folder / "result.csv"
    if not result.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        loop = _loop(folder / "loop", seed, threads, counts, values)
        _control(loop, folder / "control", threads).to_csv(result, index=False)
    return pd.read_csv(result)


def _loop(root: Path, seed: int, threads: int, counts: dict[str, int], values: dict[str, Any]) -> Trial:
    """Run the whole loop on the sheets of `seed`, with the project's params but for `values`."""
    copy_project(REPO, root)
    start_repository(root)
    git.run(root, "tag", "-d", "dataset-v0")
    trial = Trial(root, threads=threads)
    trial.set({**values, "train.seed": seed, "sample.seed": seed})
    git.run(root, "commit", "-q", "--allow-empty", "-am", f"Use seed {seed}")
    source = write_source(root.parent / "source", draw_set(seed, counts))
    weights = ("--baseline", BASELINE, "--target", TARGET)
    _yoloop(root, threads, "data", "import", str(source), "--oracle", "--keep-params", *weights)
    _yoloop(root, threads, "run", "--review", "oracle")
    return trial


def _yoloop(root: Path, threads: int, *args: str) -> None:
    env = {**dvc.environment(), "OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(
        [sys.executable, "-m", "stages.loop", *args], cwd=root, env=env, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"yoloop {' '.join(args)}: {done.stdout[-1500:]}{done.stderr[-1500:]}")


def _control(loop: Trial, root: Path, threads: int) -> pd.DataFrame:
    """Go on from the loop's iteration 0 without new sheets, with as many steps as the loop's iterations had."""
    history = pd.read_csv(loop.root / HISTORY)
    batch, sheets = int(loop.param("train.batch")), int(history["train_images"][0])
    steps = [
        math.ceil(images / batch) * int(loop.param("train.epochs" if i else "train.epochs_baseline"))
        for i, images in enumerate(history["train_images"])
    ]
    trial = _at_iteration_0(loop, root, threads)
    scores = [float(history["f1"][0])]
    for iteration in range(1, len(history)):
        shutil.copyfile(root / "models/best.pt", root / "models/parent.pt")
        shutil.copyfile(root / HISTORY, root / CARRIED)
        shutil.copyfile(root / SHEETS, root / CARRIED_SHEETS)
        shutil.copyfile(root / OUTCOMES, root / PARENT_OUTCOMES)
        epochs = math.ceil(steps[iteration] / math.ceil(sheets / batch))
        trial.set({"iteration": iteration, "train.epochs": epochs})
        for stage in ("train", "predict", "validate", "converge"):
            trial.stage(stage)
        scores.append(float(trial.metrics("validate")["f1"] or 0))
    columns: dict[str, Any] = {"iteration": history["iteration"], "loop": history["f1"].fillna(0), "control": scores}
    return pd.DataFrame({**columns, "steps": steps, "boxes": history["train_boxes"]})


def _at_iteration_0(loop: Trial, root: Path, threads: int) -> Trial:
    """Return a clone of the loop's project as it was after iteration 0, its data from the loop's cache."""
    git.run(loop.root, "clone", "-q", ".", str(root))
    git.run(root, "checkout", "-q", "iteration-0")
    dvc.run(root, "cache", "dir", "--local", str(loop.root / ".dvc/cache"))
    dvc.checkout(root)
    return Trial(root, threads=threads)


if __name__ == "__main__":
    typer.run(main)
