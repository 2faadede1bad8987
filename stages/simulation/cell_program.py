"""The programs of a simulation's cells, as its dvc.yaml starts them in its folder; for no other use."""

from collections.abc import Mapping
from contextlib import chdir
from pathlib import Path
from typing import Annotated, Any

import typer

from stages.base.atomic import replacing_folder
from stages.base.command import exit_cleanly
from stages.base.tables import read_metrics, write_json
from stages.dataset.sheets.split_folder import DATASET
from stages.simulation.cell_result import cell_result
from stages.simulation.labelled_source import write_deal, write_source
from stages.simulation.loop_steps import (
    MEASURED,
    PICKS,
    cross,
    link,
    run_stages,
    scratch,
    write_beginning,
    write_settings,
)
from stages.simulation.orphans import end_with_parent
from stages.simulation.replay_arms import FULL, REPLAYS, START, cell_params
from stages.simulation.replay_graph import SOURCE, WEIGHTS, YIELDS, cell_folder, deal_folder, left_by, result_file
from stages.simulation.replay_settings import ReplaySettings, read_settings

# What the next cell needs of an iteration, and what a person may want to look at.
KEPT = (
    "data/dataset",
    "data/predict",
    "data/validate",
    "data/analyze/findings.parquet",
    "data/analyze/suspects.parquet",
    "metrics",
    "models/best.pt",
    "plots/converge",
)
Seed = Annotated[int, typer.Argument(help="Of the deal, the draws and the trainings.")]
app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, help=__doc__)


@app.callback()
def watched() -> None:
    """Run one cell; it ends when `yoloop simulate`, which started it, is killed."""
    end_with_parent()


@app.command()
def source() -> None:
    """Check the dataset, find copies in it, and take it in."""
    settings = read_settings()
    write_source(Path(settings.dataset), Path(SOURCE), group_pattern=settings.group_pattern)


@app.command("deal")
def deal_sheets(seed: Seed) -> None:
    """Deal the sheets into train, val, test and pool."""
    write_deal(Path(SOURCE), read_settings().deal.model_dump(), seed, Path(deal_folder(seed)))


@app.command()
def start(seed: Seed) -> None:
    """Run iteration 0, which all arms share."""
    settings = read_settings()
    with scratch() as root:
        link(Path(deal_folder(seed)) / "dataset", root / DATASET)
        link(Path(WEIGHTS) / "parent.pt", root / "models/parent.pt")
        _prepare(root, settings, arm=START, seed=seed, iteration=0)
        write_beginning(root, settings.classes)
        run_stages(root, MEASURED)
        _keep(root, {}, arm=START, seed=seed, iteration=0)


@app.command()
def iteration(arm: str, seed: Seed, number: int) -> None:
    """Review the arm's packet of the iteration before, and run the one after it."""
    settings = read_settings()
    _iterate(settings, arm, seed, number, before=left_by(arm, seed, number - 1), budget=settings.budget)


@app.command()
def full(seed: Seed) -> None:
    """Review the whole pool at once, and train on all."""
    settings = read_settings()
    pool = list((Path(deal_folder(seed)) / "oracle/labels").glob("*.txt"))
    _iterate(settings, FULL, seed, 1, before=left_by(FULL, seed, 0), budget=len(pool))


@app.command(YIELDS)
def packet_yields(seed: Seed, number: int) -> None:
    """Say what a packet of each strategy would yield after an iteration in which chance picked."""
    from stages.simulation.replay_yields import yields_of

    left = Path(left_by(REPLAYS[0], seed, number))
    rows = yields_of(left, Path(deal_folder(seed)), read_settings(), packet=number + 1)
    write_json({"seed": seed, "packet": number + 1, YIELDS: rows}, Path(result_file(YIELDS, seed, number)))


@app.command()
def summary() -> None:
    """Compare the arms over all seeds."""
    from stages.simulation.outcome.simulation_summary import summarise

    summarise(Path(), read_settings())


def _iterate(settings: ReplaySettings, arm: str, seed: int, number: int, *, before: str, budget: int) -> None:
    with scratch() as place:
        old, new = place / "before", place / "after"
        link(Path(before), old)
        link(Path(deal_folder(seed)) / "oracle", old / "data/oracle")
        _prepare(old, settings, arm=arm, seed=seed, iteration=number - 1, budget=budget)
        run_stages(old, [PICKS])
        (new / "metrics").mkdir(parents=True)
        cross(old, new, iteration=number)
        _prepare(new, settings, arm=arm, seed=seed, iteration=number, budget=budget)
        run_stages(new, MEASURED)
        picked = read_metrics(old / "metrics/sample.json")
        _keep(new, picked, arm=arm, seed=seed, iteration=number)


def _prepare(
    root: Path, settings: ReplaySettings, *, arm: str, seed: int, iteration: int, budget: int | None = None
) -> None:
    params = cell_params(
        settings.project,
        settings.classes,
        arm=arm,
        seed=seed,
        iteration=iteration,
        budget=budget or settings.budget,
        epochs=settings.iterations if arm == FULL else 1,
    )
    write_settings(root, params, settings.prompts)
    link(Path(WEIGHTS) / "target.pt", root / "models/target.pt")


def _keep(root: Path, picked: Mapping[str, Any], *, arm: str, seed: int, iteration: int) -> None:
    with chdir(root):  # the stages' functions look for the weights here
        result = cell_result(Path(), arm=arm, seed=seed, iteration=iteration, picked=picked)
    with replacing_folder(Path(cell_folder(arm, seed, iteration))) as building:
        for path in KEPT:
            link(root / path, building / path)
    write_json(result, Path(result_file(arm, seed, iteration)))


if __name__ == "__main__":
    exit_cleanly(app)
