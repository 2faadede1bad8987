"""The four rules as a table: each row ends with what it shows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.convergence.gains import Gain, difference
from stages.convergence.stop_rules import StopLimits, Verdict
from stages.convergence.stop_rules import judge as judge_gain

LIMITS = StopLimits(target_f1=0.98, max_iterations=10, plateau_gain=0.005, plateau_window=3, overfit_gap=0.05)
RISING = [0.50, 0.60, 0.70, 0.80, 0.84, 0.87, 0.89, 0.91, 0.93, 0.95]  # no window of 3 gains less than 0.06


def judge(val_f1: list[float | None], train_f1: float | None, limits: StopLimits) -> Verdict:
    """Judge the last of the iterations 0..N, all measured by one ruler, with these F1 on val."""
    before = len(val_f1) - 1 - limits.plateau_window
    gain = Gain(before, difference(val_f1[-1], val_f1[before]), None, None, "") if before >= 0 else None
    return judge_gain(val_f1[-1], train_f1, gain, limits, done=len(val_f1))


# F1 on val of iterations 0..N, F1 on train of N, rule (None: go on), gain, gap
CASES = [
    ([0.50], 0.52, None, None, 0.02),  # iteration 0: nothing to compare with yet
    ([0.979999], 0.98, None, None, 0.000001),  # just under the target
    ([0.98], 0.98, "target_f1", None, 0.0),  # exactly at the target stops: "at least"
    ([0.50, 0.99], 0.99, "target_f1", None, 0.0),  # above the target
    (RISING[:9], 0.93, None, 0.06, 0.0),  # N = 8: nine iterations done, one is left
    (RISING, 0.95, "max_iterations", 0.06, 0.0),  # N = 9: "10 iterations" stops here
    ([0.90, 0.90, 0.90], 0.90, None, None, 0.0),  # N = 2: flat, but the window of 3 is not full
    ([0.90, 0.90, 0.90, 0.90], 0.90, "plateau", 0.0, 0.0),  # N = 3: the first iteration that can be a plateau
    ([0.90, 0.91, 0.92, 0.904999], 0.90, "plateau", 0.004999, -0.004999),  # steps of 0.01 do not hide it
    ([0.925, 0.926, 0.927, 0.93], 0.93, None, 0.005, 0.0),  # exactly the gain goes on: "less than"
    ([0.925, 0.926, 0.927, 0.9299], 0.93, "plateau", 0.0049, 0.0001),  # just under the gain
    ([0.10, 0.20, 0.30, 0.305, 0.30, 0.304], 0.30, "plateau", 0.004, -0.004),  # N = 5 looks at N = 2
    ([0.90, 0.80, 0.70, 0.60], 0.60, "plateau", -0.3, 0.0),  # a fall is a gain below 0.005
    (
        [0.80],
        0.85,
        None,
        None,
        0.05,
    ),  # exactly the gap goes on: "more than" (0.85 - 0.8 is 0.04999999999999993)
    (
        [0.90],
        0.95,
        None,
        None,
        0.05,
    ),  # the same where binary numbers err upwards (0.05000000000000004... or so)
    ([0.80], 0.850001, "overfitting", None, 0.050001),  # just over the gap
    ([0.90], 0.70, None, None, -0.2),  # val better than train is no overfitting
    ([0.98], 1.0, "target_f1", None, 0.02),  # at the target, whatever else holds
    (
        [*RISING[:9], 0.99],
        0.99,
        "target_f1",
        0.10,
        0.0,
    ),  # order: the target is asked before the number of iterations
    ([0.90] * 10, 0.99, "max_iterations", 0.0, 0.09),  # order: iterations before plateau before overfitting
    ([0.90] * 4, 0.99, "plateau", 0.0, 0.09),  # order: plateau before overfitting
    ([None], None, None, None, None),  # undefined never stops
    ([0.90, 0.91, 0.92, None], 0.99, None, None, None),  # no target, no plateau, no gap without F1 on val
    ([None, 0.90, 0.90, 0.90], 0.90, None, None, 0.0),  # nothing to compare with three iterations ago
    ([0.90, None, None, 0.90], 0.90, "plateau", 0.0, 0.0),  # only the two ends of the window count
    ([0.90], None, None, None, None),  # no gap without F1 on train
    ([None] * 10, None, "max_iterations", None, None),  # but the number of iterations always counts
]


@pytest.mark.parametrize(("val_f1", "train_f1", "rule", "gain", "gap"), CASES)
def test_rules(val_f1, train_f1, rule, gain, gap):
    verdict = judge(val_f1, train_f1, LIMITS)
    assert (verdict.rule, verdict.gain, verdict.gap) == (rule, gain, gap)
    assert verdict.verdict == ("go on" if rule is None else "stop")


# Each reason is one sentence with both numbers: what was measured, and the limit.
REASONS = [
    ([0.98], 0.98, "F1 on val is 0.98, at least the target of 0.98."),
    (RISING, 0.95, "10 iterations are done, and the most is 10."),
    (
        [0.925, 0.93, 0.93, 0.9299],
        0.93,
        "F1 on val gained 0.0049 over the last 3 iterations, less than 0.005.",
    ),
    ([0.8], 0.850001, "F1 on train is 0.050001 above F1 on val, more than 0.05."),
    (
        [0.5, 0.6, 0.7, 0.8],
        0.82,
        "F1 on val is 0.8, under the target of 0.98; 4 of 10 iterations done; gained 0.3 over the last 3 "
        "(at least 0.005 is wanted); train minus val is 0.02 (at most 0.05).",
    ),
    ([0.979999], 0.97, "F1 on val is 0.979999, under the target of 0.98; "),  # never "0.98 is under 0.98"
    ([None], None, "F1 on val is undefined, so only the number of iterations can stop the loop: 1 of 10 "),
    ([None, 0.5, 0.6, 0.7], 0.7, "no gain, since F1 was undefined 3 iterations ago"),
    ([0.5], None, "F1 on train is undefined"),
]


@pytest.mark.parametrize(("val_f1", "train_f1", "text"), REASONS)
def test_reason_names_both_numbers(val_f1, train_f1, text):
    reason = judge(val_f1, train_f1, LIMITS).reason
    assert text in reason
    assert reason.endswith(".")
    assert "\n" not in reason


def test_window_of_one_compares_with_the_last_iteration():
    assert judge([0.5, 0.7, 0.7], 0.7, LIMITS._replace(plateau_window=1)).rule == "plateau"
    assert judge([0.5, 0.5, 0.7], 0.7, LIMITS._replace(plateau_window=1)).rule is None


def test_one_iteration_at_most_stops_after_the_baseline():
    verdict = judge([0.5], 0.5, LIMITS._replace(max_iterations=1))
    assert (verdict.rule, verdict.reason) == ("max_iterations", "1 iteration is done, and the most is 1.")


saved_f1 = st.none() | st.integers(0, 1_000_000).map(lambda millionths: millionths / 1_000_000)


@given(st.lists(saved_f1, min_size=1, max_size=12), saved_f1)
def test_stop_means_a_rule_and_a_rule_means_stop(val_f1, train_f1):
    verdict = judge(val_f1, train_f1, LIMITS)
    assert (verdict.verdict == "stop") == (verdict.rule is not None)
    if len(val_f1) >= LIMITS.max_iterations:
        assert verdict.verdict == "stop"


@given(st.integers(0, 979_999 - 5_000), st.integers(-5_000, 5_000))
def test_a_gain_of_exactly_the_limit_is_never_a_plateau(start, off):
    """In whole millionths there is no rounding to argue about; in floats the same must hold."""
    first, last = start / 1_000_000, max(start + 5_000 + off, 0) / 1_000_000
    expected = "plateau" if off < 0 else None
    assert judge([first, first, first, last], None, LIMITS).rule in {expected, "target_f1"}


def gained(gain: float | None, low: float | None = None, high: float | None = None, other: str = "") -> Verdict:
    return judge_gain(0.7, 0.7, Gain(0, gain, low, high, other), LIMITS, done=4)


# The interval of the gain does not decide; the reason names it where it holds 0 or the limit.
DOUBTS = [
    (0.02, -0.01, 0.05, None, "(at least 0.005 is wanted; the interval -0.01 to 0.05 holds both 0 and 0.005);"),
    (0.02, 0.001, 0.039, None, "(at least 0.005 is wanted; the interval 0.001 to 0.039 holds 0.005);"),
    (0.02, 0.01, 0.03, None, "(at least 0.005 is wanted);"),  # it holds neither
    (0.02, None, None, None, "(at least 0.005 is wanted);"),  # one sheet: there is none
    (0.004, -0.01, 0.018, "plateau", "less than 0.005 (the interval -0.01 to 0.018 holds both 0 and 0.005)."),
    (
        -0.02,
        -0.044,
        0.0,
        "plateau",
        "gained -0.02 over the last 3 iterations, less than 0.005 (the interval -0.044 to 0 ",
    ),
    (-0.02, -0.03, -0.01, "plateau", "gained -0.02 over the last 3 iterations, less than 0.005."),
]


@pytest.mark.parametrize(("gain", "low", "high", "rule", "text"), DOUBTS)
def test_the_interval_is_named_where_it_casts_doubt(gain, low, high, rule, text):
    verdict = gained(gain, low, high)
    assert text in verdict.reason
    assert (verdict.rule, verdict.gain, verdict.gain_low, verdict.gain_high) == (rule, gain, low, high)


def test_another_ruler_is_no_plateau_and_is_said():
    verdict = gained(None, other="imgsz 640, now 1280")
    assert verdict.rule is None
    assert "no gain, since iteration 0 was measured by another ruler (imgsz 640, now 1280)" in verdict.reason
