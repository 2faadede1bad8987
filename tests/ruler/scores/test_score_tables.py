"""The scores of a split, by hand."""

import pandas as pd
import pytest

from stages.base.boxes import BOX
from stages.ruler.scores.score_rows import COLUMNS, row_of
from stages.ruler.scores.score_tables import JudgedSplit, score_table

BOUNDS = (500.0, 2000.0, 10000.0)


def judged(sheets=("a", "b")):
    truth = pd.DataFrame(
        [("val", "a", 0, 0, 0, 10, 10), ("val", "a", 1, 50, 50, 60, 60), ("val", "b", 1, 0, 0, 10, 10)],
        columns=["split", "image_id", "class_id", *BOX],
    ).assign(object_id=[0, 1, 0])
    found = truth.iloc[[0, 1]].assign(detection_id=[0, 1], confidence=[0.9, 0.1])
    ghost = pd.DataFrame([("val", "b", 2, 80, 80, 130, 130, 0, 0.8)], columns=[*found.columns.drop("object_id")])
    matches = pd.DataFrame(
        {
            "split": "val",
            "image_id": ["a", "a", "b", "b"],
            "outcome": ["tp", "fn", "fn", "fp"],
            "class_id": [0, 1, 1, 2],
            "object_id": pd.array([0, 1, 0, None], dtype="Int32"),
            "detection_id": pd.array([0, None, None, 0], dtype="Int32"),
        }
    )
    images = pd.DataFrame({"split": "val", "image_id": list(sheets), "group": "", "confidence": 0.5})
    return JudgedSplit(images, truth, pd.concat([found.drop(columns="object_id"), ghost]), matches)


@pytest.fixture(scope="module")
def scores():
    return score_table(judged(), classes=["x", "y", "z"], size_bounds=BOUNDS)


def test_all_by_hand(scores):
    ap_y = 51 / 101  # found one of two, at full precision: recalls 0.00 to 0.50
    total = row_of(scores, split="val")
    assert {key: total[key] for key in ("images", "boxes", "tp", "fp", "fn")} == {
        "images": 2, "boxes": 3, "tp": 1, "fp": 1, "fn": 2
    }  # fmt: skip
    rates = {"f1": 0.4, "precision": 0.5, "recall": 1 / 3, "ap50": (1 + ap_y) / 2, "ap50_95": (1 + ap_y) / 2}
    assert {rate: total[rate] for rate in rates} == {rate: pytest.approx(value) for rate, value in rates.items()}


def test_classes_by_hand(scores):
    y, z = (row_of(scores, split="val", part="class", name=name) for name in ("y", "z"))
    assert y["ap50"] == pytest.approx(51 / 101)  # although the operating point drops that detection
    assert y["f1"] == 0.0
    assert (z["tp"], z["fp"], z["fn"], z["boxes"]) == (0, 1, 0, 0)
    assert (z["f1"], z["precision"], z["recall"], z["ap50"]) == (0.0, 0.0, None, None)


def test_a_false_alarm_goes_by_its_own_size(scores):
    tiny, medium = (row_of(scores, split="val", part="size", name=name) for name in ("tiny", "medium"))
    assert (tiny["tp"], tiny["fp"], tiny["fn"]) == (1, 0, 2)
    assert (medium["tp"], medium["fp"], medium["fn"], medium["recall"]) == (0, 1, 0, None)


def test_groups_have_rows_of_their_own():
    one = judged()
    grouped = one._replace(images=one.images.assign(group=["north", ""]))
    scores = score_table(grouped, classes=["x", "y", "z"], size_bounds=BOUNDS)
    assert scores.loc[scores["part"] == "group", "name"].tolist() == ["north"]
    north = row_of(scores, split="val", part="group", name="north")
    assert (north["images"], north["tp"], north["fp"], north["fn"]) == (1, 1, 0, 1)


def test_a_split_without_labelled_sheets_has_no_rows():
    empty = JudgedSplit(*(part.iloc[:0] for part in judged()))
    scores = score_table(empty, classes=["x"], size_bounds=BOUNDS)
    assert (len(scores), list(scores.columns)) == (0, COLUMNS)
    with pytest.raises(KeyError, match="val/all/all"):
        row_of(scores, split="val")
