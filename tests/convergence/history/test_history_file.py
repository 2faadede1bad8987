import re
from pathlib import Path

import pytest

from stages.base.errors import UserError
from stages.convergence.history.history_columns import column_types, empty_history
from stages.convergence.history.history_file import read_carried, read_history, write_history
from stages.convergence.history_rows import with_row

CLASSES = ("door", "window")


def write_rows(file, iterations, **values):
    history = empty_history(CLASSES)
    for iteration in iterations:
        row = {name: "" if kind == "str" else 1 for name, kind in column_types(CLASSES).items()}
        history = with_row(history, {**row, **values, "iteration": iteration}, classes=CLASSES)
    write_history(history, file)


def test_round_trip_keeps_undefined_numbers_and_texts(tmp_path):
    file = tmp_path / "history.csv"
    text = 'NA, "nothing" to add\nreally'  # what a person may write as a reason
    write_rows(file, [0, 1], f1=None, precision=0.123457, despite_stop=text, rule="plateau")
    first = file.read_bytes()
    history = read_history(file, CLASSES)
    assert history["f1"].isna().all()
    assert history["precision"].tolist() == [0.123457] * 2
    assert history["despite_stop"].tolist() == [text] * 2
    write_history(history, file)
    assert file.read_bytes() == first


def test_a_history_of_an_earlier_version_says_nothing_of_what_was_accepted(tmp_path):
    file = tmp_path / "history.csv"
    write_rows(file, [0, 1])
    whole = read_history(file, CLASSES)
    file.write_text("".join(f"{line.rpartition(',')[0]}\n" for line in file.read_text().splitlines()))
    assert "accepted_regression" not in file.read_text()
    older = read_history(file, CLASSES)
    assert older["accepted_regression"].tolist() == ["", ""]
    assert older.equals(whole)


def test_before_the_first_iteration_the_file_is_its_header(tmp_path):
    file = tmp_path / "history.csv"
    write_history(empty_history(CLASSES), file)
    assert file.read_text().count("\n") == 1
    assert len(read_carried(0, CLASSES, file)) == 0


def test_windows_line_ends_and_a_byte_order_mark_are_read(tmp_path):
    file = tmp_path / "history.csv"
    write_rows(file, [0])
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    assert read_carried(1, CLASSES, file)["iteration"].tolist() == [0]


@pytest.mark.parametrize(
    ("iteration", "rows", "found"),
    [
        (1, [], "holds no iteration, found iteration: 1"),
        (7, [0, 1, 2], "holds the iterations 0 to 2, found iteration: 7"),  # set by hand
        (2, [0, 1, 2], "holds the iterations 0 to 2, found iteration: 2"),  # history carried, number not
        (0, [0], "holds the iterations 0 to 0, found iteration: 0"),
    ],
)
def test_iteration_that_does_not_follow_is_refused_with_both_ways_on(tmp_path, iteration, rows, found):
    file = tmp_path / "history.csv"
    write_rows(file, rows)
    with pytest.raises(UserError) as error:
        read_carried(iteration, CLASSES, file)
    message = str(error.value)
    assert found in message
    assert f"Set iteration back to {len(rows)}" in message
    assert f"finish iteration {len(rows)}, and let `yoloop advance` raise it" in message
    assert "\n" not in message


@pytest.mark.parametrize("rows", [[0, 2], [1], [0, 0], [1, 0]])
def test_history_with_a_gap_is_refused(tmp_path, rows):
    file = tmp_path / "history.csv"
    write_rows(file, rows)
    with pytest.raises(UserError, match="each once and in order"):
        read_carried(len(rows), CLASSES, file)


def test_missing_history_says_how_a_project_starts(tmp_path):
    with pytest.raises(UserError, match=re.escape("no file. Import a dataset first: `yoloop data import SOURCE`")):
        read_carried(0, CLASSES, tmp_path / "none.csv")


@pytest.mark.parametrize("classes", [("door",), ("window", "door"), ("door", "window", "stair")])
def test_other_classes_are_refused(tmp_path, classes):
    file = tmp_path / "history.csv"
    write_rows(file, [0])
    with pytest.raises(UserError) as error:
        read_carried(1, classes, file)
    assert f"({', '.join(classes)}), found one of door, window" in str(error.value)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("", "found nothing"),
        ("a,b\n1,2\n", "one of no class"),
        (",".join(column_types(CLASSES)) + "\nzero" + "," * (len(column_types(CLASSES)) - 1) + "\n", "zero"),
        (",".join([*column_types(CLASSES), "extra"]) + "\n", "others: extra"),
        (",".join(column_types(CLASSES)) + "\n0,2\n", "other lengths"),
        (",".join(column_types(CLASSES)) + "\n" + "," * 40 + "\n", "other lengths"),
    ],
)
def test_damaged_history_is_one_line(tmp_path, content, found):
    file = tmp_path / "history.csv"
    Path(file).write_text(content)
    with pytest.raises(UserError, match=found) as error:
        read_carried(0, CLASSES, file)
    assert "\n" not in str(error.value)


def test_a_history_without_rulers_is_of_an_earlier_version(tmp_path):
    old = [name for name in column_types(CLASSES) if not name.startswith("ruler")]
    (tmp_path / "history.csv").write_text(",".join(old) + "\n")
    with pytest.raises(
        UserError, match=r"earlier version, without rulers. Go on with that version of yoloop, or start"
    ):
        read_carried(0, CLASSES, tmp_path / "history.csv")
