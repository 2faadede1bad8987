import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.base.boxes import iou_matrix
from stages.ruler.pairing import pairs as kernel
from stages.ruler.pairing.pairs import Pairs, by_preference, overlapping_pairs, paired_iou, settle
from tests.scenes import slow_match


def match(overlap, confidence, iou, worse=None):
    """The kernel on a full matrix, (detections, boxes)."""
    overlap = np.asarray(overlap, dtype=float)
    rows, columns = np.nonzero(overlap > 0)
    every = Pairs(rows, columns, overlap[rows, columns])
    order = by_preference(every, confidence=np.asarray(confidence, dtype=float), worse=worse)
    return settle(order, detections=overlap.shape[0], boxes=overlap.shape[1], iou=iou).tolist()


@pytest.mark.parametrize(
    ("overlap", "confidence", "iou", "expected"),
    [
        ([[0.6]], [0.9], 0.5, [0]),
        ([[0.5]], [0.9], 0.5, [0]),  # the threshold itself counts
        ([[0.4999]], [0.9], 0.5, [-1]),
        ([[1 - 1e-12]], [0.9], 1.0, [0]),  # equal boxes, but for a rounding
        ([[0.7], [0.9]], [0.8, 0.3], 0.5, [0, -1]),  # the confident one wins, not the better placed one
        ([[0.7], [0.9]], [0.3, 0.8], 0.5, [-1, 0]),
        ([[0.9, 0.6], [0.8, 0.1]], [0.9, 0.8], 0.5, [0, -1]),  # its only box is taken: a false alarm
        ([[0.9, 0.6], [0.8, 0.55]], [0.9, 0.8], 0.5, [0, 1]),  # its best box is taken: the next best counts
        ([[0.6, 0.6]], [0.9], 0.5, [1]),  # equal overlap: the later box, as in pycocotools
        ([[0.6], [0.7]], [0.5, 0.5], 0.5, [0, -1]),  # equal confidence: the lower row
        ([[0.9, 0.0, 0.0], [0.8, 0.7, 0.0], [0.0, 0.8, 0.7]], [0.9, 0.8, 0.7], 0.5, [0, 1, 2]),  # each waits for one
        ([[0.0, 0.0]], [0.9], 0.5, [-1]),
        (np.zeros((2, 0)), [0.9, 0.8], 0.5, [-1, -1]),
        (np.zeros((0, 3)), [], 0.5, []),
    ],
)
def test_settle(overlap, confidence, iou, expected):
    assert match(overlap, confidence, iou) == expected


@pytest.mark.parametrize(
    ("overlap", "worse", "expected"),
    [
        ([[0.6, 0.9]], [False, True], [0]),  # a box that counts is better than a better placed one that does not
        ([[0.4, 0.9]], [False, True], [1]),
        ([[0.6, 0.9], [0.7, 0.8]], [False, True], [0, 1]),
    ],
)
def test_a_worse_box_is_taken_only_for_want_of_another(overlap, worse, expected):
    confidence = [0.9, 0.8][: len(overlap)]
    assert match(overlap, confidence, 0.5, np.array(worse)) == expected


steps = st.integers(0, 6).map(lambda value: value / 6)  # few values: ties are common
grids = st.integers(0, 7).flatmap(
    lambda n: st.integers(0, 7).flatmap(
        lambda m: st.tuples(
            st.lists(st.lists(steps, min_size=m, max_size=m), min_size=n, max_size=n).map(
                lambda rows: np.array(rows, dtype=float).reshape(n, m)
            ),
            st.lists(steps, min_size=n, max_size=n).map(lambda row: np.array(row, dtype=float)),
            st.lists(st.booleans(), min_size=m, max_size=m).map(lambda row: np.array(row, dtype=bool)),
        )
    )
)
ious = st.sampled_from([1 / 6, 0.3, 0.5, 5 / 6, 1.0])


@given(grids, ious)
@settings(deadline=None, max_examples=400)
def test_all_at_once_is_one_after_the_other(grid, iou):
    overlap, confidence, worse = grid
    assert match(overlap, confidence, iou) == slow_match(overlap, confidence, iou)
    expected = slow_match(overlap, confidence, iou, np.flatnonzero(worse).tolist())
    assert match(overlap, confidence, iou, worse) == expected


@given(grids, ious)
@settings(deadline=None)
def test_one_to_one_and_nothing_left_that_could_match(grid, iou):
    overlap, confidence, _ = grid
    found = np.array(match(overlap, confidence, iou), dtype=int)
    rows = np.flatnonzero(found >= 0)
    assert len(set(found[rows].tolist())) == len(rows)
    assert (overlap[rows, found[rows]] >= min(iou, 1 - 1e-10)).all()
    free = np.setdiff1d(np.arange(overlap.shape[1]), found)
    assert not (overlap[np.ix_(found < 0, free)] >= iou).any()


@given(grids, ious, steps)
@settings(deadline=None)
def test_what_is_less_confident_changes_nothing(grid, iou, cut):
    overlap, confidence, _ = grid
    sure = confidence >= cut
    whole, part = match(overlap, confidence, iou), match(overlap[sure], confidence[sure], iou)
    assert np.array(whole, dtype=int)[sure].tolist() == part


def test_a_long_chain_in_which_everybody_waits_for_the_one_before():
    n = 300
    overlap = np.zeros((n, n))
    overlap[np.arange(n), np.arange(n)] = 0.6
    overlap[np.arange(1, n), np.arange(n - 1)] = 0.9
    assert match(overlap, -np.arange(n), 0.5) == list(range(n))


def boxes(rng, count):
    corner = rng.uniform(0, 60, (count, 2))
    return np.hstack([corner, corner + rng.uniform(0, 30, (count, 2)) * (rng.random((count, 1)) < 0.9)])


@pytest.mark.parametrize("block", [1, 7, 1 << 17])
@pytest.mark.parametrize("sizes", [(60, 40), (60, 0), (0, 40), (0, 0), (5, 900)])
def test_candidates_are_all_pairs_of_a_group_that_overlap_enough(block, sizes, monkeypatch):
    monkeypatch.setattr(kernel, "_BLOCK", block)
    rng = np.random.default_rng(sum(sizes))
    (seen, there), (group, other) = (boxes(rng, n) for n in sizes), (rng.integers(0, 5, n) * 10**12 for n in sizes)
    overlap = np.where(group[:, None] == other[None, :], iou_matrix(seen, there), 0.0)
    rows, columns = np.nonzero(overlap >= 0.3)
    assert len(rows) > 5 or 0 in sizes
    got = overlapping_pairs(
        detections=seen, detection_group=group, ground_truth=there, ground_truth_group=other, iou=0.3
    )
    assert got.detection.tolist() == rows.tolist()
    assert got.truth.tolist() == columns.tolist()
    assert got.iou.tolist() == overlap[rows, columns].tolist()
    assert paired_iou(seen[rows], there[columns]).tolist() == got.iou.tolist()


def test_boxes_that_touch_have_no_area_or_stand_upside_down_overlap_nothing():
    there = np.array([[0.0, 0, 10, 10], [5, 5, 5, 9]])
    seen = np.array([[10.0, 0, 20, 10], [5, 5, 5, 9], [8, 8, 2, 2], [np.nan, 0, 10, 10]])
    group = np.zeros(4, dtype=np.int64)
    got = overlapping_pairs(
        detections=seen, detection_group=group, ground_truth=there, ground_truth_group=group[:2], iou=1e-9
    )
    assert len(got.iou) == 0
