"""A picture of the demo's sheets, with the boxes that a detector is to find.

    python -m benchmarks.sheets

writes docs/sheets.jpg: windows of the pool, one of each style in a column.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from demo.drawing.sets import NamedSheet, draw_window
from demo.drawing.style import STYLES

ROWS, SIDE, GAP = 3, 320, 6
FILE = Path(__file__).parents[1] / "docs/sheets.jpg"
COLOURS = ((40, 40, 220), (40, 150, 40), (220, 90, 30))  # of detail, elevation, title; blue green red


def main(
    out: Annotated[Path, typer.Option(help="The picture.")] = FILE,
    rows: Annotated[int, typer.Option(min=1)] = ROWS,
) -> None:
    """Draw and write the picture."""
    import cv2

    columns = len(STYLES) // 2
    cells = [_cell(draw_window(0, "pool", number)) for number in range(columns * rows)]
    bands = [np.hstack(cells[i : i + columns]) for i in range(0, len(cells), columns)]
    picture = np.vstack(bands)[: rows * (SIDE + GAP)]
    cv2.imwrite(str(out), picture, [cv2.IMWRITE_JPEG_QUALITY, 88])
    print(out)


def _cell(window: NamedSheet) -> np.ndarray:
    """Return one window in colours with its boxes, in the middle of a square."""
    import cv2

    picture = cv2.cvtColor(window.sheet.pixels, cv2.COLOR_GRAY2BGR)
    for class_id, box in zip(window.sheet.class_id, window.sheet.xyxy, strict=True):
        x1, y1, x2, y2 = (round(value) for value in box)
        cv2.rectangle(picture, (x1 - 2, y1 - 2), (x2 + 1, y2 + 1), COLOURS[class_id], 1)
    cell = np.full((SIDE + GAP, SIDE + GAP, 3), 255, np.uint8)
    height, width = picture.shape[:2]
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    cell[top : top + height, left : left + width] = picture
    return cell


if __name__ == "__main__":
    typer.run(main)
