"""CVAT's formats: what is written comes back, also as CVAT dumps it after a person's work; damage is named by line."""

import json
import math
import zipfile
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings

from stages.base.errors import UserError
from stages.picking.packet import Packet
from stages.review.archives.archive import unpack
from stages.review.formats import coco, cvat, voc, yolo
from stages.review.formats.cvat import DONE
from tests.review.packets import (
    PacketSpec,
    Work,
    as_a_person_would,
    build_packet,
    differences,
    in_pixels,
    large_spec,
    packet_specs,
    plain_spec,
    returned_boxes,
    truth,
)

HEAD = '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n'
IMAGE = '<image id="0" name="a.png" width="100" height="80">\n'


def written(packet: Packet, folder: Path) -> Path:
    folder.mkdir()
    cvat.write(packet, folder)
    return folder


def dumped(packet: Packet, work: Work, file: Path, *, done: tuple[str, ...] = ()) -> Path:
    """Write what CVAT dumps of `work`: two decimals, boxes in their order, then the tags; a new box's ids are empty."""
    root = ElementTree.parse(written(packet, file.parent / "sent") / "annotations.xml").getroot()
    for image in root.iterfind("image"):
        for box in image.findall("box"):
            image.remove(box)
        for one in work.boxes[image.get("name", "")]:
            sides = {side: f"{value:.2f}" for side, value in zip(("xtl", "ytl", "xbr", "ybr"), one.xyxy, strict=True)}
            source = "file" if one.done in ("confirmed", "reclassified") else "manual"
            box = ElementTree.SubElement(image, "box", {"label": one.class_name, "source": source, **sides})
            ElementTree.SubElement(box, "attribute", name="prelabel").text = one.prelabel
            ElementTree.SubElement(box, "attribute", name="confidence").text = "0.50" if one.prelabel else None
        if image.get("name") in done:
            ElementTree.SubElement(image, "tag", {"label": DONE, "source": "manual"})
    ElementTree.ElementTree(root).write(file, encoding="utf-8", xml_declaration=True)
    return file


def said(body: str, tmp_path: Path) -> str:
    """Return the one line for an export with `body`, without the folder it lies in."""
    (tmp_path / "annotations.xml").write_text(f"{HEAD}{body}</annotations>\n", encoding="utf-8")
    with pytest.raises(UserError) as caught:
        cvat.read(tmp_path)
    return str(caught.value).replace(f"{tmp_path}/", "")


def corners(shape: str, tmp_path: Path) -> tuple[tuple[float, ...], int]:
    (tmp_path / "a.xml").write_text(f"{HEAD}{IMAGE}{shape}</image></annotations>", encoding="utf-8")
    (sheet,) = cvat.read(tmp_path / "a.xml").sheets
    return tuple(round(value, 6) for value in sheet.boxes[0].xyxy), sheet.polygons


@settings(max_examples=15, deadline=None)
@given(spec=packet_specs())
def test_what_is_written_is_read(spec: PacketSpec, tmp_path_factory) -> None:
    folder = tmp_path_factory.mktemp("c")
    packet = build_packet(spec, folder)
    read = cvat.read(written(packet, folder / "out"))
    assert (read.tool, read.classes, read.packet_id) == ("cvat", packet.classes, packet.packet_id)
    assert differences(returned_boxes(read), truth(packet).boxes, within=0.01) == []
    assert [[box.prelabel for box in sheet.boxes] for sheet in read.sheets] == [
        [box.prelabel for box in boxes] for boxes in truth(packet).boxes.values()
    ]
    assert {sheet.status for sheet in read.sheets} == {"unknown"}


@settings(max_examples=15, deadline=None)
@given(spec=packet_specs())
def test_a_persons_work_comes_back(spec: PacketSpec, tmp_path_factory) -> None:
    folder = tmp_path_factory.mktemp("c")
    packet = build_packet(spec, folder)
    work = as_a_person_would(packet, np.random.default_rng(spec.seed))
    read = cvat.read(dumped(packet, work, folder / "annotations.xml", done=(packet.sheets[0].image_id,)))
    assert differences(returned_boxes(read), work.boxes, within=0.01) == []
    kept = {box.prelabel for sheet in read.sheets for box in sheet.boxes}
    assert kept == {box.prelabel for boxes in work.boxes.values() for box in boxes}
    assert not kept & work.deleted
    assert [sheet.status for sheet in read.sheets] == ["reviewed", *["unreviewed"] * (len(packet.sheets) - 1)]


@settings(max_examples=10, deadline=None)
@given(spec=packet_specs())
def test_the_yolo_archive_is_read_too(spec: PacketSpec, tmp_path_factory) -> None:
    folder = tmp_path_factory.mktemp("c")
    packet = build_packet(spec, folder)
    unpack(written(packet, folder / "out") / "ultralytics_yolo.zip", folder / "yolo")
    read = cvat.read(folder / "yolo")
    assert (read.tool, read.classes) == ("cvat", packet.classes)
    assert differences(in_pixels(read, packet), truth(packet).boxes) == []


