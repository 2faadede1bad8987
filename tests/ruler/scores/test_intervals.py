import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from stages.ruler.scores.intervals import gain_interval, rate_estimates, units_of

WILSON = 1.959964**2


def column(*counts):
    return np.array(counts, dtype=np.int64)[:, None]


def estimates(tp, fp, fn, unit=None):
    tp, fp, fn = (np.asarray(one, dtype=np.int64).reshape(len(tp), -1) for one in (tp, fp, fn))
    return rate_estimates(tp=tp, fp=fp, fn=fn, unit=np.arange(len(tp)) if unit is None else unit)


def test_units_are_groups_and_single_sheets():
    assert units_of(["a", "", "a", "b", ""]).tolist() == [0, 1, 0, 2, 3]
    assert units_of([]).tolist() == []


def test_recall_of_six_equal_sheets_by_hand():
    # Recall is 45 / 60. Without each sheet: 0.70, 0.72, 0.74, 0.76, 0.78, 0.80, so the variance is 5/6 · 0.007. Six
    # equal sheets give 5 degrees of freedom, t = 2.570582; on the logit scale 1.098612 ± t · 0.0763763 / (0.75 · 0.25).
    seen = estimates([10, 9, 8, 7, 6, 5], [0] * 6, [0, 1, 2, 3, 4, 5])["recall"]
    assert (seen.value[0], seen.low[0], seen.high[0]) == pytest.approx((0.75, 0.512875, 0.895267), abs=2e-6)


def test_two_sheets_of_three_with_all_boxes_have_less_than_two_degrees_of_freedom():
    # (20 + 20 + 1)² / (400 + 400 + 1) = 2.0986 effective sheets: t at 1.0986 is about 10, so hardly anything is known.
    seen = estimates([15, 10, 1], [0, 0, 0], [5, 10, 0])["recall"]
    assert seen.high[0] - seen.low[0] > 0.8


@pytest.mark.parametrize(("tp", "fn", "value"), [(10, 0, 1.0), (0, 10, 0.0)])
def test_all_right_and_all_wrong_are_no_points(tp, fn, value):
    # 30 boxes: Wilson's interval ends at 30 / (30 + 3.84), or begins there, seen from the other side.
    seen = estimates([tp] * 3, [0] * 3, [fn] * 3)["recall"]
    far = WILSON / (30 + WILSON)
    assert seen.value[0] == value
    assert (seen.low[0], seen.high[0]) == pytest.approx((1 - far, 1) if value else (0, far), abs=1e-9)


def test_perfect_f1_counts_each_found_box_twice():
    # An error costs half of a box in F1, so 2 · 30 is what its denominator counts.
    assert estimates([10] * 3, [0] * 3, [0] * 3)["f1"].low[0] == pytest.approx(60 / (60 + WILSON))


def test_one_sheet_with_all_errors_falls_back_to_the_number_of_boxes():
    # Without the fifth sheet recall is 1: the spread of logits would be infinite. The interval has to stay useful.
    seen = estimates([5] * 5, [0] * 5, [0, 0, 0, 0, 3])["recall"]
    assert 0.4 < seen.low[0] < 25 / 28 < seen.high[0] < 1


@pytest.mark.parametrize(
    ("tp", "fp", "fn", "undefined"),
    [
        ([4], [1], [1], {"f1", "precision", "recall"}),  # one sheet says nothing of others
        ([4, 0], [1, 0], [1, 0], {"f1", "precision", "recall"}),  # the other has neither box nor detection
        ([0, 0], [0, 0], [2, 2], {"precision"}),  # no detection
        ([0, 0], [2, 2], [0, 0], {"recall"}),  # no box
        ([], [], [], {"f1", "precision", "recall"}),
    ],
)
def test_undefined(tp, fp, fn, undefined):
    seen = (
        estimates(tp, fp, fn)
        if tp
        else rate_estimates(**dict.fromkeys(("tp", "fp", "fn"), np.zeros((0, 1), int)), unit=units_of([]))
    )
    assert {name for name, one in seen.items() if np.isnan(one.low[0])} == undefined
    assert {name for name, one in seen.items() if np.isnan(one.high[0])} == undefined


def test_sheets_without_anything_change_nothing():
    some = estimates([4, 5, 3, 6], [1, 0, 2, 1], [0, 2, 1, 1])
    more = estimates([4, 0, 5, 3, 6, 0], [1, 0, 0, 2, 1, 0], [0, 0, 2, 1, 1, 0])
    for name in some:
        np.testing.assert_allclose(some[name], more[name])


def test_a_group_is_as_one_sheet():
    tp, fp, fn = [4, 5, 3, 6, 2], [1, 0, 2, 1, 0], [0, 2, 1, 1, 3]
    grouped = estimates(tp, fp, fn, units_of(["a", "", "a", "", "a"]))
    joined = estimates([9, 5, 6], [3, 0, 1], [4, 2, 1])
    for name in grouped:
        np.testing.assert_allclose(grouped[name], joined[name])


COUNTS = st.integers(2, 25).flatmap(lambda n: arrays(np.int64, (3, n, 2), elements=st.integers(0, 9)))


@given(COUNTS)
@settings(max_examples=200, deadline=None)
def test_interval_holds_its_value_and_stays_in_range(counts):
    for one in rate_estimates(tp=counts[0], fp=counts[1], fn=counts[2], unit=np.arange(counts.shape[1])).values():
        known = ~np.isnan(one.low)
        assert (np.isnan(one.low) == np.isnan(one.high)).all()
        assert (one.low[known] >= 0).all()
        assert (one.low[known] <= one.value[known]).all()
        assert (one.value[known] <= one.high[known]).all()
        assert (one.high[known] <= 1).all()
        assert (one.high[known] > one.low[known]).all()  # never a point


