"""Gains, their intervals, and the rule for the word "better"."""

from math import log

import pytest

from stages.simulation.outcome.learning_curves import Reach
from stages.simulation.outcome.paired_arms import floor_of, judged, log_gain, mean_of, says_nothing


def test_the_interval_is_students():
    found = mean_of([1.0, 2.0, 3.0])
    half = 4.302653 / 3**0.5  # t of 2 degrees of freedom, standard deviation 1
    assert (found.mean, found.n) == (2.0, 3)
    assert (found.low, found.high) == pytest.approx((2 - half, 2 + half), abs=1e-6)


@pytest.mark.parametrize(("values", "mean"), [([], None), ([0.5], 0.5)])
def test_fewer_than_two_seeds_have_no_interval(values, mean):
    assert mean_of(values) == (mean, None, None, len(values))


@pytest.mark.parametrize(
    ("mine", "other", "expected"),
    [
        ([Reach(10, 40)], [Reach(20, 40)], log(2)),
        ([Reach(10, 40)], [Reach(10, 40), Reach(40, 40)], log(2)),  # two replays: the mean of their logs
        ([Reach(10, 40)], [Reach(None, 40)], log(4)),  # it took at least that
        ([Reach(None, 40)], [Reach(20, 40)], None),  # nothing is known in our favour
        ([Reach(None, 40)], [Reach(None, 40)], None),
        ([Reach(0, 40)], [Reach(0, 40)], None),
    ],
)
def test_how_much_faster_an_arm_is(mine, other, expected):
    found = log_gain(mine, other)
    assert found == (None if expected is None else pytest.approx(expected))


def test_a_seed_whose_start_is_there_says_nothing():
    assert says_nothing([Reach(0, 40), Reach(0, 40)])
    assert not says_nothing([Reach(None, 40), Reach(3, 40)])


def test_replays_that_differ_both_ways_differ():
    pairs = [(Reach(10, 40), Reach(20, 40)), (Reach(20, 40), Reach(10, 40)), (Reach(0, 40), Reach(0, 40))]
    assert floor_of(pairs) == pytest.approx(log(2))
    assert floor_of([]) is None


@pytest.mark.parametrize(
    ("gains", "losses", "floor", "verdict"),
    [
        ([0.5, 0.6, 0.7], [-0.5, -0.6, -0.7], 0.1, "better"),
        ([0.5, 0.6, 0.7], [-0.5, -0.6, -0.7], 0.6, "not shown"),  # chance alone does as much
        ([-0.1, 0.6, 0.7], [0.1, -0.6, -0.7], 0.1, "not shown"),  # the interval holds 0
        ([-0.5, -0.6, -0.7], [0.5, 0.6, 0.7], 0.1, "worse"),
        ([0.5, 0.6, None], [-0.5, -0.6, None], 0.1, "not shown"),  # not reached on one seed
        ([None, -0.6, -0.7], [0.5, 0.6, 0.7], 0.1, "worse"),
        ([0.5, 0.6, 0.7], [-0.5, -0.6, -0.7], None, "not shown"),  # nothing says what chance does
        ([0.5], [-0.5], 0.1, "not shown"),
        ([], [], 0.1, "not shown"),
    ],
)
def test_when_an_arm_is_called_better(gains, losses, floor, verdict):
    assert judged(gains, losses, floor) == verdict
