"""COCO JSON as tools write it becomes the boxes that a person drew."""

import json
from pathlib import Path
from typing import Any

import pytest

from stages.base.errors import UserError
from stages.formats.dataset_reader import read_dataset
from stages.formats.source_sheets import FRACTIONS, Dataset
from tests.intake.contract import datasets as s


def content(**changes: Any) -> dict[str, Any]:
    """Return two images with a box each: 8 10 16 12 (x y w h) of detail, 30 12 20 24 of title."""
    return {
        "images": [{"id": n, "file_name": f"{n}.jpg", "width": 64, "height": 48} for n in (1, 2)],
        "categories": [{"id": 1, "name": "detail"}, {"id": 2, "name": "title"}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "bbox": [8, 10, 16, 12]},
            {"id": 2, "image_id": 2, "category_id": 2, "bbox": [30, 12, 20, 24]},
        ],
        **changes,
    }


def read(folder: Path, values: dict[str, Any], *images: str) -> Dataset:
    for number, name in enumerate(images or ("1.jpg", "2.jpg")):
        s.save(folder / name, s.pixels(number))
    s.put(folder / "annotations/instances_default.json", json.dumps(values))
    return read_dataset(folder)


def boxes(dataset: Dataset) -> dict[str, list[tuple[int, float, float, float, float]]]:
    """Return class_id, centre and size of each box, by the picture below the dataset's folder."""
    folder = dataset.source.folder
    return {
        str(sheet.item.image.relative_to(folder)): [(row.class_id, *row.xywh) for row in sheet.rows]
        for sheet in dataset.sheets
    }


GOOD = {"1.jpg": [(0, 16, 16, 16, 12)], "2.jpg": [(1, 40, 24, 20, 24)]}


def with_ids(make: Any) -> dict[str, Any]:
    values = content()
    for part in ("images", "categories", "annotations"):
        for one in values[part]:
            one.update({key: make(one[key]) for key in ("id", "image_id", "category_id") if key in one})
    return values


@pytest.mark.parametrize("make", [int, str, float], ids=["whole", "text", "float"])
def test_ids_are_one_in_each_way_of_writing(tmp_path, make):
    assert boxes(read(tmp_path, with_ids(make))) == GOOD
    mixed = content()
    mixed["annotations"][0]["image_id"] = make(1)
    assert boxes(read(tmp_path, mixed)) == GOOD


def test_a_text_that_only_looks_like_a_number_is_an_id_of_its_own(tmp_path):
    values = content()
    values["images"][1]["id"] = values["annotations"][1]["image_id"] = "01"
    assert boxes(read(tmp_path, values)) == GOOD


def test_classes_whose_names_are_numbers(tmp_path):
    found = read(tmp_path, content(categories=[{"id": 1, "name": 0}, {"id": 2, "name": 1}]))
    assert (found.source.classes, boxes(found)) == (("0", "1"), GOOD)


def test_fractions_are_read_as_such(tmp_path):
    values = content()
    values["annotations"].append({"id": 3, "image_id": 2, "category_id": 1, "bbox": [0, 0, 16, 12]})
    for one in values["annotations"]:
        x, y, w, h = one["bbox"]
        one["bbox"] = [x / 64, y / 48, w / 64, h / 48]
    found = read(tmp_path, values)
    assert {sheet.frame for sheet in found.sheets} == {FRACTIONS}
    assert boxes(found)["1.jpg"][0] == pytest.approx((0, 0.25, 16 / 48, 0.25, 0.25))
    assert [one.code for one in found.findings] == ["fractions"]
    del values["annotations"][:2]  # a single box of under a pixel is a stray click
    assert [one.code for one in read(tmp_path, values).findings] == []


