"""Filters that drop detections by their shape and place.

They act on detections only: ground truth is never filtered, so a filter can only lose what is there.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stages.base.boxes import Boxes, area

# px: what is narrower or lower is no box, as in labels. The heads of YOLO-26 give the distances from a point to the
# four sides as they come, without DFL, and an unsure one gives some below zero: the box is inside out.
LEAST_SIDE = 1.0


class Filters(NamedTuple):
    """Limits that a detection must keep; None is off. All pixels are those of the original image."""

    min_area: float | None = None  # px²
    max_area: float | None = None  # px²
    min_side: float | None = None  # px of the shorter side
    max_aspect: float | None = None  # longer side / shorter side
    border: float | None = None  # px: a box that comes closer to a border is dropped

    @property
    def active(self) -> dict[str, float]:
        """The limits that are set, by name."""
        return {name: value for name, value in self._asdict().items() if value is not None}


def keep(boxes: Boxes, *, width: ArrayLike, height: ArrayLike, filters: Filters) -> NDArray[np.bool_]:
    """Return which of the boxes xyxy, (n, 4) in px, pass all `filters`; a box exactly on a limit passes.

    Without filters, too, both sides are at least LEAST_SIDE. `width` and `height` of the image in px: one number, or
    (n,).
    """
    xyxy = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    passed = np.asarray((xyxy[:, 2:] - xyxy[:, :2] >= LEAST_SIDE).all(axis=1), dtype=bool)
    for name, limit in filters.active.items():
        passed &= _passes(name, limit, xyxy, np.asarray(width, dtype=float), np.asarray(height, dtype=float))
    return passed


def _passes(
    name: str, limit: float, xyxy: Boxes, width: NDArray[np.float64], height: NDArray[np.float64]
) -> NDArray[np.bool_]:
    sides = np.clip(xyxy[:, 2:] - xyxy[:, :2], 0, None)
    if name == "min_area":
        passed = area(xyxy) >= limit
    elif name == "max_area":
        passed = area(xyxy) <= limit
    elif name == "min_side":
        passed = sides.min(axis=1, initial=np.inf) >= limit
    elif name == "max_aspect":
        passed = sides.max(axis=1, initial=0) <= limit * sides.min(axis=1, initial=np.inf)
    else:
        gaps = np.stack([xyxy[:, 0], xyxy[:, 1], width - xyxy[:, 2], height - xyxy[:, 3]])
        passed = gaps.min(axis=0) >= limit
    return np.asarray(passed, dtype=bool)
