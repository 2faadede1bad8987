"""Reads the results of all cells, and writes the summary of a simulation."""

from pathlib import Path
from typing import Any

from stages.base.atomic import replacing
from stages.base.tables import read_json, write_csv, write_json
from stages.simulation.outcome.arm_summary import summary_of
from stages.simulation.outcome.curve_figure import draw_curves
from stages.simulation.outcome.result_rows import promises_of, rows_of
from stages.simulation.outcome.table_text import replay_text, yield_text
from stages.simulation.outcome.yield_summary import yield_summary
from stages.simulation.replay_arms import arms_of
from stages.simulation.replay_graph import CURVES, FIGURE, SUMMARY, TABLE, YIELDS, result_files
from stages.simulation.replay_settings import ReplaySettings


def summarise(folder: Path, settings: ReplaySettings) -> None:
    """Write metrics, table and figures of the simulation in `folder`, all of whose cells are done."""
    results = [read_json(folder / file) for file in result_files(settings)]
    yields = yield_summary([one for one in results if YIELDS in one], settings.strategies[0])
    replays = {} if settings.yields else _replay(folder, settings, [one for one in results if YIELDS not in one])
    write_json({**replays, YIELDS: yields}, folder / SUMMARY)
    with replacing(folder / TABLE) as temporary:
        temporary.write_text((replay_text(replays) if replays else "") + yield_text(yields), encoding="utf-8")


def _replay(folder: Path, settings: ReplaySettings, results: list[dict[str, Any]]) -> dict[str, Any]:
    arms = [arm.name for arm in arms_of(settings.strategies)]
    rows = rows_of(results, arms)
    found = summary_of(rows, promises_of(results), settings.strategies)
    write_csv(rows, folder / CURVES)
    draw_curves(rows, arms, folder / FIGURE)
    return found
