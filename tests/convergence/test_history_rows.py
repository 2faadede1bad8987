"""A row of the history takes each number from its place, and earlier rows stay as they are."""

import pandas as pd
import pytest

from stages.convergence.history.history_columns import column_types, empty_history
from stages.convergence.history_rows import history_row, long_by_class, with_row
from stages.ruler.scores.score_rows import COLUMNS

CLASSES = ("door", "A[1]")  # brackets in a class name must survive the bracketed columns


def metrics(f1=0.5, fn=4):
    return {
        **{"f1": f1, "f1_low": 0.4, "f1_high": 0.6, "precision": 0.6, "recall": 0.4, "map50": 0.55, "map50_95": 0.3},
        **{"tp": 6, "fp": 2, "fn": fn, "train_f1": 0.7, "confidence": 0.25},
        "ruler": "3f2a90bc",
        "ruler_statement": [{"iou": 0.5, "classes": ["door", "Tür"]}],
        "splits": [
            {"split": "val", "images": 9, "labelled": 9, "boxes": 10},
            {"split": "train", "images": 21, "labelled": 20, "boxes": 300},
            {"split": "pool", "images": 15, "labelled": 5, "boxes": 7},
        ],
    }


def scores():
    rows = [
        {"split": "val", "part": "all", "name": "all", "f1": 0.5, "fn": 4},
        {"split": "val", "part": "class", "name": "door", "f1": 0.9, "fn": 1},
        {"split": "val", "part": "class", "name": "A[1]", "f1": None, "fn": 3},
        {"split": "val", "part": "size", "name": "door", "f1": 0.1, "fn": 9},  # another part may have that name
        {"split": "train", "part": "class", "name": "door", "f1": 0.2, "fn": 8},
    ]
    return pd.DataFrame(rows).reindex(columns=COLUMNS)


def row(iteration, **kw):
    return history_row(metrics(**kw), scores(), iteration=iteration, classes=CLASSES, verdict="go on", rule=None)


def test_row_takes_each_number_from_its_place():
    assert row(3) == {
        "iteration": 3,
        **{"f1": 0.5, "f1_low": 0.4, "f1_high": 0.6, "precision": 0.6, "recall": 0.4, "map50": 0.55, "map50_95": 0.3},
        **{"tp": 6, "fp": 2, "fn": 4, "confidence": 0.25, "train_f1": 0.7},
        **{"train_images": 20, "train_boxes": 300, "pool_images": 15},
        **{"f1[door]": 0.9, "f1[A[1]]": None, "fn[door]": 1, "fn[A[1]]": 3},
        **{"ruler": "3f2a90bc", "ruler_statement": '{"iou": 0.5, "classes": ["door", "Tür"]}'},
        **{"verdict": "go on", "rule": "", "despite_stop": "", "accepted_regression": ""},
    }


def test_row_of_a_class_that_was_not_measured_is_an_error():
    with pytest.raises(KeyError, match="val/class/window"):
        history_row(metrics(), scores(), iteration=0, classes=["window"], verdict="stop", rule="plateau")


def test_earlier_rows_keep_what_was_written_about_them():
    first = with_row(empty_history(CLASSES), {**row(0), "despite_stop": "more sheets are coming"}, classes=CLASSES)
    both = with_row(first, row(1, f1=None), classes=CLASSES)
    assert both["despite_stop"].tolist() == ["more sheets are coming", ""]
    assert both["iteration"].tolist() == [0, 1]
    assert both["f1"].isna().tolist() == [False, True]
    assert {name: str(kind) for name, kind in both.dtypes.items()} == column_types(CLASSES)


def test_long_form_has_one_row_per_iteration_and_class():
    history = with_row(with_row(empty_history(CLASSES), row(0), classes=CLASSES), row(1), classes=CLASSES)
    long = long_by_class(history, CLASSES)
    assert long[["iteration", "class_name", "fn"]].values.tolist() == [
        [0, "door", 1],
        [0, "A[1]", 3],
        [1, "door", 1],
        [1, "A[1]", 3],
    ]
    assert pd.isna(long["f1"][1])
