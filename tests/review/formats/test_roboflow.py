"""Roboflow's folder for an upload, and its versions in every form: names, classes and sizes of its own."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from stages.base.errors import UserError
from stages.picking.packet import Packet
from stages.review.formats import coco, roboflow, yolo
from stages.review.formats.returned_boxes import Returned
from stages.review.formats.roboflow import plain_name
from tests.review.packets import (
    CLASSES,
    Box,
    PacketSpec,
    as_a_person_would,
    build_packet,
    differences,
    in_pixels,
    packet_specs,
    plain_spec,
    truth,
)
from tests.review.roboflow_version import AUGMENTED, make_version

FORMS = ("coco", "yolo", "voc")
# Roboflow makes one of names that differ in their accents alone.
APART = tuple({plain_name(name).casefold(): name for name in CLASSES}.values())


def version(packet: Packet, boxes: dict[str, list[Box]], folder: Path, **how: object) -> Path:
    pictures = [packet.image(sheet) for sheet in packet.sheets]
    return make_version(pictures, boxes, packet.classes, folder, **how)


def with_first_names(returned: Returned, names: Sequence[str]) -> Returned:
    """Return `returned` with the names of before, which only COCO keeps."""
    stored = {f"{Path(name).stem}_{Path(name).suffix[1:]}": name for name in names}
    return returned._replace(
        sheets=tuple(
            sheet._replace(name=stored.get(sheet.name.rsplit(".rf.", 1)[0], sheet.name)) for sheet in returned.sheets
        )
    )


def plain(boxes: dict[str, list[Box]]) -> dict[str, list[Box]]:
    return {
        name: [box._replace(class_name=plain_name(box.class_name)) for box in group] for name, group in boxes.items()
    }


@settings(max_examples=15, deadline=None)
@given(spec=packet_specs())
def test_what_is_written_is_read(spec: PacketSpec, tmp_path_factory) -> None:
    folder = tmp_path_factory.mktemp("r")
    packet = build_packet(spec, folder)
    (folder / "out").mkdir()
    roboflow.write(packet, folder / "out")
    read = roboflow.read(folder / "out")
    assert (read.tool, read.classes) == ("roboflow", packet.classes)
    assert differences(in_pixels(read, packet), truth(packet).boxes) == []
    assert [(folder / "out/train/images" / sheet.image_id).read_bytes() for sheet in packet.sheets] == [
        packet.image(sheet).read_bytes() for sheet in packet.sheets
    ]
    assert not (folder / "out/valid").exists()


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=10, deadline=None)
@given(spec=packet_specs(classes=APART))
def test_a_version_is_read_in_every_form(form: str, spec: PacketSpec, tmp_path_factory) -> None:
    folder = tmp_path_factory.mktemp("r")
    packet = build_packet(spec, folder)
    work = as_a_person_would(packet, np.random.default_rng(spec.seed))
    read = roboflow.read(version(packet, work.boxes, folder / "v", form=form))
    names = [sheet.image_id for sheet in packet.sheets]
    if form == "coco":
        assert {sheet.name for sheet in read.sheets} == set(names)
    assert read.tool == "roboflow"
    assert all(sheet.image and sheet.image.is_file() for sheet in read.sheets)
    assert differences(in_pixels(with_first_names(read, names), packet), plain(work.boxes), within=0.501) == []


@pytest.mark.parametrize("form", FORMS)
def test_a_resized_version_says_so_where_its_sheets_come_from(form: str, tmp_path: Path) -> None:
    packet = build_packet(plain_spec(), tmp_path)
    read = roboflow.read(version(packet, truth(packet).boxes, tmp_path / "v", form=form, size=(48, 48)))
    assert all(sheet.where.endswith(" (Roboflow: Resize to 48x48 (Stretch))") for sheet in read.sheets)
    found = in_pixels(with_first_names(read, [sheet.image_id for sheet in packet.sheets]), packet)
    assert differences(found, plain(truth(packet).boxes), within=1.01 if form == "voc" else 0.5) == []


@pytest.mark.parametrize("form", FORMS)
def test_a_version_with_augmentation_is_refused(form: str, tmp_path: Path) -> None:
    packet = build_packet(plain_spec(), tmp_path)
    folder = version(packet, truth(packet).boxes, tmp_path / "v", form=form, augmented=AUGMENTED)
    with pytest.raises(UserError) as caught:
        roboflow.read(folder)
    assert str(caught.value) == (
        f"{folder}/README.roboflow.txt:13: expected sheets as they were sent, found 'The following augmentation "
        "was applied to create 3 versions of each source image'. "
        "Create a version without augmentation, and export that one."
    )


def test_a_class_that_is_called_like_the_group_of_all(tmp_path: Path) -> None:
    """Roboflow's first category has the name of the annotation group, which a class may have as well."""
    packet = build_packet(plain_spec()._replace(classes=("door",)), tmp_path)
    folder = version(packet, truth(packet).boxes, tmp_path / "v")
    assert coco.read(folder).classes == ("door",)
    assert roboflow.read(folder).classes == ("door",)


@pytest.mark.parametrize("form", FORMS)
def test_a_version_is_told_from_others(form: str, tmp_path: Path) -> None:
    packet = build_packet(plain_spec(), tmp_path)
    folder = version(packet, truth(packet).boxes, tmp_path / "v", form=form)
    assert roboflow.is_one(folder)
    for note in ("README.roboflow.txt", "README.dataset.txt"):
        (folder / note).unlink()
    assert roboflow.is_one(folder) == (form != "voc")  # VOC has no other sign, and its names are found by content
    (tmp_path / "yolo").mkdir()
    yolo.write(packet, tmp_path / "yolo")
    assert not roboflow.is_one(tmp_path / "yolo")
    assert not roboflow.is_one(tmp_path / "yolo/data.yaml")


@pytest.mark.parametrize(
    ("name", "exported"),
    [("door", "door"), ("title block", "title block"), ("Fenster ü", "Fenster u"), ("é", "e"), ("窓 2", "- 2")],
)
def test_class_names_lose_their_accents(name: str, exported: str) -> None:
    assert plain_name(name) == exported
