"""Draws a folder of labelled sheets, for `yoloop simulate`; a name begins with its sheet of paper, such as A-102.

python -m benchmarks.drawn ../drawn
"""

from pathlib import Path
from typing import Annotated

import typer

from demo.demo_data import write_source
from demo.drawing.sets import draw_set


def main(
    folder: Annotated[Path, typer.Argument(help="Where they go; not there yet.")],
    sheets: Annotated[int, typer.Option(min=1, help="Windows, styles in turns.")] = 160,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Draw and write them."""
    if folder.exists():
        raise typer.BadParameter(f"{folder} is there already")
    print(f"{write_source(folder, draw_set(seed, {'pool': sheets}))}: {sheets} sheets")


if __name__ == "__main__":
    typer.run(main)
