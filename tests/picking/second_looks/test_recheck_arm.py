"""Which labelled sheets are checked once more, how many, and what is said on them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.analysis.analysis_tables import SUSPECTS
from stages.base.boxes import BOX
from stages.base.tables import conform
from stages.picking.sampling.sample_inputs import SeenTables
from stages.picking.second_looks.recheck_arm import (
    marked,
    recheck_rows,
    share_now,
    sheets_to_check,
    worth_checking,
)
from stages.picking.strategies.review_cost import ReviewCost
from stages.ruler.pairing.box_tables import DETECTIONS
from stages.ruler.schemas import GROUND_TRUTH, IMAGES

COST = ReviewCost(sheet=20, box=4, error=6)


def suspects(*rows):
    """Rows of split, image_id, object_id, detection_id, judgement, score."""
    columns = ["split", "image_id", "object_id", "detection_id", "judgement", "score"]
    table = pd.DataFrame(rows, columns=columns).assign(class_id=0, kind="missing_box", reason="Why.", confidence=0.9)
    return conform(table, SUSPECTS)


def truth(**boxes):
    """So many labels per sheet, in a row of 10 px."""
    rows = [
        ("train", f"{name}.png", number, 0, 10.0 * number, 0.0, 10.0 * number + 8, 8.0)
        for name, count in boxes.items()
        for number in range(count)
    ]
    return conform(pd.DataFrame(rows, columns=["split", "image_id", "object_id", "class_id", *BOX]), GROUND_TRUTH)


def detections(*rows):
    """Rows of image_id, detection_id, x1."""
    made = [("train", name, number, 0, 0.9, float(x), 50.0, x + 8.0, 58.0) for name, number, x in rows]
    columns = ["split", "image_id", "detection_id", "class_id", "confidence", *BOX]
    return conform(pd.DataFrame(made, columns=columns), DETECTIONS)


def seen(rows, labels):
    images = conform(pd.DataFrame(columns=list(IMAGES.columns)), IMAGES)
    return SeenTables(images, rows, labels, detections(("a.png", 7, 30)))


def test_most_errors_in_a_minute_come_first():
    """b: 1.4 errors on 2 labels and 1 that is missing, 40.4 s; a: 1.8 errors on 40 labels, 190.8 s; c: no label."""
    found = worth_checking(
        suspects(
            ("train", "a.png", 0, pd.NA, "label", 0.9),
            ("train", "a.png", 1, pd.NA, "label", 0.9),
            ("train", "b.png", 0, pd.NA, "label", 0.8),
            ("train", "b.png", pd.NA, 0, "unclear", 0.6),
            ("train", "b.png", 1, pd.NA, "model", 0.2),  # the model's mistake is no error of a label
            ("train", "c.png", 0, pd.NA, "unclear", 0.4),  # nothing on it looks wrong for sure
        ),
        truth(a=40, b=2, c=2),
        cost=COST,
    )
    assert found["image_id"].tolist() == ["b.png", "a.png"]
    assert found["labels"].tolist() == [1, 2]
    assert found["errors"].tolist() == pytest.approx([1.4, 1.8])
    assert (60 * found["minutes"]).tolist() == pytest.approx([20 + 4 * 3 + 6 * 1.4, 20 + 4 * 40 + 6 * 1.8])


@settings(deadline=None, max_examples=15)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["train", "val", "pool"]),
            st.sampled_from("abcdef"),
            st.sampled_from(["label", "unclear", "model"]),
            st.floats(0, 1),
        ),
        max_size=12,
    ),
    st.sets(st.sampled_from("abcdef")),
)
def test_val_is_never_touched_and_no_sheet_comes_twice(rows, without):
    listed = [(split, f"{split}-{name}", at, pd.NA, said, score) for at, (split, name, said, score) in enumerate(rows)]
    left_out = {f"train-{name}" for name in without}
    found = worth_checking(suspects(*listed), truth(), cost=COST, without=left_out)
    assert set(found["split"]) <= {"train", "pool"}
    assert found["image_id"].is_unique
    assert not left_out & set(found["image_id"])
    assert set(found["image_id"]) == {
        name for split, name, _, _, said, _ in listed if split != "val" and said == "label" and name not in left_out
    }
    rates = (found["errors"] / found["minutes"]).to_numpy()
    assert (np.diff(rates) <= 1e-8).all()


@pytest.mark.parametrize(
    ("picked", "share", "sheets"), [(18, 0.1, 2), (9, 0.1, 1), (3, 0.1, 1), (10, 0.5, 10), (9, 0.0, 0), (0, 0.5, 0)]
)
def test_the_share_is_of_the_packet_and_at_least_one_sheet(picked, share, sheets):
    assert sheets_to_check(picked, share=share) == sheets


@pytest.mark.parametrize(
    ("picked", "recheck", "share"),
    [(1.0, 1.0, 0.2), (1.0, 2.0, 0.2), (1.0, 0.99, 0.1), (1.0, None, 0.2), (None, 0.0, 0.2), (0.5, 0.0, 0.1)],
)
def test_the_share_is_halved_while_it_brings_less_than_picked_sheets(picked, recheck, share):
    arms = [
        {"arm": "picked", "errors_per_minute": picked},
        {"arm": "random", "errors_per_minute": 9.0},
        {"arm": "recheck", "errors_per_minute": recheck},
    ]
    assert share_now(0.2, {"arms": arms}) == pytest.approx(share)


def test_a_review_of_before_there_was_the_arm_says_nothing():
    assert share_now(0.2, {"arms": [{"arm": "picked", "errors_per_box": 1.0}]}) == 0.2
    assert share_now(0.2, {}) == 0.2


def test_what_is_pointed_at_is_where_the_labels_look_wrong():
    rows = suspects(
        ("train", "a.png", 1, pd.NA, "label", 0.6),
        ("train", "a.png", pd.NA, 7, "label", 0.9),
        ("train", "a.png", 0, pd.NA, "unclear", 0.4),
    )
    found = marked(worth_checking(rows, truth(a=3), cost=COST), seen(rows, truth(a=3)))
    assert found[BOX].to_numpy().tolist() == [[30, 50, 38, 58], [10, 0, 18, 8]]  # the surest first
    assert found["confidence"].notna().tolist() == [True, False]  # a label has none
    assert set(found["kind"]) == {"label"}
    assert set(found["reason"]) == {"Why. Check the label: 2 on this sheet look wrong."}


def test_five_labels_of_a_sheet_at_most_are_pointed_at():
    rows = suspects(*[("train", "a.png", at, pd.NA, "label", 0.9) for at in range(8)])
    found = marked(worth_checking(rows, truth(a=8), cost=COST), seen(rows, truth(a=8)))
    assert len(found) == 5
    assert "8 on this sheet look wrong" in found["reason"][0]


def test_what_was_rechecked_before_or_goes_out_already_is_not_chosen():
    rows = suspects(*[("train", f"{name}.png", 0, pd.NA, "label", 0.9) for name in "abcd"])
    packet = pd.DataFrame({"image_id": ["a.png", "x.png", "y.png"], "arm": ["picked", "picked", ""]})
    tables = seen(rows, truth(a=1, b=1, c=1, d=1))
    reviewed = {"rechecked": ["b.png"], "seconds": COST._asdict()}
    assert set(recheck_rows(packet, tables, share=0.5, reviewed=reviewed)["image_id"]) == {"c.png", "d.png"}
    assert len(recheck_rows(packet[2:], tables, share=0.5, reviewed=reviewed)) == 0  # nothing was picked
