"""Patches of a copy are near their places; those of another sheet are not."""

from itertools import pairwise

import cv2
import numpy as np
import pytest

from demo.drawing.sets import draw_set
from stages.firewall.copies import THUMB, Window
from stages.firewall.laying.patches import patches_found as found_of_patches
from stages.firewall.laying.patches import patches_of, softened

WHOLE = (0.0, 0.0, 1.0, 1.0)


@pytest.fixture(scope="module")
def thumbs() -> list[np.ndarray]:
    drawn = draw_set(3, {"train": 4})["train"]
    return [cv2.resize(sheet.pixels, (THUMB, THUMB), interpolation=cv2.INTER_AREA) for _, sheet in drawn]


def patches_found(whole: np.ndarray, part: np.ndarray, window: Window) -> float:
    return found_of_patches(softened(whole), patches_of(softened(part)), window)


def cut(thumb: np.ndarray, left: float, top: float, side: float) -> np.ndarray:
    """Return a window as a tool would export it, at the size of a whole sheet."""
    x, y, size = (round(value * THUMB) for value in (left, top, side))
    return cv2.resize(thumb[y : y + size, x : x + size], (THUMB, THUMB), interpolation=cv2.INTER_LINEAR)


def test_a_sheet_is_found_in_itself_whatever_its_brightness(thumbs):
    for thumb in thumbs:
        assert patches_found(thumb, (thumb * 0.6 + 20).astype(np.uint8), WHOLE) == 1


@pytest.mark.parametrize("off", [-0.02, 0, 0.02])
def test_a_crop_is_found_in_a_window_near_it(off, thumbs):
    for thumb in thumbs:
        assert patches_found(thumb, cut(thumb, 0.1 + off, 0.05, 0.85), (0.1, 0.05, 0.85, 0.85)) >= 0.9


def test_another_sheet_and_a_window_elsewhere_are_not_found(thumbs):
    for one, other in pairwise(thumbs):
        assert patches_found(one, other, WHOLE) < 0.55
        assert patches_found(one, cut(one, 0, 0, 0.8), (0.2, 0.2, 0.8, 0.8)) < 0.55


def test_paper_hides_nothing_and_is_never_missed(thumbs):
    blank = np.full((THUMB, THUMB), 240, np.uint8)
    assert patches_found(thumbs[0], blank, WHOLE) == patches_found(blank, blank, WHOLE) == 1
    assert patches_found(blank, thumbs[0], WHOLE) == 0


def test_blurring_and_turning_may_change_places(thumbs):
    """What is blurred once serves in each orientation, to the last bit."""
    noise = np.random.default_rng(0).integers(0, 256, (THUMB, THUMB), np.uint8)
    for square in (*thumbs, noise):
        for turns in range(4):
            for mirrored in (slice(None), slice(None, None, -1)):
                turned = np.ascontiguousarray(np.rot90(square[:, mirrored], turns))
                assert np.array_equal(softened(turned), np.rot90(softened(square)[:, mirrored], turns))
