"""Each strategy on pools that are small enough to work out by hand."""

import numpy as np
import pytest

from stages.picking.strategies.coverage_order import coverage_order
from stages.picking.strategies.crowd_order import crowd_order
from stages.picking.strategies.diverse_order import diverse_order
from stages.picking.strategies.earned_order import earned_order, expected
from stages.picking.strategies.group_order import group_order
from stages.picking.strategies.review_cost import ReviewCost
from stages.picking.strategies.uncertain_order import doubt, uncertain_order
from tests.picking.strategies.views import names, view


def rng(seed=0):
    return np.random.default_rng(seed)


def test_crowd_counts_what_a_reviewer_would_see():
    one = view([("a", 0, 0.9), ("a", 0, 0.3), *[("b", 0, 0.2)] * 5, ("c", 0, 0.9)])  # faint boxes are not drawn
    assert names(one, crowd_order(one, rng())) == ["a", "c", "b"]


def test_groups_take_turns():
    one = view([], sheets=list("abcdef"), groups=["X", "X", "X", "X", "Y", ""])
    for seed in range(10):
        firsts = names(one, group_order(one, rng(seed)))[:3]
        assert {"e", "f"} < set(firsts)


def test_doubt_by_hand():
    assert doubt(np.array([0.5, 0.25, 1.0, 0.0])) == pytest.approx([1, 0.811278, 0, 0], abs=1e-6)


def test_uncertain_is_the_shrunk_mean_of_the_most_doubtful():
    # Doubts: a 1.0; b six of 0.811; c 0.081. Mean 0.743; a (1 + 1.487) / 3 = 0.829, b (4.056 + 1.487) / 7 = 0.792.
    one = view([("a", 0, 0.5), *[("b", 0, 0.75)] * 6, ("c", 0, 0.99)])
    order = uncertain_order(one, rng())
    assert names(one, order) == ["a", "b", "c"]
    mean = (1 + 6 * 0.811278 + 0.080793) / 8
    assert order.score == pytest.approx([(1 + 2 * mean) / 3, (5 * 0.811278 + 2 * mean) / 7, (0.080793 + 2 * mean) / 3])


def test_earned_by_hand():
    # a: two pre-labels, wrong with 0.1 and 0.5, and an object that is missing with 0.2: 0.8 errors, 2.2 boxes.
    one = view([("a", 0, 0.9), ("a", 1, 0.5), ("a", 0, 0.2), ("b", 0, 0.99)])
    found = expected(one, ReviewCost())
    assert found.errors == pytest.approx([0.8, 0.01])
    assert found.boxes == pytest.approx([2.2, 1.0])
    assert found.minutes == pytest.approx([(20 + 8.8 + 4.8) / 60, (20 + 4 + 0.06) / 60])
    assert found.variance == pytest.approx([0.09 + 0.25 + 0.16, 0.0099])
    order = earned_order(one, ReviewCost(), rng())
    assert names(one, order) == ["a", "b"]
    assert order.said[0] == "0.8 errors expected among 2 boxes, in 0.6 minutes."


def test_what_no_detection_lies_on_is_expected_too():
    one = view([("a", 0, 0.8)], sheets=["a", "b"], overlooked=0.5)
    assert expected(one, ReviewCost()).errors == pytest.approx([0.2 + 0.5 * 0.8, 0.0])


def test_a_wrong_box_on_a_missing_object_is_expected_once():
    """Of ten mistakes eight are errors: two pairs."""
    one = view([("a", 0, 0.5)] * 20)
    known = one._replace(calibration=one.calibration._replace(once=0.8))
    before, now = expected(one, ReviewCost()), expected(known, ReviewCost())
    assert now.errors == pytest.approx(0.8 * before.errors)
    assert now.boxes == pytest.approx(before.boxes - 0.2 * before.errors)
    assert now.variance == pytest.approx(0.64 * before.variance)


def test_earned_asks_what_it_costs():
    """A crowded sheet holds more errors, and a plain one more in a minute where boxes are dear."""
    one = view([*[("a", 0, 0.9)] * 30, ("b", 0, 0.5)])
    assert names(one, earned_order(one, ReviewCost(sheet=20, box=0.1, error=0.1), rng())) == ["a", "b"]
    assert names(one, earned_order(one, ReviewCost(sheet=0.1, box=30, error=0.1), rng())) == ["b", "a"]


def test_coverage_begins_with_the_class_of_fewest_labels():
    one = view([("a", 0, 0.9, 0), ("b", 1, 0.9, 1), ("c", 0, 0.9, 0)], known=[(0, 0)] * 3, wanted=1)
    assert names(one, coverage_order(one, rng()))[0] == "b"


def test_coverage_takes_what_is_typical_and_then_what_is_not_yet_there():
    boxes = [("a", 0, 0.9, 0), ("b", 0, 0.9, 0), ("c", 0, 0.9, 0), ("d", 0, 0.9, 1), ("e", 0, 0.9, 1)]
    one = view(boxes, classes=1)
    order = names(one, coverage_order(one, rng()))
    assert order[0] in "abc"
    assert order[1] in "de"


def test_coverage_leaves_what_is_labelled_already():
    one = view([("a", 0, 0.9, 0), ("b", 0, 0.9, 0), ("d", 0, 0.9, 1)], known=[(0, 0)], classes=1)
    assert names(one, coverage_order(one, rng()))[0] == "d"


def test_diverse_takes_doubtful_sheets_that_differ():
    boxes = [("a", 0, 0.5, 0), ("b", 0, 0.5, 0), ("c", 0, 0.6, 1), ("d", 0, 0.99, 2)]
    one = view(boxes, classes=1, wanted=2)
    order = names(one, diverse_order(one, rng()))
    assert order[0] in "ab"
    assert order[1] == "c"


def test_diverse_leaves_what_is_labelled_already():
    one = view([("a", 0, 0.5, 0), ("b", 0, 0.55, 1)], known=[(0, 0)], classes=1, wanted=2)
    assert names(one, diverse_order(one, rng()))[0] == "b"
