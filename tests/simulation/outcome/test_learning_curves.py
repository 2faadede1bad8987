"""Areas and reaches of curves, by numbers that were worked out by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.simulation.outcome.learning_curves import LearningCurve, Reach, area, common_end, reach

RISING = LearningCurve((0.0, 10.0, 30.0), (0.2, 0.6, 0.8))


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (10.0, 0.4),  # half way up
        (30.0, (0.4 * 10 + 0.7 * 20) / 30),
        (20.0, (0.4 * 10 + 0.65 * 10) / 20),  # 0.7 at 20, between two points
        (5.0, 0.3),
    ],
)
def test_the_area_is_the_mean_height_up_to_the_end(end, expected):
    assert area(RISING, end) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("curve", "target", "expected"),
    [
        (RISING, 0.6, Reach(10.0, 30.0)),
        (RISING, 0.4, Reach(5.0, 30.0)),
        (RISING, 0.7, Reach(20.0, 30.0)),
        (RISING, 0.81, Reach(None, 30.0)),
        (RISING, 0.2, Reach(0.0, 30.0)),
        (LearningCurve((0.0, 10.0, 20.0, 30.0), (0.1, 0.5, 0.3, 0.7)), 0.4, Reach(7.5, 30.0)),  # the first time
    ],
)
def test_where_a_curve_is_first_at_the_target(curve, target, expected):
    found = reach(curve, target)
    assert found.end == expected.end
    assert found.spent == (None if expected.spent is None else pytest.approx(expected.spent))


def test_no_curve_is_drawn_on():
    assert common_end([RISING, LearningCurve((0.0, 25.0), (0.2, 0.9))]) == 25.0


@given(height=st.floats(0, 1), end=st.floats(0.1, 30))
def test_a_flat_curve_has_its_height_as_area(height, end):
    assert area(LearningCurve((0.0, 12.0, 30.0), (height,) * 3), end) == pytest.approx(height)


@given(heights=st.lists(st.floats(0, 1), min_size=3, max_size=3), low=st.floats(0, 1), more=st.floats(0, 1))
def test_a_higher_target_is_never_reached_sooner(heights, low, more):
    curve = LearningCurve((0.0, 10.0, 30.0), tuple(heights))
    sooner, later = reach(curve, low).spent, reach(curve, low + more).spent
    assert later is None or (sooner is not None and sooner <= later + 1e-9)
