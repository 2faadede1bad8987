import json

import pandas as pd
import pytest

from stages.base.errors import UserError
from stages.convergence.gains import MeasuredIteration
from stages.convergence.sheet_history import read_carried_sheets, write_sheets


def measured(iteration, ruler="a"):
    rows = [("Plan 1, Süd.png", 1, 0, 2), ("b.png", 3, 1, iteration)]
    return MeasuredIteration(iteration, 0.5, ruler, "{}", pd.DataFrame(rows, columns=["image_id", "tp", "fp", "fn"]))


def test_round_trip_is_one_line_per_iteration(tmp_path):
    file = tmp_path / "sheets.json"
    write_sheets([measured(0), measured(1, "b")], file)
    lines = file.read_text().splitlines()
    assert lines[1] == '{"iteration":0,"ruler":"a","sheets":[["Plan 1, Süd.png",1,0,2],["b.png",3,1,0]]},'
    assert len(lines) == 4
    found = read_carried_sheets(["a", "b"], file)
    assert list(found) == [0, 1]
    pd.testing.assert_frame_equal(found[1], measured(1).sheets, check_dtype=False)
    write_sheets([measured(step, ruler)._replace(sheets=found[step]) for step, ruler in ((0, "a"), (1, "b"))], file)
    assert file.read_text().splitlines() == lines


def test_what_was_there_stays_line_by_line(tmp_path):
    write_sheets([measured(0)], tmp_path / "one.json")
    write_sheets([measured(0), measured(1)], tmp_path / "two.json")
    assert (tmp_path / "two.json").read_text().startswith((tmp_path / "one.json").read_text().rstrip("\n]}"))


def test_before_the_first_iteration_there_is_none(tmp_path):
    write_sheets([], tmp_path / "sheets.json")
    assert json.loads((tmp_path / "sheets.json").read_text()) == {"iterations": []}
    assert read_carried_sheets([], tmp_path / "sheets.json") == {}


@pytest.mark.parametrize(
    ("content", "rulers", "found"),
    [
        (None, [], "found no file"),
        ("{", [], "expected JSON"),
        ("{}", [], "found none"),
        ('{"iterations": [{"iteration": 0}]}', ["a"], "found other ones"),
        ('{"iterations": [{"iteration": 0, "ruler": "a", "sheets": [["x", 1, 2]]}]}', ["a"], "found other ones"),
        ('{"iterations": [{"iteration": 0, "ruler": "a", "sheets": [["x", 1, 2, "y"]]}]}', ["a"], "found other ones"),
        ('{"iterations": [{"iteration": 0, "ruler": "a", "sheets": []}]}', ["b"], r"found 0 by a"),
        ('{"iterations": [{"iteration": 1, "ruler": "a", "sheets": []}]}', ["a"], "found 1 by a"),
        ('{"iterations": []}', ["a"], r"as the history has \(1\), found none"),
    ],
)
def test_what_belongs_to_another_history_is_refused_in_one_line(tmp_path, content, rulers, found):
    if content is not None:
        (tmp_path / "sheets.json").write_text(content)
    with pytest.raises(UserError, match=found) as error:
        read_carried_sheets(rulers, tmp_path / "sheets.json")
    assert "\n" not in str(error.value)
