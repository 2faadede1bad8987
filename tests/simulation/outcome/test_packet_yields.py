"""Errors of a packet over those of chance."""

import pandas as pd
import pytest

from stages.simulation.outcome.packet_yields import over_chance, rates


def test_errors_per_minute_and_per_box_by_hand():
    found = pd.DataFrame({"boxes": [3.0, 1.0], "errors": [2.0, 0.0], "minutes": [1.5, 0.5]})
    assert rates(found) == (1.0, 0.5)
    assert rates(found.iloc[:1]) == pytest.approx((4 / 3, 2 / 3))


def test_where_nothing_is_wrong_every_packet_is_as_good_as_chance():
    found = pd.DataFrame({"boxes": [0.0], "errors": [0.0], "minutes": [1.0]})
    assert rates(found) == (0.0, 0.0)
    assert over_chance(0.0, 0.0) == 1.0
    assert over_chance(3.0, 2.0) == 1.5
