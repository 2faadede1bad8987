"""Each rule answers yes, no or cannot tell; only yes stops, and what cannot be told says how many sheets would tell."""

import pytest

from stages.convergence.gains import Gain
from stages.convergence.stop_evidence import MOST_SHEETS, Measured, Rate, judge_evidence
from stages.convergence.stop_rules import StopLimits

LIMITS = StopLimits(target_f1=0.98, max_iterations=10, plateau_gain=0.005, plateau_window=3, overfit_gap=0.05)
FLAT = [0.5, 0.8, 0.85, 0.851, 0.85, 0.8505, 0.85]
UNKNOWN = Rate(None, None, None)


def seen(val=(0.85, 0.82, 0.88), train=(0.86, 0.85, 0.87), *, f1=(0.85,), val_sd=0.002, sheets=60, minutes=None):
    f1 = list(f1)
    return Measured(Rate(*val), Rate(*train), None, f1, val_sd, sheets, len(f1), minutes)


ONE_LOOK = LIMITS._replace(max_iterations=1)  # the low ends are those of 95 %


def answer(rule, *args, limits=ONE_LOOK, **kw):
    return next(one for one in judge_evidence(seen(*args, **kw), limits)[1] if one.rule == rule)


# F1 on val with its ends, the answer, sheets needed of 60
TARGETS = [
    ((0.99, 0.98, 0.995), "yes", None),  # the low end is on it: "at least"
    ((0.99, 0.9799, 0.995), "cannot tell", 62),  # 60 · (0.0101 / 0.01)²
    ((0.97, 0.95, 0.98), "cannot tell", 60),  # the high end is on it
    ((0.97, 0.95, 0.9799), "no", None),
    ((0.98, 0.95, 0.99), "cannot tell", None),  # on it: no number of sheets
    ((0.975, 0.90, 0.985), "cannot tell", 240),  # twice as near: four times as many
    ((1.0, 0.95, 1.0), "cannot tell", 375),
    ((0.99, None, None), "cannot tell", None),
    ((None, None, None), "cannot tell", None),
]


@pytest.mark.parametrize(("val", "said", "needed"), TARGETS)
def test_target(val, said, needed):
    found = answer("target_f1", val, val)
    assert (found.answer, found.sheets_needed) == (said, needed)


# val, train, answer, sheets needed: ends put together by squares, 3 and 4 make 5
GAPS = [
    ((0.80, 0.76, 0.84), (0.90, 0.871, 0.91), "yes", None),  # low end 0.1 - sqrt(0.029² + 0.04²) is above 0.05
    ((0.80, 0.76, 0.84), (0.90, 0.87, 0.91), "cannot tell", 60),  # exactly 0.05: "more than"
    ((0.80, 0.76, 0.84), (0.86, 0.84, 0.87), "cannot tell", None),  # train's own ends are wider than what is left
    ((0.80, 0.72, 0.88), (0.90, 0.87, 0.91), "cannot tell", 240),
    ((0.80, 0.77, 0.84), (0.80, 0.79, 0.84), "no", None),  # high end 0.05: "at most"
    ((0.80, None, None), (0.90, 0.87, 0.91), "cannot tell", None),
    ((0.80, 0.76, 0.84), (None, None, None), "cannot tell", None),
    ((None, None, None), (0.90, 0.87, 0.91), "cannot tell", None),
]


@pytest.mark.parametrize(("val", "train", "said", "needed"), GAPS)
def test_overfitting(val, train, said, needed):
    found = answer("overfitting", val, train)
    assert (found.answer, found.sheets_needed) == (said, needed)


def test_low_ends_lie_further_out_where_all_looks_share_the_chance():
    found = answer("target_f1", (0.99, 0.98, 0.995), (0.99, 0.99, 0.99), limits=LIMITS)
    assert (found.answer, found.low, found.high) == ("cannot tell", 0.976858, 0.995)  # z of 0.5 %: 2.5758 / 1.95996
    gap = answer("overfitting", (0.80, 0.76, 0.84), (0.90, 0.871, 0.91), limits=LIMITS)
    assert (gap.answer, gap.sheets_needed) == ("cannot tell", 159)


