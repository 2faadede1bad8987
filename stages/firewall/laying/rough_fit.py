"""Says of many pairs at once which sheets may lie in a window of another, by what is left when they are blurred.

With eight times the sheets of a drawing set, seventy times the pairs have hashes that are near. So of each a tenth of a
millisecond must do. Tests follow each other, each only for those that passed the one before: patches that are smooth
enough to be found where the window is a little off, whose places say where the sheet lies and how large it is; and
patches with more detail, looked for there, twice, since their places say so better. What is not a copy by then hardly
ever fits: a sheet that is another gains little by being laid better.
"""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from stages.firewall.copies import INK_SHARE, LEAST_INK, windows
from stages.firewall.grey_squares import SOFT
from stages.firewall.laying.alignment import Laying


class _Test(NamedTuple):
    """How blurred squares are compared: patch by patch, each looked for around its place."""

    side: int  # px of the squares that are compared
    across: int  # patches along a side
    reach: int  # px that a patch may be off
    blur: float  # px of the soft square, standard deviation: taken off the detail that it has
    bar: float  # mean of the best correlations of the patches with ink

    @property
    def patch(self) -> int:
        """Pixels along a side of a patch."""
        return self.side // self.across

    @property
    def places(self) -> int:
        """Places along a side at which a patch is looked for."""
        return 2 * self.reach + 1


# Set on 23,542 copies of callouts, BCCD, circuits, drawn and look-alike sheets that were cropped, squeezed, re-encoded,
# turned, resized, brightened or made noisy, and that the pixels confirm, and on the strangers among 8,000 drawn sheets
# whose hashes are near, laid in 91,744 ways. Said is what copies have least, and which share of the strangers comes
# through up to there. One look-alike sheet that was cropped by 20 % is lost: it had 0.78, 0.70, 0.80 and 0.81.
_BY_SIXTEEN = _Test(40, 4, 2, 0.87, 0.77)  # 0.80; 41 %. Planted otherwise, crops of look-alike sheets had 0.78
_FITTED = _Test(64, 2, 1, 0.0, 0.8)  # 0.829; 1.9 %
_FIT_AGAIN = _Test(64, 4, 2, 0.0, 0.0)  # only says where they lie
_DETAILED = _Test(64, 4, 1, 0.0, 0.83)  # 0.859; 0.4 %
_FINE = _Test(64, 8, 1, 0.0, 0.82)  # 0.852; 0.3 %, which is laid to the pixel
# A patch counts for where the sheet lies by how far its correlation is above this, squared.
_CHANCE = 0.5
_STEADY = 0.01  # of a side, squared: keeps the size of a sheet whose patches with ink lie on one line
_MIDDLE = 128  # of the grey values: sums of squares about it are exact enough in single precision
# Pairs at a time. From 64 on their arrays are so large that each is asked of the system: half as long again.
_AT_ONCE = 32
Squares = NDArray[np.float32]  # (k, px, px)


class _Found(NamedTuple):
    """Correlations (k, across, across, places down, across) of the patches, and which patches have ink."""

    values: NDArray[np.float32]
    inked: NDArray[np.bool_]

    @property
    def mean(self) -> NDArray[np.float32]:
        """The mean (k,) of the best correlations of the patches with ink; 1 without ink."""
        count = self.inked.sum(axis=(1, 2))
        best = self.values.max(axis=(3, 4))
        total = np.where(self.inked, best, 0).sum(axis=(1, 2))
        return cast(NDArray[np.float32], np.where(count > 0, total / np.maximum(count, 1), 1))


def may_fit(layings: Sequence[Laying]) -> NDArray[np.bool_]:
    """Say of each of `layings`, (k,), whether the one sheet may be a copy of what lies in the window of the other.

    The nearest hash must be of a window near by: that of a near copy, on which was drawn, need not be.
    """
    blocks = [layings[start : start + _AT_ONCE] for start in range(0, len(layings), _AT_ONCE)]
    return np.concatenate([np.zeros(0, bool), *(_block(block) for block in blocks)])


