"""What a start without labels is worth: F1 on test by minutes of review, beside a start from labelled sheets.

Two arms share val, test and the sheets that are left. `zero`: train is empty, iteration 0 is zero-shot (the starter's
YOLOE, told the prompts), and packets follow that the labels held back review, the first of `coverage`. `labelled`: as
many sheets, drawn by chance, are labelled from nothing, and iteration 0 trains YOLO-26 on them. Minutes are those of
`ReviewCost()`; those of val are the same in both and not counted. Sets: `drawn` are drawn by the demo's program, others
are folders of ../shared/datasets, and one that is not there is passed over.

    python -m benchmarks.zero_start drawn callouts --seeds 2
"""

import shutil
from collections.abc import Mapping, Sequence
from contextlib import chdir
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import typer

from benchmarks.known_sets import DATASETS, REPO, drawn_sheets, real_sheets
from stages.base.params import read_params
from stages.base.tables import read_json, write_json
from stages.dataset.new_dataset import NewSheet, write_dataset, write_oracle
from stages.dataset.sheets.split_folder import DATASET, Sheet
from stages.detector.model.runtime import start_ultralytics
from stages.picking.strategies.review_cost import ReviewCost
from stages.simulation.cell_result import cell_result
from stages.simulation.loop_steps import MEASURED, PICKS, cross, link, run_stages, write_beginning, write_settings

SCRATCH = REPO / ".scratch/benchmarks/zero_start"
ARMS = ("zero", "labelled")
# As the starter's own vocabulary says it, and as the demo does.
PROMPTS = {
    "detail": ["thin circle with a horizontal bar and two rows of text", "round callout bubble with a horizontal bar"],
    "elevation": ["circle with a letter, a filled triangle at its side", "circle with a pointer"],
    "title": ["long underlined word in capitals with a circle at its side", "title under a drawing"],
}


class Setting(NamedTuple):
    """How a set is dealt and trained on; small enough for two cores."""

    val: int  # sheets
    test: int
    pool: int  # at most
    start: int  # of the pool, that `labelled` begins with
    imgsz: int  # px
    batch: int
    epochs: int  # of the first training of each arm
    later: int  # of those that go on
    packets: int = 3


SETTINGS = {
    "drawn": Setting(val=16, test=40, pool=60, start=20, imgsz=320, batch=4, epochs=30, later=10),
    "callouts": Setting(val=10, test=15, pool=36, start=20, imgsz=640, batch=2, epochs=20, later=8),
}


class Point(NamedTuple):
    """Where an arm stands after an iteration."""

    arm: str
    iteration: int
    sheets: int  # labelled for train so far
    minutes: float  # of a person
    f1: float  # on test


def main(
    sets: Annotated[list[str], typer.Argument(metavar="SET...", help="drawn, callouts.")],
    seeds: Annotated[int, typer.Option()] = 2,
    packets: Annotated[int, typer.Option(help="That the sheets of `zero` are reviewed in.")] = 3,
    shrink: Annotated[int, typer.Option(help="Divide sheets, epochs and px by this: to try the program.")] = 1,
    datasets: Annotated[Path, typer.Option(help="Where folders of real sheets lie.")] = DATASETS,
    home: Annotated[Path, typer.Option(help="Where the trainings lie; again: it goes on there.")] = SCRATCH,
) -> None:
    """Print a table for each set."""
    start_ultralytics()
    for name in sets:
        if name != "drawn" and not (datasets / name / "images").is_dir():
            print(f"{name}: no such folder in {datasets}, passed over")
            continue
        setting = shrunk(SETTINGS[name]._replace(packets=packets), shrink)
        points = []
        for seed in range(seeds):
            sheets, classes = sheets_of_set(name, seed, setting, datasets, home)
            for arm in ARMS:
                points += run_arm(arm, sheets, classes, setting, seed, home / name / f"seed{seed}" / f"{arm}-{packets}")
        print("\n".join([f"{name}, {seeds} seeds: F1 on test", *table(points)]), flush=True)


