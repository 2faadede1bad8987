import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.detector.prediction.filters import Filters, keep

WIDE = [10, 10, 50, 20]  # 40 x 10 px
SMALL = [0, 0, 6, 6]
FLAT = [30, 30, 40, 31]  # one px high


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(), [True, True, True]),
        (Filters(min_area=36), [True, True, False]),  # exactly 36 passes
        (Filters(min_area=36.1), [True, False, False]),
        (Filters(max_area=36), [False, True, True]),
        (Filters(min_side=6), [True, True, False]),
        (Filters(min_side=10.5), [False, False, False]),
        (Filters(max_aspect=4), [True, True, False]),
        (Filters(max_aspect=3.9), [False, True, False]),
        (Filters(border=0), [True, True, True]),
        (Filters(border=10), [True, False, True]),
        (Filters(border=11), [False, False, True]),
        (Filters(min_area=36, max_aspect=3), [False, True, False]),
    ],
)
def test_keep(filters, expected):
    assert keep(np.array([WIDE, SMALL, FLAT]), width=100, height=60, filters=filters).tolist() == expected


@pytest.mark.parametrize(
    ("box", "passes"),
    [
        ([30, 30, 31, 31], True),
        ([30, 30, 40, 30.9], False),
        ([30, 30, 30, 40], False),
        ([40, 30, 30, 40], False),  # distances below zero turn a box inside out
        ([30, 40, 40, 30], False),
        ([40, 40, 30, 30], False),
        ([np.nan, 30, 40, 40], False),
    ],
)
def test_what_has_no_side_of_a_pixel_is_no_box(box, passes):
    assert keep(np.array([box]), width=100, height=60, filters=Filters()).tolist() == [passes]


def test_every_border_counts_and_every_image_has_its_own_size():
    boxes = np.array([[20, 20, 95, 40], [20, 20, 95, 40], [20, 20, 40, 55], [20, 20, 40, 55]])
    got = keep(boxes, width=[100, 120, 100, 100], height=[60, 60, 60, 70], filters=Filters(border=10))
    assert got.tolist() == [False, True, False, True]


def test_no_box_passes_nothing():
    assert keep(np.zeros((0, 4)), width=10, height=10, filters=Filters(1, 2, 3, 4, 5)).tolist() == []


limits = st.one_of(st.none(), st.floats(0, 60))
boxes = st.lists(st.tuples(*[st.floats(0, 50)] * 4), max_size=6).map(lambda rows: np.array(rows).reshape(-1, 4))


@given(boxes, st.tuples(*[limits] * 5))
def test_all_filters_together_are_each_of_them(rows, values):
    filters = Filters(*values)
    each = [Filters(**{name: value}) for name, value in filters.active.items()]
    one_by_one = [keep(rows, width=60, height=60, filters=one) for one in each]
    expected = np.logical_and.reduce([keep(rows, width=60, height=60, filters=Filters()), *one_by_one])
    assert (keep(rows, width=60, height=60, filters=filters) == expected).all()
