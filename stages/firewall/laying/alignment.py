"""Lays a sheet on another that it may be a copy of, and says in how many of their tiles the two agree.

That takes 20 ms, so it is done only where patches of the one are near their places in the other, and to the pixel only
where laying them roughly, in a third of the time, leaves the answer open.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from stages.firewall.candidate_search import next_view
from stages.firewall.copies import SAME, THUMB, Candidate, Fingerprint, Grey, Window, agreement, windows
from stages.firewall.grey_squares import AT_HAND, Recent
from stages.firewall.laying.patches import Patches, Soft, patches_found, patches_of, softened

_COARSE = 2  # pixels of the square per pixel of the first, coarse alignment
_COARSE_STEPS, _FINE_STEPS = 40, 20  # most steps of the two alignments
# So many fewer tiles than the bar asks for may agree after the coarse alignment. There all of 573 cropped, squeezed and
# re-encoded copies had 0.87 of their tiles or more, and of 114 strangers that came so far 95 % had 0.64 or less.
_COARSE_SLACK = 0.25
_ALIGN_DONE = 1e-4  # change of the correlation at which it ends
_ALIGN_BLUR = 5  # px: thin lines need some width to be drawn towards each other
_PATCH_SLACK = 0.35  # fewer of the patches than of the tiles may agree, which are laid to the pixel
_NEARLY = 0.2  # fewer of them still, so that the next view is looked at: the nearest hash is not always of the nearest


class Laying(NamedTuple):
    """A sheet that may be laid on another, and how: see `Candidate`."""

    whole: Fingerprint
    part: Fingerprint
    pair: Candidate


class Softened:
    """The blurred squares of sheets, and their patches: made once while they are asked for again and again."""

    def __init__(self) -> None:
        self._squares: Recent[bytes, Soft] = Recent(AT_HAND)
        self._patches: Recent[tuple[bytes, int], Patches] = Recent(AT_HAND)

    def square(self, one: Fingerprint) -> Soft:
        """Return the blurred square of a sheet."""
        return self._squares.get(one.digest, lambda: softened(one.thumb))

    def patches(self, one: Fingerprint, orientation: int) -> Patches:
        """Return the patches of a sheet that is turned."""
        return self._patches.get((one.digest, orientation), lambda: patches_of(_turned(self.square(one), orientation)))


def alike(layings: Sequence[Laying], bar: float, soft: Softened) -> bool:
    """Say whether two sheets agree in a share `bar` of their tiles or more, in one of the ways to lay them.

    Each laid on the other makes two: of a crop that is taken for the whole, many patches lie outside, and now and then
    it alone can be laid, so that patches of one way are enough to try both.
    """
    return any(_may_agree(one, bar - _PATCH_SLACK, soft) for one in layings) and any(
        likeness(*one, bar=bar) >= bar for one in layings
    )


def likeness(whole: Fingerprint, part: Fingerprint, pair: Candidate, *, bar: float | None = None) -> float:
    """Return the share of tiles in which a pair of sheets agrees, in [0, 1]: as they lie, or laid on each other.

    With `bar` only as exactly as it takes to say whether that is `bar` or more.
    """
    other = _turned(part.thumb, pair.orientation)
    found = agreement(whole.thumb, other) if pair.window == 0 else 0.0
    if found >= SAME:
        return found
    for warp in _aligned(whole.thumb, other, windows()[pair.window]):
        found = max(found, _laid_over(whole.thumb, other, warp))
        if bar is not None and not bar - _COARSE_SLACK <= found < bar:
            break
    return found


def _turned(thumb: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Return a square turned by quarter turns, mirrored before from the fourth orientation on."""
    return np.ascontiguousarray(np.rot90(thumb[:, ::-1] if orientation >= 4 else thumb, orientation % 4))


def _may_agree(one: Laying, share: float, soft: Softened) -> bool:
    """Say whether enough patches are found by the nearest hash, or by the next where that finds nearly enough."""
    found = _share_found(one, soft)
    if share - _NEARLY <= found < share:
        found = _share_found(one._replace(pair=next_view(one.whole, one.part, one.pair)), soft)
    return found >= share


def _share_found(one: Laying, soft: Softened) -> float:
    patches = soft.patches(one.part, one.pair.orientation)
    return patches_found(soft.square(one.whole), patches, windows()[one.pair.window])


def _aligned(whole: Grey, part: Grey, window: Window) -> Iterator[NDArray[np.float32]]:
    """Yield the affine map (2, 3) from pixels of `whole` to those of `part`, from the window on: coarse, then fine.

    No map where none fits.
    """
    import cv2

    left, top, width, height = window
    warp: NDArray[np.float32] = np.array([[1 / width, 0, -left / width], [0, 1 / height, -top / height]], np.float32)
    warp[:, 2] *= THUMB / _COARSE
    try:
        for scale, steps in ((_COARSE, _COARSE_STEPS), (1, _FINE_STEPS)):
            side = THUMB // scale
            a, b = (cv2.resize(square, (side, side), interpolation=cv2.INTER_AREA) for square in (whole, part))
            ends = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, steps, _ALIGN_DONE)
            warp = cv2.findTransformECC(a, b, warp, cv2.MOTION_AFFINE, ends, None, _ALIGN_BLUR)[1]
            # A pixel of the coarse square covers several: its centre lies between theirs.
            warp[:, 2] = scale * warp[:, 2] + (scale - 1) / 2 * (1 - warp[:, :2].sum(axis=1))
            yield warp.copy()
    except cv2.error:  # it does not converge: these two have nothing in common
        return


def _laid_over(whole: Grey, part: Grey, warp: NDArray[np.float32]) -> float:
    import cv2

    def lay(square: NDArray[Any], flags: int) -> NDArray[np.uint8]:
        moved = cv2.warpAffine(square, warp, (THUMB, THUMB), flags=flags | cv2.WARP_INVERSE_MAP)
        return cast(NDArray[np.uint8], moved)

    valid = lay(np.ones((THUMB, THUMB), np.uint8), cv2.INTER_NEAREST) > 0
    return agreement(whole, lay(part, cv2.INTER_LINEAR), valid)
