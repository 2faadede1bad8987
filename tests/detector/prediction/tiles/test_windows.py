"""Windows cover a sheet, overlap as asked, and hold whatever is smaller than their overlap."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from stages.detector.prediction.tiles.windows import Tiling, views, windows

sides = st.integers(64, 1500)
tilings = st.tuples(st.integers(64, 500), st.floats(0.01, 0.5)).map(lambda one: Tiling(one[0], int(one[0] * one[1])))


def test_three_windows_of_a_wide_sheet():
    assert windows(2000, 900, Tiling(1000, 100)) == [(0, 0, 1000, 900), (500, 0, 1500, 900), (1000, 0, 2000, 900)]
    assert windows(1900, 900, Tiling(1000, 100)) == [(0, 0, 1000, 900), (900, 0, 1900, 900)]


def test_a_sheet_that_fits_is_seen_once_and_a_larger_one_also_as_a_whole():
    assert views(640, 480, None) == views(640, 480, Tiling(640, 64)) == [(0, 0, 640, 480)]
    assert views(641, 480, Tiling(640, 64)) == [(0, 0, 640, 480), (1, 0, 641, 480), (0, 0, 641, 480)]


@given(sides, sides, tilings)
def test_they_are_equal_inside_and_share_what_was_asked(width, height, tiling):
    found = windows(width, height, tiling)
    for low, high, length in ((0, 2, width), (1, 3, height)):
        spans = sorted({(one[low], one[high]) for one in found})
        assert spans[0][0] == 0
        assert spans[-1][1] == length
        assert {b - a for a, b in spans} == {min(length, tiling.side)}
        assert all(end - start >= tiling.overlap for (_, end), (start, _) in pairwise(spans))


@given(sides, sides, tilings, st.data())
def test_what_is_no_larger_than_the_overlap_lies_whole_in_one_of_them(width, height, tiling, data):
    x1 = data.draw(st.integers(0, max(0, width - tiling.overlap)))
    y1 = data.draw(st.integers(0, max(0, height - tiling.overlap)))
    x2, y2 = min(width, x1 + tiling.overlap), min(height, y1 + tiling.overlap)
    assert any(a <= x1 and b <= y1 and x2 <= c and y2 <= d for a, b, c, d in windows(width, height, tiling))
