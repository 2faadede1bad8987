"""A page: a canvas that knows its style, the ink of the symbol at hand, what is taken, and what was labelled."""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from demo.drawing.canvas import Canvas
from demo.drawing.fonts import font
from demo.drawing.style import Style, Weights

Box = tuple[float, float, float, float]  # x1 y1 x2 y2, px
Point = tuple[float, float]
T = TypeVar("T")
CLASSES = ("detail", "elevation", "title")
MARGIN = 4.0  # px that labelled symbols and words keep from the border


class Mark(NamedTuple):
    """A labelled symbol."""

    class_name: str
    box: Box


class Page(Canvas):
    """A window of a sheet while it is being drawn."""

    def __init__(self, height: int, width: int, style: Style, rng: np.random.Generator) -> None:
        super().__init__(height, width, paper=style.paper)
        self.style, self.rng = style, rng
        self.taken: list[Box] = []
        self.marks: list[Mark] = []
        self._reach: Box | None = None

    # --- ink of the symbol at hand ---

    def begin(self) -> None:
        """Forget the ink so far: `extent` is from now on the box of what is drawn after this."""
        self._reach = None

    def extent(self) -> Box:
        """Return the box of the ink since `begin`; something must have been drawn."""
        assert self._reach is not None
        return self._reach

    def polyline(self, points: ArrayLike, *, width: float = 1.0, ink: int = 0, closed: bool = False) -> None:
        """Draw straight lines through `points`, (n, 2)."""
        super().polyline(points, width=width, ink=ink, closed=closed)
        self._grow(points, width / 2)

    def polygon(self, points: ArrayLike, *, ink: int = 0) -> None:
        """Fill the polygon through `points`, (n, 2)."""
        super().polygon(points, ink=ink)
        self._grow(points, 0)

    def _grow(self, points: ArrayLike, reach: float) -> None:
        p = np.asarray(points, float).reshape(-1, 2)
        (x1, y1), (x2, y2) = (p.min(axis=0) - reach).tolist(), (p.max(axis=0) + reach).tolist()
        self._reach = (x1, y1, x2, y2) if self._reach is None else union([self._reach, (x1, y1, x2, y2)])

    # --- the style's pens ---

    def stroke(self, points: ArrayLike, *, closed: bool = False) -> None:
        """Draw ordinary lines through points, (n, 2)."""
        self.polyline(points, width=self.style.pen, ink=self.style.ink, closed=closed)

    def thick(self, points: ArrayLike, *, closed: bool = False) -> None:
        """Draw the lines of what is cut through points, (n, 2)."""
        self.polyline(points, width=self.style.cut, ink=self.style.ink, closed=closed)

    def fainter(self, points: ArrayLike, *, closed: bool = False) -> None:
        """Draw the lines of what lies behind through points, (n, 2)."""
        self.polyline(points, width=self.style.pen, ink=self.style.faint, closed=closed)

    def outline(self, points: ArrayLike, *, fill: int = -1) -> None:
        """Draw the closed outline of a symbol through points, (n, 2), filled with paper or another grey."""
        self.polygon(points, ink=self.paper if fill < 0 else fill)
        self.polyline(points, width=self.style.bubble, ink=self.style.ink, closed=True)

    # --- words ---

    def write(
        self,
        at: ArrayLike,
        text: str,
        *,
        size: float = 0.0,
        anchor: str = "mm",
        turn: int = 0,
        ink: int = -1,
        heading: bool = False,
    ) -> Box:
        """Write in the style's lettering (size 0: as notes are) and return the box of the ink."""
        s = self.style
        name, size, ink = (s.heading if heading else s.lettering), size or s.text, s.ink if ink < 0 else ink
        if name:
            box = self.text(at, text, size=size, font=font(name), ink=ink, anchor=anchor, turn=turn, stretch=s.stretch)
        else:
            pen = size * (0.16 if heading else 0.13)
            box = self.plotted(at, text, size=size, pen=pen, ink=ink, anchor=anchor, turn=turn, stretch=s.stretch)
        self._grow([box[:2], box[2:]], 0)
        return box

    def measure(self, text: str, *, size: float = 0.0, heading: bool = False) -> tuple[float, float]:
        """Return width and height of what `write` would write."""
        reach, nowhere = self._reach, (-4.0 * self.width, -4.0 * self.height)
        x1, y1, x2, y2 = self.write(nowhere, text, size=size, heading=heading)
        self._reach = reach
        return x2 - x1, y2 - y1

    def label(
        self, at: Point, text: str, *, size: float = 0.0, turn: int = 0, ink: int = -1, clear: bool = True
    ) -> bool:
        """Write text centred at a point on cleared paper, if that place is free; say whether it was."""
        width, height = self.measure(text, size=size)
        if turn % 180:
            width, height = height, width
        box = around(at, width + 3, height + 3)
        if not self.free(box):
            return False
        if clear:
            self.polygon(corners(box), ink=self.paper)
        self.write(at, text, size=size, turn=turn, ink=ink)
        self.taken.append(box)
        return True

    # --- layout ---

    def free(self, box: Box, *, margin: float = MARGIN) -> bool:
        """Say whether a box lies inside the page and on nothing that is taken."""
        x1, y1, x2, y2 = box
        inside = x1 >= margin and y1 >= margin and x2 <= self.width - margin and y2 <= self.height - margin
        return inside and not any(overlap(box, other) for other in self.taken)

    def inked(self, box: Box) -> float:
        """Return the share of a box that is drawn on, 0 to 1; what lies off the page counts as empty."""
        x1, y1, x2, y2 = (round(v * self.scale) for v in box)
        part = self._ink[max(y1, 0) : max(y2, 0), max(x1, 0) : max(x2, 0)]
        return float(np.count_nonzero(part != self.paper)) / max((x2 - x1) * (y2 - y1), 1)

    def take(self, box: Box) -> None:
        """Keep a box free from now on."""
        self.taken.append(box)

    def mark(self, class_name: str) -> None:
        """Label the ink since `begin`, and keep its place free."""
        self.marks.append(Mark(class_name, self.extent()))
        self.take(grown(self.extent(), 2))

    # --- chance ---

    def chance(self, share: float) -> bool:
        """Return True in `share` of the cases."""
        return bool(self.rng.random() < share)

    def between(self, low: float, high: float) -> float:
        """Return a number in [low, high)."""
        return float(self.rng.uniform(low, high))

    def count(self, low: int, high: int) -> int:
        """Return a whole number from low to high, both included."""
        return int(self.rng.integers(low, high + 1))

    def pick(self, items: Sequence[T]) -> T:
        """Return one of the items."""
        return items[int(self.rng.integers(len(items)))]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """Return the items in another order."""
        return [items[i] for i in self.rng.permutation(len(items))]

    def variant(self, weights: Weights) -> str:
        """Return a name as often as its weight says."""
        names = list(weights)
        ends = np.cumsum([weights[name] for name in names])
        return names[int(np.searchsorted(ends, self.rng.random() * ends[-1], side="right"))]


