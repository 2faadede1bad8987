"""CVAT's formats against datumaro, which CVAT reads and writes with, and our labels against CVAT's own client."""

import json
from pathlib import Path

import numpy as np
import pytest

from stages.picking.packet import Packet
from stages.review.archives.archive import unpack
from stages.review.formats import cvat
from tests.review.formats.test_cvat import dumped
from tests.review.packets import (
    CLASSES,
    STEMS,
    Box,
    PacketSpec,
    SheetSpec,
    as_a_person_would,
    build_packet,
    differences,
    in_pixels,
    returned_boxes,
    truth,
)
from tests.tools.environments import run_in

pytestmark = pytest.mark.tools

PROGRAM = Path(__file__).with_name("with_datumaro.py")
# Every odd name, every odd class, empty sheets and 300 boxes in one packet: starting datumaro takes seconds.
SHEETS = tuple(
    SheetSpec(f"{stem}.png", 60 + number, 90, (0, 3, 40)[number % 3], bool(number % 2))
    for number, stem in enumerate(STEMS)
)
SPEC = PacketSpec(CLASSES, (*SHEETS, SheetSpec("300.jpg", 120, 110, 300, False)), 11)


@pytest.fixture(scope="module")
def packet(tmp_path_factory) -> Packet:
    return build_packet(SPEC, tmp_path_factory.mktemp("packet"))


@pytest.fixture
def sent(packet: Packet, tmp_path: Path) -> Path:
    """The packet as it goes out, its archives unpacked as CVAT does."""
    (tmp_path / "sent").mkdir()
    cvat.write(packet, tmp_path / "sent")
    unpack(tmp_path / "sent/images.zip", tmp_path / "sent/images")
    unpack(tmp_path / "sent/ultralytics_yolo.zip", tmp_path / "yolo")
    return tmp_path / "sent"


def read_by_datumaro(path: Path, form: str) -> dict[str, list[Box]]:
    found = json.loads(run_in("readers", PROGRAM, "read", path, form))
    return {
        name: [Box(one[0], tuple(one[1:5]), one[5].get("prelabel")) for one in boxes] for name, boxes in found.items()
    }


def test_datumaro_reads_our_xml(packet: Packet, sent: Path) -> None:
    found = read_by_datumaro(sent, "cvat")
    assert differences(found, truth(packet).boxes, within=0.01) == []
    ids = {box.prelabel for boxes in found.values() for box in boxes}
    assert ids == set(packet.prelabels["prelabel_id"])


def test_datumaro_reads_our_yolo_archive(packet: Packet, sent: Path) -> None:
    assert differences(read_by_datumaro(sent.parent / "yolo", "yolo"), truth(packet).boxes, within=0.05) == []


def test_we_read_the_xml_that_datumaro_writes(packet: Packet, sent: Path, tmp_path: Path) -> None:
    """Also after a person's work: what CVAT dumps goes through datumaro and comes to us."""
    work = as_a_person_would(packet, np.random.default_rng(0))
    (tmp_path / "work").mkdir()
    dumped(packet, work, tmp_path / "work/annotations.xml").replace(sent / "annotations.xml")
    run_in("readers", PROGRAM, "convert", sent, "cvat", tmp_path / "written", "cvat")
    read = cvat.read(tmp_path / "written")
    assert read.classes == packet.classes
    assert differences(returned_boxes(read), work.boxes, within=0.01) == []
    assert all(sheet.image and sheet.image.is_file() for sheet in read.sheets)


def test_we_read_the_yolo_folder_that_datumaro_writes(packet: Packet, sent: Path, tmp_path: Path) -> None:
    run_in("readers", PROGRAM, "convert", sent.parent / "yolo", "yolo", tmp_path / "written", "yolo_ultralytics")
    read = cvat.read(tmp_path / "written")
    assert read.classes == packet.classes
    assert differences(in_pixels(read, packet), truth(packet).boxes) == []


def test_cvats_client_takes_our_labels(packet: Packet, sent: Path) -> None:
    labels = json.loads(run_in("cvat", Path(__file__).with_name("with_cvat_sdk.py"), sent / "labels.json"))
    boxes = [[name, "rectangle", ["prelabel", "confidence"]] for name in packet.classes]
    assert labels == [*boxes, [cvat.DONE, "tag", []]]
