"""A sheet of paper to draw on: grey, drawn larger than it is and averaged down, the same bits on every machine.

All coordinates and widths are px of the finished picture, as floats; x to the right, y down, angles in degrees from the
x axis clockwise. Ink is a grey value, 0 (black) to 255 (white).
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

Pixels = NDArray[np.uint8]  # (height, width), grey
_SHIFT = 4  # binary digits behind the point that OpenCV takes for coordinates


class Canvas:
    """White paper of `height` x `width` px, drawn at `scale` times that."""

    def __init__(self, height: int, width: int, *, scale: int = 4, paper: int = 255) -> None:
        self.height, self.width, self.scale, self.paper = height, width, scale, paper
        self._ink: Pixels = np.full((height * scale, width * scale), paper, np.uint8)

    def pixels(self) -> Pixels:
        """Return the finished picture, (height, width): each pixel the mean of its scale x scale drawn ones."""
        s = self.scale
        blocks = self._ink.reshape(self.height, s, self.width, s)
        total: NDArray[np.uint32] = blocks.sum(axis=(1, 3), dtype=np.uint32)
        return ((total + s * s // 2) // (s * s)).astype(np.uint8)

    def line(self, start: ArrayLike, end: ArrayLike, *, width: float = 1.0, ink: int = 0) -> None:
        """Draw a straight line."""
        self.polyline(np.stack([np.asarray(start, float), np.asarray(end, float)]), width=width, ink=ink)

    def dashes(
        self, start: ArrayLike, end: ArrayLike, pattern: Sequence[float], *, width: float = 1.0, ink: int = 0
    ) -> None:
        """Draw a broken line: `pattern` is on, off, on, off, … in px."""
        a, b = np.asarray(start, float), np.asarray(end, float)
        length = float(np.hypot(*(b - a)))
        at, i = 0.0, 0
        while at < length:
            stop = min(at + pattern[i % len(pattern)], length)
            if i % 2 == 0:
                self.line(a + (b - a) * at / length, a + (b - a) * stop / length, width=width, ink=ink)
            at, i = stop, i + 1

    def polyline(self, points: ArrayLike, *, width: float = 1.0, ink: int = 0, closed: bool = False) -> None:
        """Draw straight lines through `points`, (n, 2)."""
        import cv2

        cv2.polylines(self._ink, [self._fixed(points)], closed, ink, self._thickness(width), cv2.LINE_8, _SHIFT)

    def polygon(self, points: ArrayLike, *, ink: int = 0) -> None:
        """Fill the polygon through `points`, (n, 2)."""
        import cv2

        cv2.fillPoly(self._ink, [self._fixed(points)], ink, cv2.LINE_8, _SHIFT)

    def circle(self, centre: ArrayLike, radius: float, *, width: float = 1.0, ink: int = 0) -> None:
        """Draw a circle line whose middle is at `radius`."""
        self.arc(centre, radius, 0, 360, width=width, ink=ink)

    def disc(self, centre: ArrayLike, radius: float, *, ink: int = 0) -> None:
        """Fill a circle."""
        self.polygon(arc_points(centre, radius, 0, 360), ink=ink)

    def arc(
        self, centre: ArrayLike, radius: float, start: float, end: float, *, width: float = 1.0, ink: int = 0
    ) -> None:
        """Draw an arc from angle `start` to `end`, degrees clockwise from the x axis."""
        self.polyline(arc_points(centre, radius, start, end), width=width, ink=ink)

    def hatch(
        self, polygon: ArrayLike, *, spacing: float, angle: float = 45.0, width: float = 0.7, ink: int = 0
    ) -> None:
        """Fill a polygon, (n, 2), with parallel lines `spacing` px apart."""
        import cv2

        lines = Canvas(self.height, self.width, scale=self.scale, paper=self.paper)
        points = np.asarray(polygon, float)
        middle, reach = points.mean(axis=0), float(np.hypot(*np.ptp(points, axis=0))) / 2 + spacing
        along = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
        across = np.array([-along[1], along[0]])
        for offset in np.arange(-reach, reach, spacing):
            at = middle + across * offset
            lines.line(at - along * reach, at + along * reach, width=width, ink=ink)
        mask = np.zeros_like(self._ink)
        cv2.fillPoly(mask, [self._fixed(points)], 255, cv2.LINE_8, _SHIFT)
        inside = (mask > 0) & (lines._ink != self.paper)
        self._ink[inside] = lines._ink[inside]

    def text(
        self,
        at: ArrayLike,
        text: str,
        *,
        size: float,
        font: Path,
        ink: int = 0,
        anchor: str = "mm",
        turn: int = 0,
        stretch: float = 1.0,
    ) -> tuple[float, float, float, float]:
        """Write `text` with capitals of `size` px and return the box of its ink, x1 y1 x2 y2.

        `anchor` is the point of the text that lies at `at`: l, m or r, then t, m or b. `turn` is 0, 90, 180 or 270
        degrees anticlockwise, and the anchor is meant after turning; `stretch` makes it narrower or wider.
        """
        return self._write(_text_mask(text, size * self.scale, font, stretch), at, ink, anchor, turn)

    def plotted(
        self,
        at: ArrayLike,
        text: str,
        *,
        size: float,
        pen: float,
        ink: int = 0,
        anchor: str = "mm",
        turn: int = 0,
        stretch: float = 1.0,
    ) -> tuple[float, float, float, float]:
        """Write `text` with single strokes of `pen` px, as a plotter does; the rest is as in `text`."""
        mask = _stroke_mask(text, size * self.scale, self._thickness(pen), stretch)
        return self._write(mask, at, ink, anchor, turn)

    def _write(
        self, mask: Pixels, at: ArrayLike, ink: int, anchor: str, turn: int
    ) -> tuple[float, float, float, float]:
        mask = np.rot90(mask, turn // 90)
        height, width = mask.shape
        x, y = np.asarray(at, float) * self.scale
        left = round(x - {"l": 0.0, "m": width / 2, "r": float(width)}[anchor[0]])
        top = round(y - {"t": 0.0, "m": height / 2, "b": float(height)}[anchor[1]])
        self._stamp(mask, left, top, ink)
        s = self.scale
        return left / s, top / s, (left + width) / s, (top + height) / s

    def _stamp(self, mask: Pixels, left: int, top: int, ink: int) -> None:
        """Lay `ink` over the paper as far as `mask` (0 to 255) covers it; what is off the paper is cut."""
        height, width = mask.shape
        x1, y1 = max(left, 0), max(top, 0)
        x2, y2 = min(left + width, self._ink.shape[1]), min(top + height, self._ink.shape[0])
        if x1 >= x2 or y1 >= y2:
            return
        cover = mask[y1 - top : y2 - top, x1 - left : x2 - left].astype(np.int32)
        paper = self._ink[y1:y2, x1:x2].astype(np.int32)
        self._ink[y1:y2, x1:x2] = ((paper * (255 - cover) + ink * cover + 127) // 255).astype(np.uint8)

    def _fixed(self, points: ArrayLike) -> NDArray[np.int32]:
        """Return points as OpenCV takes them; its pixel centres lie at whole numbers, ours at halves."""
        scaled = np.asarray(points, float).reshape(-1, 2) * self.scale - 0.5
        return np.rint(scaled * (1 << _SHIFT)).astype(np.int32)

    def _thickness(self, width: float) -> int:
        return max(1, round(width * self.scale))


def arc_points(centre: ArrayLike, radius: float, start: float, end: float) -> NDArray[np.float64]:
    """Return points along an arc, (n, 2), about one per 5 degrees; degrees clockwise from the x axis."""
    angles = np.radians(np.linspace(start, end, max(3, round(abs(end - start) / 5) + 1)))
    return np.asarray(centre, float) + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)


@lru_cache(maxsize=1024)
def _text_mask(text: str, size: float, font: Path, stretch: float) -> Pixels:
    """Return how far each pixel is covered by the text, trimmed to its ink; `size` is the height of an H."""
    from PIL import Image, ImageDraw, ImageFont

    # DejaVu, STIX and the TeX fonts have capitals of about 0.7 of the nominal size.
    face = ImageFont.truetype(str(font), max(4, round(size / 0.72)), layout_engine=ImageFont.Layout.BASIC)
    left, top, right, bottom = face.getbbox(text)
    picture = Image.new("L", (max(1, int(right - left)), max(1, int(bottom - top))), 0)
    ImageDraw.Draw(picture).text((-left, -top), text, fill=255, font=face)
    mask = np.asarray(picture, np.uint8)
    return mask if stretch == 1.0 else _stretched(mask, stretch)


@lru_cache(maxsize=1024)
def _stroke_mask(text: str, size: float, pen: int, stretch: float) -> Pixels:
    """Return how far each pixel is covered by Hershey's single-stroke letters, trimmed to their ink."""
    import cv2

    face, magnified = cv2.FONT_HERSHEY_SIMPLEX, size / 21  # its capitals are 21 units high
    (width, height), below = cv2.getTextSize(text, face, magnified, pen)
    mask = np.zeros((height + below + 4 * pen + 8, width + 4 * pen + 8), np.uint8)
    cv2.putText(mask, text, (2 * pen + 4, height + 2 * pen + 2), face, magnified, 255, pen, cv2.LINE_8)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    mask = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] if len(rows) else mask[:1, :1]
    return mask if stretch == 1.0 else _stretched(mask, stretch)


def _stretched(mask: Pixels, stretch: float) -> Pixels:
    from PIL import Image

    height, width = mask.shape
    wanted = (max(1, round(width * stretch)), height)
    return np.asarray(Image.fromarray(mask).resize(wanted, Image.Resampling.BOX), np.uint8)
