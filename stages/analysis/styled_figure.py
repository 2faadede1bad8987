"""A figure as a PNG file; equal input gives equal bytes, on any matplotlib settings."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from stages.base.atomic import replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CHART_STYLE: Mapping[str, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so that a figure looks the same everywhere
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#8a8f98",
    "text.parse_math": False,  # a class called $1 is no formula
    "savefig.dpi": 110,
}


@contextmanager
def drawn_figure(file: Path, width: float, height: float, style: Mapping[str, Any] = CHART_STYLE) -> Iterator["Figure"]:
    """Yield an empty figure, width × height inches, drawn by `style` and no settings of a person's own.

    When the block has drawn it, it is written to `file`, without the name of the program that did.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(cast(Any, style))
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        yield figure
        with replacing(file) as temporary:
            figure.savefig(temporary, format="png", metadata={"Software": None})
