"""Dealing sheets: sizes, units that stay together, and seeds that differ."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.simulation.sheet_deal import deal

SIZES = {"train": 2, "val": 1, "test": 1, "pool": 3}


def singles(n: int) -> list[tuple[str, ...]]:
    return [(f"{number:02d}.png",) for number in range(n)]


def test_each_role_gets_as_many_as_were_asked_for():
    dealt = deal(singles(10), SIZES, np.random.default_rng(0))
    assert {role: len(names) for role, names in dealt.items()} == SIZES  # three are left over


def test_the_same_seed_deals_the_same_and_another_does_not():
    first, again, other = (deal(singles(30), SIZES, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_a_role_that_stays_empty_is_named():
    with pytest.raises(ValueError, match="pool"):
        deal(singles(4), SIZES, np.random.default_rng(0))


def test_a_unit_that_fits_nowhere_is_left_over():
    units = [tuple(f"g{number}.png" for number in range(4)), *singles(7)]
    dealt = deal(units, SIZES, np.random.default_rng(3))
    assert not {name for names in dealt.values() for name in names} & set(units[0])


@given(sizes=st.lists(st.integers(1, 3), min_size=12, max_size=20), seed=st.integers(0, 99))
def test_units_stay_together_and_no_name_has_two_roles(sizes, seed):
    units = [tuple(f"{unit}-{number}" for number in range(size)) for unit, size in enumerate(sizes)]
    try:
        dealt = deal(units, SIZES, np.random.default_rng(seed))
    except ValueError:
        return  # a role stayed empty: no deal
    roles = {name: role for role, names in dealt.items() for name in names}
    assert sum(len(names) for names in dealt.values()) == len(roles)
    assert all(len({roles.get(name) for name in unit}) == 1 for unit in units)
    assert all(len(dealt[role]) <= SIZES[role] for role in SIZES)
