"""Cuts large sheets of the pool into windows that are sheets of their own, so that a review takes a part of a sheet.

A packet then asks for the windows that are worth it. What lies outside of a reviewed window is no picture of train, so
nothing there is taught as background.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from stages.base.boxes import xywhn_to_xyxy, xyxy_to_xywhn
from stages.base.decoding import read_bgr
from stages.base.errors import problem
from stages.base.image_size import image_size
from stages.dataset.crops import save_image
from stages.dataset.new_dataset import NewSheet
from stages.dataset.sheets.split_folder import label_text
from stages.dataset.window_names import NamedWindow, name_of_window
from stages.detector.prediction.tiles.windows import Tiling, Window
from stages.formats.source_sheets import SheetLabels
from stages.ruler.pairing.pairs import Floats

LEAST_SEEN = 0.5  # of the area of an object: what is cut below that is no object of the window, as in training


class CutPool(NamedTuple):
    """The pool after cutting, and how many of its sheets became how many windows."""

    sheets: list[NewSheet]
    cut: int
    windows: int


def cut_pool(pool: Sequence[NewSheet], labels: dict[str, SheetLabels], tiling: Tiling, folder: Path) -> CutPool:
    """Return `pool` with each sheet in its windows where it has several, whose pictures go into `folder`.

    A window is called SHEET__x1_y1_x2_y2.png, in px of the sheet, and shares the group of its sheet (the sheet's name
    where it has none), so that all windows of it have one role. Of held-back labels it has those of which at least
    LEAST_SEEN lies inside. Raises `UserError` where a sheet has the name of a window already.
    """
    found: list[NewSheet] = []
    cut = 0
    for sheet in pool:
        parts = _windows_of(sheet.image, tiling)
        cut += len(parts) > 1
        found += _cut(sheet, labels[sheet.image.name], parts, folder) if len(parts) > 1 else [sheet]
    twice = [name for name, count in Counter(sheet.image.stem for sheet in found).items() if count > 1]
    if twice:
        raise problem("pool_windows.name_of_window", min(twice))
    return CutPool(found, cut, len(found) - (len(pool) - cut))


def _windows_of(image: Path, tiling: Tiling) -> list[Window]:
    width, height = image_size(image) or read_bgr(image).shape[1::-1]
    return review_windows(width, height, tiling)


def review_windows(width: int, height: int, tiling: Tiling) -> list[Window]:
    """Return the windows of a sheet that overlap by `tiling.overlap` and no more, each about `tiling.side` px a side.

    What two windows share is reviewed twice, so here their sides give way, by half at most, and not the overlap.
    """
    across, down = _spans(width, tiling), _spans(height, tiling)
    return [(x1, y1, x2, y2) for y1, y2 in down for x1, x2 in across]


def _spans(length: int, tiling: Tiling) -> list[tuple[int, int]]:
    count = max(1, round((length - tiling.overlap) / (tiling.side - tiling.overlap)))
    size = -(-(length + (count - 1) * tiling.overlap) // count)
    return [(start, start + size) for start in np.linspace(0, length - size, count).round().astype(int).tolist()]


def _cut(sheet: NewSheet, labels: SheetLabels, parts: Iterable[Window], folder: Path) -> list[NewSheet]:
    picture = read_bgr(sheet.image)
    height, width = picture.shape[:2]
    boxes = xywhn_to_xyxy(labels.boxes.xywhn, width=width, height=height)
    found = []
    for window in parts:
        x1, y1, x2, y2 = window
        file = folder / f"{name_of_window(NamedWindow(sheet.image.stem, *window))}.png"
        save_image(picture[y1:y2, x1:x2], file)
        rows = None if sheet.rows is None else _rows(labels, boxes, window)
        found.append(NewSheet(file, rows, sheet.held_back, sheet.group or sheet.image.stem))
    return found


def _rows(labels: SheetLabels, boxes: Floats, window: Window) -> str:
    """Return the label rows of a window, cut at its border."""
    corner = np.array(window[:2] * 2, dtype=float)
    wide, high = window[2] - window[0], window[3] - window[1]
    inside = np.clip(boxes - corner, 0, [wide, high, wide, high])
    seen, whole = (part[:, 2:] - part[:, :2] for part in (inside, boxes))
    kept = (seen.prod(axis=1) >= LEAST_SEEN * whole.prod(axis=1)) & (seen >= 1).all(axis=1)
    return label_text(labels.boxes.class_id[kept], xyxy_to_xywhn(inside[kept], width=wide, height=high))
