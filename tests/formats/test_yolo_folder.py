"""YOLO folders in the layouts of other tools: lists, folders in folders, Darknet's and Label Studio's."""

from pathlib import Path
from unicodedata import normalize

import pytest

from stages.base.errors import UserError
from stages.formats.dataset_reader import read_dataset
from stages.formats.source_sheets import Dataset
from tests.intake.contract import datasets as s

NAMES = "names: [detail, elevation, title]\n"


def sheet(folder: Path, image: str, label: str, class_id: int = 0) -> None:
    s.save(folder / image, s.pixels(len(list(folder.rglob("*.jpg")))))
    s.put(folder / label, s.yolo_row(class_id, 8, 8, 24, 20))


def read(dataset: Dataset) -> dict[str, list[tuple[str, int]]]:
    """Return the pictures of each split, below the dataset's folder, with the class_id of their box."""
    found: dict[str, list[tuple[str, int]]] = {}
    for one in dataset.sheets:
        name = str(one.item.image.relative_to(dataset.source.folder))
        found.setdefault(one.split, []).extend((name, row.class_id) for row in one.rows)
    return found


def test_cvats_yolo_1_1(tmp_path):
    """It means obj_train_data with data/obj_train_data."""
    for n in (0, 1):
        sheet(tmp_path, f"obj_train_data/{n}.jpg", f"obj_train_data/{n}.txt", n)
    sheet(tmp_path, "obj_valid_data/2.jpg", "obj_valid_data/2.txt", 2)
    s.put(tmp_path / "train.txt", "data/obj_train_data/0.jpg\ndata/obj_train_data/1.jpg\n")
    s.put(tmp_path / "valid.txt", "data/obj_valid_data/2.jpg\n")
    s.put(tmp_path / "obj.names", "detail\nelevation\ntitle\n")
    s.put(tmp_path / "obj.data", "classes = 3\ntrain = data/train.txt\nnames = data/obj.names\n")
    found = read_dataset(tmp_path)
    assert found.source.classes == ("detail", "elevation", "title")
    assert read(found) == {
        "train": [("obj_train_data/0.jpg", 0), ("obj_train_data/1.jpg", 1)],
        "val": [("obj_valid_data/2.jpg", 2)],
    }
    assert (found.findings, found.source.strangers) == ((), ())
    s.put(tmp_path / "data.yaml", "train: train.txt\nval: valid.txt\n" + NAMES)
    assert read(read_dataset(tmp_path)) == read(found)
    s.put(tmp_path / "data.yaml", NAMES)
    assert read(read_dataset(tmp_path)) == read(found)


def test_label_studios_export(tmp_path):
    sheet(tmp_path, "images/0f1e2d3c-a.jpg", "labels/0f1e2d3c-a.txt", 1)
    s.put(tmp_path / "classes.txt", "detail\nelevation\n")
    s.put(tmp_path / "notes.json", '{"categories": [], "info": {"contributor": "Label Studio"}}')
    found = read_dataset(tmp_path)
    assert (found.source.classes, read(found)) == (
        ("detail", "elevation"),
        {"train": [("images/0f1e2d3c-a.jpg", 1)]},
    )
    assert found.findings == ()
    s.put(tmp_path / "classes.txt", "detail\ndetail\n")
    with pytest.raises(UserError, match=r"classes\.txt: expected different names, found detail, detail"):
        read_dataset(tmp_path)


def test_folders_in_folders(tmp_path):
    sheet(tmp_path, "images/train/a/1.jpg", "labels/train/a/1.txt", 0)
    sheet(tmp_path, "images/train/b/c/2.jpg", "labels/train/b/c/2.txt", 1)
    sheet(tmp_path, "images/train/3.jpg", "labels/train/3.txt", 2)
    sheet(tmp_path, "images/val/a/4.jpg", "labels/val/a/4.txt", 0)
    s.put(tmp_path / "data.yaml", NAMES)
    wanted = {
        "train": [("images/train/3.jpg", 2), ("images/train/a/1.jpg", 0), ("images/train/b/c/2.jpg", 1)],
        "val": [("images/val/a/4.jpg", 0)],
    }
    assert read(read_dataset(tmp_path)) == wanted
    s.put(tmp_path / "data.yaml", "train: images/train\nval: images/val\n" + NAMES)
    assert read(read_dataset(tmp_path)) == wanted


def test_folders_of_images_in_folders(tmp_path):
    sheet(tmp_path, "train/images/camera1/images/1.jpg", "train/images/camera1/labels/1.txt", 1)
    s.put(tmp_path / "data.yaml", NAMES)
    assert read(read_dataset(tmp_path)) == {"train": [("train/images/camera1/images/1.jpg", 1)]}


