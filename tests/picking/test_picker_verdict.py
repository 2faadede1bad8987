"""Whether the picker beats chance: a comparison by hand, what each verdict says, and how often it is wrong."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.arms import Truth, said, trial
from stages.picking.picker_verdict import LEAST, Arm, Comparison, between, compare, sheets_to_tell, verdict


def sheets(*rows):
    """Return an arm from (errors, boxes) of each sheet."""
    return np.array(rows, dtype=float).reshape(-1, 2)


def test_two_sheets_each_by_hand():
    # Picked 10 / 20: without each sheet 0.4 and 0.6, so the variance is 0.02 · 1/2, and (1/20)² for one error more.
    # Random 2 / 20: the same 0.0125, but of all 40 boxes 12 are errors, and uneven sheets have 0.4 · 0.3 · 0.7 / 2 =
    # 0.042. Welch: 0.0545² / (0.0125² + 0.042²) = 1.5468 degrees of freedom, t = 5.7682, so ±1.3466.
    found = between(picked=sheets((6, 10), (4, 10)), random=sheets((0, 10), (2, 10)))
    assert (found.picked, found.random) == (Arm(2, 20, 10, 0.5), Arm(2, 20, 2, 0.1))
    assert found.gain == pytest.approx(0.4)
    assert (found.low, found.high) == (pytest.approx(-0.946599, abs=1e-6), 1)  # no difference is above 1


def test_the_table_of_sheets_is_split_by_arm():
    rows = [("picked", 6, 10), ("random", 0, 10), ("random", 2, 10), ("picked", 4, 10)]
    table = pd.DataFrame(rows, columns=["arm", "errors", "boxes"])
    assert compare(table) == between(picked=sheets((6, 10), (4, 10)), random=sheets((0, 10), (2, 10)))
    assert compare(table[:0]) == Comparison(Arm(0, 0, 0, None), Arm(0, 0, 0, None), None, None, None)


def test_sheets_that_are_all_alike_are_not_known_for_certain():
    found = between(picked=sheets(*[(5, 10)] * 9), random=sheets(*[(5, 10)] * 9))
    assert found.gain == 0
    assert found.low < -0.1
    assert found.high > 0.1


@pytest.mark.parametrize(
    ("picked", "random", "gain"),
    [
        ([], [(1, 5), (2, 5)], None),
        ([(1, 5), (2, 5)], [], None),
        ([(1, 5), (2, 5)], [(0, 0), (0, 0)], None),  # two random sheets with nothing on them
        ([(1, 5), (2, 5)], [(1, 5), (0, 0)], 0.1),  # one of them has boxes: nothing is known of how sheets differ
        ([(2, 5)], [(1, 5), (1, 5)], 0.2),
    ],
)
def test_too_few_sheets_are_no_interval_and_it_is_said(picked, random, gain):
    found = between(picked=sheets(*picked), random=sheets(*random))
    assert found.gain == (gain if gain is None else pytest.approx(gain))
    assert (found.low, found.high) == (None, None)
    count = "1 random sheet" if len(random) == 1 else f"{len(random)} random sheets"
    assert verdict(found).startswith("Whether the picker is better than chance is not known yet: ")
    assert f"{count} reviewed so far, at least {LEAST} with boxes" in verdict(found)
    assert sheets_to_tell(found) is None


@pytest.mark.parametrize(
    ("picked", "random", "words"),
    [
        (
            [(5, 10)] * 40,
            [(1, 10)] * 5,
            "The picker is better than chance: 0.50 errors per box on picked sheets, 0.10 on random ones (difference "
            "+0.12 to +0.68; 5 random sheets reviewed so far).",
        ),
        (
            [(1, 10)] * 60,
            [(3, 10)] * 30,
            "The picker is not better than chance: 0.10 errors per box on picked sheets, 0.30 on random ones "
            "(difference -0.29 to -0.11; 30 random sheets reviewed so far).",
        ),
        (
            [(4, 10)] * 20,
            [(2, 10)] * 3,
            "Whether the picker is better than chance is not known yet: 0.40 errors per box on picked sheets, 0.20 on "
            "random ones (difference -0.17 to +0.57; 3 random sheets reviewed so far); if that stays so, about 8 more "
            "would tell.",
        ),
        ([(2, 10)] * 40, [(2, 10)] * 5, "so far); so far it finds no more."),
        ([(3, 10)] * 10, [(2, 10)] * 2, "so far); it would take many more to tell."),
    ],
)
def test_the_verdict_in_a_sentence(picked, random, words):
    assert verdict(between(picked=sheets(*picked), random=sheets(*random))).endswith(words)


def test_a_gain_that_is_sure_but_of_no_use_is_no_better_than_chance():
    """A quarter more errors than chance at most, whatever the number of sheets."""
    many = between(picked=sheets(*[(20, 100)] * 4000), random=sheets(*[(20, 100)] * 400))
    assert many.low < 0 < many.high < 0.05
    assert said(many) == "not better"
    assert said(many._replace(high=0.051)) == "not known"


def test_the_forecast_scales_with_the_root():
    found = Comparison(Arm(90, 900, 360, 0.4), Arm(10, 100, 20, 0.2), 0.2, -0.1, 0.5)
    assert sheets_to_tell(found) == 13  # 10 · (0.3 / 0.2)² = 22.5
    assert sheets_to_tell(found._replace(low=0.01)) is None  # it is told already
    assert sheets_to_tell(found._replace(gain=0.0, low=-0.3, high=0.3)) is None  # nothing to be shown
    assert sheets_to_tell(found._replace(gain=0.02, low=-0.3)) is None  # 10 sheets say nothing of 2,560


@pytest.mark.parametrize("sheets_drawn", [2, 5, 20])
@pytest.mark.parametrize("kinds", [("uneven", "uneven"), ("alike", "skewed")])
def test_a_picker_like_chance_is_seldom_called_better(sheets_drawn, kinds):
    """`python -m benchmarks.arms` measures it at length: at most 3.2 %, and the interval holds the truth from 96 %."""
    rng, truth = np.random.default_rng(7), Truth(0.2, 0.2, *kinds)
    found = [trial(rng, truth, sheets=sheets_drawn) for _ in range(200)]
    assert np.mean([said(one) == "better" for one in found]) <= 0.06
    assert np.mean([one.low <= 0 <= one.high for one in found]) >= 0.93


def test_a_picker_that_finds_four_times_as_much_is_seen():
    rng, truth = np.random.default_rng(7), Truth(0.4, 0.1, "uneven", "uneven")
    assert np.mean([said(trial(rng, truth, sheets=10)) == "better" for _ in range(200)]) >= 0.85
