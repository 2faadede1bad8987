import numpy as np
import pytest

from stages.picking.strategies.review_cost import ReviewCost, fitted_cost


def test_minutes_by_hand():
    one = np.ones(1)
    assert ReviewCost().minutes(sheets=one, boxes=10 * one, errors=5 * one) == pytest.approx([1.5])  # 20 + 40 + 30 s


def test_without_timed_sheets_it_is_what_is_stated():
    none = np.zeros(0)
    assert fitted_cost(boxes=none, errors=none, seconds=none) == ReviewCost(20, 4, 6)


def test_many_timed_sheets_tell():
    rng = np.random.default_rng(0)
    boxes, errors = rng.integers(0, 40, 5000).astype(float), rng.integers(0, 10, 5000).astype(float)
    found = fitted_cost(boxes=boxes, errors=errors, seconds=35 + 2 * boxes + 12 * errors + rng.normal(0, 5, 5000))
    assert found == pytest.approx((35, 2, 12), rel=0.03)


def test_a_few_timed_sheets_move_it_a_little():
    found = fitted_cost(boxes=np.full(2, 5.0), errors=np.ones(2), seconds=np.full(2, 460.0))  # ten times what is stated
    assert 20 < found.sheet < 120


def test_nobody_looks_for_nothing():
    rng = np.random.default_rng(0)
    boxes, errors = rng.integers(0, 40, 500).astype(float), rng.integers(0, 10, 500).astype(float)
    found = fitted_cost(boxes=boxes, errors=errors, seconds=np.full(500, 0.1))
    assert found == pytest.approx((2, 0.4, 0.6))
