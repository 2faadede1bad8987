"""Proposes which sheets may be copies of one, without comparing all with all.

The low bits of a hash are turned by a crop or by JPEG least of all. A band is a key of such bits: the windows of all
sheets are sorted by it, and a sheet looks its own key up, with every value of the few bits that are least sure, since
their frequencies lie next to the median (multi-probe hashing: Lv et al., 2007). Whatever band a pair is found in, all
bits of its hashes decide. A band finds few strangers, and several bands miss few copies.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.firewall.copies import HASH_BAR, HASH_BITS, ORIENTATIONS, Candidate, Fingerprint
from stages.firewall.sheet_hashes import PROBED, bands

# Bits that may differ in the first of the four words: it drops nearly all strangers at a quarter of the work.
FIRST_WORD_BAR = 0.45
# Share of bits that may differ in the view that met in a band. It is not always the nearest view of the pair: with
# HASH_BAR here, 3 of 81 sheets of the demo that were cropped by 20 % went unseen.
MET_BAR = 0.38
PROBED_TURNED = 4  # the same for a sheet that is turned: it is looked for as a whole alone, whose bits hardly change
_SHEETS = 500  # that look their keys up at a time, so that a large pool fits into memory
_ROWS = 500  # sheets that are compared with all others at a time, likewise
_PAIRS = 4096  # that are held against all bits at a time
_UNLIKE = HASH_BITS + 1  # more bits than can differ
Words = NDArray[np.uint64]
Pairs = NDArray[np.int64]  # (k, 2): of `wholes`, of `parts`


class _Index(NamedTuple):
    """Keys of one band, sorted, and the row of the hashes that has each."""

    keys: NDArray[np.uint32]
    rows: NDArray[np.int64]


class _Met(NamedTuple):
    """Rows of an index, and the rows of those who asked, that share a key."""

    mine: NDArray[np.int64]
    theirs: NDArray[np.int64]


def candidates(wholes: Sequence[Fingerprint], parts: Sequence[Fingerprint]) -> list[Candidate]:
    """Return which of `parts` may be a copy, or a crop, of which of `wholes`, each pair by its nearest hash, sorted.

    Indices are into the two, whose members have windows alike. Nothing depends on the order of the two.
    """
    if not wholes or not parts:
        return []
    return nearest_views(wholes, parts, proposed(wholes, parts))


def proposed(wholes: Sequence[Fingerprint], parts: Sequence[Fingerprint]) -> Pairs:
    """Return the pairs with a view that shares a key in some band and is within MET_BAR, (k, 2), sorted.

    They are numbers of `wholes` and of `parts`.
    """
    windows = np.stack([whole.windows for whole in wholes])  # (n, w, 4)
    turned = np.stack([part.turned for part in parts])  # (m, 8, 4)
    blocks = [slice(start, start + _SHEETS) for start in range(0, len(parts), _SHEETS)]
    unsure = np.stack([part.unsure for part in parts])  # (m, 8, bands, PROBED)
    found = [np.zeros(0, np.int64)]
    for number, band in enumerate(bands()):
        # As it is, a sheet is looked for in all windows, and turned among whole sheets.
        views, whole = windows.reshape(-1, 4), np.ascontiguousarray(windows[:, 0])
        indices = _index(views, band), _index(whole, band)
        for block in blocks:
            for turn in range(ORIENTATIONS):
                asked = turned[block, turn]
                hashes, index, most = (whole, indices[1], PROBED_TURNED) if turn else (views, indices[0], PROBED)
                met = _met(index, _probes(_keys(asked, band), unsure[block, turn, number, :most]))
                near = np.bitwise_count(hashes[met.mine] ^ asked[met.theirs]).sum(axis=1) <= MET_BAR * HASH_BITS
                sheet = met.mine[near] // (1 if turn else windows.shape[1])
                found.append(sheet * len(parts) + block.start + met.theirs[near])
    return np.stack(np.divmod(np.unique(np.concatenate(found)), len(parts)), axis=1)


def nearest_views(wholes: Sequence[Fingerprint], parts: Sequence[Fingerprint], pairs: Pairs) -> list[Candidate]:
    """Return those of `pairs` whose nearest hashes differ in no more than HASH_BAR of the bits, with that view."""
    windows = np.stack([whole.windows for whole in wholes])
    turned = np.stack([part.turned for part in parts])
    window, turn = _views(windows.shape[1])
    first_of_windows, first_of_turned = windows[..., 0].copy(), turned[..., 0].copy()
    found: list[Candidate] = []
    for block in (pairs[start : start + _PAIRS] for start in range(0, len(pairs), _PAIRS)):
        mine, theirs = block.T
        differ = np.bitwise_count(first_of_windows[mine][:, window] ^ first_of_turned[theirs][:, turn])
        rows, views = np.nonzero(differ <= FIRST_WORD_BAR * 64)
        others = windows[mine[rows], window[views], 1:] ^ turned[theirs[rows], turn[views], 1:]
        bits = differ[rows, views] + np.bitwise_count(others).sum(axis=1, dtype=np.int64)
        near = np.flatnonzero(bits <= HASH_BAR * HASH_BITS)
        near = near[np.lexsort([views[near], bits[near], rows[near]])]
        pair, nearest = np.unique(rows[near], return_index=True)
        view = views[near[nearest]]
        columns = (mine[pair], theirs[pair], window[view], turn[view])
        found += map(Candidate._make, zip(*(column.tolist() for column in columns), strict=True))
    return found


def next_view(whole: Fingerprint, part: Fingerprint, pair: Candidate) -> Candidate:
    """Return the pair by the view that is nearest after the one that it has."""
    window, turn = _views(len(whole.windows))
    differ = np.bitwise_count(whole.windows[window] ^ part.turned[turn])
    bits = np.where(differ[:, 0] <= FIRST_WORD_BAR * 64, differ.sum(axis=1, dtype=np.int64), _UNLIKE)
    order = bits.argsort(kind="stable")[:2]
    views = zip(window[order].tolist(), turn[order].tolist(), strict=True)
    return Candidate(*pair[:2], *next(view for view in views if view != pair[2:]))


def _views(windows: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the window and the orientation of each view: the whole in each orientation, then each window."""
    numbers = np.arange(ORIENTATIONS + windows - 1)
    return np.maximum(numbers - ORIENTATIONS + 1, 0), np.where(numbers < ORIENTATIONS, numbers, 0)