def _block(layings: Sequence[Laying]) -> NDArray[np.bool_]:
    views = np.array([one.pair.window for one in layings])
    wholes = _about_middle([one.whole.soft() for one in layings])
    parts = _about_middle([_turned(one.part.soft(), one.pair.orientation) for one in layings])
    found = _in_windows(wholes, parts, views, _BY_SIXTEEN)
    left = np.flatnonzero(found.mean >= _BY_SIXTEEN.bar)
    found = _Found(found.values[left], found.inked[left])
    boxes = _fitted(found, np.array(windows())[views[left]], _BY_SIXTEEN)
    near = _in_boxes(wholes[left], parts[left], boxes, _FITTED).mean >= _FITTED.bar
    boxes, left = boxes[near], left[near]
    boxes = _fitted(_in_boxes(wholes[left], parts[left], boxes, _FIT_AGAIN), boxes, _FIT_AGAIN)
    for test in (_DETAILED, _FINE):
        near = _in_boxes(wholes[left], parts[left], boxes, test).mean >= test.bar
        boxes, left = boxes[near], left[near]
    fits = np.zeros(len(layings), bool)
    fits[left] = True
    return fits


def _about_middle(squares: Sequence[NDArray[np.uint8]]) -> Squares:
    return np.subtract(np.stack(squares), _MIDDLE, dtype=np.float32)


