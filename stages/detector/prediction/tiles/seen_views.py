"""What the network saw in one view of a sheet, and what that comes to over all of its views."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.detector.prediction.tiles.sheet_views import View
from stages.detector.prediction.tiles.window_merge import WindowBoxes, merged
from stages.detector.prediction.tiles.windows import Tiling
from stages.ruler.pairing.evidence import MAX_DET, MERGE, REASONS
from stages.ruler.pairing.pairs import Floats, Ints


class SeenBoxes(NamedTuple):
    """What the network saw in one view, or on one sheet, in px of the sheet."""

    found: Floats  # (n, 6): x1 y1 x2 y2 confidence class, by falling confidence
    dropped: Floats  # (k, 7), in no order: the same, then the index of the reason in `REASONS`
    features: NDArray[np.float16]  # (n, FEATURES)


def seen_in(result: Any, view: View, *, labelled: bool) -> SeenBoxes:
    """Return what was seen in a view, in px of its sheet; what was dropped only where it is `labelled`."""
    found = _numbers(result.boxes.data)
    dropped = _numbers(result.discarded()) if labelled else np.zeros((0, 7))
    corner = np.array(view.views[view.place][:2] * 2)
    found[:, :4] += corner
    dropped[:, :4] += corner
    order = by_confidence(found)
    features = result.features.cpu().numpy().astype(np.float16)[order]
    return SeenBoxes(found[order], dropped, features)


def together(parts: Sequence[SeenBoxes], view: View, tiling: Tiling | None, max_det: int) -> SeenBoxes:
    """Return what was seen on the sheet of `view`, from all of its views."""
    if tiling is None or len(parts) == 1:
        return parts[0]
    found, dropped, features = (np.concatenate(column) for column in zip(*parts, strict=True))
    place = np.repeat(np.arange(len(parts)), [len(part.found) for part in parts])
    boxes = WindowBoxes(found[:, :4], found[:, 4], found[:, 5].astype(np.int64), place)
    width, height = view.size
    stay = merged(boxes, views=view.views, overlap=tiling.overlap, width=width, height=height)
    order = np.flatnonzero(stay)[by_confidence(found[stay])]
    order, many = order[:max_det], order[max_det:]
    gone = [(found[~stay], MERGE), (found[many], MAX_DET)]
    dropped = np.vstack([*(np.insert(rows, 6, REASONS.index(why), axis=1) for rows, why in gone), dropped])
    return SeenBoxes(found[order], dropped, features[order])


def _numbers(boxes: Any) -> Floats:
    return np.asarray(boxes.cpu().numpy().astype(np.float64), dtype=np.float64)


def by_confidence(rows: Floats) -> Ints:
    """Return the order of rows of x1 y1 x2 y2 confidence class ... by falling confidence, then from top to bottom."""
    return np.lexsort((rows[:, 0], rows[:, 1], -rows[:, 4])).astype(np.int64)
