import numpy as np
import pytest

from stages.ruler.scores.ap_intervals import ap_estimates
from stages.ruler.scores.average_precision import HitTable, ap_of
from stages.ruler.scores.intervals import interval_of


def table_of(rng, sheets, *, classes=2, boxes=6.0, thresholds=10):
    """Detections of sheets of different difficulty: true ones are surer, and fewer are true at a stricter IoU."""
    there = rng.poisson(boxes * rng.gamma(4, 0.25, (sheets, classes)))
    level = rng.normal(0.0, 0.5, sheets)
    rows = []
    for sheet in range(sheets):
        for class_id in range(classes):
            right = rng.binomial(there[sheet, class_id], 0.85)
            false = rng.poisson(0.3 * boxes)
            sure = np.concatenate([rng.normal(1.2, 1, right), rng.normal(-1, 1, false)]) + level[sheet]
            best = np.concatenate([rng.uniform(0.5, 1, right), np.zeros(false)])
            rows += [(sheet, class_id, 1 / (1 + np.exp(-s)), b) for s, b in zip(sure, best, strict=True)]
    sheet, class_id, confidence, best = (np.array(one) for one in zip(*rows, strict=True))
    order = np.lexsort((sheet, -confidence, class_id))
    hit = best[order][:, None] >= np.linspace(0.5, 0.95, thresholds)
    return HitTable(sheet[order], class_id[order], confidence[order], hit, np.zeros_like(hit), there)


def redrawn(table, draw):
    """The table of the sheets of `draw`, in their order; one that was drawn twice is there twice."""
    parts = [np.flatnonzero(table.sheet == one) for one in draw]
    places, sheet = np.concatenate(parts), np.repeat(np.arange(len(draw)), [len(part) for part in parts])
    order = np.argsort(places, kind="stable")
    kept = places[order]
    rows = (table.class_id[kept], table.confidence[kept], table.hit[kept], table.ignored[kept])
    return HitTable(sheet[order], *rows, table.boxes[draw])


def test_values_are_those_of_ap_of_and_their_mean():
    table = table_of(np.random.default_rng(0), 12)
    table = table._replace(boxes=np.column_stack([table.boxes, np.zeros(12, dtype=int)]))  # a class without a box
    seen, plain = ap_estimates(table, unit=np.arange(12)), ap_of(table)
    np.testing.assert_allclose(seen["ap50"].value, [plain[:2, 0].mean(), *plain[:2, 0], np.nan])
    np.testing.assert_allclose(seen["ap50_95"].value, [plain[:2].mean(), *plain[:2].mean(axis=1), np.nan])
    for one in seen.values():
        assert np.isnan([one.low[3], one.high[3]]).all()
        assert (one.low[:3] < one.value[:3]).all()
        assert (one.value[:3] < one.high[:3]).all()


def test_nothing_wrong_is_no_point():
    # Three sheets with 4 boxes each, all found: 12 boxes, so the low end is 12 / (12 + 3.84).
    sheet = np.repeat([0, 1, 2], 4)
    found = np.ones((12, 10), dtype=bool)
    table = HitTable(sheet, np.zeros(12, int), np.linspace(0.9, 0.8, 12), found, ~found, np.full((3, 1), 4))
    for one in ap_estimates(table, unit=np.arange(3)).values():
        np.testing.assert_allclose(one.value, 1)
        np.testing.assert_allclose(one.low, 12 / (12 + 1.959964**2))
        np.testing.assert_allclose(one.high, 1)


@pytest.mark.parametrize("unit", [[0], [0, 0, 0]])
def test_one_unit_says_nothing_of_others(unit):
    table = table_of(np.random.default_rng(1), len(unit))
    for one in ap_estimates(table, unit=np.array(unit)).values():
        assert np.isfinite(one.value).all()
        assert np.isnan(one.low).all()
        assert np.isnan(one.high).all()


def test_no_sheets_and_no_boxes():
    empty = HitTable(*(np.zeros(0, int),) * 2, np.zeros(0), *(np.zeros((0, 10), bool),) * 2, np.zeros((4, 2), int))
    for table, unit in ((empty, np.arange(4)), (empty._replace(boxes=np.zeros((0, 2), int)), np.zeros(0, int))):
        for one in ap_estimates(table, unit=unit).values():
            assert np.isnan(np.concatenate(one)).all()


