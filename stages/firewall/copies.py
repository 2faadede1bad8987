"""Copies of one sheet, found by content: what a sheet is compared by, the test on pixels, and groups.

Nothing here opens an image. A hash only proposes a pair: sheets of one drawing set share frame and title block, so a
hash that catches every copy also catches strangers. The pixels decide, tile by tile: sheets with the same frame and
other contents agree in the tiles of the frame alone.
"""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

HASH_SIDE = 16  # a hash of 16 x 16 bits: with 8 x 8, sheets of one drawing set come as near as copies do
HASH_BITS = HASH_SIDE * HASH_SIDE
THUMB = 256  # px: side of the grey square on which pixels are compared; with 128, thin lines are lost
TILES = 8  # tiles per side of that square: 32 px each, so that a line that is half a pixel off still agrees

# The numbers below were set with `python -m benchmarks.firewall`, which prints what they are chosen from.
# The worst whole copy (brighter until its white is clipped) is at 0.23 of the bits, crops between two windows reach
# 0.30. Above that the pairs of strangers grow tenfold with every 0.05, and each costs an alignment.
HASH_BAR = 0.30
TILE_CORRELATION = 0.5  # a tile agrees from here on; noise and resizing leave copies above 0.6 in nearly every tile
SAME = 0.90  # share of tiles that must agree in a copy: copies reach 0.97, the nearest strangers 0.71
NEAR = 0.75  # the same for the leak meter, which only reports: a sheet drawn on, or a view that has been moved
LEAST_INK = 2.0  # grey values (standard deviation): below it a tile is paper, or what JPEG leaves on it
INK_SHARE = 0.25  # and below this share of the whole sheet's contrast as well
LEAST_OVERLAP = 0.5  # share of a sheet that a crop must cover to be called a copy of it

CROPS = (0.95, 0.9, 0.85, 0.8)  # sides of the windows in which crops are looked for, as shares of the sheet's
_STEP = 0.05  # between windows, as a share of the sheet's side
ORIENTATIONS = 8  # four quarter turns, and the same mirrored
Window = tuple[float, float, float, float]  # left, top, width, height as shares of the sheet
Grey = NDArray[np.uint8]  # (THUMB, THUMB)


class Fingerprint(NamedTuple):
    """What a sheet is compared by.

    `turned` (8, 4) uint64: the hash of the whole sheet in each orientation; `windows` (w, 4): of its windows, the
    sheet as it is first; `unsure` (8, bands, PROBED) uint8: see `sheet_hashes`; `digest`: of its grey values. These
    themselves are many, and few sheets are laid on another, so they come only when they are asked for; `soft`: a small
    blurred square, likewise.
    """

    turned: NDArray[np.uint64]
    windows: NDArray[np.uint64]
    unsure: NDArray[np.uint8]
    digest: bytes
    grey: Callable[[], Grey]
    soft: Callable[[], Grey]

    @property
    def thumb(self) -> Grey:
        """The grey values of the sheet, brought to a square."""
        return self.grey()

    @property
    def identity(self) -> bytes:
        """What two fingerprints share if, and only if, they are equal: all else follows from the grey values."""
        return self.digest + bytes([len(self.windows)])


class Candidate(NamedTuple):
    """A pair to confirm: `part`, turned by `orientation`, looks like window number `window` of `whole`."""

    whole: int
    part: int
    window: int
    orientation: int


@cache
def windows() -> tuple[Window, ...]:
    """Return the windows that are hashed of every sheet, the whole one first.

    Both sides cut by the same share, or one side only, at every step.
    """
    found: list[Window] = [(0.0, 0.0, 1.0, 1.0)]
    for side in CROPS:
        starts = [step * _STEP for step in range(round((1 - side) / _STEP) + 1)]
        found += [(left, top, side, side) for left in starts for top in starts]
        found += [(left, 0.0, side, 1.0) for left in starts]
        found += [(0.0, top, 1.0, side) for top in starts]
    return tuple(found)


