"""How far windows overlap: so far that nearly every object of train lies whole in one of them."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import cast

import numpy as np

from stages.base.boxes import Boxes, xywhn_to_xyxy
from stages.base.image_size import image_size
from stages.base.params import PARAMS, read_tile
from stages.dataset.sheets.split_folder import DATASET, Sheet, read_labels, sheets_in
from stages.detector.prediction.tiles.windows import EDGE, Tiling
from stages.ruler.pairing.pairs import Floats

WHOLE = 99  # percentile of the longer sides of boxes: rarer, longer ones are left to the view of the whole sheet
# Overlaps come in eighths of a window, at most four: a few more labels do not move the windows, and with them the
# ruler, and beyond a half of a window most of a sheet would be seen four times.
_PARTS, _MOST_PARTS = 8, 4


def read_tiling(classes: Sequence[str], root: Path = Path()) -> Tiling | None:
    """Return how the project at `root` cuts sheets, by `tile` of params.yaml and the labels of train; None: not at all.

    Where train has no sheet yet the labels of val say how large objects are. Images are not decoded. Raises `UserError`
    for a broken `tile` or label file.
    """
    side = read_tile(root / PARAMS)
    if side is None:
        return None
    sheets = sheets_in(root / DATASET / "train") or sheets_in(root / DATASET / "val")
    return Tiling(side, overlap(longer_sides(sheets, classes), side))


def overlap(sides: Floats, tile: int) -> int:
    """Return the overlap in px of windows of `tile` px, for objects whose longer `sides`, (n,), are in px."""
    longest = float(np.percentile(sides, WHOLE)) if len(sides) else 0.0
    step = tile / _PARTS
    parts = min(max(1, int(np.ceil((longest + 2 * EDGE) / step))), _MOST_PARTS)
    return round(parts * step)


def longer_sides(sheets: Iterable[Sheet], classes: Sequence[str]) -> Floats:
    """Return the longer side of each labelled box on `sheets`, (n,) px."""
    parts = [np.zeros(0)]
    for sheet in sheets:
        parts.append(sides_on(sheet.image, read_labels(sheet.label, classes).xywhn))
    return np.concatenate(parts)


def sides_on(image: Path, xywhn: Boxes) -> Floats:
    """Return the longer side of each of the boxes xywhn, (n, 4), on `image`: (n,) px, or none of an unknown size."""
    size = image_size(image) if len(xywhn) else None
    if size is None:
        return np.zeros(0)
    corners = xywhn_to_xyxy(xywhn, width=size[0], height=size[1])
    return cast(Floats, (corners[:, 2:] - corners[:, :2]).max(axis=1))
