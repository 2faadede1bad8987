"""What the arm `recheck` is worth: errors mended per minute beside picked and random sheets, and F1 with and without.

For each set and seed a few sheets are dealt to train, val, test and the pool. Faults are planted in 5 % of train's
labels, in equal parts dropped, shifted, given another class and doubled (benchmarks/spoil.py); the detector learns from
them. Then three packets go to a reviewer who draws what is true: `earned` picks ten sheets of the pool, one is drawn at
random, and in one of two runs sheets of train are rechecked on top, as the product ranks them. Each training goes on
from the weights before. Chance is the mean of the whole pool; what other shares of `recheck` would have mended is
counted on the same models. Minutes are 20 s a sheet, 4 s a box, 6 s an error.

What is done lies below .scratch/benchmarks/recheck and is not done again; without SETS only what lies there is summed
up. No weights and no sheets of it belong into the repository.

    python -m benchmarks.recheck drawn circuits bccd --seeds 2
"""

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import product
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer
from scipy.stats import t

from benchmarks.folds import SCRATCH
from benchmarks.known_sets import DATASETS, IOU, PRELABEL, ask
from benchmarks.recheck_cells import SETTINGS, Cell, dealt, f1, trained
from stages.analysis.triage import triage
from stages.base.tables import read_table
from stages.picking.pool_tables import PoolTables, pool_view
from stages.picking.second_looks.recheck_arm import sheets_to_check, worth_checking
from stages.picking.strategies.calibration import FAINTEST
from stages.picking.strategies.review_cost import ReviewCost
from stages.picking.strategies.strategy_list import order_sheets
from stages.review.ledger.correction_ledger import box_ledger
from stages.ruler.matching.matching import outcomes
from stages.ruler.pairing.box_tables import DETECTIONS, SHEETS
from stages.simulation.outcome.packet_yields import mended, rates

HOME = SCRATCH / "recheck"
PICKED = 10  # sheets of a packet
SHARES = (0.1, 0.2, 0.3)
RUNS = ("with", "without")


def main(
    sets: Annotated[list[str] | None, typer.Argument(help=f"Of {', '.join(SETTINGS)}.")] = None,
    seeds: Annotated[int, typer.Option(help="Repetitions, each with other sheets and faults.")] = 2,
    packets: Annotated[int, typer.Option(help="Reviews; the F1 is that of the training after the last one.")] = 3,
    share: Annotated[float, typer.Option(help="Of a packet, that is rechecked in the run with the arm.")] = 0.3,
    workers: Annotated[int, typer.Option(help="Trainings side by side.")] = 1,
    datasets: Annotated[Path, typer.Option(help="Folder with circuits and bccd.")] = DATASETS,
    rates_only: Annotated[bool, typer.Option(help="Only the errors of the first packet: no training more.")] = False,
    home: Annotated[Path, typer.Option(help="Where all is left.")] = HOME,
    shrink: Annotated[int, typer.Option(min=1, help="Divide sheets and epochs by it, to try the program.")] = 1,
) -> None:
    """Train, pick, mend and train again for every set and seed; then print what there is."""
    work = [(name, seed) for seed, name in product(range(seeds), sets or ())]
    do = partial(
        _cell,
        packets=packets,
        share=share,
        datasets=datasets,
        home=home.resolve(),
        shrink=shrink,
        rates_only=rates_only,
    )
    with ProcessPoolExecutor(workers) as pool:
        for line in pool.map(do, work):
            print(line, flush=True)
    report(home)


