"""Perceptual hashes of a sheet in eight orientations and of windows in it, all from one square of grey values.

A hash says which of the lowest frequencies (DCT-II) lie above their median (Zauner, 2010): the bits of
`imagehash.phash`. Bringing a window down to SMALL pixels and taking its frequencies are both linear, so one matrix per
start and length of a window's side does both, and the windows of a sheet share the sides. A turned sheet has the
frequencies of the sheet as it is, transposed and with other signs.
"""

from functools import cache
from typing import cast

import numpy as np
from numpy.typing import NDArray

from stages.firewall.copies import HASH_BITS, HASH_SIDE, ORIENTATIONS, THUMB, packed, windows

SMALL = 4 * HASH_SIDE  # px: a perceptual hash looks at the lowest quarter of the frequencies
# Decimals that count: where a sheet is blank or symmetric, frequencies are equal, and another CPU rounds otherwise.
_DECIMALS = 6
_ODD = (-1.0) ** np.arange(HASH_SIDE)  # what mirroring does to each frequency
Frequencies = NDArray[np.float64]  # (HASH_SIDE, HASH_SIDE), or several of these


def sheet_hashes(thumb: NDArray[np.uint8], *, crops: bool = True) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return the hashes of a grey square (THUMB, THUMB): in each orientation, (8, 4), and of its windows, (w, 4).

    The first of both is the sheet as it is. Without `crops` there is no other window.
    """
    turned = hashed(orientations(frequencies(thumb)))
    if not crops:
        return turned, turned[:1]
    return turned, np.concatenate([turned[:1], hashed(_of_windows(thumb))])


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


def hashed(low: Frequencies) -> NDArray[np.uint64]:
    """Return the hashes, (n, 4), of frequencies (n, HASH_SIDE, HASH_SIDE)."""
    flat = low.reshape(-1, HASH_BITS).round(_DECIMALS)
    return packed(flat > np.median(flat, axis=1, keepdims=True))


def _of_windows(thumb: NDArray[np.uint8]) -> Frequencies:
    """Return the frequencies of every window but the first, (w - 1, HASH_SIDE, HASH_SIDE), in whole numbers.

    In single precision, which takes half the time: its last digits are lost, and paper is taken off before.
    """
    maps, down, across = _maps()
    level = round(float(thumb.mean()))
    low = maps @ ((thumb.astype(np.float32) - np.float32(level)) @ maps.T)
    blocks = low.reshape(len(maps) // HASH_SIDE, HASH_SIDE, len(maps) // HASH_SIDE, HASH_SIDE)
    found = np.rint(blocks[down, :, across].astype(np.float64))
    found[:, 0, 0] += 4 * SMALL**2 * level
    return found


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
