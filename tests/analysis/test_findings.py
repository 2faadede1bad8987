import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.analysis.findings import (
    FindingLimits,
    aspects,
    border_distances,
    confusions,
    contrasts,
    describe,
    position_names,
    select,
    size_names,
    unusual_aspects,
    usual_aspects,
    with_counting,
)
from stages.base.boxes import BOX, area

LIMITS = FindingLimits(500, 2000, 10_000, 100, 30.0, 2.5, 0.2, 5.0, 0.3)
IOU = 0.5


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (0, "tiny"),
        (499.9, "tiny"),
        (500, "small"),
        (1999, "small"),
        (2000, "medium"),
        (9999, "medium"),
        (10_000, "large"),
    ],
)
def test_size(value, name):
    assert size_names(np.array([float(value)]), LIMITS).tolist() == [name]


@pytest.mark.parametrize(
    ("box", "name"),
    [
        ([400, 300, 420, 320], "center"),
        ([99, 300, 120, 320], "edge"),
        ([100, 300, 120, 320], "center"),  # 100 px away is not within 100 px
        ([400, 10, 420, 30], "edge"),
        ([10, 10, 30, 30], "corner"),
        ([850, 550, 990, 590], "corner"),  # right and bottom
        ([10, 300, 990, 320], "edge"),  # left and right are not perpendicular
        ([-5, 300, 20, 320], "edge"),  # over the border
    ],
)
def test_position(box, name):
    distances = border_distances(np.array([box]), width=np.array([1000.0]), height=np.array([600.0]))
    assert distances.min() >= 0
    assert position_names(distances, border=100).tolist() == [name]


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ([0, 0, 4, 4], 100.0),  # half black, half 200
        ([0, 0, 2, 4], 0.0),
        ([2, 0, 4, 4], 0.0),
        ([-9, -9, 99, 99], 100.0),  # reaches over the border
        ([1.4, 0, 2.4, 1], 0.0),  # only the pixel whose centre it holds
        ([1.6, 0, 2.4, 1], np.nan),  # under a pixel
        ([50, 50, 60, 60], np.nan),  # beside the image
    ],
)
def test_contrast(box, expected):
    grey = np.array([[0, 0, 200, 200]] * 4, dtype=np.uint8)
    assert contrasts(grey, np.array([box], dtype=float)) == pytest.approx([expected], nan_ok=True)


def boxes_of(ratios, class_id=0):
    rows = [("train", "a.png", class_id, 0.0, 0.0, 10.0 * ratio, 10.0) for ratio in ratios]
    return pd.DataFrame(rows, columns=["split", "image_id", "class_id", *BOX])


def test_the_usual_shape_is_the_median_of_at_least_five_boxes():
    truth = pd.concat([boxes_of([1, 2, 3, 4, 50], class_id=0), boxes_of([1, 1, 1, 1], class_id=1)])
    assert usual_aspects(truth) == {0: pytest.approx(3.0)}
    assert usual_aspects(truth.iloc[:0]) == {}


@pytest.mark.parametrize(
    ("ratio", "class_id", "odd"),
    [
        (8.0, 0, False),  # a title is always wide
        (20.1, 0, True),
        (3.1, 0, True),
        (3.3, 0, False),
        (8.0, 1, True),  # no usual shape: the fixed limits 0.2 and 5
        (4.9, 1, False),
        (0.19, 1, True),
        (0.21, 1, False),
    ],
)
def test_unusual_aspect(ratio, class_id, odd):
    got = unusual_aspects(np.array([ratio]), class_id=np.array([class_id]), usual={0: 8.0}, limits=LIMITS)
    assert got.tolist() == [odd]


def test_a_box_without_height_has_an_aspect():
    assert np.isfinite(aspects(np.array([[0.0, 0, 10, 0], [0, 0, 0, 0]]))).all()


@given(st.lists(st.tuples(*[st.floats(-50, 1200)] * 4), min_size=1, max_size=8))
def test_words_belong_to_every_box(rows):
    boxes = np.array(rows, dtype=float)
    size = size_names(area(boxes), LIMITS)
    distances = border_distances(boxes, width=np.full(len(boxes), 1000.0), height=np.full(len(boxes), 600.0))
    assert set(size) <= {"tiny", "small", "medium", "large"}
    assert set(position_names(distances, border=100.0)) <= {"corner", "edge", "center"}


