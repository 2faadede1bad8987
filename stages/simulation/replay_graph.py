"""The cells of a simulation, which wait for which, and the dvc.yaml that says so to DVC."""

from pathlib import Path
from typing import Any, NamedTuple

from stages.simulation.replay_arms import FULL, REPLAYS, START, arms_of
from stages.simulation.replay_settings import ReplaySettings

PROGRAM = "python -m stages.simulation.cell_program"
SOURCE, DEALS, CELLS, RESULTS, WEIGHTS, CODE = "source", "deals", "cells", "results", "weights", "stages"
SUMMARY, TABLE, CURVES, FIGURE = "metrics/simulation.json", "table.md", "plots/curves.csv", "plots/curves.png"
YIELDS = "yields"  # a cell that says what packets would yield; in its result: a row per strategy


class Cell(NamedTuple):
    """One step of one arm and seed: its target for DVC, the words of its command, what it makes, what it waits for."""

    target: str
    words: tuple[str, ...]
    arm: str
    seed: int | None
    iteration: int
    makes: tuple[str, ...]
    needs: tuple[str, ...] = ()


def cell_folder(arm: str, seed: int | str, iteration: int) -> str:
    """Return where a cell leaves the loop's project."""
    return f"{CELLS}/seed-{seed}/{arm}-{iteration}"


def left_by(arm: str, seed: int | str, iteration: int) -> str:
    """Return where the project of an arm lies after an iteration; after iteration 0 it is that of all arms."""
    return cell_folder(arm, seed, iteration) if iteration else cell_folder(START, seed, 0)


def result_file(arm: str, seed: int | str, iteration: int | str) -> str:
    """Return where a cell leaves its numbers."""
    return f"{RESULTS}/seed-{seed}/{arm}-{iteration}.json"


def result_files(settings: ReplaySettings) -> list[str]:
    """Return where all cells leave their numbers."""
    return [made for cell in cells_of(settings) for made in cell.makes if Path(made).parts[0] == RESULTS]


def deal_folder(seed: int | str) -> str:
    """Return where the sheets of a seed lie, by role, and the labels that are held back."""
    return f"{DEALS}/seed-{seed}"


def cells_of(settings: ReplaySettings) -> list[Cell]:
    """Return all cells but the summary, each behind those that it waits for; a seed is done before the next begins."""
    source = Cell(SOURCE, (SOURCE,), SOURCE, None, 0, (SOURCE,))
    return [source, *(cell for seed in settings.seed_numbers() for cell in _of_seed(settings, seed))]


def _of_seed(settings: ReplaySettings, seed: int) -> list[Cell]:
    deal = Cell(f"deal@{seed}", ("deal", str(seed)), "deal", seed, 0, (deal_folder(seed),), (SOURCE,))
    start = Cell(f"iteration-0@{seed}", ("start", str(seed)), START, seed, 0, _made(START, seed, 0), (deal.target,))
    full = Cell(f"{FULL}@{seed}", (FULL, str(seed)), FULL, seed, 1, _made(FULL, seed, 1), (start.target,))
    later = [
        Cell(
            f"iteration-{number}@{arm}-{seed}",
            ("iteration", arm, str(seed), str(number)),
            arm,
            seed,
            number,
            _made(arm, seed, number),
            (_target(arm, seed, number - 1),),
        )
        for number in range(1, settings.iterations + 1)
        for arm in _arms(settings)
    ]
    looks = [
        Cell(
            f"{YIELDS}-{number}@{seed}",
            (YIELDS, str(seed), str(number)),
            YIELDS,
            seed,
            number,
            (result_file(YIELDS, seed, number),),
            (_target(REPLAYS[0], seed, number),),
        )
        for number in looked_at(settings)
    ]
    return [deal, start, *([] if settings.yields else [full]), *later, *looks]


