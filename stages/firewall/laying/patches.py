"""Says cheaply whether a sheet may lie in a window of another: whether its patches are near their places there.

Sheets of one drawing set look alike to their hashes, and laying one on another takes 20 ms; this takes a third of one.
"""

from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from stages.firewall.copies import INK_SHARE, LEAST_INK, Grey, Window

_BLURRED = 128  # px: side of the square that is blurred, before it is brought down: lines must not fall through
_BLUR = 1.0  # px, standard deviation
_SIDE = 64  # px: side of the square that patches are of
_PATCH = 16  # px
_ACROSS = _SIDE // _PATCH  # patches along a side
# A crop lies within half a step of the nearest window, 0.025 of the side, and is as much larger or smaller at most.
_REACH = 3  # px
_SHIFTS = 2 * _REACH + 1  # places along a side
# Of 300 cropped copies all but one find 0.6 of their patches or more, strangers with near hashes 0.3 on average, and
# one in twenty of them 0.55.
_FOUND = 0.8  # correlation
_WHOLE: Window = (0.0, 0.0, 1.0, 1.0)
Soft = NDArray[np.uint8]  # (_BLURRED, _BLURRED)


class Patches(NamedTuple):
    """The patches of a sheet: (4, 4, _PATCH, _PATCH) less their means, their sums of squares, and which have ink."""

    values: NDArray[np.float32]
    sizes: NDArray[np.float32]
    inked: NDArray[np.bool_]


def softened(grey: Grey) -> Soft:
    """Return a square blurred; a turned one, blurred, is the blurred one, turned."""
    import cv2

    square = cv2.resize(grey, (_BLURRED, _BLURRED), interpolation=cv2.INTER_AREA)
    return cast(Soft, cv2.GaussianBlur(square, (0, 0), _BLUR))


def patches_of(part: Soft) -> Patches:
    """Return the patches of a blurred square."""
    square = _sampled(part, _WHOLE, 0)
    patches = square.reshape(_ACROSS, _PATCH, _ACROSS, _PATCH).transpose(0, 2, 1, 3)
    patches = patches - patches.mean(axis=(2, 3), keepdims=True)
    sizes = np.einsum("cdij,cdij->cd", patches, patches)
    inked = sizes > (_PATCH * max(LEAST_INK, INK_SHARE * float(square.std()))) ** 2
    return Patches(patches, sizes, inked)


def patches_found(whole: Soft, patches: Patches, window: Window) -> float:
    """Return the share of the inked patches of a sheet that are to be seen in `window` of `whole`, near their places.

    Brightness and contrast do not count. 1 where there is no ink.
    """
    if not patches.inked.any():
        return 1.0
    field = _sampled(whole, window, _REACH)
    products = np.einsum("cdabij,cdij->cdab", _places(field), patches.values)
    correlation = products / np.sqrt(_sizes(field) * np.maximum(patches.sizes, 1.0)[:, :, None, None])
    return float((correlation.max(axis=(2, 3)) >= _FOUND)[patches.inked].mean())


def _places(field: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what lies at each place of each patch, as a view: (patches down, across, places down, across, pixels)."""
    down, across = field.strides
    shape = (_ACROSS, _ACROSS, _SHIFTS, _SHIFTS, _PATCH, _PATCH)
    return np.lib.stride_tricks.as_strided(
        field, shape, (_PATCH * down, _PATCH * across, down, across, down, across), writeable=False
    )


def _sizes(field: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the sum of squares about the mean, 1 at least, of each place of each patch: four axes as `_places`."""
    import cv2

    sums, squares = (
        box(field, cv2.CV_32F, (_PATCH, _PATCH), anchor=(0, 0), normalize=False)
        for box in (cv2.boxFilter, cv2.sqrBoxFilter)
    )
    about = np.maximum(squares - sums**2 / _PATCH**2, 1.0)
    starts = _PATCH * np.arange(_ACROSS)[:, None] + np.arange(_SHIFTS)  # (patches, places) along a side
    return cast(NDArray[np.float32], about[starts[:, None, :, None], starts[None, :, None, :]])


def _sampled(square: Soft, window: Window, margin: int) -> NDArray[np.float32]:
    """Return a window of a blurred square at _SIDE px a side, with `margin` more around it, less the mean."""
    import cv2

    left, top, width, height = window
    # Between the centres of pixels; beyond the sheet its edge goes on.
    steps = np.array([width, height]) * _BLURRED / _SIDE
    start = np.array([left, top]) * _BLURRED + steps * (0.5 - margin) - 0.5
    warp = np.array([[steps[0], 0, start[0]], [0, steps[1], start[1]]], np.float32)
    sides = (_SIDE + 2 * margin,) * 2
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    found = cv2.warpAffine(square, warp, sides, flags=flags, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    return cast(NDArray[np.float32], found - found.mean())