@given(COUNTS, st.randoms(use_true_random=False))
@settings(max_examples=50, deadline=None)
def test_order_of_sheets_does_not_matter(counts, random):
    order = list(range(counts.shape[1]))
    random.shuffle(order)
    unit = np.arange(len(order))
    plain = rate_estimates(tp=counts[0], fp=counts[1], fn=counts[2], unit=unit)
    mixed = rate_estimates(tp=counts[0][order], fp=counts[1][order], fn=counts[2][order], unit=unit)
    for name in plain:
        np.testing.assert_allclose(plain[name], mixed[name], rtol=1e-9, atol=1e-12)


@given(COUNTS)
@settings(max_examples=50, deadline=None)
def test_four_times_the_sheets_halve_the_width_or_more(counts):
    assume((counts.sum(axis=2) > 0).all() and counts.shape[1] > 5)
    one, four = (estimates(*np.tile(counts.sum(axis=2), (1, times)))["f1"] for times in (1, 4))
    assert four.value == pytest.approx(one.value)
    assert (four.high - four.low)[0] < 0.55 * (one.high - one.low)[0]


def test_gain_by_hand():
    # F1 goes from 16/20 to 18/20 on each of the four sheets but the last, which falls to 14/20. Gains without each
    # sheet: without one of the first three (0.1 + 0.1 - 0.1) / 3 = 1/30, without the last 0.1; with all 0.05. Variance
    # 3/4 · (3 · (1/60)² + (1/20)²) = 0.0025, and (1/80)² for one box; t of 3 degrees of freedom is 3.182446.
    before, now = np.array([[8, 2, 2]] * 4), np.array([[9, 1, 1]] * 3 + [[7, 3, 3]])
    half = 3.182446 * np.sqrt(0.0025 + 1 / 80**2)
    assert gain_interval(now, before) == pytest.approx((0.05 - half, 0.05 + half), abs=1e-6)


def test_no_change_is_known_up_to_a_box():
    counts = np.array([[20, 1, 2]] * 10)
    low, high = gain_interval(counts, counts)
    assert low == pytest.approx(-high)
    assert high == pytest.approx(2.262157 / 430, abs=1e-6)  # t of 9 degrees of freedom, one box of 2·200 + 10 + 20


def test_gain_that_is_undefined():
    nothing = np.zeros((3, 3), dtype=np.int64)
    some = np.array([[4, 1, 1]] * 3)
    assert gain_interval(some, nothing) == (None, None)
    assert gain_interval(some[:1], some[:1]) == (None, None)
    assert gain_interval(nothing[:0], nothing[:0]) == (None, None)
    assert gain_interval(some, some, units_of(["a", "a", "a"])) == (None, None)


def world(rng, sheets=400):
    """Counts of two models on sheets of very different difficulty: (sheets, 3) each; the second finds a bit more."""
    boxes = rng.poisson(12 * rng.gamma(3, 1 / 3, sheets))
    chance = rng.beta(3, 1.2, sheets)
    found = rng.binomial(boxes, chance)
    more = found + rng.binomial(boxes - found, 0.25)
    false = rng.poisson(3 * (1 - chance) + 0.3)
    return [np.stack([right, false, boxes - right], axis=1) for right in (found, more)]


def test_pairing_makes_the_gain_narrower():
    before, now = world(np.random.default_rng(0), sheets=30)
    low, high = gain_interval(now, before)
    apart = [estimates(*one.T)["f1"] for one in (before, now)]
    assert high - low < 0.5 * np.hypot(*((one.high - one.low)[0] for one in apart))


@pytest.mark.parametrize("sheets", [10, 20])
def test_f1_is_held_by_its_interval_about_95_times_in_100(sheets):
    rng = np.random.default_rng(7)
    counts, trials = world(rng)[0], 1500
    truth = 2 * counts[:, 0].sum() / (2 * counts[:, 0] + counts[:, 1] + counts[:, 2]).sum()
    drawn = counts[rng.integers(0, len(counts), (trials, sheets))].transpose(2, 1, 0)  # each trial is a column
    seen = estimates(*drawn)["f1"]
    assert 0.925 < ((seen.low <= truth) & (truth <= seen.high)).mean() < 0.975
    # As if each box were drawn alone, the interval would be far too narrow: the world is one that tells them apart.
    alone = 1.96 * np.sqrt(seen.value * (1 - seen.value) / (2 * drawn[0] + drawn[1] + drawn[2]).sum(axis=0))
    assert (np.abs(seen.value - truth) <= alone).mean() < 0.85


@pytest.mark.parametrize("sheets", [10, 20])
def test_the_gain_is_held_by_its_interval_about_95_times_in_100(sheets):
    rng = np.random.default_rng(8)
    before, now = world(rng)
    of = [2 * one[:, 0].sum() / (2 * one[:, 0] + one[:, 1] + one[:, 2]).sum() for one in (before, now)]
    held = []
    for draw in rng.integers(0, len(now), (800, sheets)):
        low, high = gain_interval(now[draw], before[draw])
        held.append(low <= of[1] - of[0] <= high)
    assert 0.92 < np.mean(held) < 0.98


def test_a_whole_group_is_drawn_together():
    # 20 sheets in 4 sets that are alike inside: as single sheets they would promise too much.
    tp = np.repeat([9, 8, 5, 3], 5)
    fn = 10 - tp
    apart, together = (estimates(tp, 0 * tp, fn, unit)["recall"] for unit in (None, np.repeat(np.arange(4), 5)))
    assert (together.high - together.low)[0] > 1.5 * (apart.high - apart.low)[0]