def test_a_file_of_few_fractions_is_told_by_the_others(tmp_path):
    """Two boxes alone may be stray clicks; beside a file of fractions they are fractions."""
    values = content()
    values["annotations"] = [{**one, "bbox": [0.125, 0.25, 0.25, 0.25]} for one in values["annotations"] for _ in "ab"]
    few = {
        **values,
        "images": [{**values["images"][0], "file_name": "3.jpg"}],
        "annotations": values["annotations"][:1],
    }
    s.put(tmp_path / "annotations/instances_val.json", json.dumps(few))
    found = read(tmp_path, values, "1.jpg", "2.jpg", "3.jpg")
    assert {sheet.split: sheet.frame for sheet in found.sheets} == {"train": FRACTIONS, "val": FRACTIONS}
    s.put(tmp_path / "annotations/instances_default.json", json.dumps(content()))  # these are px
    assert {sheet.split: sheet.frame for sheet in read_dataset(tmp_path).sheets} == {"train": (64, 48), "val": (64, 48)}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8-sig"])
def test_what_windows_writes(tmp_path, encoding):
    values = content(categories=[{"id": 1, "name": "дверь"}, {"id": 2, "name": "title"}])
    found = read(tmp_path, values)
    text = json.dumps(values, ensure_ascii=False)
    (tmp_path / "annotations/instances_default.json").write_bytes(text.encode(encoding))
    assert read_dataset(tmp_path) == found
    assert found.source.classes == ("дверь", "title")


@pytest.mark.parametrize(
    ("degrees", "box"),
    [
        (0.0, (16, 16, 16, 12)),
        (90.0, (16, 16, 12, 16)),
        (180.0, (16, 16, 16, 12)),
        (30.0, (16, 16, 16 * 0.8660254 + 12 * 0.5, 16 * 0.5 + 12 * 0.8660254)),
        (-30.0, (16, 16, 16 * 0.8660254 + 12 * 0.5, 16 * 0.5 + 12 * 0.8660254)),
        ("nonsense", (16, 16, 16, 12)),
    ],
)
def test_a_turned_box_becomes_the_one_around_it(tmp_path, degrees, box):
    values = content()
    values["annotations"][0]["attributes"] = {"occluded": False, "rotation": degrees}
    found = read(tmp_path, values)
    assert boxes(found)["1.jpg"][0][1:] == pytest.approx(box)
    turned = degrees not in (0.0, "nonsense")
    assert [one.code for one in found.sheets[0].findings] == ["turned"] * turned
    assert found.sheets[0].rows[0].outline == turned


def test_the_outline_of_a_turned_box_says_where_it_is(tmp_path):
    values = content()
    outline = [[16, 6, 26, 16, 16, 26, 6, 16]]
    values["annotations"][0].update(attributes={"rotation": 45.0}, segmentation=outline)
    assert boxes(read(tmp_path, values))["1.jpg"] == [(0, 16, 16, 20, 20)]


@pytest.mark.parametrize(
    ("name", "image", "fits"),
    [
        ("1.jpg", "images/1.jpg", True),
        ("images/1.jpg", "images/1.jpg", True),
        ("images\\1.jpg", "images/1.jpg", True),
        ("./images/1.jpg", "images/1.jpg", True),
        ("../images/1.jpg", "images/1.jpg", True),
        ("a%201.jpg", "images/a 1.jpg", True),
        ("my%20images/a%20%281%29.jpg", "my images/a (1).jpg", True),
        ("my%20images/1.jpg", "images/1.jpg", False),
        ("m\u00f6bel/\u00fc.jpg", "mo\u0308bel/u\u0308.jpg", True),  # as a Mac stores it
        ("mo\u0308bel/u\u0308.jpg", "m\u00f6bel/\u00fc.jpg", True),
        ("/home/me/images/1.jpg", "images/1.jpg", True),
        ("D:\\sheets\\images\\1.jpg", "images/1.jpg", True),
        ("a/1.jpg", "b/1.jpg", False),
        ("mot-1/img/1.jpg", "mot-2/img/1.jpg", False),
        ("/home/me/a/1.jpg", "b/1.jpg", False),
        ("/data/upload/3/1.jpg", "images/1.jpg", False),
    ],
)
def test_a_folder_in_a_name_is_part_of_it(tmp_path, name, image, fits):
    values = content()
    values["images"][0]["file_name"] = name
    found = read(tmp_path, values, image, "2.jpg")
    assert boxes(found) == ({image: GOOD["1.jpg"]} if fits else {}) | {"2.jpg": GOOD["2.jpg"]}
    assert [one.code for one in found.findings] == ([] if fits else ["image-missing"])
    lies = f"{tmp_path / image}, of the same name, lies in another folder"
    assert fits or lies in found.findings[0].found


