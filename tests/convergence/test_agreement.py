"""How far two iterations agree on the pool."""

import numpy as np
import pytest

from stages.convergence.agreement import POOL_SHEETS, agreement_with, compared_sheets
from stages.convergence.regression import KeptOutcomes, PoolBox

NAMES = [f"{place}.png" for place in range(12)]
GROUPS = dict.fromkeys(NAMES, "")


def drawn(seed: int, names=NAMES, iteration: int = 0) -> KeptOutcomes:
    rng = np.random.default_rng(seed)
    pool = {
        name: [
            PoolBox(int(rng.integers(2)), 0.9, x, y, x + 20, y + 20) for x, y in rng.integers(0, 300, (5, 2)).tolist()
        ]
        for name in names
    }
    return KeptOutcomes(iteration, "ruler", {}, pool)


def test_a_model_agrees_with_itself():
    found = agreement_with(drawn(1), drawn(1, iteration=1), groups=GROUPS, iou=0.5)
    assert (found.since, found.sheets, found.agreement, found.high) == (0, 12, 1.0, 1.0)
    assert 0.9 < found.low < 1.0  # 60 boxes without a difference prove no certainty


def test_it_does_not_matter_which_of_the_two_is_the_truth():
    one, other = drawn(1), drawn(1, NAMES[:6])
    other = other._replace(pool={**other.pool, **drawn(2, NAMES[6:]).pool})
    there, back = (agreement_with(a, b, groups=GROUPS, iou=0.5) for a, b in ((one, other), (other, one)))
    assert there.agreement == pytest.approx(back.agreement)
    assert 0.5 <= there.agreement < 0.6  # half of the sheets are the same


def test_sheets_that_one_of_them_has_not_seen_do_not_count():
    found = agreement_with(drawn(1), drawn(1, NAMES[:3]), groups=GROUPS, iou=0.5)
    assert (found.sheets, found.agreement) == (3, 1.0)


@pytest.mark.parametrize(
    "before", [None, KeptOutcomes(0, "ruler", {}), KeptOutcomes(0, "ruler", {}, {"other.png": []})]
)
def test_without_a_sheet_in_common_nothing_is_said(before):
    assert agreement_with(before, drawn(1), groups=GROUPS, iou=0.5).agreement is None


def test_two_models_that_draw_nothing_do_not_agree():
    empty = KeptOutcomes(0, "ruler", {}, {name: [] for name in NAMES})
    found = agreement_with(empty, empty, groups=GROUPS, iou=0.5)
    assert (found.sheets, found.agreement) == (12, None)


def test_the_sheets_that_are_compared_stay_the_same_as_the_pool_shrinks():
    many = [f"{place}.png" for place in range(5 * POOL_SHEETS)]
    kept = compared_sheets(many)
    assert len(kept) == POOL_SHEETS
    left = [name for name in many if name not in kept[:10]]
    assert set(kept[10:]) <= set(compared_sheets(left))
    assert compared_sheets(many[::-1]) == kept


def test_where_classes_have_changed_those_that_stayed_are_compared_alone():
    """A class that came draws boxes in the one alone; the other class is drawn alike."""
    old, new = PoolBox(1, 0.9, 0, 0, 10, 10), PoolBox(0, 0.9, 40, 40, 60, 60)
    before = KeptOutcomes(0, "a", {}, {"p.png": [old]}, classes=(1,))
    now = KeptOutcomes(1, "b", {}, {"p.png": [old, new]})
    groups = {"p.png": ""}
    assert agreement_with(before, now, groups=groups, iou=0.5).agreement == 1.0
    assert agreement_with(before._replace(classes=None), now, groups=groups, iou=0.5).agreement == pytest.approx(2 / 3)
