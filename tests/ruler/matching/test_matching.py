import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.base.boxes import BOX, iou_matrix
from stages.ruler.matching.matching import (
    found_boxes,
    hits,
    match_sheets,
    outcomes,
    row_thresholds,
    sheet_numbers,
)
from tests.scenes import awkward, slow_match


def table(rows, number):
    columns = ["split", "image_id", number, "class_id", "x1", "y1", "x2", "y2"]
    kinds = {"class_id": "int32", number: "int32", **dict.fromkeys(["x1", "y1", "x2", "y2"], "float64")}
    return pd.DataFrame(rows, columns=columns).astype(kinds)


def truth(*rows):
    return table(rows, "object_id")


def found(*rows, confidence):
    return table(rows, "detection_id").assign(confidence=np.array(confidence, dtype=float))


TRUTH = truth(
    ("val", "a.png", 0, 0, 0, 0, 10, 10),
    ("val", "a.png", 1, 1, 0, 0, 10, 10),
    ("val", "b.png", 0, 0, 50, 50, 60, 60),
)
FOUND = found(
    ("val", "a.png", 0, 0, 0, 0, 10, 8),  # on object 0: IoU 0.8
    ("val", "a.png", 1, 0, 0, 0, 10, 10),  # on it too, but less sure
    ("val", "a.png", 2, 1, 0, 0, 10, 10),  # on object 1, under the operating point
    ("val", "c.png", 0, 0, 50, 50, 60, 60),  # right place, wrong sheet
    confidence=[0.9, 0.5, 0.2, 0.7],
)


def test_outcomes_at_the_operating_point():
    rows = outcomes(detections=FOUND, ground_truth=TRUTH, iou=0.5, confidence=0.25)
    got = {
        (
            row.image_id,
            row.outcome,
            row.class_id,
            *(None if pd.isna(v) else v for v in (row.object_id, row.detection_id)),
        )
        for row in rows.itertuples()
    }
    assert got == {
        ("a.png", "tp", 0, 0, 0),
        ("a.png", "fp", 0, None, 1),
        ("a.png", "fn", 1, 1, None),
        ("b.png", "fn", 0, 0, None),
        ("c.png", "fp", 0, None, 0),
    }
    tp = rows[rows["outcome"] == "tp"].iloc[0]
    assert tp["iou"] == pytest.approx(0.8)
    assert tp["confidence"] == 0.9
    assert rows.loc[rows["outcome"] != "tp", "iou"].isna().all()


def test_the_operating_point_is_inclusive():
    rows = outcomes(detections=FOUND, ground_truth=TRUTH, iou=0.5, confidence=0.2)
    assert (rows["outcome"] == "tp").sum() == 2


@pytest.mark.parametrize("detections", [FOUND, FOUND.iloc[:0]])
@pytest.mark.parametrize("ground_truth", [TRUTH, TRUTH.iloc[:0]])
def test_every_box_has_one_outcome(detections, ground_truth):
    rows = outcomes(detections=detections, ground_truth=ground_truth, iou=0.5, confidence=0.0)
    assert rows["detection_id"].notna().sum() == len(detections)
    assert rows["object_id"].notna().sum() == len(ground_truth)


def test_match_sheets_keeps_order_index_and_inputs():
    shuffled = FOUND.iloc[[3, 1, 0, 2]]
    before = shuffled.copy()
    pairs = match_sheets(detections=shuffled, ground_truth=TRUTH, iou=0.5)
    assert pairs.index.tolist() == [3, 1, 0, 2]
    assert pairs["object_id"].tolist() == [pd.NA, pd.NA, 0, 1]
    assert pairs["iou"].tolist() == pytest.approx([0, 0, 0.8, 1])
    pd.testing.assert_frame_equal(shuffled, before)


def test_match_sheets_across_classes_takes_the_other_box_too():
    pairs = match_sheets(detections=FOUND.iloc[:2], ground_truth=TRUTH, iou=0.5, any_class=True)
    assert pairs["object_id"].tolist() == [1, 0]  # of two boxes on one place the later one goes first, as in COCO


def test_hits_per_threshold():
    got = hits(detections=FOUND, ground_truth=TRUTH, thresholds=[0.5, 0.9])
    assert got.tolist() == [[True, False], [False, True], [True, True], [False, False]]


def test_each_sheet_has_its_own_operating_point():
    images = pd.DataFrame(
        {"split": "val", "image_id": ["c.png", "b.png", "a.png"], "confidence": [0.8, 0.0, 0.1]},
    )
    each = row_thresholds(detections=FOUND.iloc[[3, 0, 2]], images=images)
    assert each.to_dict() == {3: 0.8, 0: 0.1, 2: 0.1}
    each = row_thresholds(detections=FOUND, images=images)
    rows = outcomes(detections=FOUND, ground_truth=TRUTH, iou=0.5, confidence=each)
    seen = rows.dropna(subset="detection_id")
    assert list(zip(seen["image_id"], seen["outcome"], seen["detection_id"], strict=True)) == [
        ("a.png", "tp", 0),
        ("a.png", "fp", 1),
        ("a.png", "tp", 2),
    ]  # c.png has a detection of 0.7, below its own threshold


