import numpy as np
import pandas as pd
import pytest

from stages.analysis.summaries import centres, count_table, miss_counts, spread, summary

FINDINGS = pd.DataFrame(
    {
        "split": ["val", "val", "val", "pool"],
        "image_id": ["a", "a", "b", "p"],
        "outcome": ["fn", "fn", "fp", "unjudged"],
        "class_id": [0, 1, 0, 0],
        "object_id": [0, 1, pd.NA, pd.NA],
        "area": [100.0, 50.0, 10.0, 10.0],
        "size": ["tiny", "large", "tiny", "tiny"],
        "position": ["edge", "center", "center", "center"],
        "low_contrast": [True, False, True, True],
        "unusual_aspect": [False, False, True, True],
        "overlapping": [True, True, True, True],
        "near_miss": pd.array([0.2, pd.NA, pd.NA, pd.NA], dtype="Float64"),
    }
)


SUSPECTS = pd.DataFrame({"split": ["val", "val", "train", "val"], "judgement": ["label", "model", "label", "unclear"]})


def test_summary_is_of_val_and_counts_misses_only_in_what_they_share():
    assert summary(FINDINGS, SUSPECTS) == {
        "fn": 2,
        "fp": 1,
        "near_miss": 1,
        "low_contrast": 1,
        "unusual_aspect": 0,
        "overlapping": 2,
        "suspect_labels": 1,
    }


def test_the_counts_have_a_row_per_split_and_what_misses_share():
    table = count_table(FINDINGS)
    assert table.columns.tolist() == ["split", "kind", "name", "fn"]
    val = table[table["split"] == "val"]
    assert val[["kind", "name", "fn"]].to_numpy().tolist() == [
        ["size", "tiny", 1],
        ["size", "small", 0],
        ["size", "medium", 0],
        ["size", "large", 1],
        ["position", "corner", 0],
        ["position", "edge", 1],
        ["position", "center", 1],
        ["sign", "near_miss", 1],
        ["sign", "low_contrast", 1],
        ["sign", "unusual_aspect", 0],
        ["sign", "overlapping", 2],
    ]
    assert table.loc[table["split"] != "val", "fn"].sum() == 0  # unjudged detections are no misses


def test_miss_counts_has_a_row_per_split_with_boxes_and_category():
    boxes = pd.DataFrame({"split": ["val", "val", "train"], "size": ["tiny", "tiny", "large"]})
    table = miss_counts(findings=FINDINGS, boxes=boxes, column="size", categories={"tiny": "tiny", "large": "large"})
    assert table.to_numpy().tolist() == [
        ["val", "tiny", 1, 2],
        ["val", "large", 1, 0],
        ["train", "tiny", 0, 0],
        ["train", "large", 0, 1],
    ]


@pytest.mark.parametrize(("most", "expected"), [(0, 0), (1, 1), (7, 7), (40, 20)])
def test_spread_shows_all_classes_as_far_as_there_is_room(most, expected):
    rows = pd.DataFrame({"class_id": [0] * 18 + [1] * 2, "area": 1.0, "split": "val", "image_id": "a"})
    rows["object_id"] = range(20)
    labels = spread(rows, most)
    assert len(set(labels)) == len(labels) == expected
    if most >= 7:
        assert set(rows.loc[labels, "class_id"]) == {0, 1}


def test_centres_are_fractions_of_the_sheet():
    rows = pd.DataFrame({"split": ["val"], "image_id": ["a"], "x1": [10.0], "y1": [10.0], "x2": [30.0], "y2": [20.0]})
    images = pd.DataFrame({"split": ["val"], "image_id": ["a"], "width": [200], "height": [60]})
    assert np.allclose(centres(rows, images), [[0.1, 0.25]])
