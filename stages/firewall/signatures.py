"""Takes the fingerprint of a sheet from its pixels, and confirms on pixels which sheets are copies of one."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from stages.base.decoding import read_bgr
from stages.firewall.alignment import Laying, alike
from stages.firewall.candidate_search import candidates, every_candidate
from stages.firewall.copies import NEAR, SAME, THUMB, Fingerprint
from stages.firewall.patches import Grey
from stages.firewall.sheet_hashes import sheet_hashes

Names = Mapping[str, Fingerprint]


def fingerprint(image: NDArray[np.uint8], *, crops: bool = True) -> Fingerprint:
    """Return the fingerprint of a decoded image, (height, width, 3) or (height, width), in some milliseconds.

    Without `crops`, no copy that was cropped is found by it.
    """
    thumb = _thumb(image)
    return Fingerprint(*sheet_hashes(thumb, crops=crops), thumb)


def fingerprint_file(file: Path, *, crops: bool = True) -> Fingerprint:
    """Return the fingerprint of an image file; raise `UserError` when it does not decode whole."""
    return fingerprint(read_bgr(file), crops=crops)


def copies(mine: Names, theirs: Names) -> list[tuple[str, str]]:
    """Return the pairs (of `mine`, of `theirs`) that are copies of one sheet, sorted; a sheet is no copy of itself."""
    return _pairs(mine, theirs, SAME)


def near_copies(mine: Names, theirs: Names) -> dict[str, list[str]]:
    """Return each sheet of `mine` that has a near copy in `theirs`, with those; a looser bar than that of `copies`."""
    found: dict[str, list[str]] = {}
    for name, other in _pairs(mine, theirs, NEAR):
        found.setdefault(name, []).append(other)
    return found


def links(prints: Names) -> list[tuple[str, str]]:
    """Return pairs of copies that join the same sheets as all pairs of `copies` do, but fewer, in any order.

    Of sheets that look the same to the last pixel each is joined with the next, and no pair is laid on each other
    that others have joined: with many copies of one sheet, pairs are many.
    """
    from scipy.cluster.hierarchy import DisjointSet  # type: ignore[import-untyped]

    kinds = _kinds(prints)
    one_each = [prints[names[0]] for names in kinds]
    joined = DisjointSet(range(len(kinds)))
    for pair, layings in _layings(one_each, one_each, SAME).items():
        if not joined.connected(*pair) and alike(layings, SAME):
            joined.merge(*pair)
    sets = [[name for kind in sorted(members) for name in kinds[kind]] for members in joined.subsets()]
    return [pair for names in sets for pair in pairwise(names)]


def _pairs(mine: Names, theirs: Names, bar: float) -> list[tuple[str, str]]:
    kinds = _kinds(mine)
    others = kinds if theirs is mine else _kinds(theirs)
    prints = [mine[names[0]] for names in kinds]
    other_prints = prints if theirs is mine else [theirs[names[0]] for names in others]
    found = {pair for pair, layings in _layings(prints, other_prints, bar).items() if alike(layings, bar)}
    if theirs is mine:
        found |= {(j, i) for i, j in found} | {(i, i) for i in range(len(kinds))}
    pairs = ((name, other) for i, j in found for name in kinds[i] for other in others[j])
    return sorted(pair for pair in pairs if pair[0] != pair[1])


def _layings(
    mine: Sequence[Fingerprint], theirs: Sequence[Fingerprint], bar: float
) -> dict[tuple[int, int], list[Laying]]:
    """Return the pairs (of `mine`, of `theirs`) to look at, with the ways to lay each: either on the other.

    Where the two are the same, a pair is named by its lower number first, and none is of a sheet and itself.
    """
    propose = candidates if bar >= SAME else every_candidate
    found: dict[tuple[int, int], list[Laying]] = {}
    for pair in propose(mine, theirs):
        if mine is not theirs or pair.whole != pair.part:
            key = (pair.whole, pair.part)
            key = (min(key), max(key)) if mine is theirs else key
            found.setdefault(key, []).append(Laying(mine[pair.whole], theirs[pair.part], pair))
    for pair in propose(theirs, mine) if mine is not theirs else []:
        found.setdefault((pair.part, pair.whole), []).append(Laying(theirs[pair.whole], mine[pair.part], pair))
    return found


def _kinds(prints: Names) -> list[list[str]]:
    """Return the names in sets that have one fingerprint; most sets have one name."""
    found: dict[tuple[bytes, ...], list[str]] = {}
    for name, one in prints.items():
        found.setdefault(tuple(part.tobytes() for part in one), []).append(name)
    return list(found.values())


def _thumb(image: NDArray[np.uint8]) -> Grey:
    import cv2

    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) if image.ndim == 3 else image
    # A square, so that a sheet that a tool has stretched to one compares as well.
    return cast(Grey, cv2.resize(grey, (THUMB, THUMB), interpolation=cv2.INTER_AREA))
