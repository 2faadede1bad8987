import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.ruler.scores.average_precision import HitTable
from stages.ruler.scores.threshold import FALLBACK, FOLDS, cross_fit, fixed, folds_of


def table_of(rows, boxes):
    """A table of (sheet, confidence, hit) at one IoU, with `boxes` per sheet; all of one class."""
    rows = sorted(rows, key=lambda row: (-row[1], row[0]))
    sheet, confidence, hit = (
        np.array([row[i] for row in rows], dtype=kind) for i, kind in enumerate((int, float, bool))
    )
    columns = hit[:, None]
    return HitTable(
        sheet, np.zeros(len(rows), int), confidence, columns, np.zeros_like(columns), np.array(boxes, int)[:, None]
    )


def drawn(rng, sheets, per_sheet=8.0):
    """Sheets where true detections are surer than false ones, on some sheets more than on others."""
    level, boxes, rows = rng.normal(0, 0.7, sheets), rng.poisson(per_sheet, sheets), []
    for sheet in range(sheets):
        for hit, mean, count in ((True, 1.0, rng.binomial(boxes[sheet], 0.9)), (False, -0.8, rng.poisson(per_sheet))):
            rows += [(sheet, 1 / (1 + np.exp(-one)), hit) for one in rng.normal(mean + level[sheet], 1.0, count)]
    return table_of(rows, boxes)


def f1_at(table, thresholds):
    used = table.confidence >= thresholds[table.sheet]
    return 2 * (used & table.hit[:, 0]).sum() / (used.sum() + table.boxes.sum())


def test_a_fixed_threshold_is_the_same_everywhere():
    assert fixed(0.4, sheets=3).sheets.tolist() == [0.4] * 3
    assert fixed(0.4, sheets=3).overall == 0.4


def test_each_of_two_sheets_is_judged_by_the_choice_of_the_other():
    # On the first, hits are above 0.8 and false ones at 0.6; on the second hits go down to 0.3, false ones are at 0.1.
    # F1 is 1 from 0.61 to 0.80 on the first and from 0.11 to 0.30 on the second.
    rows = [
        *((0, c, True) for c in (0.9, 0.8)),
        *((0, 0.6, False),) * 3,
        *((1, c, True) for c in (0.9, 0.3)),
        *((1, 0.1, False),) * 3,
    ]
    seen = cross_fit(table_of(rows, [2, 2]), unit=np.arange(2), floor=0.01)
    assert 0.11 <= seen.sheets[0] <= 0.30
    assert 0.61 <= seen.sheets[1] <= 0.80
    assert seen.cross_fitted


def test_a_threshold_counts_a_detection_of_just_that_confidence():
    rows = [(sheet, 0.37, True) for sheet in range(4)] + [(sheet, 0.36, False) for sheet in range(4) for _ in range(9)]
    table = table_of(rows, [1] * 4)
    seen = cross_fit(table, unit=np.arange(4), floor=0.37)
    assert seen.cross_fitted  # the step at 0.37 saw the hits
    assert seen.sheets.tolist() == [0.37] * 4
    assert f1_at(table, seen.sheets) == 1.0


def test_no_threshold_lies_below_the_floor():
    table = table_of([(sheet, c, c > 0.02) for sheet in range(5) for c in (0.02, 0.05, 0.06)], [2] * 5)
    assert cross_fit(table, unit=np.arange(5), floor=0.01).overall < 0.06
    high = cross_fit(table, unit=np.arange(5), floor=0.5)
    assert (high.sheets >= 0.5).all()
    assert high.overall >= 0.5


@pytest.mark.parametrize(
    ("rows", "boxes", "unit"),
    [
        ([(0, 0.9, True), (0, 0.2, False)], [1], [0]),  # one sheet: none is left to choose by
        ([(0, 0.9, True), (1, 0.8, True)], [1, 1], [0, 0]),  # two sheets of one group
        ([(0, 0.9, False), (1, 0.7, False)], [0, 0], [0, 1]),  # no box
        ([], [3, 2], [0, 1]),  # no detection
        ([], [], []),
    ],
)
def test_nothing_to_choose_by(rows, boxes, unit):
    seen = cross_fit(table_of(rows, boxes), unit=np.array(unit, int), floor=0.01)
    assert seen.sheets.tolist() == [FALLBACK] * len(boxes)
    assert seen.overall == FALLBACK
    assert not seen.cross_fitted


