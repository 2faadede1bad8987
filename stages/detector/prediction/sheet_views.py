"""What the network is shown of sheets, batch by batch: a sheet as a whole, or the windows that it is cut into."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.base.decoding import read_bgr
from stages.base.image_size import image_size
from stages.detector.prediction.tiles.windows import Tiling, Window, views


class View(NamedTuple):
    """A part of a sheet, or all of it."""

    file: Path
    pixels: NDArray[np.uint8]  # (h, w, 3), blue green red
    size: tuple[int, int]  # width and height of the sheet in px
    place: int  # in `views` of the sheet
    views: list[Window]  # of the sheet

    @property
    def last(self) -> bool:
        """Whether nothing more of the sheet comes."""
        return self.place == len(self.views) - 1


def batches(images: Sequence[Path], batch: int, tiling: Tiling | None) -> Iterator[list[View]]:
    """Yield runs of at most `batch` neighbours of one shape: mixed shapes would be padded, and padding moves scores."""
    for _, run in groupby(_cut(images, tiling), key=lambda view: view.pixels.shape):
        chunk: list[View] = []
        for view in run:
            chunk.append(view)
            if len(chunk) == batch:
                yield chunk
                chunk = []
        if chunk:
            yield chunk


def count_views(images: Sequence[Path], tiling: Tiling | None) -> int:
    """Return how often the network is to look; a sheet whose header does not say its size counts once."""
    if tiling is None:
        return len(images)
    sizes = [image_size(image) for image in images]
    return sum(len(views(*size, tiling)) if size else 1 for size in sizes)


def _cut(images: Sequence[Path], tiling: Tiling | None) -> Iterator[View]:
    for file in images:
        pixels = read_bgr(file)
        height, width = pixels.shape[:2]
        shown = views(width, height, tiling)
        for place, (x1, y1, x2, y2) in enumerate(shown):
            part = pixels if len(shown) == 1 else np.ascontiguousarray(pixels[y1:y2, x1:x2])
            yield View(file, part, (width, height), place, shown)
