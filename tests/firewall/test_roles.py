"""Every image gets one role."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.firewall.roles import ROLES, SIDES, Kinship, Leak, LeakError, RolePart, assign

SPLITS = {"train": ["a", "b", "c", "d", "e", "f", "g", "h"], "val": ["v", "w"], "test": ["t"]}


def roles(splits=SPLITS, seed=0, *, kinship=Kinship(), boxes=None, regroup=False, one_of_each=False, **wanted):  # noqa: B008
    rng = np.random.default_rng(seed)
    return assign(splits, wanted, rng, kinship=kinship, boxes=boxes, regroup=regroup, one_of_each=one_of_each)


def test_the_sources_own_splits_are_the_default():
    done = roles()
    assert done.roles == {"train": tuple("abcdefgh"), "val": ("v", "w"), "test": ("t",), "pool": ()}
    assert done.unused == {}


def test_a_share_is_of_train_and_leaves_the_rest():
    done = roles(pool=RolePart(share=0.25))
    assert len(done.roles["pool"]) == 2
    assert sorted(done.roles["pool"] + done.roles["train"]) == list("abcdefgh")


def test_a_share_is_of_what_copies_leave_of_train():
    kinship = Kinship(copies=[("a", "b", "v"), ("c", "d", "w")])
    done = roles(pool=RolePart(share=0.5), kinship=kinship, regroup=True)
    assert done.left_out == tuple("abcd")
    assert (len(done.roles["pool"]), len(done.roles["train"]), done.unused) == (2, 2, {})


def test_one_of_each_mends_a_leak_of_copies_and_leaves_nothing_twice():
    kinship = Kinship(copies=[("a", "v"), ("b", "c", "d")], groups={"e": "set", "w": "set"})
    done = roles(pool=RolePart(share=0.5), kinship=kinship, one_of_each=True, regroup=True)
    assert done.spare == {"a": "v", "c": "b", "d": "b"}
    assert done.followed == ("e",)
    assert (len(done.roles["pool"]), len(done.roles["train"]), done.unused) == (2, 2, {})
    with pytest.raises(LeakError):
        roles(kinship=kinship, one_of_each=True)  # a drawing set is no copy


def test_shares_do_not_overlap_and_each_has_one_image_at_least():
    done = roles(val=RolePart(share=0.25), test=RolePart(share=0.01), pool=RolePart(share=0.5))
    assert [len(done.roles[role]) for role in ROLES] == [1, 2, 1, 4]
    assert done.unused == {"val": ("v", "w"), "test": ("t",)}


def test_a_split_of_the_source_can_become_another_role():
    done = roles(pool=RolePart(split="val"), val=RolePart(names=frozenset("ab")))
    assert done.roles == {"train": tuple("cdefgh"), "val": ("a", "b"), "test": ("t",), "pool": ("v", "w")}


def test_the_split_that_another_role_takes_is_not_used_twice():
    assert roles(val=RolePart(split="test")).roles["test"] == ()
    assert roles(val=RolePart(split="test")).unused == {"val": ("v", "w")}


def test_another_seed_draws_other_images_and_the_same_seed_the_same():
    drawn = {roles(pool=RolePart(share=0.5), seed=seed).roles["pool"] for seed in range(10)}
    assert len(drawn) > 1
    assert roles(pool=RolePart(share=0.5)) == roles(pool=RolePart(share=0.5))


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"val": RolePart(split="train")}, "no image is left in train"),
        ({"val": RolePart(share=0.5), "pool": RolePart(share=0.6)}, "no image is left in train"),
        ({"val": RolePart(names=frozenset("at"))}, "t would be in val and in test"),
    ],
)
def test_what_cannot_be_is_refused(wanted, message):
    with pytest.raises(ValueError, match=message):
        roles(**wanted)


@given(st.integers(2, 40), st.floats(0.01, 0.45), st.floats(0.01, 0.45), st.integers(0, 5))
def test_no_image_is_lost_or_doubled(count, val, pool, seed):
    names = [f"{i:02}" for i in range(count)]
    try:
        done = roles({"train": names}, seed, val=RolePart(share=val), pool=RolePart(share=pool))
    except ValueError:
        assert max(1, round(val * count)) + max(1, round(pool * count)) >= count
        return
    assert sorted(sum(done.roles.values(), ())) == names


LEAKING = {"train": ["a1", "a2", "b1", "c"], "val": ["v"], "test": ["t"], "pool": ["p"]}


def test_a_source_that_leaks_is_refused_with_one_leak_per_side():
    kinship = Kinship([("a1", "t", "v"), ("c", "p")])
    with pytest.raises(LeakError) as caught:
        roles(LEAKING, kinship=kinship)
    assert caught.value.leaks == (Leak("v", "val", "a1", "train"), Leak("v", "val", "t", "test"))


def test_copies_in_train_and_pool_are_no_leak():
    assert roles(LEAKING, kinship=Kinship([("c", "p")])).roles["pool"] == ("p",)


def test_regroup_keeps_val_leaves_copies_out_and_lets_the_group_follow():
    kinship = Kinship([("a1", "v")], {"a1": "A", "a2": "A", "t": "B", "b1": "B"})
    done = roles(LEAKING, kinship=kinship, regroup=True)
    assert done.roles == {"train": ("c",), "val": ("a2", "v"), "test": ("b1", "t"), "pool": ("p",)}
    assert (done.followed, done.left_out) == (("a2", "b1"), ("a1",))
    assert done.unused == {}


def test_what_is_a_copy_of_a_sheet_of_the_pool_is_drawn_for_neither_val_nor_test():
    names, kinship = [f"{i:02}" for i in range(8)], Kinship([("00", "01", "02"), ("03", "04")], {"05": "A", "04": "A"})
    asked = {"val": RolePart(share=0.1), "test": RolePart(share=0.1), "pool": RolePart(names=frozenset({"00", "05"}))}
    for seed in range(10):
        done = roles({"train": names}, seed, **asked, kinship=kinship)
        assert set(done.roles["val"] + done.roles["test"]) == {"06", "07"}
    with pytest.raises(ValueError, match="or only 2 share no sheet or group with the pool"):
        roles({"train": names}, **{**asked, "test": RolePart(share=0.3)}, kinship=kinship)


@pytest.mark.parametrize("regroup", [False, True])
@pytest.mark.parametrize("asked_as", itertools.product(["none", "share", "names"], repeat=3), ids=",".join)
def test_however_roles_are_asked_for_no_unit_is_on_two_sides(asked_as, regroup):
    for seed in range(20):
        rng = np.random.default_rng(seed)
        names = [f"{i:02}" for i in range(20)]
        shuffled = list(rng.permutation(names))
        copies = [tuple(sorted(shuffled[i : i + 3])) for i in range(0, 17, 6)]
        kinship = Kinship(copies, {name: str(rng.integers(6)) for name in names if rng.random() < 0.3})
        listed = np.array_split(rng.permutation(names[:18])[:9], 3)
        asked = {
            role: RolePart(share=0.15) if how == "share" else RolePart(names=frozenset(part.tolist()))
            for role, how, part in zip(("val", "test", "pool"), asked_as, listed, strict=True)
            if how != "none"
        }
        try:
            done = roles({"train": names[:18], "pool": names[18:]}, seed, **asked, kinship=kinship, regroup=regroup)
        except LeakError:
            continue
        side = {name: SIDES[role] for role, found in done.roles.items() for name in found}
        assert [unit for unit in kinship.units(sorted(side)) if len({side[name] for name in unit}) > 1] == []


@given(st.integers(8, 60), st.integers(0, 9), st.booleans())
def test_no_draw_tears_a_unit_apart(count, seed, grouped):
    rng = np.random.default_rng(seed)
    names = [f"{i:02}" for i in range(count)]
    groups = {name: str(rng.integers(6)) for name in names if grouped and rng.random() < 0.5}
    copies = [tuple(sorted(names[i : i + 2])) for i in range(0, count - 2, 5)]
    kinship = Kinship(copies, groups)
    try:
        done = roles({"train": names}, seed, val=RolePart(share=0.2), pool=RolePart(share=0.3), kinship=kinship)
    except ValueError:
        assert len(kinship.units(names)) < 4
        return
    role = {name: role for role, found in done.roles.items() for name in found}
    assert sorted(role) == names
    assert all(len({role[name] for name in unit}) == 1 for unit in kinship.units(names))
    assert done.roles["val"] or len(kinship.units(names)) < 4


def test_a_draw_is_stratified_by_class():
    """A tenth of 200 sheets: of the rare class, on 20 of them, exactly two, whatever the seed."""
    rng = np.random.default_rng(0)
    names = [f"{i:03}" for i in range(200)]
    rare = set(rng.permutation(names)[:20].tolist())
    boxes = {name: np.array([rng.poisson(5), int(name in rare)]) for name in names}
    for seed in range(5):
        done = roles({"train": names}, seed, val=RolePart(share=0.1), boxes=boxes)
        assert len(done.roles["val"]) == 20
        assert sum(name in rare for name in done.roles["val"]) == 2
        share = sum(boxes[name][0] for name in done.roles["val"]) / sum(counts[0] for counts in boxes.values())
        assert share == pytest.approx(0.1, abs=0.02)