@pytest.mark.parametrize("other", [coco, voc, yolo])
def test_what_cvat_exports_in_plain_formats_is_read_too(other: ModuleType, tmp_path: Path) -> None:
    packet = build_packet(plain_spec(), tmp_path)
    (tmp_path / "out").mkdir()
    other.write(packet, tmp_path / "out")
    read = cvat.read(tmp_path / "out")
    assert read.tool == "cvat"
    assert differences(in_pixels(read, packet), truth(packet).boxes) == []


def test_a_large_sheet_with_300_boxes(tmp_path: Path) -> None:
    packet = build_packet(large_spec(), tmp_path)
    read = cvat.read(written(packet, tmp_path / "out"))
    assert len(read.sheets[0].boxes) == 300
    assert differences(returned_boxes(read), truth(packet).boxes, within=0.01) == []


def test_the_pictures_go_out_whole_and_in_order(tmp_path: Path) -> None:
    packet = build_packet(plain_spec(), tmp_path)
    with zipfile.ZipFile(written(packet, tmp_path / "out") / "images.zip") as archive:
        assert archive.namelist() == [sheet.image_id for sheet in packet.sheets]
        assert [archive.read(sheet.image_id) for sheet in packet.sheets] == [
            packet.image(sheet).read_bytes() for sheet in packet.sheets
        ]


def test_equal_packets_are_equal_bytes(tmp_path: Path) -> None:
    packet = build_packet(plain_spec(), tmp_path)
    first, second = written(packet, tmp_path / "1"), written(packet, tmp_path / "2")
    names = sorted(file.name for file in first.iterdir())
    assert names == ["annotations.xml", "images.zip", "labels.json", "ultralytics_yolo.zip"]
    assert all((first / name).read_bytes() == (second / name).read_bytes() for name in names)


def test_labels_are_as_the_constructor_wants_them(tmp_path: Path) -> None:
    packet = build_packet(plain_spec(), tmp_path)
    labels = json.loads((written(packet, tmp_path / "out") / "labels.json").read_text(encoding="utf-8"))
    assert [label["name"] for label in labels] == [*packet.classes, DONE]
    assert [label["type"] for label in labels] == ["rectangle", "rectangle", "rectangle", "tag"]
    for attribute in labels[0]["attributes"]:
        # cvat-ui's validateParsedAttribute: a known type, a boolean, and a list of texts that is not empty
        assert attribute["input_type"] == "text"
        assert attribute["mutable"] is False
        assert attribute["values"] == [""]


def test_a_class_that_is_called_like_the_tag(tmp_path: Path) -> None:
    packet = build_packet(plain_spec()._replace(classes=("door", DONE)), tmp_path)
    folder = written(packet, tmp_path / "out")
    labels = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    assert [label["name"] for label in labels] == ["door", DONE]
    assert cvat.read(folder).classes == ("door", DONE)


def test_a_prelabel_belongs_to_one_box(tmp_path: Path) -> None:
    packet = build_packet(plain_spec(), tmp_path)
    work = truth(packet)
    first = work.boxes["a.png"][0]
    work.boxes["a.png"].append(first._replace(xyxy=(1.0, 2.0, 30.0, 40.0), done="added"))  # copied and pasted
    read = cvat.read(dumped(packet, work, tmp_path / "annotations.xml"))
    assert [box.prelabel for box in read.sheets[0].boxes] == ["1-1", "1-2", "1-3", None]


@pytest.mark.parametrize(
    ("shape", "wanted", "polygons"),
    [
        ('<box label="d" xtl="10" ytl="20" xbr="30.5" ybr="40"/>', (10, 20, 30.5, 40), 0),
        ('<box label="d" xtl="10" ytl="20" xbr="30" ybr="40" rotation="0.00"/>', (10, 20, 30, 40), 0),
        ('<box label="d" xtl="10" ytl="20" xbr="30" ybr="60" rotation="90"/>', (0, 30, 40, 50), 1),
        (
            '<box label="d" xtl="10" ytl="10" xbr="20" ybr="20" rotation="45"/>',
            (*[15 - math.sqrt(50)] * 2, *[15 + math.sqrt(50)] * 2),
            1,
        ),
        ('<polygon label="d" points="5,6;20.5,7;10,30"/>', (5, 6, 20.5, 30), 1),
        ('<ellipse label="d" cx="50" cy="40" rx="20" ry="5"/>', (30, 35, 70, 45), 1),
        ('<ellipse label="d" cx="50" cy="40" rx="20" ry="5" rotation="90"/>', (45, 20, 55, 60), 1),
        ('<mask label="d" rle="1, 2, 1" left="3" top="4" width="2" height="2"/>', (3, 4, 5, 6), 1),
    ],
)
def test_shapes_become_the_boxes_around_them(
    shape: str, wanted: tuple[float, ...], polygons: int, tmp_path: Path
) -> None:
    assert corners(shape, tmp_path) == (tuple(round(value, 6) for value in wanted), polygons)


