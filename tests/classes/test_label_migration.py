"""Rows of labels get their new class_id, and nothing else of them changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.classes.label_migration import migrated_text

ROWS = st.lists(
    st.tuples(
        st.integers(0, 2), st.sampled_from([" ", "  ", "\t"]), st.sampled_from(["0.5 0.5 0.1 0.1", "0.2 .3 1e-1 0.1 "])
    )
)


@pytest.mark.parametrize(
    ("text", "ids", "new", "doubled"),
    [
        ("0 0.5 0.5 0.2 0.2\n2 0.3 0.3 0.1 0.1\n", (1, 0, 0), "1 0.5 0.5 0.2 0.2\n0 0.3 0.3 0.1 0.1\n", 0),
        ("0 0.5 0.5 0.2 0.2", (7,), "7 0.5 0.5 0.2 0.2", 0),
        ("\n 1.0\t.5 .5 .2 .2  \r\n\n", (0, 3), "\n 3\t.5 .5 .2 .2  \r\n\n", 0),
        ("0 .5 .5 .2 .2\n1 0.5 0.50 0.2 0.2\n", (0, 0), "0 .5 .5 .2 .2\n0 0.5 0.50 0.2 0.2\n", 1),
        ("0 .5 .5 .2 .2\n0 .5 .5 .2 .2\n", (0,), "0 .5 .5 .2 .2\n0 .5 .5 .2 .2\n", 0),  # it was so before
        ("", (0,), "", 0),
    ],
)
def test_rows_by_hand(text, ids, new, doubled):
    found = migrated_text(text, ids)
    assert (found.text, found.doubled) == (new, doubled)


def test_a_box_without_a_class_is_a_bug():
    with pytest.raises(ValueError, match="a box of class_id 1 would go"):
        migrated_text("1 .5 .5 .2 .2", (0, None))


@given(ROWS, st.permutations(range(3)))
def test_ids_there_and_back_are_the_same_bytes(rows, ids):
    text = "".join(f"{key}{gap}{rest}\n" for key, gap, rest in rows)
    there = migrated_text(text, ids)
    assert there.boxes.total() == len(rows)
    assert migrated_text(there.text, [ids.index(old) for old in range(3)]).text == text