def every_candidate(wholes: Sequence[Fingerprint], parts: Sequence[Fingerprint]) -> list[Candidate]:
    """Return what `candidates` does, and what it misses: all are compared with all.

    Where a good part of a sheet is another, as in a near copy, its low bits are others, too.
    """
    if not wholes or not parts:
        return []
    views = [(0, turn) for turn in range(ORIENTATIONS)]
    views += [(window, 0) for window in range(1, len(wholes[0].windows))]
    nearest: dict[tuple[int, int], tuple[int, int, int]] = {}  # pair -> bits that differ, window, orientation
    for window, turn in views:
        mine = np.stack([whole.windows[window] for whole in wholes])
        theirs = np.stack([part.turned[turn] for part in parts])
        for i, j, differ in _close(mine, theirs):
            nearest[i, j] = min(nearest.get((i, j), (HASH_BITS, 0, 0)), (differ, window, turn))
    return [Candidate(*pair, *nearest[pair][1:]) for pair in sorted(nearest)]


def _close(mine: NDArray[np.uint64], theirs: NDArray[np.uint64]) -> list[tuple[int, int, int]]:
    """Return the pairs of hashes, (n, 4) and (m, 4), within HASH_BAR, each with the bits in which it differs."""
    found: list[tuple[int, int, int]] = []
    for start in range(0, len(mine), _ROWS):
        block = mine[start : start + _ROWS]
        first = np.bitwise_count(block[:, None, 0] ^ theirs[None, :, 0])
        rows, columns = np.nonzero(first <= FIRST_WORD_BAR * 64)
        differ = np.bitwise_count(block[rows] ^ theirs[columns]).sum(axis=1)
        near = differ <= HASH_BAR * HASH_BITS
        found += zip((rows[near] + start).tolist(), columns[near].tolist(), differ[near].tolist(), strict=True)
    return found


def _index(hashes: Words, band: NDArray[np.intp]) -> _Index:
    """Return the index of hashes (n, 4)."""
    keys = _keys(hashes, band)
    rows = keys.argsort(kind="stable")
    return _Index(keys[rows], rows)


def _keys(hashes: Words, band: NDArray[np.intp]) -> NDArray[np.uint32]:
    """Return the key of each hash, (..., 4), in a band."""
    octets = np.ascontiguousarray(hashes).view(np.uint8)
    keys = np.zeros(hashes.shape[:-1], np.uint32)
    for place, bit in enumerate(band.tolist()):
        keys |= ((octets[..., bit // 8] >> np.uint8(7 - bit % 8)) & np.uint8(1)).astype(np.uint32) << np.uint32(place)
    return keys


def _probes(keys: NDArray[np.uint32], places: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Return each key (m,) with every value of the bits at its `places` (m, p): (m, 2 ** p)."""
    probes = keys[:, None]
    for bits in (np.uint32(1) << places.astype(np.uint32)).T:
        probes = np.concatenate([probes, probes ^ bits[:, None]], axis=1)
    return probes


def _met(index: _Index, probes: NDArray[np.uint32]) -> _Met:
    """Return which rows of the index have a key of which row of `probes`."""
    order = probes.ravel().argsort(kind="stable")  # neighbours look at the same place: several times as fast
    asked = probes.ravel()[order]
    start, end = index.keys.searchsorted(asked, "left"), index.keys.searchsorted(asked, "right")
    hits = end - start
    within = np.arange(hits.sum()) - np.repeat(hits.cumsum() - hits, hits)
    return _Met(index.rows[np.repeat(start, hits) + within], np.repeat(order // probes.shape[1], hits))