def report(home: Path) -> None:
    """Print errors per minute of each arm, and F1 on test of both runs, from what lies in `home`."""
    files = sorted(home.glob("*/seed*/*/packet*.json"))
    keys = ["set", "seed", "run", "packet"]
    rows = [
        {**dict(zip(keys, [*file.parts[-4:-1], file.stem], strict=True)), **json.loads(file.read_text())}
        for file in files
    ]
    if not rows:
        raise typer.BadParameter(f"{home}: nothing is done yet; name sets")
    seen = pd.DataFrame(rows)
    seen = seen[(seen["run"] == RUNS[0]) | (seen["packet"] != "packet1")]  # the first packet is the same in both
    seen = seen[seen["random"].notna()]
    names = ["picked", "random", *(f"recheck {share:g}" for share in SHARES)]
    cells = seen.groupby(["set", "seed"])[names].mean()
    print("\nerrors mended per minute, means of packets, then of seeds; n packets")
    print(cells.groupby("set").mean().assign(n=seen.groupby("set").size()).round(2).to_string())
    print("\nmean of the sets, and the difference to random ones over sets and seeds with its 95 % interval (t)")
    for name in names:
        print(f"{name:14}{cells[name].groupby('set').mean().mean():6.2f}   {_difference(cells, name)}")
    print(f"\nerrors expected on the sheets that would be rechecked {seen['expected'].sum():.0f}, mended", end=" ")
    print(f"{seen['mended'].sum():.0f}, on {len(seen)} packets")
    done = [
        (*file.parts[-4:-1], json.loads(file.read_text(encoding="utf-8"))["f1"])
        for file in home.glob("*/seed*/*/f1.json")
    ]
    f1s = pd.DataFrame(done, columns=["set", "seed", "run", "f1"]).pivot(index=["set", "seed"], columns="run")
    print(f"\nF1 on test after the last packet\n{f1s['f1'].round(3)}" if done else "\nF1 on test is not known yet")


def _difference(cells: pd.DataFrame, name: str) -> str:
    values = cells[name] - cells["random"]
    half = t.ppf(0.975, max(len(values) - 1, 1)) * values.std() / np.sqrt(len(values)) if len(values) > 1 else np.nan
    return f"{values.mean():+.2f} ({values.mean() - half:+.2f} to {values.mean() + half:+.2f}), {len(values)}"


