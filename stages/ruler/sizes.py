"""The words for the size of a box: by its area in pixels of the original image."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SIZES = ("tiny", "small", "medium", "large")


def size_ids(areas: NDArray[np.float64], bounds: Sequence[float]) -> NDArray[np.int64]:
    """Return the place in `SIZES` of areas (n,) in px²; a limit of the three in `bounds` belongs to the larger."""
    return np.digitize(areas, np.asarray(bounds, dtype=np.float64)).astype(np.int64)


def area_range(size: str, bounds: Sequence[float]) -> tuple[float, float]:
    """Return the areas in px² that `size` has: from the first on, below the second."""
    edges = (0.0, *bounds, float("inf"))
    place = SIZES.index(size)
    return edges[place], edges[place + 1]
