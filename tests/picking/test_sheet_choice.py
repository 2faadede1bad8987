"""Sheets in the order of a strategy fill the budget; what is most likely wrong on them is shown."""

import numpy as np
import pandas as pd
import pytest

from stages.picking.sheet_choice import SheetPlan, forecast, sheet_chooser
from stages.picking.strategies.earned_order import Expected, earned_order, expected
from stages.picking.strategies.review_cost import ReviewCost
from tests.picking.strategies.views import view

BOXES = [("a", 0, 0.5), ("a", 1, 0.9), ("a", 0, 0.2), ("b", 0, 0.4), ("c", 0, 0.9), ("d", 0, 0.45)]
TYPES = {"confidence": "Float64", "near_miss": "Float64", "class_id": "Int32", "detection_id": "Int32"}


def candidates():
    nth: dict[str, int] = {}
    rows = []
    for name, class_id, confidence in BOXES:
        nth[name] = nth.get(name, -1) + 1
        rows.append({"image_id": name, "class_id": class_id, "confidence": confidence, "detection_id": nth[name]})
    facts = {"kind": "uncertain", "size": "tiny", "position": "center", "low_contrast": False, "near_miss": pd.NA}
    both = {"unusual_aspect": False, "object_id": pd.NA}
    return pd.DataFrame(rows).assign(class_name="door", **facts, **both).astype(TYPES)


def chosen(budget, unit="objects", most=1.0, is_copy=lambda name, taken: False):
    one = view(BOXES)
    order, guess = earned_order(one, ReviewCost(), np.random.default_rng(0)), expected(one, ReviewCost())
    chooser = sheet_chooser(one, order, guess, SheetPlan(budget, unit, most), is_copy)
    scored = chooser.choose(candidates(), np.random.default_rng(0))
    assert len(scored) == len(BOXES)
    shown = scored[scored["rank"].notna()]
    assert shown["rank"].tolist() == list(range(1, len(shown) + 1))
    return [(row["image_id"], row["confidence"]) for row in shown.to_dict("records")]


def test_objects_fill_the_budget_the_likeliest_errors_of_a_sheet_first():
    # Errors per minute: a 0.8 in 0.58, b 0.6 in 0.46, d 0.55 in 0.455, c 0.1 in 0.41.
    assert chosen(4) == [("a", 0.5), ("a", 0.2), ("a", 0.9), ("b", 0.4)]


def test_no_sheet_has_more_than_its_share_of_the_objects():
    assert chosen(4, most=0.25) == [("a", 0.5), ("b", 0.4), ("d", 0.45), ("c", 0.9)]


@pytest.mark.parametrize(("budget", "sheets"), [(1, "a"), (2, "ab"), (3, "abd"), (9, "abdc")])
def test_sheets(budget, sheets):
    assert sorted({name for name, _ in chosen(budget, "sheets")}) == sorted(sheets)


@pytest.mark.parametrize(("budget", "sheets"), [(1.0, "a"), (3.3, "ab"), (100, "abdc")])
def test_boxes_as_they_are_expected(budget, sheets):
    """The first sheet is taken whatever it takes."""
    assert sorted({name for name, _ in chosen(budget, "boxes")}) == sorted(sheets)


@pytest.mark.parametrize(("budget", "sheets"), [(0.1, "a"), (1.1, "ab"), (1.6, "abd")])
def test_minutes_as_they_are_expected(budget, sheets):
    assert sorted({name for name, _ in chosen(budget, "minutes")}) == sorted(sheets)


def test_a_copy_of_what_is_taken_is_passed_over():
    found = chosen(2, "sheets", is_copy=lambda name, taken: name == "b" and "a" in taken)
    assert {name for name, _ in found} == {"a", "d"}


def test_on_a_sheet_of_chance_as_many_are_shown_as_asked_for():
    one = view(BOXES)
    order, guess = earned_order(one, ReviewCost(), np.random.default_rng(0)), expected(one, ReviewCost())
    chooser = sheet_chooser(one, order, guess, SheetPlan(4, "objects", 1.0), lambda name, taken: False)
    own = candidates().query("image_id == 'a'").reset_index(drop=True)
    shown = chooser.show(own, 2, np.random.default_rng(0))
    assert shown["confidence"].tolist() == [0.5, 0.2, 0.9]
    assert shown["rank"].notna().tolist() == [True, True, False]
    assert shown["reason"][0] == "The model is 50% sure of this tiny door; of ten like it 5 are right."


def test_the_forecast_of_a_packet():
    guess = Expected(np.array([5.0, 4.0]), np.array([3.0, 1.0]), np.array([1.0, 1.44]), np.array([1.0, 2.0]))
    found = forecast(guess, np.array([0, 1]))
    half = 1.96 * (2.44 + 1.2**2) ** 0.5
    assert found == pytest.approx((4.0, max(4 - half, 0), 4 + half, 3.0))