def test_the_only_sheet_with_boxes_is_judged_by_the_fallback():
    rows = [(0, c, True) for c in (0.9, 0.7)] + [(sheet, 0.5, False) for sheet in range(3)]
    seen = cross_fit(table_of(rows, [2, 0, 0]), unit=np.arange(3), floor=0.01)
    assert seen.sheets[0] == FALLBACK
    assert 0.5 < seen.sheets[1] == seen.sheets[2] == seen.overall <= 0.7


def test_a_weak_model_gets_a_low_threshold():
    # All confidences are small: hits around 0.06, false ones around 0.02. A wide average would run over the peak.
    rng = np.random.default_rng(0)
    rows = [(sheet, c, True) for sheet in range(20) for c in rng.uniform(0.05, 0.08, 5)]
    rows += [(sheet, c, False) for sheet in range(20) for c in rng.uniform(0.01, 0.03, 30)]
    seen = cross_fit(table_of(rows, [6] * 20), unit=np.arange(20), floor=0.01)
    assert 0.03 <= seen.overall <= 0.05
    assert ((seen.sheets >= 0.03) & (seen.sheets <= 0.05)).all()


@given(st.integers(0, 2**32 - 1), st.integers(2, 25), st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_labels_of_a_unit_never_change_its_own_threshold(seed, sheets, per_group):
    rng = np.random.default_rng(seed)
    table, unit = drawn(rng, sheets), np.arange(sheets) // per_group
    chosen = cross_fit(table, unit=unit, floor=0.01)
    one = int(rng.integers(unit.max() + 1))
    mine = unit[table.sheet] == one
    hit, boxes = table.hit.copy(), table.boxes.copy()
    hit[mine] = rng.random((int(mine.sum()), 1)) < 0.5  # other labels: other detections are right, ...
    boxes[unit == one] += rng.integers(0, 30)  # ... and there are other boxes
    other = cross_fit(table._replace(hit=hit, boxes=boxes), unit=unit, floor=0.01)
    assert (other.sheets[unit == one] == chosen.sheets[unit == one]).all()


def test_labels_of_a_sheet_do_change_the_threshold_of_others():
    table = drawn(np.random.default_rng(1), 4)
    hit = table.hit.copy()
    hit[table.sheet == 0] = False
    before, now = (cross_fit(one, unit=np.arange(4), floor=0.01) for one in (table, table._replace(hit=hit)))
    assert (before.sheets != now.sheets).any()


def test_folds_hold_as_many_sheets_and_about_as_many_expected_boxes():
    table = drawn(np.random.default_rng(2), 57)
    fold = folds_of(table, np.arange(57))
    expected = np.bincount(fold[table.sheet], weights=table.confidence)
    assert sorted(np.bincount(fold)) == [5] * 3 + [6] * 7
    assert expected.max() < 1.3 * expected.min()


@pytest.mark.parametrize("groups", [[3] * 30, [20, 20, 20, *[1] * 9], [7] * 4])
def test_a_group_is_in_one_fold_and_large_ones_are_apart(groups):
    unit = np.repeat(np.arange(len(groups)), groups)
    table = drawn(np.random.default_rng(2), len(unit))
    fold = folds_of(table, unit)
    assert all(len(set(fold[unit == one])) == 1 for one in range(len(groups)))
    assert len(set(fold)) == min(FOLDS, len(groups))
    assert np.bincount(fold).max() == max(*groups, -(-len(groups) // FOLDS) * min(groups))
    assert len(set(cross_fit(table, unit=unit, floor=0.01).sheets)) <= len(set(fold))


def test_choosing_on_the_judged_sheets_flatters_and_cross_fitting_does_not():
    rng = np.random.default_rng(3)
    steps = np.round(np.arange(1, 100) / 100, 2)
    world = drawn(rng, 3000)
    truth = {step: f1_at(world, np.full(3000, step)) for step in steps}
    plain, fitted, same = [], [], []
    for _ in range(200):
        table = drawn(rng, 10)
        best = max(steps, key=lambda step: f1_at(table, np.full(10, step)))
        seen = cross_fit(table, unit=np.arange(10), floor=0.01)
        plain.append(f1_at(table, np.full(10, best)) - truth[best])
        fitted.append(f1_at(table, seen.sheets) - truth[seen.overall])
        same.append(f1_at(table, np.full(10, 0.5)) - truth[0.5])  # how lucky these sheets are with any threshold
    error = 2 * np.std(np.subtract(fitted, same)) / np.sqrt(200)
    assert np.mean(plain) - np.mean(same) > 0.01
    assert abs(np.mean(fitted) - np.mean(same)) < 0.003 + error
