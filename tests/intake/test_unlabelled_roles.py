"""Where no sheet is labelled, val is drawn by chance before anybody has seen a sheet, and all others are the pool."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.firewall.roles import Kinship, RolePart
from stages.intake.unlabelled_roles import assign_unlabelled, val_share


def drawn(splits, wanted=None, seed=0, kinship=None):
    rng = np.random.default_rng(seed)
    return assign_unlabelled(splits, wanted or {}, rng, kinship=kinship or Kinship(), regroup=False).roles


@pytest.mark.parametrize(("sheets", "val"), [(2, 1), (10, 2), (100, 20), (150, 30), (1000, 30)])
def test_a_fifth_becomes_val_but_no_more_than_thirty(sheets, val):
    roles = drawn({"pool": [f"{i:04d}.png" for i in range(sheets)]})
    assert {role: len(names) for role, names in roles.items()} == {
        "train": 0,
        "val": val,
        "test": 0,
        "pool": sheets - val,
    }
    assert round(val_share(sheets) * sheets) in (val, 0)


@given(st.integers(4, 40), st.integers(0, 3), st.data())
def test_every_sheet_has_one_role_and_a_group_has_one(sheets, seed, data):
    names = [f"{i:02d}.png" for i in range(sheets)]
    groups = {name: data.draw(st.sampled_from(["a", "b", ""])) for name in names}
    roles = drawn({"pool": names}, {"test": RolePart(share=0.2)}, seed, Kinship(groups=groups))
    assert sorted(name for role in roles.values() for name in role) == names
    assert roles["train"] == ()
    for group in ("a", "b"):
        assert len({role for role, own in roles.items() for name in own if groups[name] == group}) <= 1


def test_a_split_that_is_called_val_stays_it():
    roles = drawn({"pool": ["a.png", "b.png"], "val": ["c.png"]})
    assert (roles["val"], roles["pool"]) == (("c.png",), ("a.png", "b.png"))


def test_what_is_drawn_depends_on_the_seed_alone():
    names = [f"{i}.png" for i in range(30)]
    assert drawn({"pool": names}, seed=1) == drawn({"train": names[::-1]}, seed=1)
    assert drawn({"pool": names}, seed=1) != drawn({"pool": names}, seed=2)


def test_one_sheet_is_too_few():
    with pytest.raises(ValueError, match="no image is left"):
        drawn({"pool": ["a.png"]})