def test_a_list_names_pictures_of_equal_names_in_folders(tmp_path):
    for n in (1, 2):
        sheet(tmp_path, f"images/{n}/a.jpg", f"labels/{n}/a.txt", n)
    s.put(tmp_path / "train.txt", "./images/1/a.jpg\n./images/2/a.jpg\n\n./images/1/a.jpg\n")
    s.put(tmp_path / "data.yaml", "train: train.txt\n" + NAMES)
    assert read(read_dataset(tmp_path)) == {"train": [("images/1/a.jpg", 1), ("images/2/a.jpg", 2)]}


@pytest.mark.parametrize(
    ("line", "fits"),
    [
        ("images/a.jpg", True),
        ("../images/a.jpg", True),
        ("H:\\sheets\\set\\images\\a.jpg", True),
        ("/home/me/set/images/a.jpg", True),
        ("a.jpg", False),
        ("H:\\sheets\\other\\a.jpg", False),
    ],
)
def test_what_a_line_of_a_list_means(tmp_path, line, fits):
    sheet(tmp_path, "images/a.jpg", "labels/a.txt")
    s.put(tmp_path / "lists/train.txt", f"{line}\r\n")
    s.put(tmp_path / "data.yaml", "train: lists/train.txt\n" + NAMES)
    if fits:
        assert list(read(read_dataset(tmp_path))) == ["train"]
    else:
        with pytest.raises(UserError, match=r"train\.txt: expected images that exist, found 1 that do not, such as"):
            read_dataset(tmp_path)


@pytest.mark.parametrize(("images", "labels"), [("NFD", "NFC"), ("NFC", "NFD")])
def test_accents_are_stored_in_two_ways(tmp_path, images, labels):
    """A Mac stores them apart from their letters."""
    image, label = (f"{normalize(form, 'möbel')}" for form, kind in ((images, "images"), (labels, "labels")))
    sheet(tmp_path, f"images/train/{image}.jpg", f"labels/train/{label}.txt", 1)
    s.put(tmp_path / "data.yaml", NAMES)
    found = read_dataset(tmp_path)
    assert read(found) == {"train": [(f"images/train/{image}.jpg", 1)]}
    assert found.source.strangers == ()
    s.put(tmp_path / "train.txt", f"images/train/{label}.jpg\n")
    s.put(tmp_path / "data.yaml", "train: train.txt\n" + NAMES)
    assert read(read_dataset(tmp_path)) == read(found)


def test_a_split_that_is_not_there_says_so(tmp_path):
    s.put(tmp_path / "data.yaml", "train: H:/sheets/train.txt\n" + NAMES)
    sheet(tmp_path, "Images/a.jpg", "Labels/a.txt")
    with pytest.raises(UserError, match=r"expected the folder H:/sheets/train\.txt, found none for 'train'"):
        read_dataset(tmp_path)


@pytest.mark.parametrize(
    ("place", "names", "fits"),
    [
        ("labels/train/classes.txt", "detail\nelevation\ntitle\n", True),
        ("labels/train/classes.txt", "detail\nelevation\ntitle\ndog\n", True),  # labelImg adds its own
        ("labels/train/classes.txt", "title\ndetail\nelevation\n", False),
        ("labels/classes.txt", "title\ndetail\n", False),
        ("classes.txt", "title\n", False),
    ],
)
def test_two_lists_of_classes(tmp_path, place, names, fits):
    sheet(tmp_path, "images/train/a.jpg", "labels/train/a.txt", 1)
    s.put(tmp_path / "data.yaml", NAMES)
    s.put(tmp_path / place, names)
    if fits:
        assert read(read_dataset(tmp_path)) == {"train": [("images/train/a.jpg", 1)]}
    else:
        with pytest.raises(UserError, match=r"classes\.txt: expected the classes in the order .* found title"):
            read_dataset(tmp_path)


def test_a_picture_called_classes(tmp_path):
    sheet(tmp_path, "images/train/classes.jpg", "labels/train/classes.txt", 1)
    s.put(tmp_path / "data.yaml", NAMES)
    assert read(read_dataset(tmp_path)) == {"train": [("images/train/classes.jpg", 1)]}


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("a.json", '{"version": "5.0", "shapes": [], "imagePath": "a.jpg"}', "labelme's JSON"),
        ("via.json", '{"a.jpg12": {"regions": [{"shape_attributes": {"name": "rect"}}]}}', "VIA's JSON"),
        ("export.json", '[{"data": {}, "annotations": [{"result": []}]}]', "Label Studio's JSON"),
        ("annotations.xml", "<annotations><image id='0'></image></annotations>", "CVAT's XML"),
    ],
)
def test_another_tools_own_file_is_named(tmp_path, name, text, found):
    s.save(tmp_path / "a.jpg", s.pixels(0))
    s.put(tmp_path / name, text)
    with pytest.raises(UserError, match=f"YOLO folder, COCO JSON or Pascal VOC, found {found} .{name}.. Export it"):
        read_dataset(tmp_path)
