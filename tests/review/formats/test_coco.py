"""COCO JSON as tools write it: ids and orders of their own, names with folders, with and without pictures."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.base.errors import UserError
from stages.picking.packet import Packet
from stages.review.formats import coco
from tests.review.packets import (
    PacketSpec,
    Work,
    as_a_person_would,
    build_packet,
    large_spec,
    packet_specs,
    plain_spec,
    truth,
)
from tests.review.round_trip import assert_comes_back, reconciled, written

# Where a tool puts its file, what it calls a picture, where the picture lies (None: it is left out), the first id.
LAYOUTS: dict[str, tuple[str, str, str | None, int]] = {
    "COCO": ("annotations/instances_val.json", "{name}", "images/{name}", 1),
    "CVAT": ("annotations/instances_default.json", "{name}", None, 1),
    "CVAT with pictures": ("annotations/instances_default.json", "{name}", "images/default/{name}", 1),
    "Label Studio": ("result.json", "/data/upload/3/{name}", None, 0),
    "Label Studio with pictures": ("result.json", "images/{name}", "images/{name}", 0),
    "Label Studio on Windows": ("result.json", "images\\{name}", "images/{name}", 0),
    "beside": ("train/_annotations.coco.json", "{name}", "train/{name}", 0),
}


def content(packet: Packet, work: Work, layout: str, order: list[str]) -> dict[str, Any]:
    _, called, picture, first = LAYOUTS[layout]
    ids = {name: number for number, name in enumerate(order, first)}
    images, annotations = [], []
    for sheet in reversed(packet.sheets):
        boxes = work.boxes[sheet.image_id]
        size = {"width": sheet.width, "height": sheet.height}
        if not boxes and picture is None and layout == "Label Studio":  # it knows sizes from regions alone
            size = {"width": None, "height": None}
        images.append({"id": first + len(images), "file_name": called.format(name=sheet.image_id), **size})
        for box in boxes:
            x1, y1, x2, y2 = box.xyxy
            one = {"id": first + len(annotations), "image_id": images[-1]["id"], "category_id": ids[box.class_name]}
            annotations.append({**one, "bbox": [x1, y1, x2 - x1, y2 - y1], "segmentation": [], "iscrowd": 0})
    categories = [{"id": number, "name": name} for name, number in ids.items()]
    return {"images": images, "categories": categories, "annotations": annotations}


def exported(packet: Packet, work: Work, folder: Path, layout: str, order: list[str] | None = None) -> Path:
    """Write `work` as a tool would; `order` is the order that it gives the classes."""
    place, _, picture, _ = LAYOUTS[layout]
    put(folder / place, content(packet, work, layout, order or list(packet.classes)))
    for sheet in packet.sheets:
        if picture:
            target = folder / picture.format(name=sheet.image_id)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(packet.image(sheet), target)
    return folder


def put(file: Path, value: Any) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")


@settings(max_examples=10, deadline=None)
@given(spec=packet_specs())
def test_what_is_written_comes_back(spec: PacketSpec, tmp_path_factory) -> None:
    folder = tmp_path_factory.mktemp("coco")
    packet = build_packet(spec, folder)
    read = coco.read(written(packet, coco, folder / "out"))
    assert (read.classes, read.packet_id) == (packet.classes, packet.packet_id)
    found = assert_comes_back(packet, read, truth(packet), within=0.001)
    assert found.notes == ()
    ids = {box.prelabel for sheet in found.sheets for box in sheet.boxes}
    assert ids == set(packet.prelabels["prelabel_id"])


@settings(max_examples=15, deadline=None)
@given(spec=packet_specs(), layout=st.sampled_from(sorted(LAYOUTS)), draw=st.data())
def test_a_persons_work_comes_back_from_every_layout(spec: PacketSpec, layout: str, draw, tmp_path_factory) -> None:
    folder = tmp_path_factory.mktemp("coco")
    packet = build_packet(spec, folder)
    work = as_a_person_would(packet, np.random.default_rng(spec.seed))
    order = draw.draw(st.permutations(packet.classes))
    export = exported(packet, work, folder / "out", layout, order)
    assert coco.is_one(export)
    read = coco.read(export)
    assert read.classes == tuple(order)
    assert_comes_back(packet, read, work, within=0.001)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout(layout: str, tmp_path: Path) -> None:
    packet = build_packet(plain_spec(), tmp_path)
    export = exported(packet, truth(packet), tmp_path / "out", layout)
    read = coco.read(export)
    assert all((sheet.image is None) == (LAYOUTS[layout][2] is None) for sheet in read.sheets)
    assert_comes_back(packet, read, truth(packet), within=0.001)
    file = export / LAYOUTS[layout][0]
    assert coco.is_one(file)
    assert_comes_back(packet, coco.read(file), truth(packet), within=0.001)


def test_a_large_sheet(tmp_path: Path) -> None:
    packet = build_packet(large_spec(), tmp_path)
    work = as_a_person_would(packet, np.random.default_rng(0))
    assert_comes_back(packet, coco.read(exported(packet, work, tmp_path / "out", "COCO")), work, within=0.001)


def test_splits_are_put_together(tmp_path: Path) -> None:
    packet = build_packet(plain_spec(), tmp_path)
    whole = content(packet, truth(packet), "COCO", list(packet.classes))
    for split, kept in (("train", whole["images"][:1]), ("val", whole["images"][1:])):
        ids = {image["id"] for image in kept}
        mine = [one for one in whole["annotations"] if one["image_id"] in ids]
        put(tmp_path / f"out/instances_{split}.json", {**whole, "images": kept, "annotations": mine})
    assert_comes_back(packet, coco.read(tmp_path / "out"), truth(packet), within=0.001)


def test_one_file_for_each_kind_of_object(tmp_path: Path) -> None:
    """datumaro writes the same images once more, with the same boxes or none."""
    packet = build_packet(plain_spec(), tmp_path)
    export = exported(packet, truth(packet), tmp_path / "out", "COCO")
    whole = content(packet, truth(packet), "COCO", list(packet.classes))
    put(export / "annotations/stuff_val.json", whole)
    put(export / "annotations/image_info_val.json", {**whole, "annotations": [], "categories": []})
    assert_comes_back(packet, coco.read(export), truth(packet), within=0.001)
    whole["annotations"][0]["bbox"] = [1, 1, 5, 5]  # now two files say different things
    put(export / "annotations/stuff_val.json", whole)
    with pytest.raises(UserError, match=r"stuff_val\.json image .*: expected every sheet once"):
        reconciled(packet, coco.read(export))


def test_outlines_become_boxes_and_are_counted(tmp_path: Path) -> None:
    packet = build_packet(plain_spec(boxes=1), tmp_path)
    (tmp_path / "out").mkdir()
    coco.write(packet, tmp_path / "out")
    corners = [8.0, 4.0, 20.0, 4.0, 20.0, 30.0, 8.0, 30.0]
    triangle = [8.0, 4.0, 20.0, 4.0, 14.0, 30.0]

    def outlined(value: dict[str, Any]) -> None:
        first, second = value["annotations"]
        first |= {"bbox": [8.0, 4.0, 12.0, 26.0], "segmentation": [corners]}  # an upright box, once more
        second["segmentation"] = [triangle]
        del second["bbox"]

    change(tmp_path / "out", outlined)
    read = coco.read(tmp_path / "out")
    assert [[box.xyxy for box in sheet.boxes] for sheet in read.sheets] == [[(8, 4, 20, 30)], [], [(8, 4, 20, 30)]]
    assert [sheet.polygons for sheet in read.sheets] == [0, 0, 1]


def test_annotations_are_numbered_from_1(tmp_path: Path) -> None:
    """pycocotools takes a match with annotation 0 for none."""
    packet = build_packet(plain_spec(), tmp_path)
    value = json.loads((written(packet, coco, tmp_path / "out") / PLACE).read_text(encoding="utf-8"))
    assert [one["id"] for one in value["annotations"]] == [1, 2, 3, 4, 5, 6]
    assert {part: min(one["id"] for one in value[part]) for part in ("images", "categories")} == {
        "images": 1,
        "categories": 1,
    }


def test_a_turned_box_becomes_the_one_around_it(tmp_path: Path) -> None:
    """CVAT and Datumaro keep the box of before it was turned, and the angle beside it."""
    packet = build_packet(plain_spec(boxes=1), tmp_path)
    written(packet, coco, tmp_path / "out")
    turned = {"bbox": [20.0, 10.0, 24.0, 12.0], "attributes": {"rotation": 90.0, "occluded": False}}
    change(tmp_path / "out", first("annotations", **turned))
    read = coco.read(tmp_path / "out")
    assert [box.xyxy for box in read.sheets[0].boxes] == [pytest.approx((26, 4, 38, 28))]
    assert reconciled(packet, read).notes == ("1 polygon became the box around.",)


def test_fractions_are_those_of_the_sheet(tmp_path: Path) -> None:
    packet = build_packet(plain_spec(), tmp_path)
    work = truth(packet)
    export = exported(packet, work, tmp_path / "out", "COCO")
    value = json.loads((export / LAYOUTS["COCO"][0]).read_text(encoding="utf-8"))
    sizes = {one["id"]: (one["width"], one["height"]) for one in value["images"]}
    for one in value["annotations"]:
        (width, height), (x, y, w, h) = sizes[one["image_id"]], one["bbox"]
        one["bbox"] = [x / width, y / height, w / width, h / height]
    put(export / LAYOUTS["COCO"][0], value)
    assert_comes_back(packet, coco.read(export), work, within=0.001)


def test_a_file_of_few_fractions_is_told_by_the_others(tmp_path: Path) -> None:
    packet = build_packet(plain_spec(), tmp_path)
    whole = content(packet, truth(packet), "COCO", list(packet.classes))
    sizes = {one["id"]: (one["width"], one["height"]) for one in whole["images"]}
    for one in whole["annotations"]:
        (width, height), (x, y, w, h) = sizes[one["image_id"]], one["bbox"]
        one["bbox"] = [x / width, y / height, w / width, h / height]
    first = whole["images"][0]["id"]
    work = truth(packet)
    work.boxes["\u00fc.png"][1:] = []  # of three boxes on that sheet one is left
    kept = [one for one in whole["annotations"] if one["image_id"] != first]
    few = [one for one in whole["annotations"] if one["image_id"] == first][:1]
    for split, images, annotations in (("train", whole["images"][1:], kept), ("val", whole["images"][:1], few)):
        put(tmp_path / f"out/instances_{split}.json", {**whole, "images": images, "annotations": annotations})
    assert_comes_back(packet, coco.read(tmp_path / "out"), work, within=0.001)


def test_label_studios_boxes_are_on_the_sheet_as_it_is_shown(tmp_path: Path) -> None:
    """Its sizes are those of the stored picture, which EXIF turns."""
    packet = build_packet(plain_spec(), tmp_path)
    work = truth(packet)
    export = exported(packet, work, tmp_path / "out", "COCO")
    file = export / LAYOUTS["COCO"][0]
    value = json.loads(file.read_text(encoding="utf-8"))
    for one in value["images"]:
        one.update(width=one["height"], height=one["width"])
    put(file, value)
    with pytest.raises(UserError, match="its sides are exchanged, as before EXIF turns it"):
        reconciled(packet, coco.read(export))
    put(file, {**value, "info": {"contributor": "Label Studio"}})
    assert_comes_back(packet, coco.read(export), work, within=0.001)
    assert_comes_back(packet, coco.read(file), work, within=0.001)  # without pictures


def change(folder: Path, how: Callable[[dict[str, Any]], object]) -> None:
    file = folder / "annotations/instances_train.json"
    value = json.loads(file.read_text(encoding="utf-8"))
    how(value)
    put(file, value)


def first(part: str, **values: Any) -> Callable[[dict[str, Any]], object]:
    return lambda content: content[part][0].update(values)


PLACE = "annotations/instances_train.json"
BAD: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a crowd": (
        first("annotations", iscrowd=1),
        f"{PLACE} annotation 1: expected one object, found a crowd. Draw a box around each of them, or delete it, and",
    ),
    "a mask alone": (
        first("annotations", bbox=[], segmentation={"counts": "x", "size": [1, 1]}),
        f"{PLACE} annotation 1: expected bbox: x y w h, finite numbers, found [].",
    ),
    "no number": (first("annotations", bbox=[1, 2, "3", 4]), "annotation 1: expected bbox: x y w h, finite numbers"),
    "a number that is no number": (first("annotations", bbox=[1, 2, float("nan"), 4]), "found [1, 2, nan, 4]."),
    "a number that is too large": (first("annotations", bbox=[1, 2, 10**400, 4]), "annotation 1: expected bbox: x y w"),
    "a category that is not listed": (
        first("annotations", category_id=9),
        "annotation 1: expected an id of the categories, found category_id 9.",
    ),
    "an image that is not listed": (
        first("annotations", image_id=99),
        "annotation 1: expected annotations of images that are listed, found 1 of others, such as image_id 99.",
    ),
    "no size": (
        first("images", width=0),
        "image a.png: expected width and height of the picture that its boxes are on, found 0 × 64.",
    ),
    "two images with one id": (
        first("images", id=2),
        f"{PLACE}: expected an id of its own for each image, found 2 for a.png and for b c.jpg.",
    ),
    "two categories of one name": (
        first("categories", name="title block"),
        f"{PLACE}: expected categories with different names, found title block, title block, Fenster ü.",
    ),
    "an id that is a list": (
        first("annotations", image_id=[1]),
        f"{PLACE}: expected annotations: objects with plain ids, found ",
    ),
    "an image that is none": (
        lambda content: content["images"].append("a.png"),
        f"{PLACE}: expected images: objects with plain ids, found 'a.png' at place 4.",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_bad_is_one_line_with_its_place(name: str, tmp_path: Path) -> None:
    how, line = BAD[name]
    packet = build_packet(plain_spec(), tmp_path)
    folder = written(packet, coco, tmp_path / "out")
    change(folder, how)
    with pytest.raises(UserError) as caught:
        reconciled(packet, coco.read(folder))
    assert line in str(caught.value).replace(f"{folder}/", "")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('{"annotations": [\n{"id": 1,]', "a.json:2: expected JSON, found"),
        ('{"annotations": ' + "[" * 100_000, "a.json:1: expected JSON, found"),
        ('{"annotations": [' + "1" * 5000, "a.json:1: expected JSON, found"),
    ],
)
def test_broken_json_is_one_line_with_its_place(text: str, line: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(UserError, match=line):
        coco.read(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"images": [], "annotations": []}', '{"version": "5"}'])
def test_what_is_no_coco(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(text)
    assert not coco.is_one(tmp_path)
    assert not coco.is_one(tmp_path / "a.json")