def test_pictures_are_found_as_cvat_lays_them(tmp_path: Path) -> None:
    """A task's pictures lie in `images`, a project's in a folder per subset."""
    body = "".join(
        f'<image id="{number}" name="plan/a.png" subset="{subset}" task_id="1" width="9" height="9"></image>'
        for number, subset in enumerate(("train", "val"))
    )
    (tmp_path / "annotations.xml").write_text(f"{HEAD}{body}</annotations>", encoding="utf-8")
    for subset in ("train", "val"):
        image = tmp_path / "images" / subset / "plan/a.png"
        image.parent.mkdir(parents=True)
        image.write_bytes(b"")
    (tmp_path / "outside.png").write_bytes(b"")
    assert [sheet.image for sheet in cvat.read(tmp_path).sheets] == [
        tmp_path / "images/train/plan/a.png",
        tmp_path / "images/val/plan/a.png",
    ]
    assert cvat.read(tmp_path / "annotations.xml").sheets[0].image is None  # a file alone: nothing around it is read


def test_the_xml_is_told_from_others(tmp_path: Path) -> None:
    packet = build_packet(plain_spec(), tmp_path)
    folder = written(packet, tmp_path / "out")
    assert cvat.is_one(folder)
    assert cvat.is_one(folder / "annotations.xml")
    assert not cvat.is_one(folder / "labels.json")
    (tmp_path / "voc").mkdir()
    voc.write(packet, tmp_path / "voc")
    assert not cvat.is_one(tmp_path / "voc/Annotations")


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (
            '<track id="0" label="d"></track>',
            "annotations.xml:4: expected images with their boxes, found a track, as in 'CVAT for video'. "
            "Export the task as 'CVAT for images 1.1'.",
        ),
        (
            "",
            "annotations.xml: expected images with their boxes, found none. Export the task as 'CVAT for images 1.1'.",
        ),
        (
            f'{IMAGE}<polyline label="d" points="1,2;3,4"/></image>',
            "annotations.xml:5: expected a box, a polygon, an ellipse or a mask, found a polyline. "
            "Draw a rectangle in its place, or delete it, and export again.",
        ),
        (
            f'{IMAGE}<box label="d" xtl="1" ytl="2" xbr="3"/></image>',
            "annotations.xml:5: expected ybr: a number, found 'nothing'. Export it again: the file is damaged.",
        ),
        (
            f'{IMAGE}\n<box label="d" xtl="1" ytl="nan" xbr="3" ybr="4"/></image>',
            "annotations.xml:6: expected ytl: a number, found 'nan'. Export it again: the file is damaged.",
        ),
        (
            f'{IMAGE}<polygon label="d" points="1,2;3"/></image>',
            "annotations.xml:5: expected points: x,y;x,y;…, found '3'. Export it again: the file is damaged.",
        ),
        (
            '<image id="0" name="a.png" width="0" height="80"></image>',
            "annotations.xml:4: expected an image with its name and size, found name 'a.png', 0 × 80 px. "
            "Export it again: the file is damaged.",
        ),
        (
            IMAGE,
            "annotations.xml:5: expected XML, found Opening and ending tag mismatch: image line 4 "
            "and annotations, column 15. "
            "Export it again: the file is damaged.",
        ),
    ],
)
def test_what_is_damaged_is_named_by_its_line(body: str, line: str, tmp_path: Path) -> None:
    assert said(body, tmp_path) == line


def test_a_namespace_and_comments_change_nothing(tmp_path: Path) -> None:
    folder = written(build_packet(plain_spec(), tmp_path), tmp_path / "sent")
    plain = cvat.read(folder)
    text = (folder / "annotations.xml").read_text(encoding="utf-8")
    odd = text.replace("<annotations>", '<annotations xmlns="http://cvat.ai"><!-- a -->').replace(
        "<box", "<!-- b --><box"
    )
    (folder / "annotations.xml").write_text(odd, encoding="utf-8")
    assert len(plain.sheets) > 1
    assert cvat.read(folder) == plain


def test_a_document_type_is_refused(tmp_path: Path) -> None:
    laughs = '<!DOCTYPE annotations [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>\n<annotations>&b;</annotations>'
    (tmp_path / "annotations.xml").write_text(laughs, encoding="utf-8")
    with pytest.raises(UserError, match=r"annotations.xml:1: expected XML, found a document type"):
        cvat.read(tmp_path)
