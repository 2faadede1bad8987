"""Of the copies of one sheet one stays, and labels of copies that differ are found."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stages.firewall.spare_copies import disagreeing, spare_copies

ROLE = {"a": "train", "b": "train", "c": "pool", "v": "val", "w": "val", "t": "test"}


def counted(**boxes):
    return {name: np.array(each) for name, each in boxes.items()}


def test_the_one_of_val_stays_then_of_test_then_of_train():
    assert spare_copies(ROLE, [("a", "c", "t", "v")], {}) == {"a": "v", "c": "v", "t": "v"}
    assert spare_copies(ROLE, [("a", "c", "t")], {}) == {"a": "t", "c": "t"}
    assert spare_copies(ROLE, [("c", "a")], counted(c=[9, 9])) == {"c": "a"}


def test_of_one_role_the_one_with_the_most_boxes_stays_and_then_the_first_name():
    assert spare_copies(ROLE, [("a", "b")], counted(a=[1, 0], b=[1, 1])) == {"a": "b"}
    assert spare_copies(ROLE, [("b", "a")], counted(a=[0, 2], b=[2, 0])) == {"b": "a"}


def test_a_split_of_another_name_counts_as_train_and_names_without_a_role_do_not_count():
    assert spare_copies({"x": "extra", "c": "pool"}, [("c", "x", "gone")], {}) == {"c": "x"}
    assert spare_copies(ROLE, [("gone", "away")], {}) == {}


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from(["train", "val", "test", "pool"])))
def test_each_set_keeps_one_and_no_other_sheet_goes(role_of):
    copies = [tuple("abc"), tuple("de")]
    spare = spare_copies(role_of, copies, {})
    for names in copies:
        known = set(names) & set(role_of)
        assert len(known - set(spare)) == min(1, len(known))
        assert {spare[name] for name in known & set(spare)} <= known - set(spare)
    assert set(spare) <= set("abcde")


def test_copies_disagree_by_their_boxes_per_class_where_both_are_labelled():
    boxes = counted(a=[1, 1], b=[2, 0], v=[1, 1], w=[1, 1])
    assert disagreeing([("b", "a", "c"), ("v", "w"), ("t", "a")], boxes) == [("a", "b")]
