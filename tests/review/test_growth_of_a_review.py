"""Four times the sheets are four times the work of a review, and no more memory for pictures."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from stages.dataset.sheets.manifest import MANIFEST, ManifestRow, write_manifest
from stages.picking.packet import Packet, PacketSheet
from stages.picking.random_arm import RANDOM
from stages.picking.second_looks.recheck_arm import RECHECK
from stages.review.formats import coco, cvat, label_studio, voc
from stages.review.formats.returned_boxes import ReturnedSheet
from stages.review.identity import sheet_identity
from stages.review.identity.other_sheets import Known
from stages.review.identity.placing import Pictures, read_grey
from stages.review.identity.reconciliation import reconcile
from stages.review.identity.sheet_identity import identify
from stages.review.kept.dataset_merge import taken_in
from stages.review.kept.joined_review import keep_review
from stages.review.kept.kept_review import Review, ReviewedBox, ReviewedSheet, head_of
from stages.review.ledger.ledger_files import review_boxes
from stages.review.ledger.ledger_summary import random_prelabels, sheet_rows
from tests.growth import FOUR_TIMES, ComparedRows, Name, peak
from tests.review.packets import build_packet, many_spec, truth

FEW, MANY = 6, 24  # sheets


@pytest.fixture(scope="module")
def packets(tmp_path_factory: pytest.TempPathFactory) -> tuple[Packet, Packet]:
    """A packet of FEW sheets, and one of MANY, with two boxes and a zoom picture each."""
    few, many = (build_packet(many_spec(sheets), tmp_path_factory.mktemp(f"of_{sheets}")) for sheets in (FEW, MANY))
    return few, many


def reviewed(packet: Packet) -> Review:
    boxes = {
        name: tuple(ReviewedBox(one.class_name, *one.xyxy) for one in its) for name, its in truth(packet).boxes.items()
    }
    sheets = tuple(
        ReviewedSheet(one.image_id, one.sha256, "reviewed", None, boxes[one.image_id]) for one in packet.sheets
    )
    return Review(*head_of(packet, source="coco"), sheets=sheets)


@pytest.mark.parametrize("write", [coco.write, voc.write, cvat.write, label_studio.write])
def test_no_table_is_gone_through_for_every_sheet_to_export_one(
    packets, tmp_path, monkeypatch, write: Callable[[Packet, Path], Any]
):
    rows, found = ComparedRows(monkeypatch), []
    for packet in packets:
        (folder := tmp_path / str(len(packet.sheets))).mkdir()
        found.append(rows.of(write, packet, folder))
    assert found[1] <= FOUR_TIMES * found[0]


def test_nor_to_take_it_back(packets, tmp_path, monkeypatch):
    rows, found = ComparedRows(monkeypatch), []
    for packet in packets:
        (folder := tmp_path / str(len(packet.sheets))).mkdir()
        coco.write(packet, folder)
        returned = coco.read(folder)
        found.append(rows.of(reconcile, packet, returned, others=[], all_reviewed=True, partial=False))
    assert found[1] <= FOUR_TIMES * found[0]


def test_nor_for_its_ledger(packets, monkeypatch):
    rows, found = ComparedRows(monkeypatch), []
    for packet in packets:
        sheets = pd.DataFrame(
            {"image_id": [one.image_id for one in packet.sheets], "arm": RANDOM, "labels_from": "model"}
        )

        def work(packet: Packet = packet, sheets: pd.DataFrame = sheets) -> None:
            boxes = review_boxes(packet, reviewed(packet), iou=0.5)
            assert sheet_rows(boxes, sheets)["confirmed"].tolist() == [2] * len(sheets)
            assert random_prelabels(boxes, sheets, iou=0.5)["f1"] == 1

        found.append(rows.of(work))
    assert found[1] <= FOUR_TIMES * found[0]


def test_a_sheet_that_came_back_is_not_compared_with_all_others(packets):
    packet = packets[0]
    others = [Known(f"o{i}.png", Name(f"{i:064x}"), "train", Path(f"o{i}.png"), 0) for i in range(300)]
    returned = [ReturnedSheet(one.image_id, "", (64, 48), (), sha256=one.sha256) for one in packet.sheets]
    Name.compared = 0
    assert len(identify(packet, returned, others).matches) == FEW
    assert Name.compared <= FEW


def test_its_picture_is_read_once_to_know_it(packets, monkeypatch):
    read = []
    digest = sheet_identity.file_sha256
    monkeypatch.setattr(sheet_identity, "file_sha256", lambda file: read.append(file) or digest(file))
    packet = packets[0]
    returned = [ReturnedSheet(one.image_id, "", (64, 48), (), image=packet.image(one)) for one in packet.sheets]
    assert len(identify(packet, returned, []).matches) == FEW
    assert len(read) == FEW


def test_pictures_that_are_held_against_their_own_sheet_are_let_go(packets):
    packet = packets[1]
    greys = [read_grey(packet.image(one)) for one in packet.sheets]
    pictures = Pictures(packet)
    pictures.ways(packet.sheets[0], greys[0])  # what is loaded once
    held = [
        peak(lambda count: [pictures.ways(*both) for both in list(zip(packet.sheets, greys, strict=True))[:count]], n)
        for n in (2, MANY)
    ]
    assert held[1] - held[0] < 2**18  # the square that a sheet is compared by has 2**16 bytes


def test_what_a_review_brings_is_sorted_out_in_one_go(tmp_path):
    found = []
    for count in (20, 80):
        names = [Name(f"{i}.png") for i in range(count)]
        rows = [ManifestRow(str(name), 0, "import", "", "", "") for name in names[::2]]
        (tmp_path / f"{count}/train").mkdir(parents=True)
        write_manifest(rows, tmp_path / f"{count}/train" / MANIFEST)
        sheets = [ReviewedSheet(name, "", "reviewed", None, ()) for name in names]
        arms = {str(name): RECHECK if place % 2 == 0 else RANDOM for place, name in enumerate(names)}
        Name.compared = 0
        taken = taken_in(tmp_path / str(count), sheets, arms)
        assert len(taken.moved) == len(taken.corrected) == count // 2
        found.append(Name.compared)
    assert found[1] <= FOUR_TIMES * found[0]


def test_and_so_is_what_an_import_adds_to_it(tmp_path):
    found = []
    for count in (10, 40):
        names = [Name(f"{i}.png") for i in range(count)]
        listed = tuple(PacketSheet(place, name, "", 9, 9, "model", "") for place, name in enumerate(names, 1))
        packet = Packet(Path(), "a", 0, ("door",), 0, "", listed, pd.DataFrame(), pd.DataFrame())
        root = tmp_path / str(count)
        for shift in (0, 3):
            box = (ReviewedBox("door", shift, 0, 9, 9),)
            sheets = [ReviewedSheet(name, "", "reviewed", None, box) for name in names]
            Name.compared = 0
            kept = keep_review(root, packet, sheets, source="coco", partial=False, replace=bool(shift))
        assert len(kept.replaced) == count
        found.append(Name.compared)
    assert found[1] <= FOUR_TIMES * found[0]
