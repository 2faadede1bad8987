import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.core.matching import greedy, hits, match_sheets, outcomes


def table(rows, number):
    columns = ["split", "image_id", number, "class_id", "x1", "y1", "x2", "y2"]
    kinds = {"class_id": "int32", number: "int32", **dict.fromkeys(["x1", "y1", "x2", "y2"], "float64")}
    return pd.DataFrame(rows, columns=columns).astype(kinds)


def truth(*rows):
    return table(rows, "object_id")


def found(*rows, confidence):
    return table(rows, "detection_id").assign(confidence=np.array(confidence, dtype=float))


@pytest.mark.parametrize(
    ("overlap", "confidence", "iou", "expected"),
    [
        ([[0.6]], [0.9], 0.5, [0]),
        ([[0.5]], [0.9], 0.5, [0]),  # the threshold itself counts
        ([[0.4999]], [0.9], 0.5, [-1]),
        ([[0.7], [0.9]], [0.8, 0.3], 0.5, [0, -1]),  # the confident one wins, not the better placed one
        ([[0.7], [0.9]], [0.3, 0.8], 0.5, [-1, 0]),
        ([[0.9, 0.6], [0.8, 0.1]], [0.9, 0.8], 0.5, [0, -1]),  # its only box is taken: a false alarm
        ([[0.9, 0.6], [0.8, 0.55]], [0.9, 0.8], 0.5, [0, 1]),  # its best box is taken: the next best counts
        ([[0.6, 0.6]], [0.9], 0.5, [0]),  # equal overlap: the lower row
        ([[0.6], [0.7]], [0.5, 0.5], 0.5, [0, -1]),  # equal confidence: the lower row
        ([[0.9, -1.0]], [0.9], 0.5, [0]),
        ([[-1.0, -1.0]], [0.9], 0.5, [-1]),  # other classes only
        (np.zeros((2, 0)), [0.9, 0.8], 0.5, [-1, -1]),
        (np.zeros((0, 3)), [], 0.5, []),
    ],
)
def test_greedy(overlap, confidence, iou, expected):
    overlap = np.array(overlap, dtype=float)
    pairs = greedy(overlap=overlap, confidence=np.array(confidence, dtype=float), iou=iou)
    assert pairs.found.tolist() == expected
    assert pairs.iou.tolist() == [overlap[i, j] if j >= 0 else 0.0 for i, j in enumerate(expected)]


grids = st.integers(0, 6).flatmap(
    lambda n: st.integers(0, 6).flatmap(
        lambda m: st.tuples(
            st.lists(st.lists(st.floats(0, 1), min_size=m, max_size=m), min_size=n, max_size=n).map(
                lambda rows: np.array(rows, dtype=float).reshape(n, m)
            ),
            st.lists(st.floats(0, 1), min_size=n, max_size=n).map(lambda row: np.array(row, dtype=float)),
        )
    )
)


@given(grids, st.floats(0.05, 1))
@settings(deadline=None)
def test_greedy_is_one_to_one_and_leaves_nothing_that_could_match(grid, iou):
    overlap, confidence = grid
    before = overlap.copy(), confidence.copy()
    pairs = greedy(overlap=overlap, confidence=confidence, iou=iou)
    taken = pairs.found[pairs.found >= 0]
    assert len(set(taken.tolist())) == len(taken)
    assert (pairs.iou[pairs.found >= 0] >= iou).all()
    free = np.setdiff1d(np.arange(overlap.shape[1]), taken)
    assert not (overlap[np.ix_(pairs.found < 0, free)] >= iou).any()
    assert (overlap == before[0]).all()
    assert (confidence == before[1]).all()


@given(grids, st.floats(0.05, 1), st.floats(0, 1))
@settings(deadline=None)
def test_what_is_less_confident_changes_nothing(grid, iou, cut):
    overlap, confidence = grid
    whole = greedy(overlap=overlap, confidence=confidence, iou=iou)
    part = greedy(overlap=overlap[confidence >= cut], confidence=confidence[confidence >= cut], iou=iou)
    assert whole.found[confidence >= cut].tolist() == part.found.tolist()


TRUTH = truth(
    ("val", "a.png", 0, 0, 0, 0, 10, 10),
    ("val", "a.png", 1, 1, 0, 0, 10, 10),
    ("val", "b.png", 0, 0, 50, 50, 60, 60),
)
FOUND = found(
    ("val", "a.png", 0, 0, 0, 0, 10, 8),  # on object 0: IoU 0.8
    ("val", "a.png", 1, 0, 0, 0, 10, 10),  # on it too, but less sure
    ("val", "a.png", 2, 1, 0, 0, 10, 10),  # on object 1, under the operating point
    ("val", "c.png", 0, 0, 50, 50, 60, 60),  # right place, wrong sheet
    confidence=[0.9, 0.5, 0.2, 0.7],
)


def test_outcomes_at_the_operating_point():
    rows = outcomes(detections=FOUND, ground_truth=TRUTH, iou=0.5, confidence=0.25)
    got = {
        (
            row.image_id,
            row.outcome,
            row.class_id,
            *(None if pd.isna(v) else v for v in (row.object_id, row.detection_id)),
        )
        for row in rows.itertuples()
    }
    assert got == {
        ("a.png", "tp", 0, 0, 0),
        ("a.png", "fp", 0, None, 1),
        ("a.png", "fn", 1, 1, None),
        ("b.png", "fn", 0, 0, None),
        ("c.png", "fp", 0, None, 0),
    }
    tp = rows[rows["outcome"] == "tp"].iloc[0]
    assert tp["iou"] == pytest.approx(0.8)
    assert tp["confidence"] == 0.9
    assert rows.loc[rows["outcome"] != "tp", "iou"].isna().all()


def test_the_operating_point_is_inclusive():
    rows = outcomes(detections=FOUND, ground_truth=TRUTH, iou=0.5, confidence=0.2)
    assert (rows["outcome"] == "tp").sum() == 2


@pytest.mark.parametrize("detections", [FOUND, FOUND.iloc[:0]])
@pytest.mark.parametrize("ground_truth", [TRUTH, TRUTH.iloc[:0]])
def test_every_box_has_one_outcome(detections, ground_truth):
    rows = outcomes(detections=detections, ground_truth=ground_truth, iou=0.5, confidence=0.0)
    assert rows["detection_id"].notna().sum() == len(detections)
    assert rows["object_id"].notna().sum() == len(ground_truth)


def test_match_sheets_keeps_order_index_and_inputs():
    shuffled = FOUND.iloc[[3, 1, 0, 2]]
    before = shuffled.copy()
    pairs = match_sheets(detections=shuffled, ground_truth=TRUTH, iou=0.5)
    assert pairs.index.tolist() == [3, 1, 0, 2]
    assert pairs["object_id"].tolist() == [pd.NA, pd.NA, 0, 1]
    assert pairs["iou"].tolist() == pytest.approx([0, 0, 0.8, 1])
    pd.testing.assert_frame_equal(shuffled, before)


def test_match_sheets_across_classes_takes_the_other_box_too():
    pairs = match_sheets(detections=FOUND.iloc[:2], ground_truth=TRUTH, iou=0.5, any_class=True)
    assert pairs["object_id"].tolist() == [0, 1]


def test_hits_per_threshold():
    got = hits(detections=FOUND, ground_truth=TRUTH, thresholds=[0.5, 0.9])
    assert got.tolist() == [[True, False], [False, True], [True, True], [False, False]]
