"""What the stages left becomes what a strategy knows."""

import numpy as np
import pandas as pd
import pytest

from stages.picking.pool_tables import PoolTables, pool_view, seen_on
from stages.picking.strategies.calibration import Corrections, JudgedDetections, calibrate
from stages.ruler.pairing.box_tables import DETECTIONS
from stages.ruler.schemas import GROUND_TRUTH

DETECTED = [  # split, sheet, number, class, confidence, x of a box of 10 px
    ("pool", "b.png", 0, 0, 0.9, 0),
    ("pool", "b.png", 1, 1, 0.6, 1),  # on the same place as a surer one
    ("pool", "b.png", 2, 1, 0.005, 50),  # noise
    ("pool", "c.png", 0, 1, 0.4, 0),
    ("pool", "labelled.png", 0, 1, 0.4, 0),
    ("train", "t.png", 0, 1, 0.8, 0),
    ("train", "t.png", 1, 0, 0.7, 90),  # on nothing
    ("val", "v.png", 0, 0, 0.9, 0),
    ("val", "v.png", 1, 0, 0.3, 50),
]
TRUTH = [
    ("train", "t.png", 0, 1, 0),
    ("train", "t.png", 1, 0, 200),
    ("val", "v.png", 0, 0, 0),
    ("val", "v.png", 1, 1, 80),
]


def frame(rows, schema):
    boxes = [(*row[:-1], float(row[-1]), 0.0, row[-1] + 10.0, 10.0) for row in rows]
    return pd.DataFrame(boxes, columns=list(schema.columns)).astype(schema.columns)


@pytest.fixture
def tables():
    detections = frame(DETECTED, DETECTIONS)
    surer = [row for row in DETECTED if row[4] >= 0.01]
    return PoolTables(detections, np.eye(8)[: len(surer)].astype(np.float16), frame(TRUTH, GROUND_TRUTH))


def view(tables, reviews=()):
    pool = pd.DataFrame({"image_id": ["c.png", "b.png"], "group": ["G", ""]})
    return pool_view(pool, tables, reviews=reviews, classes=2, prelabel=0.25, wanted=1, iou=0.5)


def test_only_unlabelled_sheets_without_doubles_and_noise(tables):
    one = view(tables)
    assert one.sheets == ("b.png", "c.png")
    assert one.groups.tolist() == ["", "G"]
    assert one.sheet.tolist() == [0, 1]
    assert one.class_id.tolist() == [0, 1]
    assert one.confidence.tolist() == [0.9, 0.4]


def test_features_stay_with_their_detections(tables):
    one = view(tables)
    assert one.features.argmax(axis=1).tolist() == [0, 2]  # the second of b.png has some too, and the third has none
    assert one.known_class.tolist() == [1, 0]
    assert one.known_features[0].argmax() == 4
    assert not one.known_features[1].any()  # the detector did not see it


def test_the_calibration_is_of_val_and_of_reviews(tables):
    val = JudgedDetections(np.array([0, 0]), np.array([0.9, 0.3]), np.array([1.0, 0]), np.array([0.0, 1]), 1)
    known = Corrections(2, 2)  # a false alarm and a miss, 30 px apart
    assert str(view(tables).calibration) == str(calibrate([val], classes=2, known=known))
    assert str(view(tables, [val]).calibration) == str(calibrate([val, val], classes=2, known=known))


@pytest.mark.parametrize(("x", "corrections"), [(59, 2), (58, 1), (52, 1), (45, 1)])
def test_a_wrong_box_on_a_missing_object_is_one_correction(tables, x, corrections):
    """The false alarm at 50 px, 10 px wide, was meant for the object at `x` where the two overlap: from IoU 0.1 on."""
    truth = tables.truth.assign(x1=tables.truth["x1"].replace(80.0, x), x2=tables.truth["x2"].replace(90.0, x + 10.0))
    found = view(tables._replace(truth=truth)).calibration.once
    assert found == pytest.approx((10 + corrections) / (10 + 2))


def test_what_a_review_says_of_detections(tables):
    own = tables.detections[tables.detections["image_id"] == "v.png"]
    found = seen_on(own, tables.truth[tables.truth["image_id"] == "v.png"], iou=0.5)
    assert found.right.tolist() == [1, 0]
    assert found.wrong.tolist() == [0, 1]
    assert found.overlooked == 1
