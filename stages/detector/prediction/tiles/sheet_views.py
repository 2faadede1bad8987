"""What the network is shown of sheets, batch by batch: a sheet as a whole, or the windows that it is cut into."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.base.image_size import image_size
from stages.detector.prediction.tiles.windows import Tiling, Window, views

_BATCHES = 8  # in a block: enough to be worth a message to another machine, few enough to be lost with it
Picture = tuple[Path, NDArray[np.uint8]]  # (height, width, 3), blue green red


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


def block_size(batch: int) -> int:
    """Return how many sheets in a row make a block, which is what a worker is given at once."""
    return batch * _BATCHES


def batches(pictures: Iterable[Picture], batch: int, tiling: Tiling | None) -> Iterator[list[View]]:
    """Yield runs of at most `batch` neighbours of one shape: mixed shapes would be padded, and padding moves scores.

    None goes over the end of a block: who sees a block alone sees the same batches as who sees all sheets in a row.
    """
    size = block_size(batch)
    cut = ((place // size, view) for place, picture in enumerate(pictures) for view in _cut(*picture, tiling))
    for _, run in groupby(cut, key=lambda one: (one[0], one[1].pixels.shape)):
        chunk: list[View] = []
        for _, view in run:
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


def _cut(file: Path, pixels: NDArray[np.uint8], tiling: Tiling | None) -> Iterator[View]:
    height, width = pixels.shape[:2]
    shown = views(width, height, tiling)
    for place, (x1, y1, x2, y2) in enumerate(shown):
        part = pixels if len(shown) == 1 else np.ascontiguousarray(pixels[y1:y2, x1:x2])
        yield View(file, part, (width, height), place, shown)
