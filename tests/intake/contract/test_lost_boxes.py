"""What a dataset loses of its boxes is said before all else, or refuses it."""

import json
from pathlib import Path

import pytest

from stages.base.errors import UserError
from stages.formats.dataset_reader import read_dataset
from stages.intake.contract.contract import check_sheets
from stages.intake.contract.lost_boxes import lost_findings
from stages.intake.dataset_check import check_data
from stages.intake.import_report import report
from stages.intake.import_source import ImportOptions, read_sheets
from tests.intake.contract import datasets as s
from tests.intake.contract.test_bad_datasets import root
from tests.toy import write_yolo_folder

__all__ = ["root"]  # the fixture
TINY = "1 0.5 0.5 0.01 0.2\n"


def lost(root: Path, source: Path) -> list[str]:
    return [line.strip() for line in check_data(root, source).lines if "left out" in line and "expected all" in line]


@pytest.mark.parametrize(("tiny", "said"), [(0, False), (1, True), (2, True)])
def test_a_class_that_loses_over_a_tenth_is_named(root, tmp_path, tiny, said):
    source = s.yolo(tmp_path / "SET")
    s.rows("1 0.5 0.5 0.2 0.2\n1 0.5 0.5 0.25 0.2\n" + TINY * tiny)(source)
    line = f"expected all boxes of the class elevation, found {tiny} of {2 + tiny} left out (under-a-pixel {tiny})."
    assert (line in " ".join(lost(root, source))) == said


def test_a_tenth_is_not_much(root, tmp_path):
    """Of 20 boxes of train two are under a pixel: exactly a tenth of the split, but all of their class."""
    source = s.yolo(tmp_path / "SET")
    more = "".join(f"0 0.5 0.5 0.{n}0 0.2\n" for n in range(10, 22))
    s.rows(more + "1 0.5 0.5 0.01 0.2\n1 0.4 0.5 0.01 0.2\n")(source)
    (line,) = lost(root, source)
    assert "the class elevation, found 2 of 2 left out" in line
    s.rows("1 0.3 0.5 0.01 0.2\n")(source)
    assert "the split train, found 3 of 21 left out" in lost(root, source)[0]


def test_rows_that_are_there_twice_are_no_loss(root, tmp_path):
    source = s.yolo(tmp_path / "SET")
    s.rows(s.yolo_row(*s.BOXES[0]) * 5)(source)
    assert lost(root, source) == []


def test_the_import_says_it_first(tmp_path):
    source = s.yolo(tmp_path / "SET")
    s.rows(TINY)(source)
    read = read_sheets(source, ImportOptions())
    lines = report(read.source, read.assignment, read.labels, oracle=False, findings=read.findings)
    assert [line.startswith("warning boxes-lost: ") for line in lines[:3]] == [True, True, False]
    assert sum("boxes-lost" in line for line in lines) == 2  # of the split, of the class


def test_a_dataset_of_strays_is_refused(root, tmp_path):
    source = s.yolo(tmp_path / "SET")
    for file in sorted((source / "labels").rglob("*.txt")):
        file.write_text(TINY)
    assert check_data(root, source).refused
    with pytest.raises(UserError, match=r"expected boxes, found none left of 6 \(under-a-pixel 6\)"):
        read_sheets(source, ImportOptions())
    with pytest.raises(UserError, match="found none left"):
        check_data(root, source, fix=tmp_path / "copy")


def test_sheets_without_a_box_are_counted(root, tmp_path):
    source = s.coco(tmp_path / "SET")
    s.json_change(lambda c: c.update(annotations=[one for one in c["annotations"] if one["image_id"]]))(source)
    assert check_data(root, source).lines[0].endswith("boxes of detail, elevation, title; 1 image without a box")
    read = read_sheets(source, ImportOptions())
    assert "sheets without a box: 1 of train (train_0.jpg)" in report(
        read.source, read.assignment, read.labels, oracle=False
    )


@pytest.mark.parametrize(("sheets", "emptied", "notes"), [(6, 1, 1), (6, 2, 0), (5, 1, 0), (11, 2, 2), (4, 0, 0)])
def test_a_sheet_without_a_box_among_others_that_have_some_is_named(root, tmp_path, sheets, emptied, notes):
    source = write_yolo_folder(tmp_path / "SET", {"train": 1, "val": sheets}, seed=1)
    for file in sorted((source / "val/labels").iterdir())[:emptied]:
        file.write_text("")
    lines = check_data(root, source).lines
    said = f"val_000.png: expected boxes as on {sheets - emptied} other sheets of val, found none. Right, if nothing"
    assert any(line.startswith(f"note empty-sheet ({notes})") for line in lines) == bool(notes)
    assert any(said in line for line in lines) == bool(notes)


def test_names_that_differ_in_case_alone_are_named(root, tmp_path):
    source = s.yolo(tmp_path / "SET")
    text = (source / "data.yaml").read_text()
    (source / "data.yaml").write_text(text.replace("title", "DETAIL"))
    assert "DETAIL" in (source / "data.yaml").read_text()
    lines = "\n".join(check_data(root, source).lines)
    assert "expected names that differ in more than case, found detail and DETAIL. " in lines


def test_unlabelled_sheets_of_a_pool_are_not_without_a_box(root, tmp_path):
    source = s.yolo(tmp_path / "SET")
    s.save(source / "images/pool/p.jpg", s.pixels(50))
    assert "without a box" not in check_data(root, source).lines[0]
    read = read_sheets(source, ImportOptions())
    lines = report(read.source, read.assignment, read.labels, oracle=False)
    assert not any(line.startswith("sheets without a box") for line in lines)


def test_where_no_row_could_be_read_that_is_said_and_not_that_there_is_none(root, tmp_path):
    source = s.yolo(tmp_path / "SET")
    for file in sorted((source / "labels").rglob("*.txt")):
        file.write_text("title 0.5 0.5 0.1 0.1\n")
    assert kinds(root, source) == ["error not-a-number (6)"]
    source = s.coco(tmp_path / "OTHER")
    for file in sorted(source.rglob("*.json")):
        values = json.loads(file.read_text())
        for one in values["annotations"]:
            x, y, w, h = one["bbox"]
            one.update(bbox=[x, y, x + w, y + h], segmentation=[[x, y, x + w, y, x + w, y + h, x, y + h]])
        file.write_text(json.dumps(values))
    assert kinds(root, source)[0] == "error corners (3)"
    assert not any("nothing-read" in kind or "contradiction" in kind for kind in kinds(root, source))


def kinds(root: Path, source: Path) -> list[str]:
    return [line for line in check_data(root, source).lines if line.startswith(("error ", "warning "))]


def test_the_projects_own_dataset_may_wait_for_its_first_boxes(root, tmp_path):
    source = s.yolo(tmp_path / "SET")
    for file in (source / "labels").rglob("*.txt"):
        file.write_text("")
    dataset = read_dataset(source)
    checked = check_sheets(dataset.sheets)
    assert [one.code for one in lost_findings(dataset, checked)] == ["nothing-read"]
    assert lost_findings(dataset, checked, own=True) == []
