"""The summary of made-up results, by numbers that were worked out by hand."""

import json
from typing import Any

import pytest

from stages.base.tables import json_text
from stages.simulation.outcome.arm_summary import summary_of
from stages.simulation.outcome.result_rows import promises_of, rows_of
from stages.simulation.outcome.table_text import replay_text, yield_text
from stages.simulation.outcome.yield_summary import paired, yield_summary
from stages.simulation.replay_arms import arms_of

STRATEGIES = ["earned", "random", "crowd"]
ARMS = [arm.name for arm in arms_of(STRATEGIES)]
# Per arm F1 after two packets; each costs 10 minutes, but for the random replay b, whose cost 12.
RISES = {"earned": (0.6, 0.8), "random-a": (0.5, 0.7), "random-b": (0.5, 0.7), "crowd": (0.45, 0.5)}


def cell(arm: str, seed: int, iteration: int, f1: float | None, minutes: float, found: int = 0) -> dict[str, Any]:
    packet = {"expected_errors": 10.0, "expected_errors_low": 5.0, "expected_errors_high": 15.0}
    score = {"f1": f1}
    work = {"minutes": minutes, "sheets": 4 * iteration, "boxes": 40 * iteration, "errors": 0}
    return {
        "arm": arm,
        "seed": seed,
        "iteration": iteration,
        **dict.fromkeys(("test", "test_at_own", "val"), score),
        **work,
        "train_sheets": 8,
        "train_boxes": 80,
        "packet": {**packet, "picked": {"errors": found}} if iteration else None,
    }


def results(seeds: int = 3) -> list[dict[str, Any]]:
    found = []
    for seed in range(seeds):
        found += [cell("start", seed, 0, 0.4, 0.0), cell("full", seed, 1, 0.8, 100.0)]
        for arm, heights in RISES.items():
            step = 12.0 if arm == "random-b" else 10.0 + seed
            found += [cell(arm, seed, n, f1, n * step, found=8) for n, f1 in enumerate(heights, 1)]
    return found


@pytest.fixture
def summary() -> dict[str, Any]:
    return summary_of(rows_of(results(), ARMS), promises_of(results()), STRATEGIES)


def test_arms_are_means_over_seeds(summary):
    earned = summary["arms"]["earned"]
    assert (earned["f1_start"], earned["f1_end"]) == pytest.approx((0.4, 0.8))
    assert earned["area_sheets"] == pytest.approx((0.5 * 4 + 0.7 * 4) / 8)
    # 0.76 is four fifths of the way from 0.6 to 0.8: 1.8 packets of 10, 11 and 12 minutes
    assert earned["minutes_to_share"] == pytest.approx(1.8 * 11)
    assert summary["arms"]["crowd"] | {"reached": 0, "minutes_to_share": None} == summary["arms"]["crowd"]


def test_an_arm_that_alone_gets_there_is_better(summary):
    said = {(one["strategy"], one["rival"]): one for one in summary["comparisons"]}
    assert list(said) == [("earned", "random"), ("crowd", "random"), ("earned", "crowd")]
    one = said["earned", "crowd"]
    # crowd never got there, so its 2 packets count against 1.8: log(2 / 1.8) = 0.105 on every seed
    assert one["log_minutes"]["mean"] == pytest.approx(0.105361, abs=1e-6)
    # the replays of random differ by log(12 / 10), log(12 / 11) and 0: their mean is 0.0898
    assert summary["replays"]["log_minutes"] == pytest.approx(0.089778, abs=1e-6)
    assert one["verdict"] == "better"
    assert said["crowd", "random"]["seeds_not_reached"] == 3
    assert said["crowd", "random"]["verdict"] == "not shown"
    assert one["f1_end"]["mean"] == pytest.approx(0.3)


def test_full_makes_no_promise(summary):
    assert sorted(promises_of(results())) == sorted(ARMS)
    assert summary["promises"]["all"]["packets"] == 3 * 2 * 4
    assert summary["promises"]["earned"] == {"packets": 6, "slope": pytest.approx(0.8), "inside": 1.0}


def test_an_f1_that_is_undefined_is_nought():
    found = [cell("start", 0, 0, None, 0.0), cell("full", 0, 1, 0.8, 9.0), cell("earned", 0, 1, 0.5, 5.0)]
    assert rows_of(found, ["earned"])["f1"].tolist() == [0.0, 0.5, 0.8]


def test_without_random_nothing_is_better():
    found = [one for one in results() if not one["arm"].startswith("random")]
    names = ["earned", "crowd"]
    summary = summary_of(rows_of(found, names), promises_of(found), names)
    assert summary["comparisons"][0]["verdict"] == "not shown"
    assert "`random` was not replayed" in replay_text(summary)


def test_the_table_says_what_the_metrics_hold(summary):
    text = replay_text(summary)
    assert "| earned | 0.400 | 0.800 |" in text
    assert "| not reached |" in text
    assert "| earned | crowd | +0.300 (0.30 to 0.30) |" in text
    by_seed = json.loads(json_text(summary))["by_seed"]
    assert {one["minutes_to_share"] for one in by_seed if one["arm"] == "crowd"} == {None}


def test_yields_are_geometric_means():
    row = {"strategy": "earned", "per_box": 1.0, "expected": 10.0, "low": 5.0, "high": 15.0, "found": 20.0}
    other = row | {"strategy": "crowd", "per_minute": 1.0}
    cells = [
        {"seed": seed, "packet": packet, "yields": [row | {"per_minute": minutes}, other]}
        for seed, packet, minutes in [(0, 1, 1.0), (1, 1, 4.0), (0, 2, 4.0), (1, 2, 16.0)]
    ]
    found = yield_summary(cells, "earned")
    assert found["seeds"] == 2
    assert [one["packet"] for one in found["packets"]] == [1, 2]
    assert [one["earned"]["per_minute"]["mean"] for one in found["packets"]] == pytest.approx([2.0, 8.0])
    assert found["promises"]["earned"] == {"packets": 4, "slope": 2.0, "inside": 0.0}
    # seeds: sqrt(1 * 4) = 2 and sqrt(4 * 16) = 8; their geometric mean is 4
    assert found["over"]["crowd"]["mean"] == pytest.approx(4.0)
    assert found["over"]["crowd"]["n"] == 2
    assert "| earned | 2.00 (" in yield_text(found)
    assert yield_text(found).count("| 4.00 (") == 1


def test_seeds_of_other_sets_are_others():
    row = {"strategy": "earned", "per_minute": 2.0}
    cells = [
        {"set": name, "seed": 0, "packet": 1, "yields": [row, row | {"strategy": "crowd", "per_minute": 1.0}]}
        for name in ("one", "two")
    ]
    assert paired(cells, "earned", "crowd")["n"] == 2