def test_a_sheet_without_an_operating_point_is_an_error():
    images = pd.DataFrame({"split": "val", "image_id": ["a.png"], "confidence": [0.8]})
    with pytest.raises(ValueError, match=r"c\.png"):
        row_thresholds(detections=FOUND, images=images)


@pytest.mark.parametrize("seed", range(3))
def test_one_threshold_for_all_is_the_same_as_one_for_each(seed):
    truth_, found_, sheets = awkward(seed)
    each = row_thresholds(detections=found_, images=sheets.assign(confidence=0.4))
    one, other = (outcomes(detections=found_, ground_truth=truth_, iou=0.5, confidence=cut) for cut in (0.4, each))
    pd.testing.assert_frame_equal(one, other)


def test_sheets_are_numbered_together_by_split_and_name():
    one = pd.DataFrame({"split": ["val", "pool", "val"], "image_id": ["b", "c", "a"]})
    other = pd.DataFrame({"split": ["pool"], "image_id": ["a"]})
    assert [part.tolist() for part in sheet_numbers(one, other, one.iloc[:0])] == [[3, 1, 2], [0], []]


IOUS = [0.3, 0.5, 0.75]
scenes = st.integers(0, 10**6).map(awkward)


def rows_of(found_, truth_, **options):
    return found_boxes(detections=found_, ground_truth=truth_, thresholds=IOUS, **options)


@given(scenes, st.booleans())
@settings(deadline=None, max_examples=25)
def test_it_is_the_plain_rule_on_every_sheet_and_class(scene, any_class):
    truth_, found_, _ = scene
    overlap = iou_matrix(found_[BOX].to_numpy(), truth_[BOX].to_numpy())
    apart = found_["image_id"].to_numpy()[:, None] != truth_["image_id"].to_numpy()[None, :]
    other = found_["class_id"].to_numpy()[:, None] != truth_["class_id"].to_numpy()[None, :]
    overlap[apart | (other & (not any_class))] = -1.0
    expected = [slow_match(overlap, found_["confidence"].to_numpy(), iou) for iou in IOUS]
    assert rows_of(found_, truth_, any_class=any_class).T.tolist() == expected


@given(scenes, st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=25)
def test_the_order_of_rows_does_not_matter_without_ties(scene, seed):
    truth_, found_, _ = scene
    rng = np.random.default_rng(seed)
    truth_[BOX] += rng.uniform(0, 0.01, (len(truth_), 4))  # no two IoUs are equal any more
    found_ = found_.assign(confidence=rng.permutation(len(found_)) / 1000)
    seen, there = rng.permutation(len(found_)), rng.permutation(len(truth_))
    whole, mixed = rows_of(found_, truth_), rows_of(found_.iloc[seen], truth_.iloc[there])
    assert np.append(there, -1)[mixed].tolist() == whole[seen].tolist()


@given(scenes)
@settings(deadline=None, max_examples=25)
def test_the_surest_detection_finds_something_whenever_it_can_and_less_at_higher_thresholds(scene):
    truth_, found_, _ = scene
    if not len(found_):
        return
    first = found_["confidence"].to_numpy().argmax()
    hit = rows_of(found_, truth_)[first] >= 0
    same = (truth_["image_id"] == found_["image_id"].iloc[first]) & (
        truth_["class_id"] == found_["class_id"].iloc[first]
    )
    best = iou_matrix(found_[BOX].to_numpy()[[first]], truth_.loc[same, BOX].to_numpy()).max(initial=0.0)
    assert hit.tolist() == [best >= iou for iou in IOUS]


@given(scenes, st.floats(0.05, 0.95))
@settings(deadline=None, max_examples=25)
def test_detections_below_a_cut_change_nothing_above_it(scene, cut):
    truth_, found_, _ = scene
    sure = (found_["confidence"] >= cut).to_numpy()
    assert rows_of(found_, truth_)[sure].tolist() == rows_of(found_[sure], truth_).tolist()


@given(scenes)
@settings(deadline=None, max_examples=25)
def test_sheets_do_not_touch_each_other(scene):
    truth_, found_, sheets = scene
    whole = match_sheets(detections=found_, ground_truth=truth_, iou=0.5)
    for name in sheets["image_id"]:
        alone = found_[found_["image_id"] == name]
        part = match_sheets(detections=alone, ground_truth=truth_[truth_["image_id"] == name], iou=0.5)
        pd.testing.assert_frame_equal(part, whole.loc[alone.index])


@given(scenes)
@settings(deadline=None, max_examples=25)
def test_counts_add_up_to_the_boxes(scene):
    truth_, found_, _ = scene
    counts = outcomes(detections=found_, ground_truth=truth_, iou=0.5, confidence=0.3)["outcome"].value_counts()
    tp, fp, fn = (int(counts.get(key, 0)) for key in ("tp", "fp", "fn"))
    assert tp + fn == len(truth_)
    assert tp + fp == (found_["confidence"] >= 0.3).sum()
