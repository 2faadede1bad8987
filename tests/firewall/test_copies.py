"""Tiles decide what is a copy, and pairs make groups."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stages.firewall.copies import (
    HASH_BITS,
    SAME,
    THUMB,
    TILES,
    agreement,
    groups,
    packed,
    windows,
)

TILE = THUMB // TILES


def sheet(rng: np.random.Generator, *, frame: bool = True) -> np.ndarray:
    """Return a square of paper with a frame around it and one bar in each inner tile."""
    square = np.full((THUMB, THUMB), 240, np.uint8)
    if frame:
        square[4:8], square[-8:-4], square[:, 4:8], square[:, -8:-4] = 30, 30, 30, 30
    for row in range(1, TILES - 1):
        for column in range(1, TILES - 1):
            top, left = row * TILE + rng.integers(16), column * TILE + rng.integers(16)
            square[top : top + rng.integers(2, 14), left : left + rng.integers(2, 14)] = 40
    return square


def test_a_hash_keeps_its_bits_in_four_words():
    bits = np.zeros((2, HASH_BITS), bool)
    bits[1, [0, 63, 64, 255]] = True
    words = packed(bits)
    assert words.shape == (2, 4)
    assert np.bitwise_count(words).tolist() == [[0, 0, 0, 0], [2, 1, 0, 1]]


def test_brightness_and_contrast_do_not_count():
    square = sheet(np.random.default_rng(0))
    assert agreement(square, (square * 0.6 + 20).astype(np.uint8)) == 1


def test_the_same_frame_with_other_contents_is_no_copy():
    """28 of the 64 tiles hold the frame and agree; of the 36 inside nearly none do."""
    rng = np.random.default_rng(1)
    shared = agreement(sheet(rng), sheet(rng))
    assert 28 / 64 <= shared < 0.65 < SAME


def test_tiles_without_pixels_of_both_do_not_count():
    rng = np.random.default_rng(2)
    a, b = sheet(rng), sheet(rng)
    b[:, 2 * TILE :] = a[:, 2 * TILE :]
    valid = np.ones((THUMB, THUMB), bool)
    valid[:, : 2 * TILE] = False
    assert agreement(a, b) < 1
    assert agreement(a, b, valid) == 1
    valid[:, : THUMB // 2 + 1] = False
    assert agreement(a, b, valid) == 0  # less than half a sheet proves nothing


def test_paper_without_ink_is_a_copy_only_to_the_last_pixel():
    blank = np.full((THUMB, THUMB), 255, np.uint8)
    other = blank.copy()
    other[0, 0] = 254
    assert (agreement(blank, blank), agreement(blank, other)) == (1, 0)


def test_the_windows_start_with_the_whole_sheet_and_lie_within_it():
    found = np.array(windows())
    assert found[0].tolist() == [0, 0, 1, 1]
    assert len(np.unique(found, axis=0)) == len(found)
    assert (found[:, :2] + found[:, 2:] <= 1 + 1e-9).all()
    assert found[:, 2:].min() == 0.8


def test_pairs_that_hang_together_are_one_group():
    assert groups([("d", "b"), ("x", "y"), ("a", "b"), ("b", "d")]) == [("a", "b", "d"), ("x", "y")]
    assert groups([]) == []


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=20))
def test_groups_are_what_can_be_reached(pairs):
    found = groups((f"{a:02}", f"{b:02}") for a, b in pairs)
    reach = np.eye(13, dtype=bool)
    for a, b in pairs:
        reach[a, b] = reach[b, a] = True
    for _ in range(4):
        reach = (reach.astype(int) @ reach) > 0
    named = {number for pair in pairs for number in pair}
    expected = {tuple(f"{j:02}" for j in range(13) if reach[i, j] and j in named) for i in named}
    assert set(found) == expected
    assert len(found) == len(expected)
