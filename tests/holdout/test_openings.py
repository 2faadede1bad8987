import pandas as pd
import pytest

from stages.holdout.openings import COLUMNS, FACTS, changed_test, opened_text, opening_row, result_line
from stages.ruler.scores.score_rows import COLUMNS as SCORES

KNOWN = {name: name for name in FACTS}  # each fact is its own name, so that one in another's place would show


def scores():
    rows = [
        {"split": "test", "part": "all", "name": "all", "images": 12, "boxes": 80, "f1": 0.8, "f1_low": 0.7},
        {"split": "val", "part": "all", "name": "all", "images": 20, "boxes": 99, "f1": 0.9, "recall_high": 0.95},
        {"split": "test", "part": "class", "name": "door", "images": 12, "boxes": 7, "f1": 0.1},
    ]
    return pd.DataFrame(rows).reindex(columns=SCORES)


def test_a_row_takes_each_number_from_its_split():
    row = opening_row(scores(), KNOWN, reason="why")
    assert tuple(row) == COLUMNS
    assert (row["sheets"], row["boxes"]) == (12, 80)
    assert (row["test_f1"], row["test_f1_low"], row["val_f1"], row["val_recall_high"]) == (0.8, 0.7, 0.9, 0.95)
    assert (row["test_recall"], row["val_f1_low"]) == (None, None)
    assert (row["ruler"], row["reason"]) == ("ruler", "why")


def test_a_split_that_was_not_measured_is_an_error():
    with pytest.raises(KeyError, match="test/all/all"):
        opening_row(scores()[1:2], KNOWN, reason="")


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, ""),
        (1, "test opened once"),
        (2, "test opened 2 times: numbers after the first are no longer a surprise"),
    ],
)
def test_how_often_it_was_opened(count, text):
    assert opened_text(count) == text


def test_the_line_of_a_result():
    row = {**opening_row(scores(), KNOWN, reason=""), "test_f1_high": 0.88, "test_precision": 0.75}
    assert result_line(row, "test") == "test: F1 0.800 (0.70 to 0.88), P 0.750, R –"


def test_another_test_is_noticed():
    rows = [{"test_content": "a"}, {"test_content": "a"}]
    assert not changed_test(rows)
    assert changed_test([*rows, {"test_content": "b"}])
