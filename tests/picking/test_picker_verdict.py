"""Whether the picker beats chance: a comparison by hand, what each verdict says, and how often it is wrong."""

from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest

from benchmarks.arms import PLANS, Truth, packets, said, trial
from stages.picking.picker_verdict import LEAST, Arm, Comparison, between, compare, sheets_to_tell, verdict


def sheets(*rows, iteration=0):
    """Return an arm from (errors, boxes) of each sheet of an iteration."""
    return np.array([(iteration, *row) for row in rows], dtype=float).reshape(-1, 3)


def test_two_sheets_each_by_hand():
    # Picked 10 / 20: without each sheet 0.4 and 0.6, so the variance is 0.02 · 1/2, and (1/20)² for one error more.
    # Random 2 / 20: the same 0.0125, but of all 40 boxes 12 are errors, and uneven sheets have 0.4 · 0.3 · 0.7 / 2 =
    # 0.042. Welch: 0.0545² / (0.0125² + 0.042²) = 1.5468 degrees of freedom, t = 5.7682, so ±1.3466.
    found = between(picked=sheets((6, 10), (4, 10)), random=sheets((0, 10), (2, 10)))
    assert (found.picked, found.random) == (Arm(2, 20, 10, 0.5), Arm(2, 20, 2, 0.1))
    assert found.gain == pytest.approx(0.4)
    assert (found.low, found.high) == (pytest.approx(-0.946599, abs=1e-6), 1)  # no difference is above 1


def test_the_table_of_sheets_is_split_by_arm():
    rows = [(0, "picked", 6, 10), (0, "random", 0, 10), (0, "random", 2, 10), (0, "picked", 4, 10)]
    table = pd.DataFrame(rows, columns=["iteration", "arm", "errors", "boxes"])
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


def by_chance(*packets):
    """Return every way in which chance may call sheets of some packets random: one table for each.

    A packet is how many are random, and (errors, boxes) of each sheet.
    """
    for drawn in product(*(combinations(range(len(rows)), random) for random, rows in packets)):
        yield pd.DataFrame(
            [
                (iteration, "random" if i in drawn[iteration] else "picked", *row)
                for iteration, (_, rows) in enumerate(packets)
                for i, row in enumerate(rows)
            ],
            columns=["iteration", "arm", "errors", "boxes"],
        )


FULL_OF_ERRORS = [(8, 10), (6, 10), (9, 10), (4, 10), (7, 10)]
CLEAN = [(0, 10), (1, 10), (0, 10), (2, 10)]


@pytest.mark.parametrize(
    "packets",
    [
        [(1, FULL_OF_ERRORS), (2, CLEAN)],
        [(1, CLEAN), (2, FULL_OF_ERRORS)],  # all as one, it is on the other side
        [(2, CLEAN), (1, FULL_OF_ERRORS[:4]), (1, FULL_OF_ERRORS[2:4])],
    ],
)
def test_a_picker_that_is_chance_gains_nothing_however_unequal_the_packets(packets):
    gains = [compare(table).gain for table in by_chance(*packets)]
    assert len(gains) >= 30
    assert np.mean(gains) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("plan", ["shrinking", "growing"])
def test_packets_that_differ_lead_to_no_false_verdict(plan):
    """`python -m benchmarks.arms`: with all sheets in one pot up to 18 % are called better, or 44 % not better."""
    rng = np.random.default_rng(7)
    drawn = [packets(rng, PLANS[plan], gain=0.0, kinds=("skewed", "skewed")) for _ in range(200)]
    found = [between(picked=picked, random=random) for picked, random in drawn]
    pooled = [between(picked=picked * [0, 1, 1], random=random * [0, 1, 1]) for picked, random in drawn]
    assert np.mean([one.gain for one in found]) == pytest.approx(0, abs=0.02)
    assert abs(np.mean([one.gain for one in pooled])) > 0.08
    assert np.mean([said(one) == "better" for one in found]) <= 0.03
    assert np.mean([one.low <= 0 <= one.high for one in found]) >= 0.95


def two_iterations():
    """In the first 4 of 10 against 2 of 10, weight 5; in the second 3 of 30 against 1 of 10, weight 7.5."""
    picked = [sheets((4, 10)), sheets((1, 15), (2, 15), iteration=1)]
    random = [sheets((2, 10)), sheets((1, 10), iteration=1)]
    return np.vstack(picked), np.vstack(random)


def test_iterations_are_weighted_as_mantel_and_haenszel_do():
    picked, random = two_iterations()
    found = between(picked=picked, random=random)
    assert found.gain == pytest.approx((0.2 * 5 + 0 * 7.5) / 12.5)
    assert found.picked == Arm(3, 40, 7, pytest.approx((0.4 * 5 + 0.1 * 7.5) / 12.5))
    assert found.random == Arm(2, 20, 3, pytest.approx((0.2 * 5 + 0.1 * 7.5) / 12.5))
    # Leaving out the only random sheet of an iteration leaves the other's difference: pulls of -0.08 and 0.12, half of
    # whose squares is 0.0104. Uneven sheets have more: 0.4 · (0.4² · 0.3 · 0.7 + 0.6² · 0.1 · 0.9) = 0.0264.
    # Picked: a pull of -0.08; then with weight 15 · 10 / 25 = 6 of the second iteration and differences of 1/30 and
    # -1/30 there (1 ± 0.2) / 11 - 0.08 = 0.0290909 and -0.0072727. Two thirds of their squares, and for one error more
    # (0.4² / 10 + 0.6² / 30)² = 0.000784, are 0.0056501. Effective sheets less one: 1 / (0.4² + 2 · 0.3²) - 1 =
    # 1.9411765, for both. Welch: 0.0320501² / (0.0056501² + 0.0264²) · 1.9411765 = 2.7357, t = 3.3636.
    assert (found.low, found.high) == (pytest.approx(0.08 - 0.602182, abs=1e-6), pytest.approx(0.682182, abs=1e-6))


def test_iterations_without_boxes_in_one_arm_are_left_out_and_named():
    picked, random = two_iterations()
    more = sheets((9, 10), (9, 10), iteration=2), sheets((0, 0), iteration=3)
    nothing = np.vstack([random, sheets((0, 0), (0, 0), iteration=2), sheets((5, 10), iteration=3)])
    plain, found = between(picked=picked, random=random), between(picked=np.vstack([picked, *more]), random=nothing)
    assert (plain.left_out, found.left_out) == ((), (2, 3))
    assert (found.gain, found.low, found.high) == (plain.gain, plain.low, plain.high)
    assert found.random.errors_per_box == plain.random.errors_per_box
    assert verdict(found).count("; left out, without boxes in one of the arms: iterations 2, 3)") == 1
    alone = between(picked=sheets((1, 5), (2, 5)), random=sheets((1, 5), (2, 5), iteration=1))
    assert (alone.gain, alone.left_out) == (None, (0, 1))
    assert (alone.picked.errors_per_box, alone.random.errors_per_box) == (0.3, 0.3)
    assert "needed, of picked ones as well and in the same iterations." in verdict(alone)