def _arms(settings: ReplaySettings) -> list[str]:
    """Return the arms; where only yields are asked for, sheets of chance are what is reviewed between the packets."""
    return [REPLAYS[0]] if settings.yields else [arm.name for arm in arms_of(settings.strategies)]


def looked_at(settings: ReplaySettings) -> range:
    """Return after which iterations of the first replay of `random` the packets of all strategies are looked at.

    Beside arms only as many as these have packets; without `random` those of iteration 0, which all arms share.
    """
    if settings.yields:
        return range(settings.iterations + 1)
    return range(settings.iterations if REPLAYS[0] in _arms(settings) else 1)


def _target(arm: str, seed: int, number: int) -> str:
    return f"iteration-{number}@{arm}-{seed}" if number else f"iteration-0@{seed}"


def _made(arm: str, seed: int, iteration: int) -> tuple[str, str]:
    return cell_folder(arm, seed, iteration), result_file(arm, seed, iteration)


def graph_of(settings: ReplaySettings) -> dict[str, Any]:
    """Return dvc.yaml of a simulation."""
    seeds = {"seed": list(settings.seed_numbers())}
    here = "${item.seed}"
    stages: dict[str, Any] = {
        SOURCE: {
            "cmd": f"{PROGRAM} {SOURCE}",
            "params": ["dataset", "group_pattern"],
            "deps": [settings.dataset, CODE],
            "outs": [SOURCE],
        },
        "deal": {
            "matrix": seeds,
            "cmd": f"{PROGRAM} deal {here}",
            "params": ["deal"],
            "deps": [SOURCE, CODE],
            "outs": [deal_folder(here)],
        },
        "iteration-0": {"matrix": seeds, **_stage(START, here, 0, f"start {here}", deal_folder(here))},
    }
    if not settings.yields:
        stages[FULL] = {"matrix": seeds, **_stage(FULL, here, 1, f"{FULL} {here}", cell_folder(START, here, 0))}
    both = {"arm": _arms(settings), **seeds}
    for number in range(1, settings.iterations + 1):
        words = f"iteration ${{item.arm}} {here} {number}"
        before = left_by("${item.arm}", here, number - 1)
        stages[f"iteration-{number}"] = {"matrix": both, **_stage("${item.arm}", here, number, words, before)}
    for number in looked_at(settings):
        stages[f"{YIELDS}-{number}"] = {
            "matrix": seeds,
            "cmd": f"{PROGRAM} {YIELDS} {here} {number}",
            "params": ["budget", "classes", "project"],
            "deps": [left_by(REPLAYS[0], here, number), deal_folder(here), CODE],
            "metrics": [{result_file(YIELDS, here, number): {"cache": False}}],
        }
    return {"stages": {**stages, "summary": _summary(settings)}}


def _stage(arm: str, seed: str, iteration: int, words: str, before: str) -> dict[str, Any]:
    deals = [] if before == deal_folder(seed) else [deal_folder(seed)]
    return {
        "cmd": f"{PROGRAM} {words}",
        "params": ["budget", "classes", "iterations", "project", "prompts"],
        "deps": [before, *deals, WEIGHTS, CODE],
        "outs": [cell_folder(arm, seed, iteration)],
        "metrics": [{result_file(arm, seed, iteration): {"cache": False}}],
    }


def _summary(settings: ReplaySettings) -> dict[str, Any]:
    drawn = [] if settings.yields else [{FIGURE: {"cache": False}}]
    curves = {"cache": False, "x": "minutes", "y": "f1", "title": "F1 on test over minutes of review"}
    return {
        "cmd": f"{PROGRAM} summary",
        "params": ["first_seed", "iterations", "seeds", "strategies", "yields"],
        "deps": [*result_files(settings), CODE],
        "outs": [{TABLE: {"cache": False}}],
        "metrics": [{SUMMARY: {"cache": False}}],
        "plots": [{CURVES: curves}, *drawn] if not settings.yields else [],
    }
