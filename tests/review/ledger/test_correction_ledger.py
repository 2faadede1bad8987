"""Every outcome on boxes that you can draw on paper, then laws on random reviews."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.base.boxes import BOX, iou_matrix
from stages.review.ledger.correction_ledger import AFTER, BEFORE, COLUMNS, OUTCOMES, box_ledger, count_outcomes

DOOR, SINK = "door", "sink ü"
A = (0, 0, 10, 10)
NUDGED = (0, 0, 10.5, 10)
MOVED = (2, 0, 12, 10)  # IoU 8 / 12
WIDER = (0, 0, 15, 10)  # IoU 10 / 15
HALF = (0, 0, 10, 4)  # IoU 0.4
FAR = (100, 100, 110, 110)


def prelabels(rows, sheet="a"):
    """Return pre-labels from (class, box) or (class, box, confidence)."""
    table = [
        (sheet, f"{sheet}-{number}", row[0], *map(float, row[1]), row[2] if len(row) > 2 else None)
        for number, row in enumerate(rows, 1)
    ]
    columns = ["image_id", "prelabel_id", "class_name", *BOX, "confidence"]
    return pd.DataFrame(table, columns=columns).astype({**dict.fromkeys(BOX, float), "confidence": "Float64"})


def reviewed(rows, sheet="a"):
    """Return reviewed boxes from (class, box) or (class, box, number of its pre-label)."""
    table = [
        (sheet, row[0], *map(float, row[1]), f"{sheet}-{row[2]}" if len(row) > 2 and row[2] else None) for row in rows
    ]
    columns = ["image_id", "class_name", *BOX, "prelabel_id"]
    return pd.DataFrame(table, columns=columns).astype(dict.fromkeys(BOX, float))


def outcomes(before, after, *, iou=0.5):
    """Return (outcome, error) of every row, in the order of the ledger."""
    rows = box_ledger(prelabels=prelabels(before), reviewed=reviewed(after), iou=iou)
    return list(zip(rows["outcome"], rows["error"].tolist(), strict=True))


@pytest.mark.parametrize(
    ("after", "iou", "outcome", "error"),
    [
        ((DOOR, A), 1.0, "confirmed", False),
        ((DOOR, NUDGED), 1.0, "confirmed", False),  # half a pixel on a side is how a tool rounds
        ((DOOR, (0, 0, 10.6, 10)), 0.5, "moved", False),  # more is not; its size is still within a pixel
        ((DOOR, (0.6, 0.6, 9.4, 9.4)), 0.5, "resized", False),
        ((DOOR, MOVED), 0.5, "moved", False),
        ((DOOR, MOVED), 0.7, "moved", True),  # the ruler would not have taken it
        ((DOOR, WIDER), 0.5, "resized", False),
        ((DOOR, WIDER), 0.7, "resized", True),
        ((SINK, A), 0.5, "reclassified", True),
        ((SINK, WIDER), 0.5, "reclassified", True),
    ],
)
def test_what_became_of_one_box(after, iou, outcome, error):
    assert outcomes([(DOOR, A)], [after], iou=iou) == [(outcome, error)]


def test_added_deleted_and_two_objects_that_hardly_touch():
    assert outcomes([], [(DOOR, A)]) == [("added", True)]
    assert outcomes([(DOOR, A)], []) == [("deleted", True)]
    assert outcomes([(DOOR, A)], [(DOOR, FAR)]) == [("deleted", True), ("added", True)]
    beside = (9, 0, 19, 10)  # IoU 1 / 19
    assert outcomes([(DOOR, A)], [(DOOR, beside)]) == [("deleted", True), ("added", True)]


def test_the_tool_knows_best_which_box_it_was():
    assert outcomes([(DOOR, A)], [(DOOR, FAR, 1)]) == [("moved", True)]  # dragged across the sheet
    crossed = [(DOOR, FAR, 1), (DOOR, A, 2)]  # two boxes that changed places
    assert outcomes([(DOOR, A), (DOOR, FAR)], crossed) == [("moved", True), ("moved", True)]
    unknown = [(DOOR, A, 7)]  # an id that is nobody's
    assert outcomes([(DOOR, A)], unknown) == [("confirmed", False)]


@pytest.mark.parametrize("copies", [[A, MOVED], [MOVED, A]])
def test_of_two_boxes_with_one_id_the_closest_keeps_it(copies):
    assert sorted(outcomes([(DOOR, A)], [(DOOR, box, 1) for box in copies])) == [("added", True), ("confirmed", False)]


def test_a_copy_may_stand_where_another_box_was():
    after = [(DOOR, A, 1), (DOOR, FAR, 1)]  # the second pre-label was deleted, and a copy of the first put in its place
    assert outcomes([(DOOR, A), (DOOR, FAR)], after) == [("confirmed", False), ("confirmed", False)]


def test_what_was_not_touched_is_not_given_away_for_a_larger_sum():
    """In a row of boxes the first was deleted and one added at the end: each but one was left as it was."""
    row = [(DOOR, (6 * i, 0, 6 * i + 10, 10)) for i in range(6)]  # IoU 4 / 16 with the next
    assert outcomes(row[:-1], row[1:]) == [*[("confirmed", False)] * 4, ("deleted", True), ("added", True)]
    before = [(DOOR, (0, 0, 10, 10)), (DOOR, (4, 0, 14, 10))]
    after = [(DOOR, (4, 0, 14, 10)), (DOOR, (8, 0, 18, 10))]  # for a ruler of 0.3 each could be the next one, moved
    assert outcomes(before, after, iou=0.3) == [("moved", True), ("confirmed", False)]


def test_boxes_of_two_classes_on_one_place_keep_their_classes():
    before = [(DOOR, A), (SINK, (0, 0, 10, 14))]
    after = [(DOOR, (0, 0, 10, 13)), (SINK, (0, 0, 10, 11))]  # crosswise the IoUs are 10 / 11 and 13 / 14
    assert outcomes(before, after) == [("resized", False), ("resized", False)]


def test_the_pairs_with_most_overlap_are_taken_together():
    """One by one, the closest first, two boxes would stay alone."""
    before = [(DOOR, (0, 0, 10, 10)), (DOOR, (4, 0, 14, 10))]
    after = [(DOOR, (-3, 0, 7, 10)), (DOOR, (1, 0, 11, 10))]
    assert outcomes(before, after) == [("moved", False), ("moved", False)]


def test_half_a_pixel_is_no_error_on_a_box_of_one_pixel():
    assert outcomes([(DOOR, (5, 5, 6, 6))], [(DOOR, (5.4, 5.4, 5.6, 5.6))]) == [("confirmed", False)]


def test_a_row_says_both_boxes_and_their_iou():
    before = prelabels([(DOOR, A, 0.7), (SINK, FAR)])
    (pair, gone, new) = box_ledger(
        prelabels=before, reviewed=reviewed([(SINK, WIDER), (DOOR, (50, 50, 60, 60))]), iou=0.5
    ).to_dict("records")
    assert [pair["prelabel_id"], gone["prelabel_id"], new["prelabel_id"]] == ["a-1", "a-2", ""]
    assert [(one["class_before"], one["class_after"]) for one in (pair, gone, new)] == [
        (DOOR, SINK), (SINK, ""), ("", DOOR)
    ]  # fmt: skip
    assert pair["iou"] == pytest.approx(2 / 3)
    assert pair["confidence"] == 0.7
    assert pd.isna(gone["confidence"])
    assert [pair[name] for name in (*BEFORE, *AFTER)] == [*A, *WIDER]
    assert pd.isna([gone["iou"], new["iou"], *(gone[name] for name in AFTER), *(new[name] for name in BEFORE)]).all()


def test_an_empty_sheet_has_no_row():
    empty = box_ledger(prelabels=prelabels([]), reviewed=reviewed([]), iou=0.5)
    assert empty.dtypes.equals(box_ledger(prelabels=prelabels([(DOOR, A)]), reviewed=reviewed([]), iou=0.5).dtypes)
    assert list(empty.columns) == list(COLUMNS)
    assert count_outcomes(empty) == {**dict.fromkeys(OUTCOMES, 0), "errors": 0}


def test_boxes_of_two_sheets_never_meet():
    both = pd.concat([prelabels([(DOOR, A)]), prelabels([(DOOR, FAR)], sheet="b")])
    rows = box_ledger(prelabels=both, reviewed=reviewed([(DOOR, FAR)]), iou=0.5)
    assert rows[["image_id", "outcome"]].to_numpy().tolist() == [["a", "deleted"], ["a", "added"], ["b", "deleted"]]


def some_boxes(rng, *, least=0):
    """Return random boxes of two classes, crowded so that many overlap; some are a pixel wide."""
    count = int(rng.integers(least, 9))
    corner, size = rng.uniform(0, 60, (count, 2)), rng.choice([1.0, 7.0, 25.0], (count, 2)) * rng.uniform(1, 1.3)
    return [(rng.choice([DOOR, SINK]), (*xy, *(xy + wide))) for xy, wide in zip(corner, size, strict=True)]


def counts(rows):
    return {name: number for name, number in count_outcomes(rows).items() if name != "errors"}


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.1, 0.5, 0.75]))
@settings(max_examples=60, deadline=None)
def test_laws_of_any_review(seed, iou):
    rng = np.random.default_rng(seed)
    before, after = some_boxes(rng), some_boxes(rng)
    after = [(*row, int(rng.integers(0, len(before) + 1))) if before else row for row in after]  # ids, also twice
    old, new = prelabels(before), reviewed(after)
    rows = box_ledger(prelabels=old, reviewed=new, iou=iou)
    both = [name for name in OUTCOMES if name not in ("added", "deleted")]
    paired, number = rows["outcome"].isin(both), counts(rows)
    assert sum(number.values()) == len(rows)  # every row has one of the words
    assert number["deleted"] + paired.sum() == len(old)  # every box before is in one row, every box after as well
    assert number["added"] + paired.sum() == len(new)
    assert sorted(rows.loc[rows["prelabel_id"] != "", "prelabel_id"]) == sorted(old["prelabel_id"])
    assert np.isfinite(rows.loc[paired, ["iou", *BEFORE, *AFTER]].to_numpy(float)).all()
    assert rows.loc[paired, "iou"].between(0, 1).all()
    assert rows.loc[rows["outcome"].isin(["added", "deleted", "reclassified"]), "error"].all()
    assert not rows.loc[rows["outcome"] == "confirmed", "error"].any()
    mixed = box_ledger(
        prelabels=old.sample(frac=1, random_state=seed % 1000), reviewed=new.sample(frac=1, random_state=1), iou=iou
    )
    pd.testing.assert_frame_equal(rows, mixed)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_the_other_way_round_what_was_added_is_deleted(seed):
    rng = np.random.default_rng(seed)
    before, after = some_boxes(rng), some_boxes(rng)
    there = counts(box_ledger(prelabels=prelabels(before), reviewed=reviewed(after), iou=0.5))
    back = counts(box_ledger(prelabels=prelabels(after), reviewed=reviewed(before), iou=0.5))
    assert back == {**there, "added": there["deleted"], "deleted": there["added"]}


@given(st.integers(0, 2**32 - 1), st.booleans())
@settings(max_examples=60, deadline=None)
def test_what_tools_round_is_confirmed(seed, known):
    """However crowded the sheet: nothing that moved by less than half a pixel is a finding."""
    rng = np.random.default_rng(seed)
    before = some_boxes(rng)
    after = [
        (name, tuple(np.array(box) + rng.uniform(-0.4, 0.4, 4)), number if known else 0)
        for number, (name, box) in enumerate(before, 1)
    ]
    rows = box_ledger(prelabels=prelabels(before), reviewed=reviewed(after), iou=0.9)
    assert (rows["outcome"] == "confirmed").all()
    assert len(rows) == len(before)
    assert not rows["error"].any()


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_no_pairing_reads_better(seed):
    """Against all pairings of small sheets, by brute force: first untouched boxes, then right ones, then overlap."""
    rng = np.random.default_rng(seed)
    before, after = some_boxes(rng)[:4], some_boxes(rng)[:4]
    after += [(name, tuple(np.array(box) + 0.3)) for name, box in before[:1]]
    old, new = (np.array([box for _, box in rows]).reshape(-1, 4) for rows in (before, after))
    overlaps = iou_matrix(old, new)

    def value(pairs):
        same = [before[i][0] == after[j][0] for i, j in pairs]
        untouched = [one and np.abs(old[i] - new[j]).max() <= 0.5 for one, (i, j) in zip(same, pairs, strict=True)]
        right = [
            u or (s and overlaps[pair] >= 0.5) for u, s, pair in zip(untouched, same, pairs, strict=True)
        ]  # fmt: skip
        place = sum(overlaps[pair] for pair in pairs if overlaps[pair] >= 0.1)
        return sum(untouched), sum(right), round(place, 5)

    places = [*range(len(new)), *[None] * len(old)]
    best = max(
        value([(i, j) for i, j in enumerate(chosen) if j is not None])
        for chosen in set(permutations(places, len(old)))
    )  # fmt: skip
    rows = box_ledger(prelabels=prelabels(before), reviewed=reviewed(after), iou=0.5)
    pairs = rows[rows["outcome"].isin(OUTCOMES[:4])]
    kept = pairs["iou"] >= 0.1
    found = (pairs["outcome"] == "confirmed").sum(), (~pairs["error"]).sum(), round(float(pairs["iou"][kept].sum()), 5)
    assert found == pytest.approx(best, abs=2e-5)
