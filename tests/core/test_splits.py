"""Every image gets one role."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.core.splits import ROLES, Part, assign

SPLITS = {"train": ["a", "b", "c", "d", "e", "f", "g", "h"], "val": ["v", "w"], "test": ["t"]}


def roles(splits=SPLITS, seed=0, **wanted):
    return assign(splits, wanted, np.random.default_rng(seed))


def test_the_sources_own_splits_are_the_default():
    done = roles()
    assert done.roles == {"train": tuple("abcdefgh"), "val": ("v", "w"), "test": ("t",), "pool": ()}
    assert done.unused == {}


def test_a_share_is_of_train_and_leaves_the_rest():
    done = roles(pool=Part(share=0.25))
    assert len(done.roles["pool"]) == 2
    assert sorted(done.roles["pool"] + done.roles["train"]) == list("abcdefgh")


def test_shares_do_not_overlap_and_each_has_one_image_at_least():
    done = roles(val=Part(share=0.25), test=Part(share=0.01), pool=Part(share=0.5))
    assert [len(done.roles[role]) for role in ROLES] == [1, 2, 1, 4]
    assert done.unused == {"val": ("v", "w"), "test": ("t",)}


def test_a_split_of_the_source_can_become_another_role():
    done = roles(pool=Part(split="val"), val=Part(names=frozenset("ab")))
    assert done.roles == {"train": tuple("cdefgh"), "val": ("a", "b"), "test": ("t",), "pool": ("v", "w")}


def test_the_split_that_another_role_takes_is_not_used_twice():
    assert roles(val=Part(split="test")).roles["test"] == ()
    assert roles(val=Part(split="test")).unused == {"val": ("v", "w")}


def test_another_seed_draws_other_images_and_the_same_seed_the_same():
    drawn = {roles(pool=Part(share=0.5), seed=seed).roles["pool"] for seed in range(10)}
    assert len(drawn) > 1
    assert roles(pool=Part(share=0.5)) == roles(pool=Part(share=0.5))


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"val": Part(split="train")}, "no image is left in train"),
        ({"val": Part(share=0.5), "pool": Part(share=0.6)}, "no image is left in train"),
        ({"val": Part(names=frozenset("at"))}, "t would be in val and in test"),
    ],
)
def test_what_cannot_be_is_refused(wanted, message):
    with pytest.raises(ValueError, match=message):
        roles(**wanted)


@given(st.integers(2, 40), st.floats(0.01, 0.45), st.floats(0.01, 0.45), st.integers(0, 5))
def test_no_image_is_lost_or_doubled(count, val, pool, seed):
    names = [f"{i:02}" for i in range(count)]
    try:
        done = roles({"train": names}, seed, val=Part(share=val), pool=Part(share=pool))
    except ValueError:
        assert max(1, round(val * count)) + max(1, round(pool * count)) >= count
        return
    assert sorted(sum(done.roles.values(), ())) == names
