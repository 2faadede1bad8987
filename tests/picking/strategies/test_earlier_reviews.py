import numpy as np
import pandas as pd
import pytest

from stages.picking.strategies.calibration import JudgedDetections, calibrate
from stages.picking.strategies.earlier_reviews import cost_of, counted_detections, judged_detections
from stages.picking.strategies.review_cost import ReviewCost

CLASSES = ("door", "sink")


def drawn(seed, count):
    rng = np.random.default_rng(seed)
    confidence = rng.uniform(0.01, 0.99, count)
    right = (rng.uniform(size=count) < confidence).astype(float)
    return JudgedDetections(rng.integers(0, 2, count), confidence, right, 1 - right, 7)


def test_counts_lose_nothing_but_the_last_digits_of_confidences():
    seen = drawn(0, 500)
    rows = counted_detections(seen, CLASSES)
    assert len(rows) < 50
    again = judged_detections(rows, CLASSES)
    assert (again.right.sum(), again.wrong.sum(), again.overlooked) == (seen.right.sum(), seen.wrong.sum(), 7)
    one, two = (calibrate([each], classes=2) for each in (seen, again))
    where = np.array([0.05, 0.3, 0.7]), np.array([0, 1, 0])
    assert two.chance(where[1], where[0]) == pytest.approx(one.chance(where[1], where[0]), abs=0.02)


def test_a_class_that_is_no_more_is_left_out():
    rows = counted_detections(drawn(0, 100), CLASSES)
    assert set(judged_detections(rows, ("sink",)).class_id) == {0}
    assert judged_detections([], CLASSES).overlooked == 0


def test_the_cost_comes_from_sheets_with_a_time():
    sheets = pd.DataFrame({"boxes": [5, 10], "errors": [1, 2], "seconds": pd.array([None, None], dtype="Float64")})
    assert cost_of(sheets) == ReviewCost()
    assert cost_of(sheets.assign(seconds=pd.array([100.0, None], dtype="Float64"))) != ReviewCost()