def shrunk(setting: Setting, by: int) -> Setting:
    """Return the setting with less of everything."""
    if by == 1:
        return setting
    few = {key: max(3, getattr(setting, key) // by) for key in ("val", "test", "pool", "start")}
    few["pool"] = max(few["pool"], few["start"] + 4)
    return setting._replace(**few, imgsz=96, epochs=1, later=1, packets=1)


def sheets_of_set(
    name: str, seed: int, setting: Setting, datasets: Path, home: Path
) -> tuple[dict[str, list[Sheet]], list[str]]:
    """Return the sheets of val, test and the rest, and the classes."""
    counts = {split: getattr(setting, split) for split in ("val", "test", "pool")}
    if name == "drawn":
        every, classes = drawn_sheets(home / name / f"seed{seed}", seed, counts)
    else:
        found, classes = real_sheets(datasets / name)
        every = [found[at] for at in np.random.default_rng(seed).permutation(len(found))]
    parts, begin = {}, 0
    for split, count in counts.items():
        parts[split] = every[begin : begin + count]
        begin += count
    return parts, classes


def run_arm(
    arm: str, sheets: Mapping[str, Sequence[Sheet]], classes: Sequence[str], setting: Setting, seed: int, folder: Path
) -> list[Point]:
    """Return the points of an arm; what has run before is read."""
    dealt, minutes = deal(arm, sheets, setting, seed)
    last = setting.packets if arm == "zero" else 0
    points, results = [], list[dict[str, Any]]()
    for iteration in range(last + 1):
        root, done = folder / f"{iteration}", folder / f"{iteration}.json"
        if not done.is_file():
            shutil.rmtree(root, ignore_errors=True)
            write_settings(root, params_of(arm, classes, setting, seed, iteration), prompts_of(classes))
            if iteration == 0:
                begin(root, dealt, classes)
            else:
                run_stages(folder / f"{iteration - 1}", [PICKS])
                cross(folder / f"{iteration - 1}", root, iteration=iteration)
                link(folder / "0/data/oracle", root / "data/oracle")
            link(REPO / "starter/yoloe-26n.pt", root / "models/target.pt")
            run_stages(root, MEASURED)
            with chdir(root):
                write_json(cell_result(Path(), arm=arm, seed=seed, iteration=iteration, picked={}), done)
        results.append(read_json(done))
        one = results[-1]
        points.append(Point(arm, iteration, one["train_sheets"], minutes + one["minutes"], one["test"]["f1"] or 0.0))
        print(f"{folder.parent.name} {points[-1]}", flush=True)
    return points


def deal(
    arm: str, sheets: Mapping[str, Sequence[Sheet]], setting: Setting, seed: int
) -> tuple[dict[str, list[NewSheet]], float]:
    """Return the sheets of each split for an arm, and the minutes that those of train took to label from nothing."""
    chosen = np.random.default_rng([seed, 1]).permutation(len(sheets["pool"]))[: setting.start]
    train = {sheets["pool"][at].image_id for at in chosen} if arm == "labelled" else set()
    rows = {one.image_id: one.label.read_text() if one.labelled else "" for part in sheets.values() for one in part}
    dealt = {split: [NewSheet(one.image, rows[one.image_id]) for one in sheets[split]] for split in ("val", "test")}
    dealt["train"] = [NewSheet(one.image, rows[one.image_id]) for one in sheets["pool"] if one.image_id in train]
    rest = [one for one in sheets["pool"] if one.image_id not in train]
    dealt["pool"] = [NewSheet(one.image, rows[one.image_id], held_back=True) for one in rest]
    boxes = np.array([float(len((one.rows or "").splitlines())) for one in dealt["train"]])
    # Each box is drawn and looked at.
    return dealt, float(ReviewCost().minutes(sheets=np.ones(len(boxes)), boxes=boxes, errors=boxes).sum())


def begin(root: Path, dealt: Mapping[str, Sequence[NewSheet]], classes: Sequence[str]) -> None:
    """Write what an import leaves."""
    write_dataset(root / DATASET, dealt, classes)
    write_oracle(root / "data/oracle", dealt["pool"])
    write_beginning(root, classes)
    link(REPO / "starter/yolo26n.pt", root / "models/parent.pt")


def params_of(arm: str, classes: Sequence[str], setting: Setting, seed: int, iteration: int) -> dict[str, Any]:
    """Return params.yaml of an iteration."""
    plain = read_params(REPO / "params.yaml")
    train = {
        **plain["train"],
        "baseline": "zero-shot" if arm == "zero" else "train",
        "epochs_baseline": setting.epochs,
        "epochs": setting.later,
        "lr_decay": 0.9,
        "warmup_epochs": min(2.0, setting.epochs / 2),
        "encoder": "wordllama",
        "imgsz": setting.imgsz,
        "batch": setting.batch,
        "device": "cpu",
        "seed": seed,
        "augment": {**plain["train"]["augment"], "scale": 0.2, "mosaic": 0.0, "close_mosaic": 0},
    }
    predict = {**plain["predict"], "imgsz": setting.imgsz, "device": "cpu"}
    packet = setting.start / setting.packets
    sample = {**plain["sample"], "budget": max(1.0, float(round(packet))), "random_share": 0.0, "seed": seed}
    changed = {
        "train": train,
        "predict": predict,
        "sample": sample,
        "validate": {**plain["validate"], "confidence": 0.5},
    }
    return {**plain, **changed, "iteration": iteration, "classes": list(classes)}


def prompts_of(classes: Sequence[str]) -> dict[str, Any]:
    """Return the prompts, the name itself for a class without one."""
    return {name: PROMPTS.get(name, name) for name in classes}


def table(points: Sequence[Point]) -> list[str]:
    """Return a line per arm and iteration: means over the seeds, and the range of F1."""
    lines = [f"{'arm':10}{'iteration':>10}{'sheets':>8}{'minutes':>9}{'F1':>8}{'lowest':>9}{'highest':>9}"]
    for key in dict.fromkeys((point.arm, point.iteration) for point in points):
        own = [point for point in points if (point.arm, point.iteration) == key]
        f1 = [point.f1 for point in own]
        sheets, minutes = (float(np.mean([getattr(one, what) for one in own])) for what in ("sheets", "minutes"))
        ends = f"{np.mean(f1):8.3f}{min(f1):9.3f}{max(f1):9.3f}"
        lines.append(f"{key[0]:10}{key[1]:>10}{sheets:8.1f}{minutes:9.1f}{ends}")
    return lines


if __name__ == "__main__":
    typer.run(main)
