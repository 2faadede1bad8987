"""Pictures of what was chosen for review: a zoom of each object, and all of them on one figure."""

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from stages.analysis.styled_figure import drawn_figure

Picture = NDArray[np.uint8]  # (height, width, 3), blue green red

SIDE = 512  # px of the longer side of a zoom picture
CONTEXT = 4.0  # sides of the object that a zoom picture shows: enough to see what the symbol belongs to
LEAST_CONTEXT = 240  # px of the sheet that it shows at least, or a tiny symbol would stand in nothing
MAP_SIDE = 192  # px of the longer side of the map of the sheet beside it
MAP_BELOW = 0.25  # share of the sheet's area, below which a zoom picture does not show where on the sheet it is
_GAP = 8  # px between the two
COLUMNS = 5
MOST_PICTURES = 40  # on the figure; all of them are in the packet
_STYLE = {"text.parse_math": False, "savefig.dpi": 80}  # what a class is called is no formula
_BOX_COLOUR = (30, 30, 220)  # red
_MAP_COLOUR = (150, 150, 150)


class Zoomed(NamedTuple):
    """A part of a sheet, scaled: what was at `left`, `top` px of the sheet is its corner."""

    picture: Picture
    left: int
    top: int
    scale: float

    def frame(self, box: NDArray[np.float64], colour: tuple[int, int, int], *, width: int = 2) -> None:
        """Draw `box` (4,), in px of the sheet, into the picture, a little outside so that it hides nothing."""
        import cv2

        first = (round((box[0] - self.left) * self.scale) - 3, round((box[1] - self.top) * self.scale) - 3)
        last = (round((box[2] - self.left) * self.scale) + 3, round((box[3] - self.top) * self.scale) + 3)
        cv2.rectangle(self.picture, first, last, colour, width)


def zoom(image: Picture, box: NDArray[np.float64]) -> Picture:
    """Return the surroundings of `box` (4,), x1 y1 x2 y2 in px, scaled to SIDE, its box drawn."""
    return _zoomed(image, box).picture


def zoom_on_map(image: Picture, box: NDArray[np.float64]) -> Picture:
    """Return what `zoom` returns, with a small map of the sheet to the right that shows which part of it that is.

    There is none where the picture shows much of the sheet anyway.
    """
    zoomed = _zoomed(image, box)
    (height, width), (rows, columns) = image.shape[:2], zoomed.picture.shape[:2]
    seen = np.array([0, 0, columns, rows]) / zoomed.scale
    if seen[2] * seen[3] >= MAP_BELOW * height * width:
        return zoomed.picture
    sheet = _map(image, seen + [zoomed.left, zoomed.top] * 2)
    both = np.full((max(rows, sheet.shape[0]), columns + _GAP + sheet.shape[1], 3), 255, np.uint8)
    both[:rows, :columns] = zoomed.picture
    both[: sheet.shape[0], columns + _GAP :] = sheet
    return both


def surroundings(image: Picture, box: NDArray[np.float64]) -> Zoomed:
    """Return `box` (4,), in px, with what is around it, scaled to SIDE."""
    height, width = image.shape[:2]
    window = max(CONTEXT * max(box[2] - box[0], box[3] - box[1]), LEAST_CONTEXT)
    left, right = _span(box[0], box[2], window, width)
    top, bottom = _span(box[1], box[3], window, height)
    scale = SIDE / max(right - left, bottom - top)
    return Zoomed(_scaled(image[top:bottom, left:right], scale), left, top, scale)


def write_contact_sheet(
    pictures: Sequence[Picture], *, titles: Sequence[str], captions: Sequence[str], heading: str, file: Path
) -> None:
    """Write one PNG with the pictures in reading order, a title over each and a caption under it.

    There may be more titles and captions than pictures, of which MOST_PICTURES are enough.
    """
    shown = min(len(pictures), MOST_PICTURES)
    rows = max(-(-shown // COLUMNS), 1)
    rest = "" if shown == len(titles) else f" (the first {shown} are shown)"
    with drawn_figure(file, COLUMNS * 3.0, rows * 3.7 + 0.6, _STYLE) as figure:
        figure.suptitle(textwrap.fill(heading + rest, 150))
        cells = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
        for axes in cells:
            axes.set_axis_off()
        for axes, picture, title, caption in zip(cells, pictures, titles, captions, strict=False):
            axes.set_axis_on()
            axes.set(xticks=[], yticks=[])
            axes.imshow(picture[:, :, ::-1])
            axes.set_title(title, fontsize=10)
            axes.set_xlabel(textwrap.fill(caption, 40), fontsize=8)


def _zoomed(image: Picture, box: NDArray[np.float64]) -> Zoomed:
    height, width = image.shape[:2]
    zoomed = surroundings(image, box)
    if box[2] - box[0] < width or box[3] - box[1] < height:  # a whole sheet needs no frame
        zoomed.frame(box, _BOX_COLOUR)
    return zoomed


def _map(image: Picture, part: NDArray[np.float64]) -> Picture:
    """Return the whole sheet, its longer side MAP_SIDE px, with `part` (4,), in px of the sheet, framed inside."""
    import cv2

    scale = MAP_SIDE / max(image.shape[:2])
    picture = _scaled(image, scale)
    last = np.array(picture.shape[1::-1]) - 1
    cv2.rectangle(picture, (0, 0), last.tolist(), _MAP_COLOUR)
    first, end = (np.clip((corner * scale).round().astype(int), 0, last).tolist() for corner in (part[:2], part[2:]))
    cv2.rectangle(picture, first, end, _BOX_COLOUR, 2)
    return picture


def _scaled(image: Picture, scale: float) -> Picture:
    import cv2

    height, width = image.shape[:2]
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cast(Picture, cv2.resize(image, size, interpolation=how))


def _span(low: float, high: float, window: float, limit: int) -> tuple[int, int]:
    """Return where `window` px around low..high begin and end, moved so that they lie inside 0..limit."""
    side = min(round(window), limit)
    start = min(max(round((low + high - side) / 2), 0), limit - side)
    return start, start + side
