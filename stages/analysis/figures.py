"""Draws the figures of `analyze` as PNG files; equal input gives equal bytes, on any matplotlib settings."""

from collections.abc import Sequence
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.analysis.styled_figure import CHART_STYLE, drawn_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import XAxis, YAxis
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

_COLOURS = {"val": "#2b6cb0", "pool": "#dd7a1f", "train": "#98a3b3"}
_STYLE = {
    **CHART_STYLE,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "figure.constrained_layout.w_pad": 0.12,  # inches around what is drawn
    "figure.constrained_layout.h_pad": 0.12,
}
_MOST_CATEGORIES = 30  # bars beyond are left out, fewest misses first
_COLUMNS = 8  # crops side by side
_QUIET = "#5a6270"


class Crop(NamedTuple):
    """One picture of the grid: two lines above an image (height, width, 3), blue green red."""

    title: str
    subtitle: str
    image: NDArray[np.uint8]


def draw_bars(counts: pd.DataFrame, file: Path, *, title: str, categories: Sequence[str]) -> None:
    """Draw misses by category, one bar per split; every bar says how many of how many.

    `counts` has split, category, misses, boxes; its splits come in the order of the bars.
    """
    splits = list(dict.fromkeys(counts["split"]))
    table = counts.set_index(["split", "category"])
    with drawn_figure(file, 9.5, 4.8, _STYLE) as figure:
        if not counts["misses"].sum():
            return _say_no_misses(_titled(figure, title))
        axes = _titled(figure, title, "Above each bar: missed of all boxes of that kind")
        width = 0.8 / len(splits)
        for n, split in enumerate(splits):
            rows = table.loc[split].reindex(categories)
            places = np.arange(len(categories)) + (n - (len(splits) - 1) / 2) * width
            bars = axes.bar(places, rows["misses"], width * 0.92, color=_COLOURS[split], label=split)
            axes.bar_label(bars, _shares(rows, "\n"), padding=2, fontsize=7.5)
        axes.set_xticks(range(len(categories)), categories)
        axes.tick_params(axis="x", length=0)
        axes.set_ylabel("missed objects")
        _count_axis(axes.yaxis)
        axes.margins(x=0.02, y=0.14)
        _legend(axes)


def draw_class_bars(counts: pd.DataFrame, file: Path, *, title: str) -> None:
    """Draw misses by class as horizontal bars, most misses on top; columns as in `draw_bars`."""
    splits = list(dict.fromkeys(counts["split"]))
    order = counts.groupby("category", sort=False)["misses"].sum().sort_values(ascending=False, kind="stable")
    names = [str(name) for name in order.index[:_MOST_CATEGORIES]]
    table = counts.set_index(["split", "category"])
    note = "Beside each bar: missed of all boxes of the class"
    if len(order) > len(names):
        note += f"; {len(names)} of {len(order)} classes"
    with drawn_figure(file, 9.5, 1.6 + 0.27 * len(names) * max(len(splits), 2), _STYLE) as figure:
        if not counts["misses"].sum():
            return _say_no_misses(_titled(figure, title))
        axes = _titled(figure, title, note)
        height = 0.8 / len(splits)
        for n, split in enumerate(splits):
            rows = table.loc[split].reindex(names)
            places = np.arange(len(names)) + (n - (len(splits) - 1) / 2) * height
            bars = axes.barh(places, rows["misses"], height * 0.92, color=_COLOURS[split], label=split)
            axes.bar_label(bars, _shares(rows, " "), padding=3, fontsize=8)
        axes.set_yticks(range(len(names)), [_shorten(name, 28) for name in names])
        axes.tick_params(axis="y", length=0)
        axes.invert_yaxis()
        axes.set_xlabel("missed objects")
        _count_axis(axes.xaxis)
        axes.margins(x=0.12, y=0.02)
        _legend(axes)


