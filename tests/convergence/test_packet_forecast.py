"""What the next packet will buy, in one line."""

import pytest

from stages.convergence.packet_forecast import forecast


def test_too_few_iterations_say_so():
    found = forecast([0.5, 0.6], 0.01, 12.0)
    assert (found.gain, found.low, found.high, found.minutes) == (None, None, None, 12.0)
    assert found.says == "the next packet: too few iterations to say (2 by this ruler, 3 are needed)"


def test_a_val_without_intervals_says_nothing():
    assert forecast([0.5, 0.6, 0.7], None, None).says == "the next packet: nothing to say, as gains have no interval"


@pytest.mark.parametrize(
    ("minutes", "cost"), [(None, ""), (12.4, " for about 12 minutes of review, as the last one took")]
)
def test_a_gain_with_its_interval_and_its_price(minutes, cost):
    found = forecast([0.5, 0.6, 0.66, 0.70], 0.01, minutes)
    assert 0 < found.gain < 0.05
    assert found.low < 0 < found.high
    assert found.says == f"the next packet: F1 {found.gain:+.3f} ({found.low:.2f} to {found.high:.2f}) expected{cost}"
