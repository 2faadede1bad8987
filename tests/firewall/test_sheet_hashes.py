"""Hashes are those of an outside library, for the sheet in each orientation and for its windows."""

import cv2
import imagehash
import numpy as np
import pytest
from PIL import Image

from demo.drawing.sets import draw_set
from stages.firewall.copies import HASH_BITS, ORIENTATIONS, THUMB, packed, windows
from stages.firewall.sheet_hashes import _DECIMALS, PROBED, SMALL, bands, frequencies, orientations, sheet_hashes


def square(pixels: np.ndarray) -> np.ndarray:
    return cv2.resize(pixels, (THUMB, THUMB), interpolation=cv2.INTER_AREA)


@pytest.fixture(scope="module")
def thumbs() -> list[np.ndarray]:
    drawn = draw_set(3, {"train": 5, "val": 1})
    rng = np.random.default_rng(0)
    photo = cv2.GaussianBlur(rng.integers(0, 256, (THUMB, THUMB), np.uint8), (0, 0), 9)
    return [*(square(sheet.pixels) for found in drawn.values() for _, sheet in found), photo]


def theirs(part: np.ndarray) -> np.ndarray:
    """Return the hash of a part of a square by imagehash, (4,), which takes PIL images of its own size."""
    small = cv2.resize(part, (SMALL, SMALL), interpolation=cv2.INTER_AREA)
    return packed(imagehash.phash(Image.fromarray(small), hash_size=16).hash.ravel())[0]


def turned(thumb: np.ndarray, orientation: int) -> np.ndarray:
    return np.ascontiguousarray(np.rot90(thumb[:, ::-1] if orientation >= 4 else thumb, orientation % 4))


@pytest.mark.parametrize("orientation", range(ORIENTATIONS))
def test_hashes_of_whole_sheets_are_those_of_imagehash(orientation, thumbs):
    mine = [sheet_hashes(thumb).turned[orientation] for thumb in thumbs]
    np.testing.assert_array_equal(mine, [theirs(turned(thumb, orientation)) for thumb in thumbs])


def test_hashes_of_windows_are_those_of_imagehash_but_for_bits_at_the_median(thumbs):
    """It sees a window in whole grey values; ours are not rounded. Of soft noise, whose bits are chance, it is more."""
    for thumb in thumbs[:-1]:
        mine = sheet_hashes(thumb).windows
        for window, own in zip(windows(), mine, strict=True):
            left, top, width, height = (round(value * THUMB) for value in window)
            other = theirs(thumb[top : top + height, left : left + width])
            assert np.bitwise_count(own ^ other).sum() <= 8, window


def test_the_sheet_as_it_is_comes_first_and_alone_without_crops(thumbs):
    turned_hashes, of_windows, _ = sheet_hashes(thumbs[0])
    assert (turned_hashes.shape, of_windows.shape) == ((ORIENTATIONS, 4), (len(windows()), 4))
    assert turned_hashes[0].tolist() == of_windows[0].tolist()
    assert sheet_hashes(thumbs[0], crops=False).windows.tolist() == [turned_hashes[0].tolist()]
    assert len(np.unique(turned_hashes, axis=0)) == ORIENTATIONS


def test_blank_paper_has_one_hash_however_the_processor_rounds():
    """All frequencies but the mean are 0: none lies above the median but that one."""
    turned_hashes, of_windows, _ = sheet_hashes(np.full((THUMB, THUMB), 237, np.uint8))
    mean = packed(np.arange(HASH_BITS) == 0)
    assert (turned_hashes == mean).all()
    assert (of_windows == mean).all()


def test_bits_say_what_lies_above_the_median_and_the_least_sure_lie_next_to_it(thumbs):
    for thumb in thumbs:
        low = orientations(frequencies(thumb)).reshape(ORIENTATIONS, HASH_BITS)
        shown = low.round(_DECIMALS)
        assert (sheet_hashes(thumb).turned == packed(shown > np.median(shown, axis=1, keepdims=True))).all()
        margins = np.abs(low - np.median(low, axis=1, keepdims=True))
        unsure = sheet_hashes(thumb).unsure
        assert unsure.shape == (ORIENTATIONS, len(bands()), PROBED)
        for number, band in enumerate(bands()):
            order = margins[:, band].argsort(axis=1, kind="stable")
            assert unsure[:, number].tolist() == order[:, :PROBED].tolist()
