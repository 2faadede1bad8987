import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit

from stages.picking.strategies.calibration import (
    INTERCEPT_SD,
    OFFSET_SD,
    SLOPE_SD,
    JudgedDetections,
    calibrate,
    logit,
)


def judged(class_id, confidence, right, overlooked=0):
    right = np.array(right, dtype=float)
    return JudgedDetections(
        np.array(class_id, dtype=np.int64), np.array(confidence, dtype=float), right, 1 - right, overlooked
    )


def drawn(seed, count, *, intercept, slope, offsets):
    rng = np.random.default_rng(seed)
    class_id, confidence = rng.integers(0, len(offsets), count), rng.uniform(0.02, 0.98, count)
    chance = expit(intercept + slope * logit(confidence) + np.array(offsets)[class_id])
    return judged(class_id, confidence, rng.uniform(size=count) < chance)


def test_before_anything_is_known_the_confidence_is_the_chance():
    found = calibrate([], classes=2)
    confidence = np.array([0.05, 0.3, 0.9])
    assert found.chance(np.array([0, 1, 0]), confidence) == pytest.approx(confidence)
    assert found.overlooked == pytest.approx(0.25)  # 2 for every 8 that some detection lies on


def test_it_is_the_mode_of_the_posterior_as_scipy_finds_it():
    seen = drawn(0, 60, intercept=-1, slope=0.7, offsets=[0.5, -0.5])
    design = np.column_stack([np.ones(60), logit(seen.confidence), np.eye(2)[seen.class_id]])
    sd, center = np.array([INTERCEPT_SD, SLOPE_SD, OFFSET_SD, OFFSET_SD]), np.array([0, 1, 0, 0])

    def loss(beta):
        line = design @ beta
        return np.logaddexp(0, line).sum() - line[seen.right == 1].sum() + (((beta - center) / sd) ** 2).sum() / 2

    found = calibrate([seen], classes=2)
    theirs = minimize(loss, center.astype(float), method="BFGS", options={"gtol": 1e-8}).x
    assert [found.intercept, found.slope, *found.offsets] == pytest.approx(theirs, abs=1e-4)


def test_with_many_detections_the_prior_is_forgotten():
    found = calibrate([drawn(1, 40_000, intercept=-1.0, slope=0.6, offsets=[0.0, 0.8])], classes=2)
    assert found.slope == pytest.approx(0.6, abs=0.03)
    assert found.offsets[1] - found.offsets[0] == pytest.approx(0.8, abs=0.08)


@pytest.mark.parametrize("right", [True, False])
def test_what_is_always_right_or_always_wrong_stays_finite(right):
    found = calibrate([judged([0] * 50, [0.5] * 50, [right] * 50)], classes=1)
    chance = found.chance(np.array([0]), np.array([0.5]))[0]
    assert 0 < chance < 1
    assert (chance > 0.9) == right


def test_order_and_parts_do_not_matter():
    seen = drawn(2, 90, intercept=0, slope=1, offsets=[0, 0])
    order = np.random.default_rng(0).permutation(90)
    parts = [judged(seen.class_id[o], seen.confidence[o], seen.right[o]) for o in np.split(order, 3)]
    assert str(calibrate(parts, classes=2)) == str(calibrate([seen], classes=2))


def test_a_count_stands_for_as_many_detections():
    one = JudgedDetections(np.zeros(1, np.int64), np.array([0.3]), np.array([3.0]), np.array([5.0]), 0)
    each = judged([0] * 8, [0.3] * 8, [1, 1, 1, 0, 0, 0, 0, 0])
    assert calibrate([one], classes=1).intercept == pytest.approx(calibrate([each], classes=1).intercept)


def test_overlooked_objects_are_counted_per_object_found():
    seen = judged([0] * 20, [0.9] * 20, [True] * 12 + [False] * 8, overlooked=8)
    assert calibrate([seen], classes=1).overlooked == pytest.approx((2 + 8) / (8 + 12))
