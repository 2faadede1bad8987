import pandas as pd
import pytest

from stages.base.errors import UserError
from stages.base.tables import write_csv
from stages.convergence.score_files import read_rows, read_scores, read_sheets
from stages.ruler.scores.score_rows import COLUMNS, row_of


def test_a_class_called_na_is_no_missing_name_and_no_number_is_none(tmp_path):
    rows = [
        {"split": "val", "part": "class", "name": "NA", "images": 2, "boxes": 3, "tp": 1, "fp": 0, "fn": 2, "f1": 0.5},
        {"split": "val", "part": "class", "name": "null", "images": 2, "boxes": 0, "tp": 0, "fp": 0, "fn": 0},
    ]
    write_csv(pd.DataFrame(rows).reindex(columns=COLUMNS), tmp_path / "scores.csv")
    table = read_scores(tmp_path / "scores.csv")
    assert row_of(table, split="val", part="class", name="NA")["f1"] == 0.5
    assert row_of(table, split="val", part="class", name="null")["f1"] is None
    assert row_of(table, split="val", part="class", name="NA")["fn"] == 2


def test_the_sheets_of_one_split_by_name(tmp_path):
    (tmp_path / "sheets.csv").write_text(
        "split,image_id,group,confidence,tp,fp,fn\n"
        "val,b.png,,0.3,1,2,3\nval,a.png,set 1,0.25,4,5,6\ntrain,c,,0.2,0,0,0\n"
    )
    table = read_sheets(tmp_path / "sheets.csv")
    assert table.to_numpy().tolist() == [["a.png", "set 1", 4, 5, 6], ["b.png", "", 1, 2, 3]]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (None, "no file"),
        ("split,name\nval,all\n", "expected the columns split, part, .* found none of part, images"),
        ("", "No columns"),
        (",".join(COLUMNS) + "\nval,all,all,x" + "," * 19 + "\n", "Unable to parse"),
    ],
)
def test_damaged_scores_are_one_line(tmp_path, content, found):
    if content is not None:
        (tmp_path / "scores.csv").write_text(content)
    with pytest.raises(UserError, match=found) as error:
        read_scores(tmp_path / "scores.csv")
    assert "\n" not in str(error.value)


def test_rows_are_plain_values(tmp_path):
    (tmp_path / "ledger.csv").write_text("split,class_name,boxes,cost\nval,7,3,0.5\nval,NA,2,\n")
    rows = read_rows(tmp_path / "ledger.csv")
    assert rows == [
        {"split": "val", "class_name": "7", "boxes": 3, "cost": 0.5},
        {"split": "val", "class_name": "NA", "boxes": 2, "cost": None},
    ]
    assert [type(value) for value in rows[0].values()] == [str, str, int, float]
