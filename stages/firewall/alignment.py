"""Lays a sheet on another that it may be a copy of, and says in how many of their tiles the two agree.

Sheets of one drawing set look alike, and laying one on another takes 20 ms. So patches of the one are looked for about
their places in the other first: in a stranger most are nowhere near, and one that may be a copy is laid on in any case.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from stages.firewall.copies import (
    INK_SHARE,
    LEAST_INK,
    SAME,
    THUMB,
    Candidate,
    Fingerprint,
    Window,
    agreement,
    windows,
)

Grey = NDArray[np.uint8]  # (THUMB, THUMB)
_COARSE = 2  # pixels of the square per pixel of the first, coarse alignment
_COARSE_STEPS, _FINE_STEPS = 40, 20  # most steps of the two alignments
_ALIGN_DONE = 1e-4  # change of the correlation at which it ends
_ALIGN_BLUR = 5  # px: thin lines need some width to be drawn towards each other
# Of the patches that are looked for. A crop lies within half a step of the nearest window, 0.025 of the side, and is as
# much larger or smaller at most. Copies find 0.93 of their patches and more, strangers with near hashes 0.67 at most.
_PATCH_SQUARE = 128  # px: side of the squares that they are of
_PATCH = 32  # px
_REACH = 6  # px
_PATCH_BLUR = 1.5  # px, standard deviation
_PATCH_FOUND = 0.8  # correlation
_PATCH_SLACK = 0.15  # fewer of them than of tiles may agree


class Laying(NamedTuple):
    """A sheet that may be laid on another, and how: see `Candidate`."""

    whole: Fingerprint
    part: Fingerprint
    pair: Candidate


def alike(layings: Sequence[Laying], bar: float) -> bool:
    """Say whether two sheets agree in a share `bar` of their tiles or more, in one of the ways to lay them.

    Each laid on the other makes two: of a crop that is taken for the whole, many patches lie outside, and now and then
    it alone can be laid, so that patches of one way are enough to try both.
    """
    return any(_patches_found(one, bar - _PATCH_SLACK) for one in layings) and any(
        likeness(*one) >= bar for one in layings
    )


def likeness(whole: Fingerprint, part: Fingerprint, pair: Candidate) -> float:
    """Return the share of tiles in which a pair of sheets agrees, in [0, 1]: as they lie, or laid on each other."""
    other = _turned(part.thumb, pair.orientation)
    found = agreement(whole.thumb, other) if pair.window == 0 else 0.0
    if found >= SAME:
        return found
    warp = _aligned(whole.thumb, other, windows()[pair.window])
    return found if warp is None else max(found, _laid_over(whole.thumb, other, warp))


def _turned(thumb: Grey, orientation: int) -> Grey:
    """Return the square turned by quarter turns, mirrored before from the fourth orientation on."""
    return np.ascontiguousarray(np.rot90(thumb[:, ::-1] if orientation >= 4 else thumb, orientation % 4))


def _patches_found(laying: Laying, share: float) -> bool:
    """Say whether `share` of the inked patches of the part are to be seen in the window, about their places.

    True where there is no ink. It ends as soon as too many are missing.
    """
    import cv2

    left, top, width, height = (round(value * THUMB) for value in windows()[laying.pair.window])
    mine = _patch_square(laying.whole.thumb[top : top + height, left : left + width])
    theirs = _patch_square(_turned(laying.part.thumb, laying.pair.orientation))
    mine = cv2.copyMakeBorder(mine, _REACH, _REACH, _REACH, _REACH, cv2.BORDER_REPLICATE)
    corners = [(y, x) for y in range(0, _PATCH_SQUARE, _PATCH) for x in range(0, _PATCH_SQUARE, _PATCH)]
    patches = {corner: theirs[corner[0] : corner[0] + _PATCH, corner[1] : corner[1] + _PATCH] for corner in corners}
    ink = max(LEAST_INK, INK_SHARE * float(theirs.std()))
    inked = {corner: patch for corner, patch in patches.items() if patch.std() > ink}
    missing, side = 0, _PATCH + 2 * _REACH
    for (y, x), patch in inked.items():
        found = cv2.matchTemplate(mine[y : y + side, x : x + side], patch, cv2.TM_CCOEFF_NORMED).max()
        missing += found < _PATCH_FOUND
        if missing > (1 - share) * len(inked):
            return False
    return True


def _patch_square(grey: Grey) -> NDArray[np.float32]:
    import cv2

    small = cv2.resize(grey, (_PATCH_SQUARE, _PATCH_SQUARE), interpolation=cv2.INTER_AREA)
    return cast(NDArray[np.float32], cv2.GaussianBlur(small.astype(np.float32), (0, 0), _PATCH_BLUR))


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
