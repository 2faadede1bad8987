import pandas as pd
import pytest

from stages.core.history import (
    classes_of,
    column_types,
    empty_history,
    history_row,
    is_unbroken,
    long_by_class,
    with_row,
)

CLASSES = ("door", "A[1]")  # brackets in a class name must survive the bracketed columns


def metrics(f1=0.5, fn=4):
    numbers = {
        "f1": f1,
        "precision": 0.6,
        "recall": 0.4,
        "map50": 0.55,
        "map50_95": 0.3,
        "tp": 6,
        "fp": 2,
        "fn": fn,
    }
    return {
        "val": {**numbers, "images": 9, "boxes": 10},
        "train": {**numbers, "f1": 0.7, "images": 20, "boxes": 300},
        "pool": {"images": 15, "labelled": 5},
        "per_class": {"val": {"door": {"f1": 0.9, "fn": 1}, "A[1]": {"f1": None, "fn": 3}}, "train": {}},
    }


def row(iteration, **kw):
    return history_row(metrics(**kw), iteration=iteration, classes=CLASSES, verdict="go on", rule=None)


def test_columns_stand_in_the_order_that_people_and_tools_rely_on():
    names = (
        "iteration f1 precision recall map50 map50_95 tp fp fn train_f1 train_images train_boxes pool_images "
        "f1[door] f1[A[1]] fn[door] fn[A[1]] verdict rule despite_stop"
    )
    assert list(column_types(CLASSES)) == names.split()


def test_row_takes_each_number_from_its_place():
    assert row(3) == {
        "iteration": 3,
        **{
            "f1": 0.5,
            "precision": 0.6,
            "recall": 0.4,
            "map50": 0.55,
            "map50_95": 0.3,
            "tp": 6,
            "fp": 2,
            "fn": 4,
        },
        **{"train_f1": 0.7, "train_images": 20, "train_boxes": 300, "pool_images": 15},
        **{"f1[door]": 0.9, "f1[A[1]]": None, "fn[door]": 1, "fn[A[1]]": 3},
        **{"verdict": "go on", "rule": "", "despite_stop": ""},
    }


def test_row_of_a_class_that_was_not_measured_is_an_error():
    with pytest.raises(KeyError, match="window"):
        history_row(metrics(), iteration=0, classes=["window"], verdict="stop", rule="plateau")


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


@pytest.mark.parametrize(
    ("iterations", "unbroken"),
    [
        ([], True),  # before the first iteration
        ([0, 1, 2], True),
        ([1, 2], False),  # does not start at 0
        ([0, 2], False),  # a gap
        ([0, 1, 1], False),  # twice
        ([0, 2, 1], False),  # out of order
    ],
)
def test_unbroken(iterations, unbroken):
    assert is_unbroken(iterations) is unbroken


def test_classes_are_read_back_from_the_columns():
    assert classes_of(list(column_types(CLASSES))) == list(CLASSES)
