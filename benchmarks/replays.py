"""Puts the results of simulations together, as `yoloop simulate` left them for different seeds of one dataset.

    python -m benchmarks.replays benchmarks/results/replays/circuits

RESULTS has a folder per seed, with what its cells came to (`results` of a simulation's folder). Only seeds whose cells
are all there are counted. The rule of docs/simulate.md applies.
"""

from pathlib import Path
from typing import Annotated

import typer

from stages.base.tables import read_json
from stages.simulation.outcome.arm_summary import summary_of
from stages.simulation.outcome.curve_figure import draw_curves
from stages.simulation.outcome.result_rows import promises_of, rows_of
from stages.simulation.outcome.table_text import replay_text, yield_text
from stages.simulation.outcome.yield_summary import yield_summary
from stages.simulation.replay_arms import FULL, START, arms_of
from stages.simulation.replay_graph import YIELDS

HOME = Path(__file__).parent / "results/replays"


def main(
    results: Annotated[Path, typer.Argument(help="Folder with seed-0, seed-1 and so on.")],
    strategies: Annotated[str, typer.Option(help="Which were replayed.")] = "earned,random,crowd",
    iterations: Annotated[int, typer.Option(help="That each arm has.")] = 3,
    figure: Annotated[Path | None, typer.Option(help="Draw the learning curves there, too.")] = None,
) -> None:
    """Print the tables of all complete seeds."""
    names = strategies.split(",")
    arms = [arm.name for arm in arms_of(names)]
    wanted = [f"{START}-0", f"{FULL}-1", *(f"{arm}-{step}" for arm in arms for step in range(1, iterations + 1))]
    seeds = [folder for folder in sorted(results.glob("seed-*")) if _complete(folder, wanted)]
    if not seeds:
        raise typer.BadParameter(f"{results}: no seed with all of {', '.join(wanted)}")
    cells = [read_json(folder / f"{name}.json") for folder in seeds for name in wanted]
    print(f"{results.name}: {', '.join(folder.name for folder in seeds)}\n")
    rows = rows_of(cells, arms)
    print(replay_text(summary_of(rows, promises_of(cells), names)))
    if figure:
        draw_curves(rows, arms, figure)
    yields = [read_json(file) for folder in seeds for file in sorted(folder.glob(f"{YIELDS}-*.json"))]
    if yields:
        print(yield_text(yield_summary(yields, names[0])))


def _complete(folder: Path, names: list[str]) -> bool:
    return all((folder / f"{name}.json").is_file() for name in names)


if __name__ == "__main__":
    typer.run(main)
