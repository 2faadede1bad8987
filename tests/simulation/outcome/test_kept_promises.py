"""What was expected of packets beside what was found."""

import pytest

from stages.simulation.outcome.kept_promises import KeptPromises, Promise, kept


def test_large_packets_weigh_more():
    found = kept([Promise(10, 5, 15, 20), Promise(100, 50, 150, 100)])
    assert found == (2, pytest.approx((10 * 20 + 100 * 100) / (10**2 + 100**2)), 0.5)


def test_ends_belong_to_the_interval():
    assert kept([Promise(10, 5, 15, 5), Promise(10, 5, 15, 15)]).inside == 1.0


@pytest.mark.parametrize("promises", [[], [Promise(0, 0, 0, 3)]])
def test_nothing_expected_has_no_slope(promises):
    assert kept(promises) == KeptPromises(len(promises), None, None)
