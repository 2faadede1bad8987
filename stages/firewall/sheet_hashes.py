"""Perceptual hashes of a sheet in eight orientations and of windows in it, all from one square of grey values.

A hash says which of the lowest frequencies (DCT-II) lie above their median (Zauner, 2010): the bits of
`imagehash.phash`. Bringing a window down to SMALL pixels and taking its frequencies are both linear, so one matrix per
start and length of a window's side does both, and the windows of a sheet share the sides. A turned sheet has the
frequencies of the sheet as it is, transposed and with other signs.
"""

from functools import cache
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from stages.firewall.copies import HASH_BITS, HASH_SIDE, ORIENTATIONS, THUMB, packed, windows

SMALL = 4 * HASH_SIDE  # px: a perceptual hash looks at the lowest quarter of the frequencies
# Decimals that count: where a sheet is blank or symmetric, frequencies are equal, and another CPU rounds otherwise.
_DECIMALS = 6
PROBED = 8  # of a band's bits that are least sure: each value of them is looked up
_BAND = 24  # most bits of a band
_ODD = (-1.0) ** np.arange(HASH_SIDE)  # what mirroring does to each frequency
Frequencies = NDArray[np.float64]  # (HASH_SIDE, HASH_SIDE), or several of these


@cache
def bands() -> list[NDArray[np.intp]]:
    """Return the bits of a hash that make up the key of each band, all of low frequencies: see `candidate_search`."""
    down, across = np.divmod(np.arange(1, HASH_BITS), HASH_SIDE)  # without bit 0, the mean, which is always set
    chosen = [
        (down < 5) & (across < 5),
        (down < 2) & (across < 13),
        (across < 2) & (down < 13),
        # Odd down and across together. With even ones half of all sheets of a drawing set share a key.
        (down + across <= 7) & ((down + across) % 2 == 1),
    ]
    return [1 + np.flatnonzero(each)[:_BAND] for each in chosen]


class SheetHashes(NamedTuple):
    """The hashes of a sheet in each orientation, (8, 4), and of its windows, (w, 4); the sheet as it is comes first.

    `unsure` (8, bands, PROBED): of the sheet in each orientation the places in the key of each band whose bits are
    least sure, the least sure one first.
    """

    turned: NDArray[np.uint64]
    windows: NDArray[np.uint64]
    unsure: NDArray[np.uint8]


def sheet_hashes(thumb: NDArray[np.uint8], *, crops: bool = True) -> SheetHashes:
    """Return the hashes of a grey square (THUMB, THUMB); without `crops` there is no window but the whole."""
    low = orientations(frequencies(thumb))
    turned = _hashed(low.reshape(-1, HASH_BITS).round(_DECIMALS))
    windows = np.concatenate([turned[:1], _hashed(_of_windows(thumb))]) if crops else turned[:1]
    return SheetHashes(turned, windows, _unsure(low.reshape(-1, HASH_BITS)))


def frequencies(thumb: NDArray[np.uint8]) -> Frequencies:
    """Return the lowest frequencies of a whole sheet, brought down to SMALL as OpenCV's INTER_AREA does."""
    step = THUMB // SMALL
    # A side at a time, over rows: several times as fast as over both axes.
    down = thumb.reshape(SMALL, step, THUMB).sum(axis=1, dtype=np.float64)
    blocks = down.T.reshape(SMALL, step, SMALL).sum(axis=1).T
    small = np.rint(blocks / step**2)  # to whole grey values, halves to even
    return cast(Frequencies, _cosines() @ small @ _cosines().T)


def orientations(low: Frequencies) -> Frequencies:
    """Return the frequencies of a sheet in each orientation, (8, HASH_SIDE, HASH_SIDE): see `signatures`."""
    turned = []
    for one in (low, low * _ODD):
        for _ in range(ORIENTATIONS // 2):
            turned.append(one)
            one = one.T * _ODD[:, None]  # a quarter turn: transposed, then upside down  # noqa: PLW2901
    return np.stack(turned)


def _hashed(low: NDArray[np.floating[Any]]) -> NDArray[np.uint64]:
    """Return the hashes, (n, 4), of frequencies (n, HASH_BITS) that are equal or clearly apart."""
    half = HASH_BITS // 2
    # Above the median is above the lower of the two in the middle: their mean is never above the upper one.
    return packed(low > np.partition(low, half - 1, axis=1)[:, half - 1 : half])


def _unsure(low: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return the places of `SheetHashes.unsure` from the frequencies (8, HASH_BITS)."""
    half = HASH_BITS // 2
    middle = np.partition(low, (half - 1, half), axis=1)[:, half - 1 : half + 1]
    margins = np.abs(low - (middle[:, :1] + middle[:, 1:]) / 2)
    places = [margins[:, band].argsort(axis=1, kind="stable")[:, :PROBED] for band in bands()]
    return np.stack(places, axis=1).astype(np.uint8)


def _of_windows(thumb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the frequencies of every window but the first, (w - 1, HASH_BITS), in whole numbers.

    In single precision, which takes half the time: its last digits are lost, and paper is taken off before. Whole
    numbers of that size it holds exactly.
    """
    maps, down, across = _maps()
    level = round(float(thumb.mean()))
    low = maps @ ((thumb.astype(np.float32) - np.float32(level)) @ maps.T)
    blocks = low.reshape(len(maps) // HASH_SIDE, HASH_SIDE, len(maps) // HASH_SIDE, HASH_SIDE)
    found = np.rint(blocks[down, :, across])
    found[:, 0, 0] += 4 * SMALL**2 * level
    return cast(NDArray[np.float32], found.reshape(-1, HASH_BITS))


@cache
def _cosines() -> NDArray[np.float64]:
    """Return the lowest rows of DCT-II for SMALL values, (HASH_SIDE, SMALL), without a scale, as scipy has them."""
    angles = np.pi * np.outer(np.arange(HASH_SIDE), 2 * np.arange(SMALL) + 1) / (2 * SMALL)
    return cast(NDArray[np.float64], 2 * np.cos(angles))


@cache
def _maps() -> tuple[NDArray[np.float32], NDArray[np.intp], NDArray[np.intp]]:
    """Return the map of each side that windows have, (sides * HASH_SIDE, THUMB), and which two each window has."""
    boxes = [[round(value * THUMB) for value in window] for window in windows()[1:]]
    across, down = [(left, width) for left, _, width, _ in boxes], [(top, height) for _, top, _, height in boxes]
    sides = sorted({*across, *down})
    maps = np.concatenate([_cosines() @ _shrinking(*side) for side in sides]).astype(np.float32)
    return maps, np.array([sides.index(side) for side in down]), np.array([sides.index(side) for side in across])


def _shrinking(start: int, length: int) -> NDArray[np.float64]:
    """Return the matrix (SMALL, THUMB) that brings `length` pixels from `start` on down to SMALL, each a mean."""
    edges = start + np.arange(SMALL + 1) * length / SMALL
    pixels = np.arange(THUMB)
    share = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return cast(NDArray[np.float64], np.clip(share, 0, None) * SMALL / length)
