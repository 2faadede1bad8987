"""Boxes in another scale are told from boxes that a person drew: by one factor, on which most of them agree."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.base.boxes import Boxes
from stages.review.identity.other_scale import ALIKE, AT_CENTRE, AT_CORNER, OtherScale, Sides, find_other_scale

# Twelve boxes of 40 × 30 px, 100 px apart, the first at 100 100.
GRID = np.array(
    [[100.0 + 100 * i, 100.0 + 100 * j, 140.0 + 100 * i, 130.0 + 100 * j] for i in range(4) for j in range(3)]
)
FACTORS = st.floats(0.3, 0.9) | st.floats(1.1, 3.0)


def around(boxes: Boxes, factor: float | np.ndarray) -> Boxes:
    """Return boxes that are `factor` times as wide and high around their centres; `factor` (n, 1), (n, 2) or one."""
    centre, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2
    return np.hstack([centre - half * factor, centre + half * factor])


def of_each(*factors: float) -> Boxes:
    """Return the grid's boxes, each times a factor of its own around its centre."""
    return around(GRID, np.resize(factors, (len(GRID), 1)))


HALF = around(GRID, 0.5)
TABLE: list[tuple[str, Boxes, Boxes, OtherScale | None]] = [  # name, before, after, what is found
    ("as they went out", GRID, GRID, None),
    ("half of all sides", GRID, GRID / 2, OtherScale(0.5, 12, 12, AT_CORNER)),
    ("half of the lengths", GRID, HALF, OtherScale(0.5, 12, 12, AT_CENTRE)),
    ("twice all sides", GRID, GRID * 2, OtherScale(2.0, 12, 12, AT_CORNER)),
    ("in whole pixels", GRID + 0.3, np.round((GRID + 0.3) / 2), OtherScale(0.5, 12, 12, AT_CORNER)),
    ("ten of them", GRID[:10], HALF[:10], OtherScale(0.5, 10, 10, AT_CENTRE)),
    ("nine of them: too few", GRID[:9], HALF[:9], None),
    ("two were deleted", GRID, HALF[2:], OtherScale(0.5, 10, 10, AT_CENTRE)),
    # 10 of 20: half; 10 of 21: less
    ("as many were added", GRID[:10], np.vstack([HALF[:10], GRID[:10] + 50]), OtherScale(0.5, 10, 20, AT_CENTRE)),
    ("more were added", GRID[:10], np.vstack([HALF[:10], GRID[:11] + 50]), None),
    ("four per cent smaller", GRID, around(GRID, 0.96), None),
    ("six per cent smaller", GRID, around(GRID, 0.94), OtherScale(0.94, 12, 12, AT_CENTRE)),
    ("1 px off the centre", GRID, HALF + 1, OtherScale(0.5, 12, 12, AT_CENTRE)),
    ("3 px off the centre", GRID, HALF + 3, None),
    ("half as wide alone", GRID, around(GRID, np.array([[0.5, 1.0]])), None),
    ("each a factor of its own", GRID, of_each(0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85), None),
    ("two factors, six boxes each", GRID, of_each(0.5, 0.6), None),
    ("moved, all by the same", GRID, GRID + np.array([20, 0, 20, 0]), None),
    ("a smaller box was drawn into each", GRID, np.vstack([GRID, HALF]), None),
    ("one in another, as they went out", np.vstack([GRID, HALF]), np.vstack([GRID, HALF]), None),
    ("the outer ones were deleted", np.vstack([GRID, HALF]), HALF, None),
    # Each outer box may be both of two that came back: it is one alone.
    ("twice the same box", GRID[:6], np.vstack([HALF[:6], HALF[:6] + 0.6]), None),
    ("nothing went out", GRID[:0], GRID, None),
    ("nothing came back", GRID, GRID[:0], None),
]


@pytest.mark.parametrize(("before", "after", "wanted"), [pytest.param(*row[1:], id=row[0]) for row in TABLE])
def test_by_hand(before: Boxes, after: Boxes, wanted: OtherScale | None) -> None:
    found = find_other_scale([Sides(before, after)])
    assert (found and found._replace(factor=round(found.factor, 2))) == wanted


def test_sheets_are_added_up_and_those_without_boxes_left_out() -> None:
    parts = [Sides(GRID[:5], HALF[:5]), Sides(GRID[:0], GRID), Sides(GRID[5:], HALF[5:])]
    assert find_other_scale(parts) == OtherScale(0.5, 12, 12, AT_CENTRE)
    assert find_other_scale(parts[:2]) is None
    assert find_other_scale([]) is None


def test_what_a_tool_rounded_on_a_small_picture_is_no_other_size() -> None:
    """A quarter of the size: sides are off by up to 2 px here, the boxes of before and of after are the same."""
    rounded = np.round((GRID + 1.3) / 4) * 4
    assert find_other_scale([Sides(np.vstack([GRID + 1.3, HALF]), rounded, 2.0)]) is None


@st.composite
def packets(draw: st.DrawFn) -> list[Boxes]:
    """Draw the boxes of one to four sheets of 2000 × 1500 px, ten at least in all, 40 to 300 px long."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    counts = draw(st.lists(st.integers(0, 40), min_size=1, max_size=4).filter(lambda counts: sum(counts) >= 10))
    sheets = []
    for count in counts:
        size = rng.uniform(40, 300, (count, 2))
        corner = rng.uniform(0, [2000, 1500] - size)
        sheets.append(np.hstack([corner, corner + size]))
    return sheets


@settings(max_examples=300, deadline=None)
@given(packet=packets(), factor=FACTORS, rule=st.sampled_from([AT_CORNER, AT_CENTRE]))
def test_one_factor_is_found(packet: list[Boxes], factor: float, rule: str) -> None:
    after = [boxes * factor if rule == AT_CORNER else around(boxes, factor) for boxes in packet]
    found = find_other_scale([Sides(*pair) for pair in zip(packet, after, strict=True)])
    assert found is not None
    assert (found.boxes, found.total) == (sum(map(len, packet)),) * 2
    assert found.rule == rule
    assert abs(found.factor / factor - 1) < ALIKE


@settings(max_examples=300, deadline=None)
@given(packet=packets(), seed=st.integers(0, 2**32 - 1), share=st.floats(0.05, 0.5), shift=st.floats(0, 20))
def test_hands_are_not_taken_for_one(packet: list[Boxes], seed: int, share: float, shift: float) -> None:
    """Each box is drawn anew: its width and its height by shares of their own, and its place."""
    rng = np.random.default_rng(seed)
    after = []
    for boxes in packet:
        factor = 1 + rng.uniform(-share, share, (len(boxes), 2))
        after.append(around(boxes, factor) + np.tile(rng.uniform(-shift, shift, (len(boxes), 2)), 2))
    assert find_other_scale([Sides(*pair) for pair in zip(packet, after, strict=True)]) is None


@settings(max_examples=300, deadline=None)
@given(packet=packets(), seed=st.integers(0, 2**32 - 1))
def test_nor_are_hands_that_keep_shapes_and_centres(packet: list[Boxes], seed: int) -> None:
    rng = np.random.default_rng(seed)
    after = [around(boxes, rng.uniform(0.5, 1.5, (len(boxes), 1))) for boxes in packet]
    assert find_other_scale([Sides(*pair) for pair in zip(packet, after, strict=True)]) is None