def draw_heatmap(centres: NDArray[np.float64], file: Path, *, bins: int, aspect: float, title: str) -> None:
    """Draw where on a sheet objects were missed: `centres` (n, 2) are fractions of width and height.

    `aspect` is the width / height of a usual sheet, `bins` the number of cells per side.
    """
    shape = min(max(aspect, 0.4), 2.5)
    with drawn_figure(file, 5.6 * shape**0.5 + 1.6, 5.6 / shape**0.5 + 1.2, _STYLE) as figure:
        if not len(centres):
            return _say_no_misses(_titled(figure, title))
        axes = _titled(figure, title, f"{len(centres)} missed objects on {bins} × {bins} cells")
        inside = np.clip(centres, 0, 1)  # a label may reach over the border
        cells, _, _ = np.histogram2d(inside[:, 1], inside[:, 0], bins=bins, range=[[0, 1], [0, 1]])
        picture = axes.imshow(
            cells, extent=(0, 1, 1, 0), aspect="auto", cmap=_heat(), vmin=0.5, vmax=max(cells.max(), 2)
        )
        axes.spines[["top", "right"]].set_visible(True)
        axes.set_xticks(np.linspace(0, 1, 5), ["left", "", "middle", "", "right"])
        axes.set_yticks(np.linspace(0, 1, 5), ["top", "", "middle", "", "bottom"])
        axes.grid(color="#d5d9df", linewidth=0.6)
        axes.set_axisbelow(False)
        bar = figure.colorbar(picture, ax=axes, label="missed objects per cell")
        _count_axis(bar.ax.yaxis, grid=False)


def draw_crops(crops: Sequence[Crop], file: Path, *, title: str, total: int) -> None:
    """Draw up to all of `total` misses as a grid of crops, each with its two lines."""
    columns = min(_COLUMNS, max(len(crops), 4))
    rows = max(ceil(len(crops) / columns), 1)
    with drawn_figure(file, 1.95 * columns, 2.3 * rows + 0.8, _STYLE) as figure:
        if not crops:
            return _say_no_misses(_titled(figure, title))
        figure.suptitle(f"{title}: {len(crops)} of {total}", x=0.01, ha="left", fontsize=12, fontweight="bold")
        grid = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes in grid:
            axes.set_axis_off()
        for axes, crop in zip(grid, crops, strict=False):
            _draw_crop(axes, crop)


def _draw_crop(axes: "Axes", crop: Crop) -> None:
    axes.set_axis_on()
    axes.imshow(crop.image[..., ::-1], interpolation="antialiased")
    # A square cell for every crop, so that the titles stand in line.
    (height, width), half = crop.image.shape[:2], max(crop.image.shape[:2]) / 2
    across, down = width / 2 - 0.5, height / 2 - 0.5
    axes.set(xticks=[], yticks=[], xlim=(across - half, across + half), ylim=(down + half, down - half))
    axes.set_facecolor("#eef0f3")
    axes.spines[["top", "right"]].set_visible(True)
    axes.set_title(_shorten(crop.subtitle, 26), fontsize=6.5, fontweight="normal", color=_QUIET, loc="center", pad=3)
    axes.annotate(
        _shorten(crop.title, 24), (0.5, 1), xytext=(0, 12), ha="center", fontsize=8, fontweight="bold",
        xycoords="axes fraction", textcoords="offset points",
    )  # fmt: skip


def _titled(figure: "Figure", title: str, note: str = "") -> "Axes":
    axes = figure.add_subplot()
    axes.set_title(title, pad=24)
    axes.annotate(
        note,
        (0, 1),
        xytext=(0, 8),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=8.5,
        color=_QUIET,
    )
    return axes


def _legend(axes: "Axes") -> None:
    """Name the splits above the bars on the right, where no bar can reach."""
    axes.legend(
        frameon=False, loc="lower right", bbox_to_anchor=(1.01, 1.0), ncols=3, columnspacing=1.4, handlelength=1.2
    )


def _shares(rows: pd.DataFrame, gap: str) -> list[str]:
    """Return what stands at the bars: missed of all, or a dash where there was nothing to miss."""
    return [f"{int(m)}{gap}of {int(b)}" if b else "–" for m, b in zip(rows["misses"], rows["boxes"], strict=True)]


def _say_no_misses(axes: "Axes") -> None:
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    axes.text(0.5, 0.5, "no misses", transform=axes.transAxes, ha="center", va="center", fontsize=20, color=_QUIET)


def _count_axis(axis: "XAxis | YAxis", *, grid: bool = True) -> None:
    """Let an axis count in whole numbers."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    if grid:
        axis.grid(color="#e3e6ea", linewidth=0.8)
        axis.axes.set_axisbelow(True)


def _heat() -> "Colormap":
    """Return colours for counts from 1 on; 0 is white."""
    from matplotlib import colormaps
    from matplotlib.colors import LinearSegmentedColormap

    heat = LinearSegmentedColormap.from_list("misses", colormaps["YlOrRd"](np.linspace(0.35, 1, 256)))
    return heat.with_extremes(under="white")


def _shorten(text: str, longest: int) -> str:
    """Return `text` with its middle left out where it has more than `longest` letters."""
    half = (longest - 1) // 2
    return text if len(text) <= longest else f"{text[:half]}…{text[-half:]}"
