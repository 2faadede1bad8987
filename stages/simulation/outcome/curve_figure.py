"""Draws the learning curves of a simulation; equal input gives equal bytes, on any matplotlib settings."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from stages.analysis.styled_figure import drawn_figure
from stages.simulation.outcome.learning_curves import SHARE
from stages.simulation.outcome.result_rows import AXES
from stages.simulation.replay_arms import FULL, REPLAYS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = ("#2b6cb0", "#dd7a1f", "#2f855a", "#9b2c5e", "#6b46c1", "#b7791f")  # of strategies, in their order
_CHANCE, _QUIET = "#8a8f98", "#5a6270"
_LABELS = {"minutes": "minutes of review", "sheets": "sheets reviewed", "boxes": "boxes looked at"}


def draw_curves(rows: pd.DataFrame, arms: Sequence[str], file: Path) -> None:
    """Draw F1 on test over minutes, sheets and boxes: each seed faint, the mean over seeds strong, `full` as a line.

    `rows` are those of `rows_of`. A mean point is that of an iteration: mean F1 over mean cost.
    """
    with drawn_figure(file, 13.0, 4.6) as figure:
        panels = figure.subplots(1, len(AXES), sharey=True)
        for axes, axis in zip(panels, AXES, strict=True):
            _draw(axes, rows, arms, axis)
        panels[0].set_ylabel("F1 on test")
        figure.legend(
            *panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=8, frameon=False, handlelength=3
        )


def _draw(axes: "Axes", rows: pd.DataFrame, arms: Sequence[str], axis: str) -> None:
    colours = iter(_COLOURS * len(arms))
    for arm in arms:
        own = rows[rows["arm"] == arm]
        colour = _CHANCE if arm in REPLAYS else next(colours)
        style = "--" if arm == REPLAYS[1] else "-"
        for _, seed in own.groupby("seed"):
            axes.plot(seed[axis], seed["f1"], style, color=colour, linewidth=0.8, alpha=0.25)
        mean = own.groupby("iteration")[[axis, "f1"]].mean()
        axes.plot(mean[axis], mean["f1"], style, color=colour, linewidth=2, marker="o", markersize=4, label=arm)
    full = float(rows.loc[rows["arm"] == FULL, "f1"].mean())
    axes.axhline(full, color=_QUIET, linewidth=1, label="whole pool labelled")
    axes.axhline(SHARE * full, color=_QUIET, linewidth=1, linestyle=":", label=f"{SHARE:.0%} of it")
    axes.set_xlabel(_LABELS[axis])
    axes.grid(color="#e3e6ea", linewidth=0.8)
    axes.set_axisbelow(True)
