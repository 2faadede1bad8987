"""Whether it helps to pick sheets on which a model contradicts the one before it.

REPLAYS are folders of `yoloop simulate` (with `--yields`, at least `--iterations 1`), one for each set. Before each
packet but the first, boxes of the pool that only one of the two models drew are counted on every sheet, both from the
pre-labels' confidence on: `disputed` orders sheets by them per minute, `earned_disputed` by these and the errors that
`earned` expects, per minute. The rule was written down before the first run: disagreement becomes a part of `earned`
if the 95 % interval (t, over sets and seeds, at least three of each) of the mean log ratio of errors per minute, of
`earned_disputed` over `earned`, lies above 0.

    python -m benchmarks.disagreement ../replays/circuits ../replays/bccd ../replays/drawn
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer

from stages.base.tables import read_table
from stages.picking.candidates import without_duplicates
from stages.picking.strategies.earned_order import expected
from stages.picking.strategies.pool_view import Floats, PoolView
from stages.picking.strategies.review_cost import ReviewCost
from stages.ruler.matching.matching import outcomes
from stages.ruler.pairing.box_tables import DETECTIONS
from stages.simulation.outcome.packet_yields import over_chance, rates
from stages.simulation.outcome.table_text import ratio_text, table_lines
from stages.simulation.outcome.yield_summary import YIELDS, paired
from stages.simulation.replay_arms import REPLAYS
from stages.simulation.replay_graph import deal_folder, left_by
from stages.simulation.replay_settings import ReplaySettings, read_settings
from stages.simulation.replay_yields import pool_and_answers

ORDERS = ("earned", "disputed", "earned_disputed")


def main(replays: Annotated[list[Path], typer.Argument(help="Folders of simulations.")]) -> None:
    """Print errors per minute over those of chance, and of `earned_disputed` over the others."""
    cells = [
        {"set": folder.name, "seed": seed, YIELDS: _rows(folder, settings, seed, number)}
        for folder in replays
        for settings in [read_settings(folder)]
        for seed in settings.seed_numbers()
        for number in range(1, settings.iterations + 1)
        if (folder / left_by(REPLAYS[0], seed, number)).is_dir()
    ]
    if not cells:
        raise typer.BadParameter(f"no iteration after the first one below {', '.join(map(str, replays))}")
    every = [(one["set"], one["seed"], row["strategy"], row["per_minute"]) for one in cells for row in one[YIELDS]]
    table = pd.DataFrame(every, columns=["set", "seed", "order", "per_minute"])
    table["per_minute"] = np.log(np.maximum(table["per_minute"], 1e-3))
    means = np.exp(table.groupby(["set", "order"])["per_minute"].mean()).unstack("set").reindex(list(ORDERS))
    print("errors per minute over chance, geometric means of all packets after the first")
    print(means.round(2).to_string())
    rows = [
        [one, ratio_text(found), str(found["n"])] for one in ORDERS[:2] for found in [paired(cells, ORDERS[2], one)]
    ]
    print("\n".join(["", *table_lines([f"`{ORDERS[2]}` over", "", "n"], rows)]))


def _rows(folder: Path, settings: ReplaySettings, seed: int, number: int) -> list[dict[str, float | str]]:
    left = folder / left_by(REPLAYS[0], seed, number)
    view, found = pool_and_answers(left, folder / deal_folder(seed), settings)
    guess = expected(view, ReviewCost())
    only_one = disputed(view, left, folder / left_by(REPLAYS[0], seed, number - 1), settings.project["validate"]["iou"])
    scores = dict(zip(ORDERS, (guess.errors, only_one, guess.errors + only_one), strict=True))
    chance, rows = rates(found)[0], []
    for name, score in scores.items():
        picked = np.argsort(-score / guess.minutes, kind="stable")[: settings.budget]
        rows.append({"strategy": name, "per_minute": over_chance(rates(found.iloc[picked])[0], chance)})
    return rows


def disputed(view: PoolView, now: Path, before: Path, iou: float) -> Floats:
    """Return how many boxes only one of the two models drew on each sheet of `view`, (s,)."""
    mine, past = (_drawn(view, place) for place in (now, before))
    truth = past.assign(object_id=past.groupby("image_id").cumcount()).drop(columns=["confidence", "detection_id"])
    matched = outcomes(detections=mine, ground_truth=truth, iou=iou, confidence=view.prelabel)
    alone = matched[matched["outcome"] != "tp"].groupby("image_id").size()
    return alone.reindex(list(view.sheets), fill_value=0).to_numpy(float)


def _drawn(view: PoolView, place: Path) -> pd.DataFrame:
    table = read_table(place / "data/predict/detections.parquet", DETECTIONS)
    own = table[table["image_id"].isin(view.sheets) & (table["confidence"] >= view.prelabel)]
    return without_duplicates(own.reset_index(drop=True))


if __name__ == "__main__":
    typer.run(main)