def packed(bits: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Return hashes of HASH_BITS bits, (n, HASH_BITS), as words, (n, 4)."""
    return np.asarray(np.packbits(bits.reshape(-1, HASH_BITS), axis=1).view(np.uint64))


def agreement(a: Grey, b: Grey, valid: NDArray[np.bool_] | None = None) -> float:
    """Return the share of inked tiles in which two grey squares (THUMB, THUMB) agree, in [0, 1].

    Brightness and contrast do not count. `valid` (THUMB, THUMB): where both have pixels; tiles that are not wholly
    in it are passed over. 0 when less than LEAST_OVERLAP is valid. Without ink anywhere, 1 for equal squares, else 0.
    """
    if valid is not None and valid.mean() < LEAST_OVERLAP:
        return 0.0
    inside = np.asarray(_tiles(np.ones_like(a, bool) if valid is None else valid).all(axis=1))
    mine, theirs = _tiles(a.astype(np.float64)), _tiles(b.astype(np.float64))
    ink = [_inked(tiles, inside) for tiles in (mine, theirs)]
    counted = inside & (ink[0] | ink[1])
    if not counted.any():
        return float(np.array_equal(a, b))
    return float((_correlation(mine[counted], theirs[counted]) >= TILE_CORRELATION).mean())


def _tiles(square: NDArray[Any]) -> NDArray[Any]:
    """Return a square (THUMB, THUMB) as (TILES * TILES, pixels)."""
    side = THUMB // TILES
    return square.reshape(TILES, side, TILES, side).transpose(0, 2, 1, 3).reshape(TILES * TILES, side * side)


def _inked(tiles: NDArray[np.float64], inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    # From sums: grey values are whole numbers, whose sums and squares lose nothing.
    pixels = tiles.shape[1]
    sums, squares = tiles @ np.ones(pixels), np.einsum("ij,ij->i", tiles, tiles)
    whole = _deviation(sums[inside].sum(), squares[inside].sum(), pixels * max(int(inside.sum()), 1))
    return np.asarray(_deviation(sums, squares, pixels) > max(LEAST_INK, INK_SHARE * float(whole)))


def _deviation(total: Any, squares: Any, count: int) -> Any:
    """Return the standard deviation of `count` whole numbers by their sum and that of their squares."""
    return np.sqrt(np.maximum(squares * count - total**2, 0.0)) / count


def _correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    size = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    return np.asarray(np.divide((a * b).sum(axis=1), size, out=np.zeros_like(size), where=size > 0))


class Joined:
    """Sets of numbers below `count`, each at first alone, that grow by being joined (union-find).

    SciPy has the same; loading it takes as long as checking a hundred sheets.
    """

    def __init__(self, count: int) -> None:
        self._next = list(range(count))  # on the way to the number that stands for the set

    def root(self, number: int) -> int:
        """Return the number that stands for the set of `number`."""
        while self._next[number] != number:
            self._next[number] = self._next[self._next[number]]  # halves the way for whoever asks next
            number = self._next[number]
        return number

    def join(self, one: int, other: int) -> None:
        """Make one set of those of the two: the lower root stands for it."""
        roots = sorted((self.root(one), self.root(other)))
        self._next[roots[1]] = roots[0]

    def sets(self) -> list[list[int]]:
        """Return the sets, each sorted, in the order of their first numbers."""
        found: dict[int, list[int]] = {}
        for number in range(len(self._next)):
            found.setdefault(self.root(number), []).append(number)
        return list(found.values())


def groups(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, ...]]:
    """Return the sheets that hang together by `pairs`, each group sorted, in the order of their first names."""
    some = list(pairs)
    names = sorted({name for pair in some for name in pair})
    place = {name: number for number, name in enumerate(names)}
    joined = Joined(len(names))
    for one, other in some:
        joined.join(place[one], place[other])
    return [tuple(names[number] for number in members) for members in joined.sets()]
