"""The lists of a VOC folder say the split of a picture in each way in which tools write them."""

import unicodedata

import pytest

from stages.formats.dataset_reader import read_dataset
from stages.formats.voc_lists import read_lists
from tests.intake.contract import datasets as s

NAMES = ("Ground floor 0", "floor1", "план 2")


def test_accents_are_stored_in_two_ways(tmp_path):
    """A Mac stores them apart from their letters, and the tool that wrote list and XML does not."""
    text = (s.voc(tmp_path / "SET") / "train/train_0.xml").read_text()
    folder = tmp_path / "OTHER"
    for name in ("m\u00f6bel", "t\u00fcr"):
        s.put(folder / f"Annotations/{name}.xml", text.replace("train_0.jpg", f"{name}.jpg"))
        s.save(folder / f"JPEGImages/{unicodedata.normalize('NFD', name)}.jpg", s.pixels(len(name)))
    s.put(folder / "ImageSets/Main/val.txt", "m\u00f6bel\n")
    found = read_dataset(folder)
    assert [(sheet.split, len(sheet.rows)) for sheet in found.sheets] == [("val", 2), ("train", 2)]
    assert {one.code for one in found.findings} == {"names-not-listed"}


@pytest.mark.parametrize(
    "write",
    [
        str,
        lambda name: f'"{name}"' if " " in name else name,  # CVAT, Datumaro
        lambda name: f"{name}.png",
        lambda name: f"JPEGImages/{name}",
        lambda name: f"JPEGImages\\{name}.png",
        lambda name: f'"JPEGImages/{name}"',
        lambda name: f"./JPEGImages/{name}.png",
        lambda name: f"{name}  1",  # VOC's own lists of a class
        lambda name: f"{name} -1",
    ],
    ids=["plain", "quoted", "ending", "folder", "windows", "folder quoted", "dot", "flag", "no flag"],
)
def test_a_name_in_a_list(tmp_path, write):
    images = [tmp_path / f"JPEGImages/{name}.png" for name in (*NAMES, "other")]
    s.put(tmp_path / "ImageSets/Main/val.txt", "".join(f"{write(name)}\n" for name in NAMES))
    lists = read_lists(tmp_path, images)
    assert [lists.split_of(image.relative_to(tmp_path)) for image in images] == ["val", "val", "val", None]
    assert lists.findings() == []


def test_a_folder_in_a_list_is_part_of_the_name(tmp_path):
    images = [tmp_path / f"JPEGImages/{folder}/1.png" for folder in "ab"]
    s.put(tmp_path / "ImageSets/Main/val.txt", "a/1\n")
    lists = read_lists(tmp_path, images)
    assert [lists.split_of(image.relative_to(tmp_path)) for image in images] == ["val", None]


def test_an_xml_file_in_a_folder_is_of_the_picture_in_that_folder(tmp_path):
    text = (s.voc(tmp_path / "SET") / "train/train_0.xml").read_text()
    folder = tmp_path / "OTHER"
    s.put(folder / "Annotations/a/train_0.xml", text)
    s.put(folder / "Annotations/b/train_0.xml", text.replace("<name>detail", "<name>other"))
    s.put(folder / "Annotations/train_1.xml", text.replace("train_0.jpg", "train_1.jpg"))
    s.save(folder / "JPEGImages/b/train_0.png", s.pixels(1))
    s.save(folder / "JPEGImages/train_1.png", s.pixels(2))
    found = read_dataset(folder)
    read = {str(sheet.item.image.relative_to(folder)): sheet.item.label for sheet in found.sheets}
    assert read == {
        "JPEGImages/b/train_0.png": folder / "Annotations/b/train_0.xml",
        "JPEGImages/train_1.png": folder / "Annotations/train_1.xml",
    }
    assert [(one.code, one.file) for one in found.findings if one.severity == "warning"] == [
        ("image-missing", folder / "Annotations/a/train_0.xml")
    ]
