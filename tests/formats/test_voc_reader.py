"""Pascal VOC as tools write it: classes in a map, parts of objects, and files whose names say two things."""

from pathlib import Path

import pytest

from stages.formats.dataset_reader import read_dataset
from stages.formats.source_sheets import Dataset
from tests.intake.contract import datasets as s

MAP = "# label:color_rgb:parts:actions\nbackground:0,0,0::\ntitle:1,2,3::\nwindow:4,5,6::\ndetail:7,8,9::\n"


def read(folder: Path, **files: str) -> Dataset:
    """Read a good VOC folder without a list of classes, with other `files`."""
    s.voc(folder)
    (folder / "classes.txt").unlink()
    for name, text in files.items():
        s.put(folder / f"{name}.txt", text)
    return read_dataset(folder)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (MAP, ("title", "window", "detail")),  # also the one that no object has
        ("detail\ntitle\n", ("detail", "title")),
        ("door:1,2,3::\n", ("detail", "title")),  # of another dataset
        ("", ("detail", "title")),
    ],
)
def test_the_map_of_classes_that_cvat_writes(tmp_path, text, names):
    found = read(tmp_path, labelmap=text)
    assert found.source.classes == names
    assert {names[row.class_id] for sheet in found.sheets for row in sheet.rows} == {"detail", "title"}


def test_a_class_called_background(tmp_path):
    text = (s.voc(tmp_path) / "train/train_1.xml").read_text()
    s.put(tmp_path / "train/train_1.xml", text.replace("<name>title", "<name>background"))
    (tmp_path / "classes.txt").unlink()
    s.put(tmp_path / "labelmap.txt", MAP)
    assert read_dataset(tmp_path).source.classes == ("background", "title", "window", "detail")


@pytest.mark.parametrize("part", ["<name>handle</name>{box}", "<object><name>handle</name>{box}</object>"])
def test_parts_of_an_object_are_no_objects(tmp_path, part):
    box = "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox>"
    whole = read(tmp_path / "whole")
    s.voc(tmp_path / "parts")
    file = tmp_path / "parts/train/train_1.xml"
    file.write_text(file.read_text().replace("<object>", f"<object><part>{part.format(box=box)}</part>"))
    (tmp_path / "parts/classes.txt").unlink()
    found = read_dataset(tmp_path / "parts")
    assert found.source.classes == whole.source.classes
    assert [sheet.rows for sheet in found.sheets] == [sheet.rows for sheet in whole.sheets]


@pytest.mark.parametrize(
    ("name", "doubted"),
    [
        ("train_0.jpg", True),
        ("train_0", True),
        ("C:\\sheets\\train_0.png", True),
        ("train_1.png", False),
        ("train_1", False),
        ("IMG_0007.jpg", False),  # of before the sheets were renamed
        ("", False),
    ],
)
def test_a_file_that_names_another_picture_that_is_there(tmp_path, name, doubted):
    s.voc(tmp_path)
    file = tmp_path / "train/train_1.xml"
    file.write_text(file.read_text().replace("<filename>train_1.jpg", f"<filename>{name}"))
    found = read_dataset(tmp_path)
    assert [(one.code, one.file) for one in found.findings] == [("other-filename", file)] * doubted
    assert [sheet.item.image.stem for sheet in found.sheets if sheet.item.label == file] == ["train_1"]
