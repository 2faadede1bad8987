"""Four times the sheets are four times the work, and no more memory for pictures: what a review passes through."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest

from benchmarks.picking_speed import pool_of
from stages.analysis.standard import ALL, standard_of
from stages.dataset.sheets.manifest import MANIFEST, ManifestRow, write_manifest
from stages.firewall.fingerprinting import fingerprint
from stages.firewall.signatures import copies
from stages.formats import voc_reader
from stages.formats.dataset_reader import read_dataset
from stages.picking import packet as packet_module
from stages.picking.packet import Packet, PacketSheet
from stages.picking.packet_choice import pick
from stages.picking.random_arm import RANDOM
from stages.picking.sampling import copies_in_turn
from stages.picking.sampling.copies_in_turn import CopiesInTurn
from stages.picking.second_looks.recheck_arm import RECHECK
from stages.picking.sheet_choice import SheetPlan, sheet_chooser
from stages.picking.strategies.earned_order import earned_order, expected
from stages.picking.strategies.group_order import group_order
from stages.picking.strategies.pool_view import nearest_cosines
from stages.picking.strategies.review_cost import ReviewCost
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
from tests.fake_project import picture
from tests.growth import FOUR_TIMES, ComparedRows, Name, Watched, calls, peak
from tests.review.packets import PacketSpec, SheetSpec, build_packet, truth
from tests.toy import write_yolo_folder

FEW, MANY = 6, 24  # sheets


def spec(sheets: int) -> PacketSpec:
    return PacketSpec(("door", "sink"), tuple(SheetSpec(f"s{i:03d}.png", 64, 48, 2, False) for i in range(sheets)), 3)


@pytest.fixture(scope="module")
def packets(tmp_path_factory: pytest.TempPathFactory) -> tuple[Packet, Packet]:
    """A packet of FEW sheets, and one of MANY, with two boxes and a zoom picture each."""
    few, many = (build_packet(spec(sheets), tmp_path_factory.mktemp(f"of_{sheets}")) for sheets in (FEW, MANY))
    return few, many


def reviewed(packet: Packet) -> Review:
    boxes = {
        name: tuple(ReviewedBox(one.class_name, *one.xyxy) for one in its) for name, its in truth(packet).boxes.items()
    }
    sheets = tuple(
        ReviewedSheet(one.image_id, one.sha256, "reviewed", None, boxes[one.image_id]) for one in packet.sheets
    )
    return Review(*head_of(packet, source="coco"), sheets=sheets)


def test_no_table_is_gone_through_for_every_sheet_to_write_a_packet(tmp_path, monkeypatch):
    rows = ComparedRows(monkeypatch)
    few, many = (rows.of(build_packet, spec(count), tmp_path / str(count)) for count in (FEW, MANY))
    assert many <= FOUR_TIMES * few


def test_the_pictures_of_a_packet_are_let_go_once_they_are_written(tmp_path, monkeypatch):
    monkeypatch.setattr(packet_module, "MOST_PICTURES", 2)  # that a figure shows, and is given
    few, many = (peak(build_packet, spec(count), tmp_path / str(count)) for count in (FEW, MANY))
    assert many - few < 2 * 2**20  # each picture has 0.7 MB


@pytest.mark.parametrize("write", [coco.write, voc.write, cvat.write, label_studio.write])
def test_nor_to_export_it(packets, tmp_path, monkeypatch, write: Callable[[Packet, Path], Any]):
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


def test_a_pool_is_not_gone_through_for_every_sheet_that_chance_draws(monkeypatch):
    rows, found = ComparedRows(monkeypatch), []
    for count in (50, 200):
        pool = pool_of(0, sheets=count, detections=3 * count)
        order = earned_order(pool.view, ReviewCost(), np.random.default_rng(0))
        plan = SheetPlan(count // 5, "sheets", 1.0)
        chooser = sheet_chooser(pool.view, order, expected(pool.view, ReviewCost()), plan, lambda name, taken: False)
        facts = {
            "pool": pool.images.assign(confidence=0.25),
            "detections": pool.detections,
            "classes": ["door"] * 5,
            "bounds": (1.0, 2.0, 3.0),
        }
        more = {"chooser": chooser, "plausible": 0.1, "random_share": 0.5}
        found.append(rows.of(pick, pool.candidates, **facts, **more, rng=np.random.default_rng(0)))
    assert found[1] <= FOUR_TIMES * found[0]


def test_copies_are_known_in_turn_without_an_index_for_each_sheet(monkeypatch):
    names = [f"s{i}" for i in range(24)]
    pictures = {name: cv2.resize(picture(name), (160, 160), interpolation=cv2.INTER_NEAREST) for name in names}
    pictures |= {"s9": pictures["s2"][::-1].copy(), "s20": pictures["s19"]}
    prints = {name: fingerprint(one) for name, one in pictures.items()}
    held: list[int] = []
    monkeypatch.setattr(copies_in_turn, "copies", lambda mine, theirs: held.append(len(theirs)) or copies(mine, theirs))
    turn, taken = CopiesInTurn(names, prints.__getitem__, first=4), list[str]()
    for name in names:
        if turn.is_copy(name, taken):
            continue
        taken.append(name)
    assert sorted(set(names) - set(taken)) == ["s20", "s9"]
    assert sum(held) <= 8 * len(names)  # one by one it would be a sheet times all before it: 276


def test_groups_take_turns_without_a_look_at_all_sheets_for_each():
    few, many = (pool_of(0, sheets=count, detections=count).view for count in (50, 200))
    named = [view._replace(groups=np.array([f"set {i // 2}" for i in range(len(view.sheets))])) for view in (few, many)]
    counted = [calls(group_order, view, np.random.default_rng(0)) for view in named]
    assert counted[1] <= 1.5 * counted[0]
    turns = group_order(named[0], np.random.default_rng(0)).places // 2  # the set of each sheet
    assert sorted(turns[:25]) == sorted(turns[25:]) == list(range(25))


def test_objects_are_held_against_all_that_is_labelled_without_a_table_of_both():
    rng = np.random.default_rng(0)
    features, known = rng.normal(size=(3000, 4)), rng.normal(size=(3000, 4))
    assert peak(nearest_cosines, features, known) < 40 * 2**20  # the table has 69 MiB
    some = features[:7] / 10
    assert np.allclose(nearest_cosines(some, known), np.clip((some @ known.T).max(axis=1), 0, 1))
    assert nearest_cosines(some, known[:0]).tolist() == [0.0] * 7


def test_what_is_usual_is_known_without_a_look_at_all_boxes():
    sure = np.sort(np.random.default_rng(0).random(5000))
    shapes = np.column_stack([np.linspace(0, 9, 5000), np.zeros(5000)])
    found, labels = Watched.around(sure), Watched.around(shapes)
    usual = standard_of(
        {0: found, ALL: found}, {ALL: Watched.around(sure)}, {}, {0: np.array([[4.5, 0], [1, 1]])}, {0: labels}
    )
    Watched.seen = 0
    for place in range(10):
        usual.right(0, place / 10)
        usual.odd(0, np.array([0.0, 0.0, np.exp(7.0), np.exp(7.0)]))
    assert Watched.seen < 10 * 100


def test_of_annotations_beside_a_yolo_folder_one_is_read(tmp_path, monkeypatch):
    folder = write_yolo_folder(tmp_path / "source", {"train": 2, "val": 1}, seed=0)
    for number in range(9):
        (folder / f"{number}.xml").write_text("<annotation><filename>a.png</filename></annotation>")
    read = []
    parse = voc_reader.parse_xml
    monkeypatch.setattr(voc_reader, "parse_xml", lambda data: read.append(data) or parse(data))
    assert [one.code for one in read_dataset(folder).findings] == ["other-format"]
    assert len(read) == 1
