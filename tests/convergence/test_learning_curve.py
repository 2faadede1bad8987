"""What curves say of the next iterations: laws that must hold, and histories that a person can judge by eye."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.convergence.learning_curve import LEAST, chance_of, curves_of, next_gain, rise_within

RISING = [0.5, 0.6, 0.69, 0.77, 0.84]
FLAT = [0.5, 0.8, 0.85, 0.851, 0.85, 0.8505, 0.85]
rates = st.floats(0, 1)


def curves(f1, val_sd=0.002, ahead=3):
    found = curves_of(f1, val_sd=val_sd, ahead=ahead)
    assert found is not None
    return found


def test_too_few_points_say_nothing():
    assert curves_of([0.5] * (LEAST - 1), val_sd=0.01, ahead=1) is None


@pytest.mark.parametrize(("f1", "least", "most"), [(RISING, 0.99, 1.0), (FLAT, 0.0, 0.05)])
def test_what_rises_goes_on_and_what_is_flat_does_not(f1, least, most):
    assert least <= chance_of(curves(f1), 0.005, steps=3) <= most


def test_noise_of_val_hides_what_is_flat():
    chances = [chance_of(curves(FLAT, sd), 0.005, steps=3) for sd in (0.0, 0.01, 0.05)]
    assert chances == sorted(chances)
    assert chances[-1] > 0.1


def test_a_fall_is_scatter_and_no_curve_falls():
    found = curves([0.5, 0.8, 0.7, 0.6])
    assert rise_within(found, steps=3, tail=0.05).low >= 0


def test_what_all_iterations_have_in_common_says_nothing():
    low, high = curves(RISING), curves([one + 0.1 for one in RISING])
    assert chance_of(low, 0.05, steps=3) == pytest.approx(chance_of(high, 0.05, steps=3))


def test_a_lucky_iteration_is_expected_to_fall_back():
    gain, ends = next_gain(curves([*FLAT, 0.87], 0.002, 1), 0.87)
    assert gain < 0
    assert ends.low < gain < ends.high


def test_the_curve_that_made_the_points_is_found():
    points = 0.9 - 0.4 * 0.6 ** np.arange(8)
    gain, _ = next_gain(curves(points, 0.0, 1), points[-1])
    assert gain == pytest.approx(0.4 * 0.6**7 * 0.4, abs=0.004)


@settings(max_examples=20, deadline=None)
@given(st.lists(rates, min_size=LEAST, max_size=8), st.floats(0, 0.1))
def test_shares_sum_to_one_and_ends_are_in_order(f1, val_sd):
    found = curves(f1, val_sd)
    assert found.share.sum() == pytest.approx(1)
    ends = rise_within(found, steps=3, tail=0.05)
    assert 0 <= ends.low <= ends.high <= 1
    chances = [chance_of(found, gain, steps=3) for gain in (0.0, 0.005, 0.05, 1.01)]
    assert all(less >= more - 1e-12 for less, more in pairwise(chances))  # sums of shares, to the last digit
    assert chances[-1] == 0
