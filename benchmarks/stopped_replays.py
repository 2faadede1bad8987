"""How often the rules that stop the loop would have been wrong in replays of it, whose F1 on test is known.

REPLAYS are folders of `yoloop simulate`. `converge` is run again on what each iteration left, once with each rule, and
the limits of params.yaml (10 iterations at most: no replay has as many). The truth of a seed is the mean over its arms
of F1 on test: single arms scatter by more than a plateau's 0.005. Iterations before the last are asked.

wrong stop      a stop by target, plateau or overfitting though F1 on test still rises by at least 0.005 until the last
                iteration; the share of all stops
wrong continue  no stop though it rises by less; the share of all such iterations

    python -m benchmarks.stopped_replays ../replays/circuits ../replays/bccd
"""

import contextlib
import io
import tempfile
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer
import yaml

from benchmarks.known_sets import REPO
from stages import converge
from stages.base.params import PARAMS, read_params
from stages.base.tables import read_json, read_metrics
from stages.simulation.loop_steps import link
from stages.simulation.replay_arms import arms_of
from stages.simulation.replay_graph import left_by, result_file
from stages.simulation.replay_settings import ReplaySettings, read_settings

RULES = ("classic", "evidence")


def main(replays: Annotated[list[Path], typer.Argument(help="Folders of simulations, with their cells.")]) -> None:
    """Print stops, wrong stops and wrong continues of both rules."""
    parts = [verdicts_of(folder.resolve(), read_settings(folder)) for folder in replays]
    table = pd.concat(parts, ignore_index=True)
    if table.empty:
        raise typer.BadParameter(f"no iteration before a last one below {', '.join(map(str, replays))}")
    flat = table["rises"] < read_params(REPO / PARAMS)["converge"]["plateau_gain"]
    for rule in RULES:
        stops = table[rule] != ""
        by = ", ".join(f"{name} {count}" for name, count in table.loc[stops, rule].value_counts().items()) or "none"
        print(
            f"{rule}: {int(stops.sum())} stops in {len(table)} iterations ({by}); "
            f"wrong stops {int((stops & ~flat).sum())} of {int(stops.sum())}, "
            f"wrong continues {int((~stops & flat).sum())} of {int(flat.sum())}; "
            f"rise on test after a stop {table.loc[stops, 'rises'].mean():.3f}, "
            f"after going on {table.loc[~stops, 'rises'].mean():.3f}"
        )


def verdicts_of(folder: Path, settings: ReplaySettings) -> pd.DataFrame:
    """Return a row per iteration but the last of every arm and seed: what stops it, and what F1 still gains."""
    arms, last = [arm.name for arm in arms_of(settings.strategies)], settings.iterations
    rows = []
    for seed in settings.seed_numbers():
        places = {(arm, step): folder / left_by(arm, seed, step) for arm in arms for step in range(last + 1)}
        if not all(place.is_dir() for place in places.values()):
            continue
        truth = {step: sum(_on_test(folder, arm, seed, step) for arm in arms) / len(arms) for step in range(last + 1)}
        rows += [
            {"rises": truth[last] - truth[step], **{rule: judged(place, settings, step, rule) for rule in RULES}}
            for (arm, step), place in places.items()
            if step < last and (step or arm == arms[0])  # iteration 0 is that of all arms
        ]
    return pd.DataFrame(rows, columns=["rises", *RULES])


def judged(place: Path, settings: ReplaySettings, iteration: int, rule: str) -> str:
    """Return which rule stops the iteration that left `place`, "" for none."""
    limits = {**read_params(REPO / PARAMS)["converge"], "rule": rule, "max_minutes": None}
    params: dict[str, Any] = {**settings.project, "iteration": iteration, "classes": settings.classes}
    with tempfile.TemporaryDirectory() as scratch, contextlib.chdir(scratch), contextlib.redirect_stdout(io.StringIO()):
        for part in ("data/predict", "data/validate", "metrics"):
            link(place / part, Path(part))
        Path("metrics/converge.json").unlink()  # a link: it is written anew
        PARAMS.write_text(yaml.safe_dump({**params, "converge": limits}), encoding="utf-8")
        converge.run()
        return str(read_metrics(converge.METRICS)["rule"] or "")


def _on_test(folder: Path, arm: str, seed: int, step: int) -> float:
    name = result_file(arm, seed, step) if step else result_file("start", seed, 0)
    return float(read_json(folder / name)["test"]["f1"] or 0.0)


if __name__ == "__main__":
    typer.run(main)
