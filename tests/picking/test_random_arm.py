"""How many sheets chance adds to a packet, and that it favours none."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.picking.random_arm import draw_sheets

NAMES = st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=4)  # of files, which hold no NUL


def drawn(pool, *, picked, share, seed=0):
    return draw_sheets(pool, picked=picked, share=share, rng=np.random.default_rng(seed))


@pytest.mark.parametrize(
    ("picked", "share", "pool", "count"),
    [
        (18, 0.1, 100, 2),  # 2 of 20
        (20, 0.1, 100, 2),  # 2.2
        (1, 0.1, 100, 1),  # 0.11, but at least one
        (10, 0.5, 100, 10),  # as many as were picked
        (10, 0.9, 100, 90),
        (10, 0.9, 50, 49),  # never the whole pool
        (1, 0.1, 2, 1),
        (1, 0.1, 1, 0),  # there would be none left for the picker
        (0, 0.1, 0, 0),
        (0, 0.1, 9, 0),  # nothing goes to review
        (20, 0.0, 100, 0),  # turned off
    ],
)
def test_how_many(picked, share, pool, count):
    assert len(drawn([f"{i}.png" for i in range(pool)], picked=picked, share=share)) == count


@given(st.sets(NAMES, max_size=30), st.integers(0, 30), st.floats(0, 0.99), st.integers(0, 9))
def test_they_are_sheets_of_the_pool_each_once_whatever_its_order(pool, picked, share, seed):
    one = drawn(sorted(pool), picked=picked, share=share, seed=seed)
    assert one == sorted(set(one))
    assert set(one) <= pool
    assert drawn(sorted(pool, reverse=True), picked=picked, share=share, seed=seed) == one


def test_each_sheet_comes_as_often_as_any_other():
    pool, draws = [f"{i}.png" for i in range(10)], 4000
    often = Counter(name for seed in range(draws) for name in drawn(pool, picked=18, share=0.1, seed=seed))
    expected = draws * 2 / 10  # its deviation is 25
    assert all(often[name] == pytest.approx(expected, abs=4 * 25.3) for name in pool)