@pytest.mark.parametrize(
    ("f1", "val_sd", "said"),
    [
        (FLAT, 0.002, "yes"),
        (FLAT, 0.03, "cannot tell"),
        ([0.5, 0.6, 0.69, 0.77, 0.84], 0.002, "no"),
        (FLAT[:3], 0.002, "cannot tell"),  # the window is not full
        (FLAT, None, "cannot tell"),  # one sheet: no interval
    ],
)
def test_plateau(f1, val_sd, said):
    assert answer("plateau", f1=f1, val_sd=val_sd).answer == said


def test_as_many_sheets_as_are_named_tell_of_a_plateau():
    unsure = seen(f1=FLAT, val_sd=0.03, sheets=10)
    needed = judge_evidence(unsure, LIMITS)[1][1].sheets_needed
    assert 10 < needed <= MOST_SHEETS
    larger = unsure._replace(val_sd=0.03 * (10 / needed) ** 0.5, sheets=needed)
    assert judge_evidence(larger, LIMITS)[1][1].answer == "yes"
    fewer = unsure._replace(val_sd=0.03 * (10 / (needed / 1.5)) ** 0.5)
    assert judge_evidence(fewer, LIMITS)[1][1].answer == "cannot tell"


def test_what_scatter_of_trainings_hides_no_val_tells():
    found = answer("plateau", f1=[0.7, 0.8, 0.84, 0.85, 0.858], val_sd=0.01)
    assert (found.answer, found.sheets_needed) == ("cannot tell", None)
    assert found.says.endswith("cannot be told, and more sheets in val would not tell")


HIGH, APART = (0.99, 0.985, 0.995), (0.99, 0.985, 0.995)


# what is known, the rule that stops: the order is that of the rules
ORDER = [
    ({"val": HIGH, "train": HIGH, "f1": [0.99] * 10, "minutes": 99}, "target_f1"),
    ({"f1": FLAT + FLAT[-3:], "minutes": 99, "train": APART}, "max_iterations"),
    ({"f1": FLAT, "minutes": 60, "train": APART}, "max_minutes"),
    ({"f1": FLAT, "minutes": 59.9, "train": APART}, "plateau"),
    ({"f1": [0.85], "train": APART}, "overfitting"),
    ({"f1": [0.85]}, None),
    ({"val": UNKNOWN, "f1": []}, None),
]


@pytest.mark.parametrize(("known", "rule"), ORDER)
def test_only_yes_stops_and_the_first_yes_decides(known, rule):
    verdict, answers = judge_evidence(seen(**known), LIMITS._replace(max_minutes=60))
    assert (verdict.rule, verdict.verdict) == (rule, "stop" if rule else "go on")
    assert [one.rule for one in answers] == ["target_f1", "plateau", "overfitting"]
    assert verdict.reason.endswith(".")
    assert not verdict.reason[0].islower()


def test_the_reason_to_go_on_says_all_answers_and_what_would_tell():
    gain = Gain(0, 0.01, -0.01, 0.03, "")
    verdict, _ = judge_evidence(seen((0.975, 0.95, 0.985), f1=[0.9] * 2)._replace(gain=gain), LIMITS)
    assert verdict.reason == (
        "F1 on val is 0.975 (0.9421 to 0.985), which may be the target of 0.98 or not: cannot be told with 60 sheets "
        "in val, about 240 would tell; 4 iterations by one ruler show whether F1 still rises, there are 2; train minus "
        "val is -0.115 (-0.1336 to -0.0881), at most 0.05; 2 of 10 iterations done."
    )
    assert (verdict.gain, verdict.gain_low, verdict.gain_high, verdict.gap) == (0.01, -0.01, 0.03, -0.115)


def test_the_demo_runs_its_four_iterations():
    """README shows F1 0.778, 0.861, 0.902, 0.908 with few sheets; demo/params.yaml sets 4 iterations and a gap of 1."""
    limits, f1 = LIMITS._replace(max_iterations=4, overfit_gap=1.0), [0.778, 0.861, 0.902, 0.908]
    for val_sd in (0.0, 0.005, 0.02, 0.05):
        rules = [
            judge_evidence(seen((now, now - 0.05, now + 0.04), (0.999, 0.99, 1.0), f1=f1[:done], val_sd=val_sd), limits)
            for done, now in enumerate(f1, 1)
        ]
        assert [verdict.rule for verdict, _ in rules] == [None, None, None, "max_iterations"]