def test_of_two_pictures_of_one_name_each_has_its_own_boxes(tmp_path):
    values = content()
    for one, folder in zip(values["images"], "ab", strict=True):
        one["file_name"] = f"{folder}/1.jpg"
    assert boxes(read(tmp_path, values, "a/1.jpg", "b/1.jpg")) == {"a/1.jpg": GOOD["1.jpg"], "b/1.jpg": GOOD["2.jpg"]}


def test_a_sheet_with_a_crowd_is_left_out_whole(tmp_path):
    """Its objects have no boxes: in train they would be background, in val each one found would be wrong."""
    values = content()
    values["annotations"].append({"id": 3, "image_id": 1, "category_id": 1, "bbox": [0, 0, 30, 30], "iscrowd": 1})
    found = read(tmp_path, values)
    assert boxes(found) == {"2.jpg": GOOD["2.jpg"]}
    assert (list(found.source.splits["train"]), found.source.strangers) == (["2.jpg"], ())
    assert [(one.code, one.boxes) for one in found.lost] == [("crowd", 2)]


def test_polygons_and_masks_speak_for_sizes(tmp_path):
    """An area that is smaller than its box, as that of a mask is, is no contradiction; nor is a rounded outline."""
    values = content()
    values["annotations"][0].update(area=100, segmentation=[[8, 11, 23, 10, 24, 22, 9, 21]])
    values["annotations"][1].update(area=300, segmentation={"counts": "x", "size": [48, 64]})
    found = read(tmp_path, values)
    assert (boxes(found), found.findings) == (GOOD, ())


def test_corners_are_said_once_for_the_file(tmp_path):
    values = content()
    for one in values["annotations"]:
        x, y, w, h = one["bbox"]
        one.update(bbox=[x, y, x + w, y + h], segmentation=[[x, y, x + w, y, x + w, y + h, x, y + h]])
    found = read(tmp_path, values)
    assert [one.code for one in found.findings] == ["corners"]
    assert [sheet.findings for sheet in found.sheets] == [(), ()]


def test_a_file_for_each_kind_of_object(tmp_path):
    """Datumaro writes captions, labels of whole images and the bare list of images beside the boxes."""
    whole = content()
    for name, annotations in (
        ("captions", [{"id": 1, "image_id": 1, "caption": "a plan"}]),
        ("labels", [{"id": 1, "image_id": 1, "category_id": 1}]),
        ("image_info", []),
    ):
        s.put(tmp_path / f"annotations/{name}_default.json", json.dumps({**whole, "annotations": annotations}))
    assert boxes(read(tmp_path, whole)) == GOOD
    more = [*whole["images"], {"id": 3, "file_name": "3.jpg", "width": 64, "height": 48}]
    s.put(tmp_path / "annotations/image_info_default.json", json.dumps({**whole, "images": more, "annotations": []}))
    with pytest.raises(UserError, match="expected one file of annotations per split"):  # it knows of one more
        read_dataset(tmp_path)


def test_the_address_of_an_image_says_its_name(tmp_path):
    """Azure ML writes no file_name."""
    values = content()
    for one in values["images"]:
        one["coco_url"] = f"AmlDatastore://store/photos/{one.pop('file_name')}"
    found = read(tmp_path, values, "photos/1.jpg", "photos/2.jpg")
    assert boxes(found) == {f"photos/{name}": rows for name, rows in GOOD.items()}
    del values["images"][0]["coco_url"]
    (missing,) = read(tmp_path, values, "photos/1.jpg", "photos/2.jpg").findings
    assert missing.found.startswith("no file for an image without file_name, which has 1 objects")


def test_the_points_of_one_polygon_without_a_list_around_them(tmp_path):
    """As VIA writes them."""
    values = content()
    values["annotations"][0].update(bbox=None, segmentation=[8, 10, 24, 10, 24, 22, 8, 22])
    assert boxes(read(tmp_path, values)) == GOOD