def test_more_sheets_make_it_narrower():
    table = table_of(np.random.default_rng(2), 10)
    one, four = (ap_estimates(redrawn(table, list(range(10)) * k), unit=np.arange(10 * k)) for k in (1, 4))
    for name in one:
        assert (four[name].high - four[name].low < 0.75 * (one[name].high - one[name].low)).all()


def test_blocks_of_many_sheets_come_close_to_each_sheet_alone(monkeypatch):
    ratios = []
    for seed in range(6):  # one width alone is noise: of 40 numbers a spread is known to a tenth or so
        table = table_of(np.random.default_rng(seed), 150)
        monkeypatch.setattr("stages.ruler.scores.ap_intervals._BLOCKS", 40)
        blocks = ap_estimates(table, unit=np.arange(150))["ap50_95"]
        monkeypatch.setattr("stages.ruler.scores.ap_intervals._BLOCKS", 150)
        alone = ap_estimates(table, unit=np.arange(150))["ap50_95"]
        ratios.append((blocks.high - blocks.low) / (alone.high - alone.low))
    np.testing.assert_allclose(np.mean(ratios, axis=0), 1.0, atol=0.2)


def test_the_low_end_goes_down_by_what_halves_are_higher():
    # Sheets 0 and 2 have a hit at 0.6; 1 and 3 one at 0.9, and a false alarm at 0.8. All: precision 1 up to recall 0.5,
    # then 4 / 6; so it is for the halves {0, 1} and {2, 3}; {0, 2} and {1, 3} have AP 1. Halves are higher by `more`.
    value = (51 + 50 * 4 / 6) / 101
    more = (value + value + 1 + 1) / 4 - value
    sheet, confidence = np.array([1, 3, 1, 3, 0, 2]), np.array([0.9, 0.9, 0.8, 0.8, 0.6, 0.6])
    hit = np.repeat(np.array([True, True, False, False, True, True])[:, None], 10, axis=1)
    table = HitTable(sheet, np.zeros(6, int), confidence, hit, np.zeros_like(hit), np.ones((4, 1), int))
    left_out = ap_of(table, 1.0 - np.eye(4))[:, :, 0]
    low, high = interval_of(np.array([value]), left_out=left_out, weight=np.ones((4, 1)), trials=np.array([4.0]))
    seen = ap_estimates(table, unit=np.arange(4))["ap50"]
    assert (seen.value[1], seen.low[1], seen.high[1]) == pytest.approx((value, low[0] - more, high[0]))


def test_a_class_that_is_perfect_by_luck_still_widens_the_mean():
    # The second class has three boxes, all found; without its own uncertainty the mean would seem known to a hair.
    table = table_of(np.random.default_rng(4), 40, classes=1, boxes=30)
    extra = HitTable(
        np.arange(3), np.ones(3, int), np.full(3, 0.9), np.ones((3, 10), bool), np.zeros((3, 10), bool), table.boxes
    )
    both = HitTable(
        *(np.concatenate(pair) for pair in zip(table[:5], extra[:5], strict=True)),
        np.column_stack([table.boxes[:, 0], [1] * 3 + [0] * 37]),
    )
    seen = ap_estimates(both, unit=np.arange(40))["ap50"]
    width = seen.high - seen.low
    assert width[0] > 1.5 * width[1]


def test_ap_is_held_by_its_interval_about_95_times_in_100():
    rng = np.random.default_rng(5)
    world = table_of(rng, 200)
    truth = {"ap50": ap_of(world)[:, 0], "ap50_95": ap_of(world).mean(axis=1)}
    seen = [ap_estimates(redrawn(world, draw), unit=np.arange(12)) for draw in rng.integers(0, 200, (250, 12))]
    for name, values in truth.items():
        goal = np.append(values.mean(), values)
        held = np.mean([(one[name].low <= goal) & (goal <= one[name].high) for one in seen], axis=0)
        assert (held > 0.90).all()
        assert (held < 0.995).all()
