"""The history's columns, and whether its rows are without a gap."""

import pytest

from stages.convergence.history.history_columns import classes_of, column_types, is_unbroken

CLASSES = ("door", "A[1]")  # brackets in a class name must survive the bracketed columns


def test_columns_stand_in_the_order_that_people_and_tools_rely_on():
    names = (
        "iteration f1 f1_low f1_high precision recall map50 map50_95 tp fp fn confidence train_f1 train_images "
        "train_boxes pool_images f1[door] f1[A[1]] fn[door] fn[A[1]] ruler ruler_statement "
        "verdict rule despite_stop accepted_regression"
    )
    assert list(column_types(CLASSES)) == names.split()


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