def union(boxes: Sequence[Box]) -> Box:
    """Return the box around boxes."""
    x1, y1, x2, y2 = zip(*boxes, strict=True)
    return min(x1), min(y1), max(x2), max(y2)


def overlap(a: Box, b: Box) -> bool:
    """Say whether two boxes share more than a border."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def grown(box: Box, by: float) -> Box:
    """Return the box with `by` px more on each side."""
    return box[0] - by, box[1] - by, box[2] + by, box[3] + by


def crosses(box: Box, a: Point, b: Point) -> bool:
    """Say whether the line from a to b comes within 2 px of a box; looked at every 2 px."""
    steps = max(2, int((abs(a[0] - b[0]) + abs(a[1] - b[1])) / 2))
    x1, y1, x2, y2 = grown(box, 2)
    points = ((a[0] + (b[0] - a[0]) * i / steps, a[1] + (b[1] - a[1]) * i / steps) for i in range(steps + 1))
    return any(x1 < x < x2 and y1 < y < y2 for x, y in points)


def around(at: Point, width: float, height: float) -> Box:
    """Return the box of this size around a point."""
    return at[0] - width / 2, at[1] - height / 2, at[0] + width / 2, at[1] + height / 2


def corners(box: Box) -> list[Point]:
    """Return the four corners, clockwise from the upper left one."""
    x1, y1, x2, y2 = box
    return [(x1, y1), (x2, y1), (x2, y2), (x1, y2)]