IMAGES = pd.DataFrame(
    [
        ("val", "a.png", 1000, 600, True, 0.25),
        ("pool", "p.png", 1000, 600, False, 0.25),
        ("train", "t.png", 1000, 600, True, 0.25),
    ],
    columns=["split", "image_id", "width", "height", "labelled", "confidence"],
)
TRUTH = pd.DataFrame(
    [
        ("val", "a.png", 0, 0, 300, 300, 340, 340),  # missed: the sure detection on it is of another class
        ("val", "a.png", 1, 1, 10, 10, 30, 30),  # missed: nearly found
        ("val", "a.png", 2, 1, 500, 300, 520, 320),  # missed: nothing there
    ],
    columns=["split", "image_id", "object_id", "class_id", *BOX],
)
DETECTIONS = pd.DataFrame(
    [
        ("val", "a.png", 0, 1, 300, 300, 340, 330, 0.9),
        ("val", "a.png", 1, 1, 10, 10, 30, 28, 0.2),
        ("val", "a.png", 2, 1, 10, 10, 30, 20, 0.1),
        ("pool", "p.png", 0, 0, 0, 0, 20, 20, 0.8),
        ("pool", "p.png", 1, 0, 0, 0, 20, 15, 0.05),
    ],
    columns=["split", "image_id", "detection_id", "class_id", *BOX, "confidence"],
)
MATCHES = pd.DataFrame(
    [
        ("val", "a.png", "fp", 1, pd.NA, 0, 0.9),
        ("val", "a.png", "fn", 0, 0, pd.NA, pd.NA),
        ("val", "a.png", "fn", 1, 1, pd.NA, pd.NA),
        ("val", "a.png", "fn", 1, 2, pd.NA, pd.NA),
    ],
    columns=["split", "image_id", "outcome", "class_id", "object_id", "detection_id", "confidence"],
).astype({"object_id": "Int32", "detection_id": "Int32", "confidence": "Float64"})


@pytest.fixture
def described():
    rows = select(images=IMAGES, ground_truth=TRUTH, detections=DETECTIONS, matches=MATCHES)
    return describe(rows, images=IMAGES, detections=DETECTIONS, usual={}, limits=LIMITS, iou=IOU)


def test_select_takes_misses_alarms_and_everything_on_unlabelled_sheets(described):
    assert described["outcome"].tolist() == ["fn", "fn", "fn", "fp", "unjudged", "unjudged"]
    assert described["split"].tolist() == ["val"] * 4 + ["pool"] * 2
    assert described["x1"].tolist() == [300, 10, 500, 300, 0, 0]
    assert described["confidence"].tolist() == [pd.NA, pd.NA, pd.NA, 0.9, 0.8, 0.05]


def test_describe_by_hand(described):
    assert described["size"].tolist() == ["small", "tiny", "tiny", "small", "tiny", "tiny"]
    assert described["position"].tolist() == ["center", "corner", "center", "center", "corner", "corner"]
    assert described["border_distance"].tolist() == [260, 10, 280, 270, 0, 0]
    # Only sure detections count as neighbours, and none is its own.
    assert described["overlap_iou"].tolist() == pytest.approx([0.75, 0, 0, 0, 0, 0.75])
    assert described["overlapping"].tolist() == [True, False, False, False, False, True]
    # The best detection of its class that lies on it; the one of 0.1 does too, but is less sure.
    assert described["near_miss"].tolist() == [pd.NA, 0.2, pd.NA, pd.NA, pd.NA, pd.NA]


def test_describe_nothing():
    rows = select(images=IMAGES[:0], ground_truth=TRUTH[:0], detections=DETECTIONS[:0], matches=MATCHES[:0])
    got = describe(rows, images=IMAGES[:0], detections=DETECTIONS[:0], usual={}, limits=LIMITS, iou=IOU)
    assert len(got) == 0
    assert "near_miss" in got.columns


def test_confusions_pair_a_miss_with_the_alarm_on_it(described):
    assert confusions(described, iou=0.3).values.tolist() == [[0, 1]]
    assert len(confusions(described, iou=0.8)) == 0
    assert len(confusions(described[:0], iou=0.3)) == 0


def test_every_sheet_has_its_own_threshold():
    images = pd.DataFrame(
        [("val", "a.png", 1000, 600, True, 0.1), ("val", "b.png", 1000, 600, True, 0.6)],
        columns=IMAGES.columns,
    )
    seen = pd.DataFrame(
        [("val", name, 0, 0, 10, 10, 30, 30, confidence) for name, confidence in [("a.png", 0.5), ("b.png", 0.5)]],
        columns=DETECTIONS.columns,
    )
    assert with_counting(seen, images=images)["counts"].tolist() == [True, False]
    truth = pd.DataFrame([("val", name, 0, 0, 10, 10, 30, 30) for name in ("a.png", "b.png")], columns=TRUTH.columns)
    missed = truth.assign(outcome="fn", detection_id=pd.array([pd.NA, pd.NA], dtype="Int32"), confidence=pd.NA)
    got = describe(missed, images=images, detections=seen, usual={}, limits=LIMITS, iou=IOU)
    assert got["overlap_iou"].tolist() == [1.0, 0.0]
    assert got["near_miss"].tolist() == [pd.NA, 0.5]
