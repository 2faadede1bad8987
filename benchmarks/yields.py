"""What a packet yields: errors that a reviewer mends per minute and per box, of each strategy over chance.

Every strategy picks the same number of sheets from the pools of `benchmarks.yield_models`; the labels that were held
back say what a reviewer would have mended: boxes of the pre-labels to add, to delete, to rename or to draw anew, by the
product's own ledger. Chance is the mean of the whole pool. Minutes are 20 s a sheet, 4 s a box, 6 s an error.
`doubt_sum` and `doubt_max` are plain baselines, sum and maximum of 1 - |2p - 1|; `best` is what hindsight would pick.

Before the runs it was written down: a strategy is called better than another where the 95 % interval of the mean log
ratio over seeds (t) is above 0; what is aimed at for the default is at least 1.5 times chance and above `crowd` per
minute, and never below 0.9 on any set. `best` and the comparison over all sets and seeds were added after the first
results; seeds of one set are no sets of their own, so its interval is rather too narrow.

    python -m benchmarks.yields

What each set, seed and packet gave is kept in benchmarks/results/yields.csv, so that the tables may go.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from scipy.stats import t

from benchmarks.yield_models import HOME, PACKETS, SETTINGS
from stages.base.tables import read_table
from stages.picking.pool_tables import PoolTables, pool_view, seen_on
from stages.ruler.pairing.box_tables import DETECTIONS
from stages.ruler.schemas import GROUND_TRUTH
from stages.simulation.outcome.packet_yields import NAMES, mended, packet_yields

IOU, PRELABEL = 0.5, 0.25
SHARE = 5  # one sheet in five goes to review
RESULTS = Path(__file__).parent / "results/yields.csv"
CELL = ["set", "seed", "packet"]
COLUMNS = [*CELL, "strategy", "per_minute", "per_box", "expected", "low", "high", "found"]


def main(
    home: Annotated[Path, typer.Option(help="Where benchmarks.yield_models left its tables.")] = HOME,
    sets: Annotated[str, typer.Option(help="Of these sets.")] = ",".join(SETTINGS),
    draws: Annotated[int, typer.Option(help="Repetitions of a strategy that leans on luck.")] = 200,
    results: Annotated[Path, typer.Option(help="The numbers, read where the tables are gone.")] = RESULTS,
) -> None:
    """Print the ratios to chance per set and packet, mean and interval over seeds, and the forecasts' calibration."""
    rows = [
        row
        for name in sets.split(",")
        for folder in sorted((home / name).glob("seed*"))
        for packet in PACKETS
        if (folder / f"packet{packet}/done").exists()
        for row in of_packet(folder, packet, draws).assign(set=name, seed=folder.name, packet=packet).to_dict("records")
    ]
    table = kept(pd.DataFrame(rows, columns=COLUMNS), results)
    table = table[table["set"].isin(sets.split(","))]
    if table.empty:
        raise typer.BadParameter(f"{home}: no tables; run python -m benchmarks.yield_models first")
    for unit in ("minute", "box"):
        print(f"\nerrors per {unit} over chance: geometric mean (95 % interval), n seeds")
        print(shown(table, f"per_{unit}").to_string())
    print("\n`earned` over others per minute, paired within packets: geometric mean (95 % interval), n sets and seeds")
    print(paired(table, "earned").to_string())
    promises(table[table["strategy"] == "earned"])


def kept(rows: pd.DataFrame, file: Path) -> pd.DataFrame:
    """Return `rows` and those that `file` has of other sets, seeds and packets, all of which it then holds."""
    before = pd.read_csv(file) if file.is_file() else rows.iloc[:0]
    fresh = pd.MultiIndex.from_frame(rows[CELL])
    old = before[~pd.MultiIndex.from_frame(before[CELL]).isin(fresh)]
    parts = [part for part in (old, rows) if len(part)]
    table = pd.concat(parts, ignore_index=True) if parts else rows
    table = table.sort_values(CELL, kind="stable", ignore_index=True)
    file.parent.mkdir(parents=True, exist_ok=True)
    table.round(6).to_csv(file, index=False, lineterminator="\n")
    return table