def _turned(square: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Return a square turned as `alignment` does."""
    return np.rot90(square[:, ::-1] if orientation >= 4 else square, orientation % 4) if orientation else square


def _in_windows(wholes: Squares, parts: Squares, views: NDArray[np.int64], test: _Test) -> _Found:
    """Return how the patches of `parts` are found in the windows number `views` of `wholes`."""
    down, across = _windows(test)
    part = _whole(test)
    return _correlated(_laid(wholes, (down[views], across[views])), cast(Squares, part @ parts @ part.T), test)


def _in_boxes(wholes: Squares, parts: Squares, boxes: NDArray[np.float64], test: _Test) -> _Found:
    """Return how the patches of `parts` are found in `boxes`, (k, 4) as `Window`, of `wholes`, without more blur."""
    return _correlated(_laid(wholes, _sides(boxes, test)), parts, test)


def _laid(wholes: Squares, sides: tuple[Squares, Squares]) -> Squares:
    return cast(Squares, np.matmul(np.matmul(sides[0], wholes), sides[1].transpose(0, 2, 1)))


def _correlated(fields: Squares, parts: Squares, test: _Test) -> _Found:
    """Return how the patches of `parts`, (k, side, side), are found in `fields`, which have `reach` more around."""
    count, patch, across, shifts = len(parts), test.patch, test.across, test.places
    shape = (count, across, patch, across, patch)
    patches = np.ascontiguousarray(parts.reshape(shape).transpose(0, 1, 3, 2, 4))
    means = patches.reshape(count, across, across, patch**2).mean(axis=3)
    patches -= means[:, :, :, None, None]
    sizes = np.einsum("kabij,kabij->kab", patches, patches)
    variance = sizes.mean(axis=(1, 2)) / patch**2 + means.var(axis=(1, 2))  # of the whole part
    least = np.maximum(LEAST_INK, INK_SHARE * np.sqrt(variance))
    box = _boxes(test)
    squares = box @ fields**2 @ box.T - (box @ fields @ box.T) ** 2 / patch**2
    about = squares.reshape(count, across, shifts, across, shifts).transpose(0, 1, 3, 2, 4)
    values = _products(fields, patches, test) / np.sqrt(
        np.maximum(about, 1.0) * np.maximum(sizes, 1.0)[:, :, :, None, None]
    )
    return _Found(values, sizes > (patch * least[:, None, None]) ** 2)


def _products(fields: Squares, patches: NDArray[np.float32], test: _Test) -> NDArray[np.float32]:
    """Return the products of each patch with each of its places: (k, across, across, places, places).

    As products of matrices, of the rows of a patch moved aside to each place with the rows around its place: half
    the time of products of pixels, though more of them.
    """
    count, patch, across, shifts = len(patches), test.patch, test.across, test.places
    around = patch + 2 * test.reach
    moved = np.zeros((count, across, across, patch, shifts, around), np.float32)
    for shift in range(shifts):
        moved[:, :, :, :, shift, shift : shift + patch] = patches
    each, down, right = fields.strides
    strips = np.lib.stride_tricks.as_strided(
        fields,
        (count, across, across, around, around),
        (each, patch * down, patch * right, down, right),
        writeable=False,
    )
    rows = np.matmul(strips, moved.reshape(count, across, across, patch * shifts, around).swapaxes(3, 4))
    rows = rows.reshape(count, across, across, around, patch, shifts)
    total = rows[:, :, :, :shifts, 0].copy()
    for row in range(1, patch):
        total += rows[:, :, :, row : row + shifts, row]
    return cast(NDArray[np.float32], total)


def _fitted(found: _Found, boxes: NDArray[np.float64], test: _Test) -> NDArray[np.float64]:
    """Return where the sheets lie, (k, 4) as `Window`, by where their patches are found around `boxes`."""
    count, across = len(boxes), test.across
    flat = found.values.reshape(count, across, across, test.places**2)
    weights = np.where(found.inked, np.maximum(flat.max(axis=3) - _CHANCE, 0) ** 2, 0).astype(np.float64)
    total = np.maximum(weights.sum(axis=(1, 2)), 1e-9)
    best = np.divmod(flat.argmax(axis=3), test.places)
    centres = (np.arange(across) + 0.5) / across - 0.5  # shares of the side, from the middle on
    fitted = boxes.copy()
    for axis, (place, off) in enumerate([(centres[None, None, :], best[1]), (centres[None, :, None], best[0])]):
        mean = (weights * place).sum(axis=(1, 2)) / total
        moved = (off - test.reach) / test.side
        shift = (weights * moved).sum(axis=(1, 2)) / total
        around = place - mean[:, None, None]
        spread = (weights * around**2).sum(axis=(1, 2)) / total + _STEADY
        growth = (weights * around * (moved - shift[:, None, None])).sum(axis=(1, 2)) / total / spread
        length = boxes[:, 2 + axis]
        middle = boxes[:, axis] + length * (0.5 + shift - growth * mean)
        fitted[:, 2 + axis] = length * (1 + growth)
        fitted[:, axis] = middle - fitted[:, 2 + axis] / 2
    return fitted


def _sides(boxes: NDArray[np.float64], test: _Test) -> tuple[Squares, Squares]:
    """Return the matrices, down and across, (k, side + 2 * reach, SOFT), that sample `boxes` of soft squares."""
    steps = (np.arange(test.side + 2 * test.reach) - test.reach + 0.5) / test.side
    down, across = (_between(SOFT * (boxes[:, axis, None] + boxes[:, 2 + axis, None] * steps) - 0.5) for axis in (1, 0))
    return down, across


def _between(places: NDArray[np.float64]) -> Squares:
    """Return the matrices that read between pixels at `places` (k, n); beyond the sheet its edge goes on."""
    inside = np.clip(places, 0, SOFT - 1).astype(np.float32)
    return cast(Squares, np.maximum(1 - np.abs(inside[:, :, None] - np.arange(SOFT, dtype=np.float32)), 0))


@cache
def _windows(test: _Test) -> tuple[Squares, Squares]:
    """Return the matrices of all windows, which blur as well."""
    down, across = _sides(np.array(windows()), test)
    return cast(Squares, down @ _blur(test)), cast(Squares, across @ _blur(test))


@cache
def _whole(test: _Test) -> NDArray[np.float32]:
    """Return the matrix of a whole side, (side, SOFT), which blurs as well."""
    side = _sides(np.array(windows()[:1]), test._replace(reach=0))[0][0]
    return cast(NDArray[np.float32], side @ _blur(test))


def _blur(test: _Test) -> NDArray[np.float32]:
    """Return the matrix that blurs a side, (SOFT, SOFT)."""
    away = np.arange(SOFT) - np.arange(SOFT)[:, None]
    weights = np.exp(-0.5 * (away / max(test.blur, 1e-3)) ** 2)
    return cast(NDArray[np.float32], (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32))


@cache
def _boxes(test: _Test) -> NDArray[np.float32]:
    """Return the matrix, (across * places, side + 2 * reach), that sums a side over each place of each patch."""
    starts = (test.patch * np.arange(test.across)[:, None] + np.arange(test.places)).ravel()
    pixels = np.arange(test.side + 2 * test.reach) - starts[:, None]
    return ((pixels >= 0) & (pixels < test.patch)).astype(np.float32)
