"""YOLO, COCO and VOC against datumaro and supervision: they read what we write, and we read what they write."""

import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from stages.base.boxes import xywhn_to_xyxy
from stages.detector.model.runtime import start_ultralytics
from stages.picking.packet import Packet
from stages.review.formats import coco, voc, yolo
from tests.review.formats.test_coco import exported
from tests.review.packets import (
    CLASSES,
    STEMS,
    Box,
    PacketSpec,
    SheetSpec,
    as_a_person_would,
    build_packet,
    differences,
    truth,
)
from tests.review.round_trip import assert_comes_back, reconciled, reviewed_boxes, written
from tests.tools.environments import run_in

pytestmark = pytest.mark.tools

FORMS: dict[str, ModuleType] = {"yolo": yolo, "coco": coco, "voc": voc}
READERS = {name: Path(__file__).with_name(f"with_{name}.py") for name in ("datumaro", "supervision")}
# Every odd name, every odd class, empty sheets and 300 boxes in one packet: starting a reader takes seconds.
SHEETS = tuple(
    SheetSpec(f"{stem}.png", 60 + number, 90, (0, 3, 40)[number % 3], bool(number % 2))
    for number, stem in enumerate(STEMS)
)
SPEC = PacketSpec(CLASSES, (*SHEETS, SheetSpec("300.jpg", 120, 110, 300, False)), 11)


@pytest.fixture(scope="module")
def packet(tmp_path_factory) -> Packet:
    return build_packet(SPEC, tmp_path_factory.mktemp("packet"))


def read_by(reader: str, folder: Path, form: str) -> dict[str, list[Box]]:
    found = json.loads(run_in("readers", READERS[reader], "read", folder, form))
    return {name: [Box(one[0], tuple(one[1:5]), None) for one in rows] for name, rows in found.items()}


@pytest.mark.parametrize("form", ["yolo", "coco"])
@pytest.mark.parametrize("reader", READERS)
def test_they_read_what_we_write(reader: str, form: str, packet: Packet, tmp_path: Path) -> None:
    folder = written(packet, FORMS[form], tmp_path / "sent")
    assert differences(read_by(reader, folder, form), truth(packet).boxes, within=0.01) == []


def test_datumaro_reads_our_voc(tmp_path: Path) -> None:
    """Its list of classes, labelmap.txt, holds no class with a colon and none that begins with #."""
    classes = tuple(name for name in CLASSES if ":" not in name and "#" not in name)
    packet = build_packet(SPEC._replace(classes=classes), tmp_path)
    folder = written(packet, voc, tmp_path / "sent")
    assert differences(read_by("datumaro", folder, "voc"), truth(packet).boxes, within=0.01) == []


def test_supervision_reads_our_voc_a_pixel_further(packet: Packet, tmp_path: Path) -> None:
    """It takes left and top of a box for VOC's, which are counted from 1; no number says that ours are not."""
    folder = written(packet, voc, tmp_path / "sent")
    moved = {
        name: [box._replace(xyxy=(box.xyxy[0] - 1, box.xyxy[1] - 1, *box.xyxy[2:])) for box in boxes]
        for name, boxes in truth(packet).boxes.items()
    }
    assert differences(read_by("supervision", folder, "voc"), moved, within=0.01) == []


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("reader", READERS)
def test_we_read_what_they_write(reader: str, form: str, packet: Packet, tmp_path: Path) -> None:
    folder = written(packet, coco, tmp_path / "sent")
    run_in("readers", READERS[reader], "convert", folder, "coco", tmp_path / "written", form)
    assert FORMS[form].is_one(tmp_path / "written")
    assert_comes_back(packet, FORMS[form].read(tmp_path / "written"), truth(packet), within=0.01)


@pytest.mark.parametrize("reader", READERS)
def test_what_went_through_them_untouched_is_unopened(reader: str, packet: Packet, tmp_path: Path) -> None:
    """Also in VOC, where supervision rounds each corner: only the sheet that somebody worked on is taken."""
    worked = "300.jpg"
    deleted = {**truth(packet).boxes, worked: truth(packet).boxes[worked][:-1]}
    folder = written(packet, coco, tmp_path / "sent")
    file = folder / "annotations/instances_train.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    content["annotations"].pop()
    file.write_text(json.dumps(content), encoding="utf-8")
    run_in("readers", READERS[reader], "convert", folder, "coco", tmp_path / "written", "voc")
    found = reconciled(packet, voc.read(tmp_path / "written"), all_reviewed=False)
    assert set(found.unopened) == set(deleted) - {worked}
    assert differences(reviewed_boxes(found), {worked: deleted[worked]}, within=0.01) == []


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("reader", READERS)
def test_a_persons_work_goes_through_them(reader: str, form: str, packet: Packet, tmp_path: Path) -> None:
    work = as_a_person_would(packet, np.random.default_rng(3))
    exported(packet, work, tmp_path / "work", "COCO")
    (tmp_path / "work/annotations/instances_val.json").rename(tmp_path / "work/annotations/instances_train.json")
    run_in("readers", READERS[reader], "convert", tmp_path / "work", "coco", tmp_path / "written", form)
    whole = (reader, form) == ("supervision", "voc")  # it rounds to whole pixels what was drawn as well
    read = FORMS[form].read(tmp_path / "written")
    assert_comes_back(packet, read, work, within=0.501 if whole else 0.01)


def test_ultralytics_reads_our_yolo_folder(packet: Packet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = written(packet, yolo, tmp_path / "sent")
    monkeypatch.chdir(tmp_path)
    start_ultralytics()
    from ultralytics.data.dataset import YOLODataset
    from ultralytics.data.utils import check_det_dataset

    data = check_det_dataset(str(folder / "data.yaml"), autodownload=False)
    found = {}
    for one in YOLODataset(img_path=data["train"], data=data, task="detect", augment=False).labels:
        height, width = one["shape"]
        corners = xywhn_to_xyxy(one["bboxes"], width=width, height=height).tolist()
        names = [data["names"][int(number)] for number in one["cls"].ravel()]
        found[Path(one["im_file"]).name] = [
            Box(name, tuple(box), None) for name, box in zip(names, corners, strict=True)
        ]
    assert differences(found, truth(packet).boxes, within=0.01) == []