def _cell(
    work: tuple[str, int], *, packets: int, share: float, datasets: Path, home: Path, shrink: int, rates_only: bool
) -> str:
    name, seed = work
    sizes = ("train", "val", "test", "pool", "epochs")
    setting = SETTINGS[name]
    setting = setting._replace(**{key: max(3, getattr(setting, key) // shrink) for key in sizes})
    cell = dealt(name, seed, setting, datasets, home)
    first = trained(cell, cell.told, [one for one in cell.splits if cell.splits[one] == "train"], None)
    for run in RUNS[:1] if rates_only else RUNS:
        told, splits, weights, checked = cell.told, dict(cell.splits), first, list[str]()
        for packet in range(1, packets + 1):
            place = cell.folder / run / f"packet{packet}"
            row = once(
                place.with_suffix(".json"),
                lambda: reviewed(cell, told, splits, weights, packet, share * (run == "with"), place, checked),  # noqa: B023
            )
            if rates_only:
                break
            told, moved = after(cell, told, row)
            splits |= dict.fromkeys(moved, "train")
            checked += row["rechecked"]
            weights = trained(cell, told, [one for one in splits if splits[one] == "train"], weights, place / "fit")
        else:
            once(cell.folder / run / "f1.json", lambda: {"f1": f1(cell, weights)})  # noqa: B023
    return f"{name}, seed {seed}: done"


def once(file: Path, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return what `file` holds; made and written where it is not there."""
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(make()), encoding="utf-8")
    return dict(json.loads(file.read_text(encoding="utf-8")))


def reviewed(
    cell: Cell,
    told: pd.DataFrame,
    splits: Mapping[str, str],
    weights: Path,
    packet: int,
    share: float,
    place: Path,
    without: Sequence[str],
) -> dict[str, Any]:
    """Return what a review of the packet mends per minute in each arm, and which sheets it brings."""
    place.mkdir(parents=True, exist_ok=True)
    names = [name for name in cell.sheets if splits[name] != "test"]
    if not (place / "features.npy").is_file():
        ask(weights, [cell.sheets[name] for name in names], [splits[name] for name in names], cell.classes,
        cell.setting.imgsz, place)  # fmt: skip
    detections, sheets = (
        read_table(place / "detections.parquet", DETECTIONS),
        read_table(place / "sheets.parquet", SHEETS),
    )
    truth = cell.truth.assign(split=cell.truth["image_id"].map(splits))
    known = pd.concat([told, truth[truth["split"] == "val"]], ignore_index=True)
    found, picked = of_pool(sheets, PoolTables(detections, np.load(place / "features.npy"), known), truth, cell)
    order, expected = suspected(sheets, detections, known, without)
    looks = {name: looked_at(name, told, truth) for name in order[: sheets_to_check(PICKED, share=max(SHARES))]}
    chosen = order[: sheets_to_check(PICKED, share=share)]
    rng = np.random.default_rng([cell.seed, packet])
    rest = [name for name in found.index if name not in picked]
    rows: dict[str, Any] = {"picked": rates(found.loc[picked])[0], "random": rates(found)[0]}
    for one in SHARES:
        rows[f"recheck {one:g}"] = per_minute([looks[name] for name in order[: sheets_to_check(PICKED, share=one)]])
    return {
        **rows,
        "expected": sum(expected[name] for name in looks),
        "mended": sum(look["errors"] for look in looks.values()),
        "moved": [*picked, *([str(rng.choice(rest))] if rest else [])],
        "rechecked": chosen,
    }


def of_pool(
    sheets: pd.DataFrame, tables: PoolTables, truth: pd.DataFrame, cell: Cell
) -> tuple[pd.DataFrame, list[str]]:
    """Return boxes, errors and minutes of a review of each sheet of the pool, and those that `earned` picks."""
    pool = sheets.loc[sheets["split"] == "pool", ["image_id"]].assign(group="")
    view = pool_view(pool, tables, reviews=[], classes=len(cell.classes), prelabel=PRELABEL, wanted=PICKED, iou=IOU)
    found = mended(view.sheets, tables.detections, truth[truth["split"] == "pool"], iou=IOU, prelabel=PRELABEL)
    order = order_sheets("earned", view, cost=ReviewCost(), rng=np.random.default_rng(cell.seed))
    return found.set_axis(list(view.sheets)), [view.sheets[at] for at in order.places[:PICKED]]


def suspected(
    sheets: pd.DataFrame, detections: pd.DataFrame, known: pd.DataFrame, without: Sequence[str]
) -> tuple[list[str], dict[str, float]]:
    """Return the sheets of train as the product rechecks them, and how many errors are expected on each."""
    images = sheets[sheets["split"] != "pool"].assign(labelled=True, group="", confidence=PRELABEL, near_copy=False)
    own = detections[(detections["split"] != "pool") & (detections["confidence"] >= FAINTEST)]
    boxes = {"ground_truth": known, "detections": own}
    suspects = triage(
        images=images, **boxes, matches=outcomes(**boxes, iou=IOU, confidence=PRELABEL), iou=IOU, trusted=True
    )
    worth = worth_checking(suspects, known, cost=ReviewCost(), without=without)
    return worth["image_id"].tolist(), dict(zip(worth["image_id"], worth["errors"], strict=True))


def looked_at(name: str, told: pd.DataFrame, truth: pd.DataFrame) -> dict[str, float]:
    """Return errors and minutes of a review of a sheet of train that starts from what train was told."""
    before, after = (
        table[table["image_id"] == name].assign(class_name=lambda rows: rows["class_id"].astype(str))
        for table in (told, truth)
    )
    ids = [str(number) for number in range(len(before))]
    ledger = box_ledger(
        prelabels=before.assign(prelabel_id=ids, confidence=np.nan), reviewed=after.assign(prelabel_id=""), iou=IOU
    )
    boxes, errors = float(len(ledger)), float(ledger["error"].sum())
    cost = ReviewCost()
    return {"errors": errors, "minutes": (cost.sheet + cost.box * boxes + cost.error * errors) / 60}


def per_minute(looks: Sequence[Mapping[str, float]]) -> float:
    """Return errors per minute; 0 where nothing was looked at."""
    return sum(one["errors"] for one in looks) / max(sum(one["minutes"] for one in looks), 1e-9)


def after(cell: Cell, told: pd.DataFrame, row: Mapping[str, Any]) -> tuple[pd.DataFrame, list[str]]:
    """Return what train is told after a review, and the sheets that came from the pool."""
    done = [*row["moved"], *row["rechecked"]]
    rest = told[~told["image_id"].isin(done)]
    new = cell.truth[cell.truth["image_id"].isin(done)].assign(split="train")
    return pd.concat([rest, new], ignore_index=True), list(row["moved"])


if __name__ == "__main__":
    typer.run(main)
