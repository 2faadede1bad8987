"""Takes the fingerprint of a sheet from its pixels, and confirms on pixels which sheets are copies of one."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from stages.base.decoding import read_bgr
from stages.firewall.copies import (
    HASH_BITS,
    HASH_SIDE,
    NEAR,
    ORIENTATIONS,
    SAME,
    THUMB,
    Candidate,
    Fingerprint,
    Window,
    agreement,
    candidates,
    packed,
    windows,
)

Grey = NDArray[np.uint8]  # (THUMB, THUMB)
SMALL = 4 * HASH_SIDE  # px: a perceptual hash looks at the lowest quarter of the frequencies
_COARSE = 2  # pixels of the square per pixel of the first, coarse alignment
_COARSE_STEPS, _FINE_STEPS = 40, 20  # most steps of the two alignments
_ALIGN_DONE = 1e-4  # change of the correlation at which it ends
_ALIGN_BLUR = 5  # px: thin lines need some width to be drawn towards each other


def fingerprint(image: NDArray[np.uint8], *, crops: bool = True) -> Fingerprint:
    """Return the fingerprint of a decoded image, (height, width, 3) or (height, width), in some milliseconds.

    Without `crops`, no copy that was cropped is found by it, and it takes a fraction of the time.
    """
    thumb = _thumb(image)
    turned = [_turned(thumb, number) for number in range(ORIENTATIONS)]
    parts = [_window(thumb, window) for window in (windows()[1:] if crops else [])]
    hashes = perceptual_hashes([*turned, *parts])
    return Fingerprint(packed(hashes[:ORIENTATIONS]), packed(np.delete(hashes, range(1, ORIENTATIONS), axis=0)), thumb)


def fingerprint_file(file: Path, *, crops: bool = True) -> Fingerprint:
    """Return the fingerprint of an image file; raise `UserError` when it does not decode whole."""
    return fingerprint(read_bgr(file), crops=crops)


def copies(mine: Mapping[str, Fingerprint], theirs: Mapping[str, Fingerprint]) -> list[tuple[str, str]]:
    """Return the pairs (of `mine`, of `theirs`) that are copies of one sheet, sorted; a sheet is no copy of itself."""
    return _pairs(mine, theirs, SAME)


def near_copies(mine: Mapping[str, Fingerprint], theirs: Mapping[str, Fingerprint]) -> dict[str, list[str]]:
    """Return each sheet of `mine` that has a near copy in `theirs`, with those; a looser bar than that of `copies`."""
    found: dict[str, list[str]] = {}
    for name, other in _pairs(mine, theirs, NEAR):
        found.setdefault(name, []).append(other)
    return found


def _pairs(mine: Mapping[str, Fingerprint], theirs: Mapping[str, Fingerprint], bar: float) -> list[tuple[str, str]]:
    names, others = list(mine), list(theirs)
    prints, other_prints = list(mine.values()), list(theirs.values())
    found = {(names[c.whole], others[c.part]) for c in _confirmed(prints, other_prints, bar)}
    if theirs is mine:
        found |= {(part, whole) for whole, part in found}
    else:
        found |= {(names[c.part], others[c.whole]) for c in _confirmed(other_prints, prints, bar)}
    return sorted(pair for pair in found if pair[0] != pair[1])


def _confirmed(wholes: Sequence[Fingerprint], parts: Sequence[Fingerprint], bar: float) -> list[Candidate]:
    return [
        pair
        for pair in candidates(wholes, parts)
        if wholes[pair.whole] is not parts[pair.part] and likeness(wholes[pair.whole], parts[pair.part], pair) >= bar
    ]


def likeness(whole: Fingerprint, part: Fingerprint, pair: Candidate) -> float:
    """Return the share of tiles in which a pair of sheets agrees, in [0, 1]: as they lie, or laid on each other."""
    other = _turned(part.thumb, pair.orientation)
    found = agreement(whole.thumb, other) if pair.window == 0 else 0.0
    if found >= SAME:
        return found
    warp = _aligned(whole.thumb, other, windows()[pair.window])
    return found if warp is None else max(found, _laid_over(whole.thumb, other, warp))


def _thumb(image: NDArray[np.uint8]) -> Grey:
    import cv2

    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) if image.ndim == 3 else image
    # A square, so that a sheet that a tool has stretched to one compares as well.
    return cast(Grey, cv2.resize(grey, (THUMB, THUMB), interpolation=cv2.INTER_AREA))


def _turned(thumb: Grey, orientation: int) -> Grey:
    """Return the square turned by quarter turns, mirrored before from the fourth orientation on."""
    return np.ascontiguousarray(np.rot90(thumb[:, ::-1] if orientation >= 4 else thumb, orientation % 4))


def _window(thumb: Grey, window: Window) -> Grey:
    left, top, width, height = (round(value * THUMB) for value in window)
    return thumb[top : top + height, left : left + width]


def perceptual_hashes(parts: Sequence[Grey]) -> NDArray[np.bool_]:
    """Return the perceptual hash of each part of a square, (k, HASH_BITS).

    The bits of `imagehash.phash`: which of the lowest frequencies (DCT-II) lie above their median (Zauner, 2010). All
    parts of a sheet at once, which takes half the time.
    """
    from scipy.fft import dctn  # type: ignore[import-untyped]

    small = np.stack([_small(part) for part in parts]).astype(np.float64)
    low = dctn(small, axes=(1, 2))[:, :HASH_SIDE, :HASH_SIDE].reshape(len(parts), HASH_BITS)
    return cast(NDArray[np.bool_], low > np.median(low, axis=1, keepdims=True))


def _small(grey: Grey) -> Grey:
    """Return a part of a square at the size whose frequencies are looked at."""
    import cv2

    return cast(Grey, cv2.resize(grey, (SMALL, SMALL), interpolation=cv2.INTER_AREA))


def _aligned(whole: Grey, part: Grey, window: Window) -> NDArray[np.float32] | None:
    """Return the affine map (2, 3) from pixels of `whole` to those of `part`, from the window on; None if none fits."""
    import cv2

    left, top, width, height = window
    warp: NDArray[np.float32] = np.array([[1 / width, 0, -left / width], [0, 1 / height, -top / height]], np.float32)
    warp[:, 2] *= THUMB / _COARSE
    try:
        for scale, steps in ((_COARSE, _COARSE_STEPS), (1, _FINE_STEPS)):
            side = THUMB // scale
            a, b = (cv2.resize(square, (side, side), interpolation=cv2.INTER_AREA) for square in (whole, part))
            if scale == 1:
                # A pixel of the coarse square covers several: its centre lies between theirs.
                warp[:, 2] = _COARSE * warp[:, 2] + (_COARSE - 1) / 2 * (1 - warp[:, :2].sum(axis=1))
            ends = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, steps, _ALIGN_DONE)
            warp = cv2.findTransformECC(a, b, warp, cv2.MOTION_AFFINE, ends, None, _ALIGN_BLUR)[1]
    except cv2.error:  # it does not converge: these two have nothing in common
        return None
    return warp


def _laid_over(whole: Grey, part: Grey, warp: NDArray[np.float32]) -> float:
    import cv2

    def lay(square: NDArray[Any], flags: int) -> NDArray[np.uint8]:
        moved = cv2.warpAffine(square, warp, (THUMB, THUMB), flags=flags | cv2.WARP_INVERSE_MAP)
        return cast(NDArray[np.uint8], moved)

    valid = lay(np.ones((THUMB, THUMB), np.uint8), cv2.INTER_NEAREST) > 0
    return agreement(whole, lay(part, cv2.INTER_LINEAR), valid)
