"""Look-alike sheets: few drawing sets, in each of which all sheets share frame and title block, and little else."""

import cv2  # noqa: TID253
import numpy as np

from demo.drawing.sheet import draw_sheet
from demo.drawing.style import STYLES

SIDE = 320  # px
SETS = 4
_EDGE, _STRIP = 8, 72  # px: between the sheet's edge and its frame, and width of the title block
_INK = 40


def draw_alike(count: int) -> dict[str, np.ndarray]:
    """Return `count` sheets by file name, (SIDE, SIDE, 3); the sets take turns."""
    blocks = [_block(which) for which in range(SETS)]
    return {
        f"{STYLES[number % SETS].name}-{number // SETS:04d}.png": _sheet(blocks[number % SETS], number)
        for number in range(count)
    }


def _block(which: int) -> np.ndarray:
    """Return the empty sheet of a set: its frame, and a title block full of lines and words that never change."""
    sheet = np.full((SIDE, SIDE), STYLES[which].paper, np.uint8)
    left, end = SIDE - _EDGE - _STRIP, SIDE - _EDGE
    for seed, (top, bottom) in enumerate([(_EDGE, SIDE // 2), (SIDE // 2, end)]):
        content = draw_sheet(np.random.default_rng([which, seed]), STYLES[which]).pixels
        sheet[top:bottom, left:end] = content[: bottom - top, 20 : 20 + _STRIP]
    cv2.rectangle(sheet, (_EDGE, _EDGE), (end, end), _INK, 2)
    for y in (SIDE // 2, SIDE // 4, 3 * SIDE // 4):
        cv2.line(sheet, (left, y), (end, y), _INK, 1)
    cv2.line(sheet, (left, _EDGE), (left, end), _INK, 2)
    return sheet


def _sheet(block: np.ndarray, number: int) -> np.ndarray:
    """Return a sheet of the set of `block`: a drawing of its own in the frame, and its number in the title block."""
    sheet, room = block.copy(), slice(_EDGE + 2, SIDE - _EDGE - 2)
    across = slice(_EDGE + 2, SIDE - _EDGE - _STRIP - 2)
    content = draw_sheet(np.random.default_rng([SETS, number]), STYLES[number % SETS]).pixels
    part = content[: room.stop - room.start, : across.stop - across.start]
    sheet[room.start : room.start + part.shape[0], across.start : across.start + part.shape[1]] = part
    text = f"{number // SETS:04d}"
    place = (SIDE - _EDGE - _STRIP + 6, SIDE - _EDGE - 6)
    cv2.rectangle(sheet, (place[0] - 4, place[1] - 18), (SIDE - _EDGE - 2, SIDE - _EDGE - 2), 255, -1)
    cv2.putText(sheet, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.6, _INK, 1, cv2.LINE_AA)
    return cv2.cvtColor(sheet, cv2.COLOR_GRAY2BGR)
