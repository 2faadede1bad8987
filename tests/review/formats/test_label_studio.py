"""Label Studio's JSON: what is written comes back after a person's work; what nobody submitted does not; bad files."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from stages.base.decoding import read_bgr
from stages.base.errors import UserError
from stages.picking.packet import Packet
from stages.review.formats import label_studio
from stages.review.formats.label_studio_export import returned
from tests.review.label_studio_person import exported, in_min
from tests.review.packets import (
    CLASSES,
    PacketSpec,
    SheetSpec,
    Work,
    as_a_person_would,
    build_packet,
    large_spec,
    packet_specs,
    plain_spec,
    truth,
)
from tests.review.round_trip import assert_comes_back, reconciled, written

REAL = Path(__file__).with_name("label_studio_export.json")  # of Label Studio 1.23.2, after clicks in its browser page
REAL_MIN = Path(__file__).with_name("label_studio_export_min.json")  # the same project


def tasks_of(packet: Packet, folder: Path) -> list[dict[str, Any]]:
    tasks: list[dict[str, Any]] = json.loads((written(packet, label_studio, folder) / label_studio.TASKS).read_bytes())
    return tasks


def after(packet: Packet, work: Work, folder: Path) -> Path:
    file = folder / "project-1-at-2026-01-02.json"
    file.write_text(json.dumps(exported(tasks_of(packet, folder / "out"), packet, work)), encoding="utf-8")
    return file


@settings(max_examples=12, deadline=None)
@given(spec=packet_specs())
def test_a_persons_work_comes_back(spec: PacketSpec, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("p")
    packet = build_packet(spec, folder)
    work = as_a_person_would(packet, np.random.default_rng(spec.seed))
    file = after(packet, work, folder)
    assert label_studio.is_one(file)
    found = label_studio.read(file)
    assert found.packet_id == packet.packet_id
    done = assert_comes_back(packet, found, work, within=0.001)
    kept = {box.prelabel for sheet in done.sheets for box in sheet.boxes} - {None}
    assert kept == {box.prelabel for boxes in work.boxes.values() for box in boxes} - {None}
    assert {sheet.seconds for sheet in done.sheets} == {12.5}


def test_a_large_sheet_comes_back(tmp_path: Path) -> None:
    packet = build_packet(large_spec(), tmp_path)
    work = as_a_person_would(packet, np.random.default_rng(0))
    assert_comes_back(packet, label_studio.read(after(packet, work, tmp_path)), work, within=0.001)


def test_the_short_export_is_read_too(tmp_path: Path) -> None:
    packet = build_packet(plain_spec(boxes=5), tmp_path)
    work = as_a_person_would(packet, np.random.default_rng(0))
    file = after(packet, work, tmp_path)
    file.write_text(json.dumps(in_min(json.loads(file.read_bytes()))), encoding="utf-8")
    assert label_studio.is_one(tmp_path)
    found = assert_comes_back(packet, label_studio.read(tmp_path), work, within=0.001)
    assert {box.prelabel for sheet in found.sheets for box in sheet.boxes} == {None}  # it has no ids


def test_the_tests_write_what_the_server_writes(tmp_path: Path) -> None:
    """The real export has all that ours has, of the same type."""
    packet = build_packet(plain_spec(), tmp_path)
    (task, *_) = exported(tasks_of(packet, tmp_path / "out"), packet, truth(packet))
    (real, *_) = json.loads(REAL.read_bytes())
    _require_same_shape(task, real, "task")
    _require_same_shape(task["annotations"][0], real["annotations"][0], "annotation")
    _require_same_shape(task["annotations"][0]["result"][0], real["annotations"][0]["result"][0], "region")
    _require_same_shape(task["annotations"][0]["result"][0]["value"], real["annotations"][0]["result"][0]["value"], "")
    (row, *_), (real_row, *_) = in_min([task]), json.loads(REAL_MIN.read_bytes())
    _require_same_shape(row, real_row, "row")
    _require_same_shape(row["label"][0], real_row["label"][0], "region of a row")


def _require_same_shape(ours: Mapping[str, Any], real: Mapping[str, Any], where: str) -> None:
    assert set(ours) <= set(real), where
    kinds = {key: (type(value), type(real[key])) for key, value in ours.items()}
    assert {key: pair for key, pair in kinds.items() if pair[0] is not pair[1] and set(pair) != {int, float}} == {}


def test_a_real_export_is_read() -> None:
    """In the browser: a box moved, one deleted, one added; an empty sheet filled by Update; one skipped; one left."""
    edited, updated, skipped, left = label_studio.read(REAL).sheets
    assert (edited.name, edited.status, edited.seconds, edited.where) == (
        *("a plan.png", "reviewed", 12.072),
        f"{REAL} task 21",
    )
    assert [box.prelabel for box in edited.boxes] == ["1-2", "1-3", "1-4", "1-5", "1-6", "9WF3sc8Dhj"]
    assert [box.class_name for box in edited.boxes] == ["door", "title block", *["Fenster ü"] * 3, "door"]
    assert edited.boxes[1].xyxy == pytest.approx((0.593505, 0.154700, 0.918869, 0.471722), abs=1e-6)  # moved
    assert edited.boxes[5].xyxy == pytest.approx((0.045635, 0.785714, 0.095238, 0.865079), abs=1e-6)  # added
    assert (updated.name, updated.status, len(updated.boxes)) == ("b.png", "reviewed", 1)
    assert (skipped.name, skipped.status, skipped.boxes) == ("c.jpg", "unreviewed", ())
    # Begun, not submitted; then "Create Annotations From Predictions" was used on it, which opens no sheet.
    assert (left.name, left.status, left.boxes) == ("d.tif", "unreviewed", ())
    assert [len(sheet.sha256) for sheet in (edited, updated, skipped, left)] == [64] * 4


def test_the_short_form_of_the_same_export() -> None:
    edited, updated, left = label_studio.read(REAL_MIN).sheets  # what was skipped is not in it
    full = label_studio.read(REAL).sheets
    assert [box.xyxy for box in edited.boxes] == [box.xyxy for box in full[0].boxes]
    assert (edited.name, edited.sha256, edited.seconds) == (full[0].name, full[0].sha256, full[0].seconds)
    assert (updated.status, len(updated.boxes), left.status) == ("reviewed", 1, "unreviewed")


def test_what_goes_out(tmp_path: Path) -> None:
    packet = build_packet(plain_spec(claims=True), tmp_path)
    tasks = tasks_of(packet, tmp_path / "out")
    assert [task["data"]["image"] for task in tasks] == [
        "/data/local-files/?d=images/a.png",
        "/data/local-files/?d=images/b%20c.jpg",
        "/data/local-files/?d=images/%C3%BC.png",
    ]
    for sheet, task in zip(packet.sheets, tasks, strict=True):
        assert (tmp_path / "out/images" / sheet.image_id).read_bytes() == packet.image(sheet).read_bytes()
        data = task["data"]
        assert (data["image_id"], data["sha256"], data["packet"], data["order"]) == (
            *(sheet.image_id, sheet.sha256, packet.packet_id, sheet.order),
        )
    assert [task["data"]["reasons"] for task in tasks] == [
        *(
            'Why, "so" & <so>? The boxes are labels to confirm.',
            "",
            'Why, "so" & <so>? The boxes are labels to confirm.',
        )
    ]
    # A project opens its sheets with the predictions of one version: of another one, nobody would see them.
    assert {task["predictions"][0]["model_version"] for task in tasks} == {"iteration 2"}


def test_predictions_carry_their_confidence(tmp_path: Path) -> None:
    packet = build_packet(plain_spec(), tmp_path)
    (task, empty, _) = tasks_of(packet, tmp_path / "out")
    sure = packet.prelabels.loc[packet.prelabels["image_id"] == "a.png", "confidence"].tolist()
    assert [one["score"] for one in task["predictions"][0]["result"]] == sure
    assert task["predictions"][0]["score"] == pytest.approx(sum(sure) / 3)
    assert empty["predictions"][0]["result"] == []


def test_a_sheet_that_no_browser_shows_goes_as_png(tmp_path: Path) -> None:
    packet = build_packet(PacketSpec(("door",), (SheetSpec("a.b.tif", 40, 30, 1, True),), 1), tmp_path)
    (task,) = tasks_of(packet, tmp_path / "out")
    assert task["data"]["image"].endswith("images/a.b.png")
    assert task["data"]["sha256"] == packet.sheets[0].sha256  # of the sheet: that is how it comes home
    assert np.array_equal(read_bgr(tmp_path / "out/images/a.b.png"), read_bgr(packet.image(packet.sheets[0])))


def test_the_labeling_config_holds_every_class() -> None:
    from xml.etree import ElementTree

    root = ElementTree.fromstring(label_studio.labeling_config(CLASSES))
    labels = root.findall("RectangleLabels/Label")
    assert [one.get("value") for one in labels] == list(CLASSES)
    assert [one.get("hotkey") for one in labels] == [*"123456789", *[None] * (len(CLASSES) - 9)]


def test_sheets_left_open_stay_queued(tmp_path: Path) -> None:
    packet = build_packet(plain_spec(), tmp_path)
    tasks = exported(tasks_of(packet, tmp_path / "out"), packet, truth(packet))
    tasks[2]["annotations"] = []
    found = reconciled(packet, returned(tasks, "x.json"), all_reviewed=False, partial=True)
    assert [(one.image_id, one.status) for one in found.sheets] == [("a.png", "reviewed"), ("b c.jpg", "reviewed")]
    assert found.unopened == ("ü.png",)


def test_what_went_out_is_no_export(tmp_path: Path) -> None:
    packet = build_packet(plain_spec(), tmp_path)
    with pytest.raises(UserError, match=r"task 1: expected a task .* tasks.json is what went out"):
        label_studio.read(written(packet, label_studio, tmp_path / "out"))
