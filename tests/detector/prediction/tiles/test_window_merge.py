"""What is seen in windows is put together so that each object counts once."""

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stages.base.boxes import area, iou_matrix
from stages.detector.prediction.tiles.window_merge import WindowBoxes, merged
from stages.detector.prediction.tiles.windows import EDGE, Tiling, views

TWO = [(0, 0, 100, 100), (60, 0, 160, 100), (0, 0, 160, 100)]  # two windows that share 40 px, and the whole sheet


def stay(*rows, shown=TWO, overlap=40):
    """Return which of the rows (view, x1, y1, x2, y2, confidence[, class]) stay on the sheet of `shown`."""
    boxes = np.array([row[1:5] for row in rows], float).reshape(-1, 4)
    classes = np.array([row[6] if len(row) > 6 else 0 for row in rows], np.int64)
    view = np.array([row[0] for row in rows], np.int64)
    found = WindowBoxes(boxes, np.array([row[5] for row in rows], float), classes, view)
    width, height = shown[-1][2:]
    return merged(found, views=shown, overlap=overlap, width=width, height=height).tolist()


def test_the_surer_of_two_views_of_one_object_stays_as_it_is():
    assert stay((0, 70, 10, 90, 30, 0.6), (1, 71, 10, 91, 30, 0.8)) == [False, True]
    assert stay((0, 70, 10, 90, 30, 0.8), (1, 71, 10, 91, 30, 0.8)) == [True, False]  # equal: the upper, then left one
    assert stay() == []


def test_two_classes_and_two_places_are_two_objects():
    assert stay((0, 70, 10, 90, 30, 0.6), (1, 70, 10, 90, 30, 0.8, 1)) == [True, True]
    assert stay((0, 70, 10, 90, 30, 0.6), (1, 80, 20, 95, 40, 0.8)) == [True, True]


def test_two_boxes_of_one_view_are_what_the_network_has_told_apart():
    assert stay((0, 10, 10, 30, 30, 0.6), (0, 11, 10, 31, 30, 0.8)) == [True, True]


def test_a_box_at_an_inner_border_yields_to_the_whole_one_even_if_it_is_surer():
    assert stay((0, 90, 10, 100, 30, 0.9), (1, 90, 10, 110, 30, 0.3)) == [False, True]
    assert stay((0, 90, 10, 100 - EDGE, 30, 0.9), (1, 90, 10, 110, 30, 0.3)) == [False, True]
    assert stay((0, 80, 10, 99 - EDGE, 30, 0.9), (1, 80, 10, 110, 30, 0.3)) == [True, False]  # it ends there


def test_a_border_of_the_sheet_cuts_nothing_off():
    assert stay((0, 0, 10, 20, 30, 0.9), (2, 0, 10, 50, 30, 0.3)) == [True, True]


def test_a_part_of_what_no_other_view_has_stays():
    assert stay((0, 90, 10, 100, 30, 0.9)) == [True]
    assert stay((0, 90, 10, 100, 30, 0.9), (1, 90, 60, 110, 80, 0.3)) == [True, True]


def test_noise_inside_a_part_does_not_drive_it_out():
    assert stay((0, 70, 10, 100, 40, 0.9), (1, 80, 20, 90, 30, 0.1)) == [True, True]


def test_the_whole_sheet_speaks_for_large_objects_alone():
    large, small = (2, 20, 10, 140, 60, 0.5), (2, 20, 10, 50, 40, 0.9)
    parts = [(0, 20, 10, 100, 60, 0.9), (1, 60, 10, 140, 60, 0.9)]
    assert stay(*parts, large, small) == [False, False, True, False]
    most = 40 - 2 * EDGE  # px that lie in one of the windows without ending at an inner border of it
    assert stay((2, 20, 10, 20 + most, 40, 0.9), overlap=40) == [False]
    assert stay((2, 20, 10, 21 + most, 40, 0.9), overlap=40) == [True]


def test_what_was_taken_out_takes_nothing_out():
    chain = [(0, 60, 10, 80, 30, 0.9), (1, 66, 10, 86, 30, 0.8), (0, 72, 10, 92, 30, 0.7)]
    assert stay(*chain) == [True, False, True]


@st.composite
def sheets(draw):
    """A sheet with objects of two classes that are told apart, and how it is cut."""
    tile = draw(st.integers(64, 200))
    tiling = Tiling(tile, draw(st.integers(tile // 8, tile // 2)))
    width, height = draw(st.integers(64, 700)), draw(st.integers(64, 700))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    count = draw(st.integers(0, 40))
    size = np.exp(rng.uniform(np.log(8), np.log(min(width, height, 300)), (count, 2)))
    corner = rng.uniform(0, 1, (count, 2)) * ([width, height] - size)
    boxes, classes = np.hstack([corner, corner + size]), rng.integers(0, 2, count)
    overlaps = iou_matrix(boxes, boxes) * (classes[:, None] == classes[None])
    np.fill_diagonal(overlaps, 0)
    return width, height, tiling, boxes[overlaps.max(1, initial=0) < 0.45], classes[overlaps.max(1, initial=0) < 0.45]


@settings(max_examples=150, deadline=None)
@given(sheets(), st.integers(0, 1000))
def test_a_detector_without_fault_has_none_over_windows_either(sheet, seed):
    """It sees in each window what is visible of each object, however little, and each object on the whole sheet."""
    width, height, tiling, boxes, classes = sheet
    shown = views(width, height, tiling)
    assume(len(shown) > 1)
    rows, number = [], []
    for view, window in enumerate(shown):
        inside = np.clip(boxes, [*window[:2]] * 2, [*window[2:]] * 2)
        for i in np.flatnonzero(area(inside) > 0):
            rows.append((view, *inside[i], 0.0, classes[i]))
            number.append(i)
    sure = np.random.default_rng(seed).uniform(0.3, 1, len(rows))
    rows = [(*row[:5], confidence, row[6]) for row, confidence in zip(rows, sure, strict=True)]
    kept = np.array(stay(*rows, shown=shown, overlap=tiling.overlap), bool)
    left, of = np.array([row[1:5] for row in rows]).reshape(-1, 4)[kept], np.array(number, int)[kept]
    assert sorted(of.tolist()) == list(range(len(boxes)))
    np.testing.assert_allclose(left, boxes[of])


@given(sheets(), st.integers(0, 1000))
def test_the_order_of_rows_changes_nothing(sheet, seed):
    width, height, tiling, boxes, classes = sheet
    shown, rng = views(width, height, tiling), np.random.default_rng(seed)
    view = rng.integers(0, len(shown), len(boxes))
    rows = [(v, *b, c, k) for v, b, c, k in zip(view, boxes, rng.uniform(0, 1, len(boxes)), classes, strict=True)]
    order = rng.permutation(len(rows))
    kept = stay(*rows, shown=shown, overlap=tiling.overlap)
    assert stay(*(rows[i] for i in order), shown=shown, overlap=tiling.overlap) == [kept[i] for i in order]