def of_packet(folder: Path, packet: int, draws: int) -> pd.DataFrame:
    """Return for every strategy the errors per minute and per box of its packet, over those of the whole pool."""
    place = folder / f"packet{packet}"
    tables = PoolTables(
        read_table(place / "detections.parquet", DETECTIONS),
        np.load(place / "features.npy"),
        read_table(place / "ground_truth.parquet", GROUND_TRUTH),
    )
    classes = (place / "classes.txt").read_text(encoding="utf-8").split("\n")
    sheets = pd.read_parquet(place / "sheets.parquet")
    pool = sheets.loc[sheets["split"] == "pool", ["image_id"]]
    pool = pool.assign(group=pool["image_id"].str.split("-").str[0] if folder.parent.name == "drawn" else "")
    wanted = max(1, len(pool) // SHARE)
    reviews = [] if packet == 1 else [_reviewed(folder)]
    held_back = tables.truth[tables.truth["split"] == "pool"]
    known = tables._replace(truth=tables.truth[tables.truth["split"] != "pool"])
    view = pool_view(pool, known, reviews=reviews, classes=len(classes), prelabel=PRELABEL, wanted=wanted, iou=IOU)
    found = mended(view.sheets, tables.detections, held_back, iou=IOU, prelabel=PRELABEL)
    return pd.DataFrame(packet_yields(view, found, names=NAMES, wanted=wanted, draws=draws, packet=packet))


def shown(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return a row per strategy and a column per set and packet."""
    logs = table.assign(log=np.log(np.maximum(table[column], 1e-3)))
    cells = logs.groupby(["strategy", "set", "packet"], sort=False)["log"].agg(["mean", "std", "size"])
    half = t.ppf(0.975, np.maximum(cells["size"] - 1, 1)) * cells["std"] / np.sqrt(cells["size"])
    texts = [
        f"{np.exp(mean):.2f} ({np.exp(mean - h):.2f} to {np.exp(mean + h):.2f}), {size}"
        for mean, size, h in zip(cells["mean"], cells["size"], half, strict=True)
    ]
    return pd.Series(texts, index=cells.index).unstack(["set", "packet"]).reindex(list(NAMES))


def paired(table: pd.DataFrame, name: str) -> "pd.Series[str]":
    """Return by how much `name` finds more per minute than each other strategy, means of a set's and seed's packets."""
    cells = table.assign(log=np.log(table["per_minute"])).pivot_table(
        index=["set", "seed"], columns="strategy", values="log"
    )
    gains = cells.rsub(cells[name], axis=0).drop(columns=name)
    half = t.ppf(0.975, max(len(gains) - 1, 1)) * gains.std() / np.sqrt(len(gains))
    ends = pd.DataFrame({"mean": gains.mean(), "low": gains.mean() - half, "high": gains.mean() + half})
    texts = {
        other: f"{row['mean']:.2f} ({row['low']:.2f} to {row['high']:.2f}), {len(gains)}"
        for other, row in np.exp(ends).iterrows()
    }
    return pd.Series(texts).reindex([one for one in NAMES if one != name])


def promises(table: pd.DataFrame) -> None:
    """Print what `earned` expected of its packets beside what was found."""
    slope = float((table["expected"] * table["found"]).sum() / (table["expected"] ** 2).sum())
    print(f"\nforecasts of `earned`: {len(table)} packets, found {slope:.2f} times what was expected")
    inside = table["found"].between(table["low"], table["high"])
    print(f"{int(inside.sum())} of {len(table)} counts lie in the promised interval")
    print(table[["set", "seed", "packet", "expected", "low", "high", "found"]].round(1).to_string(index=False))


def _reviewed(folder: Path):
    """Return what the review before the second packet said of the detections of the first."""
    place = folder / "packet1"
    names = pd.read_csv(place / "reviewed.csv", dtype=str)["image_id"]
    detections = read_table(place / "detections.parquet", DETECTIONS)
    truth = read_table(place / "ground_truth.parquet", GROUND_TRUTH)
    return seen_on(detections[detections["image_id"].isin(names)], truth[truth["image_id"].isin(names)], iou=IOU)


if __name__ == "__main__":
    typer.run(main)
