"""Label Studio's JSON: what is written comes back after a person's work; what nobody submitted does not; bad files."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from stages.core.errors import UserError
from stages.files.decode import read_bgr
from stages.files.packet import Packet
from stages.review import label_studio
from stages.review.label_studio_export import returned
from stages.review.returned import Returned, ReturnedSheet
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


def region(**changes: Any) -> dict[str, Any]:
    value = {"x": 10, "y": 20, "width": 30, "height": 40, "rotation": 0, "rectanglelabels": ["door"]}
    value |= changes.pop("value", {})
    fixed = {"id": "r1", "type": "rectanglelabels", "original_width": 200, "original_height": 100}
    return {**fixed, "value": value, **changes}


def annotation(*regions: Any, **facts: Any) -> dict[str, Any]:
    return {"id": 7, "result": list(regions), "was_cancelled": False, "lead_time": 4.0, "updated_at": "1", **facts}


def read(*annotations: Any, data: Mapping[str, Any] | None = None, **facts: Any) -> Returned:
    data = {"image": "/data/upload/1/0a1b2c3d-a.png"} if data is None else data
    return returned([{"id": 5, "data": data, "annotations": list(annotations), **facts}], "x.json")


def sheet(*annotations: Any, **facts: Any) -> ReturnedSheet:
    (one,) = read(*annotations, **facts).sheets
    return one


DRAFT = {"id": 1, "result": [], "annotation": 7}
STATUS = {
    "submitted": ([annotation(region())], {}, "reviewed", 1, 4.0),
    "submitted, empty": ([annotation()], {}, "reviewed", 0, 4.0),
    "never opened": ([], {}, "unreviewed", 0, None),
    "a draft alone": ([], {"drafts": [{**DRAFT, "annotation": None}]}, "unreviewed", 0, None),
    "skipped": ([annotation(region(), was_cancelled=True)], {}, "unreviewed", 0, None),
    "skipped, its draft": ([annotation(region(), was_cancelled=True)], {"drafts": [DRAFT]}, "unreviewed", 0, None),
    "skipped by one, submitted by another": (
        *([annotation(region(), was_cancelled=True, updated_at="2"), annotation()], {}, "reviewed", 0, 4.0),
    ),
    "made of predictions in bulk": (
        *([annotation(region(), lead_time=None, parent_prediction=3)], {}, "unreviewed", 0, None),
    ),
    "made of predictions, then updated": ([annotation(region(), parent_prediction=3)], {}, "reviewed", 1, 4.0),
    "written over the API": ([annotation(region(), lead_time=None)], {}, "reviewed", 1, None),
    "two people of one mind": ([annotation(region(id="p")), annotation(region(id="q"))], {}, "reviewed", 1, 8.0),
}


@pytest.mark.parametrize("case", STATUS)
def test_only_what_was_submitted_is_reviewed(case: str) -> None:
    annotations, facts, status, boxes, seconds = STATUS[case]
    found = sheet(*annotations, **facts)
    assert (found.status, len(found.boxes), found.seconds) == (status, boxes, seconds)


SHAPES = {
    "a box": (region(), (0.1, 0.2, 0.4, 0.6), 0),
    # At (20, 20) px of 200 x 100, 60 x 40 px, turned by 90 degrees about its first corner: x from -20, y to 80.
    "a turned box": (region(value={"rotation": 90}), (-0.1, 0.2, 0.1, 0.8), 1),
    # The same by 30 degrees: x from 20 - 40 / 2 to 20 + 60 * 0.8660, y to 20 + 60 / 2 + 40 * 0.8660.
    "a slanted box": (region(value={"rotation": 30}), (0.0, 0.2, 0.359808, 0.846410), 1),
    "a polygon": (
        region(type="polygonlabels", value={"points": [[10, 20], [40, 30], [20, 60]], "polygonlabels": ["door"]}),
        *((0.1, 0.2, 0.4, 0.6), 1),
    ),
    "a box over the edge": (region(value={"x": 90}), (0.9, 0.2, 1.2, 0.6), 0),
}


@pytest.mark.parametrize("case", SHAPES)
def test_shapes(case: str) -> None:
    one, corners, polygons = SHAPES[case]
    found = sheet(annotation(one))
    assert found.boxes[0].xyxy == pytest.approx(corners, abs=1e-6)
    assert (found.frame, found.polygons, found.boxes[0].class_name) == ((1.0, 1.0), polygons, "door")


def test_what_is_no_shape_is_passed_over() -> None:
    remarks = {"id": "t", "type": "textarea", "value": {"text": ["a remark"]}}
    relation = {"type": "relation", "from_id": "r1", "to_id": "r2"}
    assert len(sheet(annotation(region(), remarks, relation)).boxes) == 1


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ({"image": "/data/upload/1/0a1b2c3d-a%20b.png", "image_id": "a b.png"}, "a b.png"),
        ({"image": "/data/upload/1/0a1b2c3d-a_b.png"}, "0a1b2c3d-a_b.png"),
        ({"image": "/data/local-files/?d=images/a%20b.png"}, "a b.png"),
        ({"note": "see http://[", "picture": "s3://bucket/sheets/a.JPG"}, "a.JPG"),
        ({"text": "no picture"}, ""),
    ],
)
def test_the_name_of_a_picture(data: dict[str, str], name: str) -> None:
    assert sheet(annotation(), data=data).name == name


def test_sheets_left_open_stay_queued(tmp_path: Path) -> None:
    packet = build_packet(plain_spec(), tmp_path)
    tasks = exported(tasks_of(packet, tmp_path / "out"), packet, truth(packet))
    tasks[2]["annotations"] = []
    found = reconciled(packet, returned(tasks, "x.json"), all_reviewed=False, partial=True)
    assert [(one.image_id, one.status) for one in found.sheets] == [("a.png", "reviewed"), ("b c.jpg", "reviewed")]
    assert found.unopened == ("ü.png",)


BAD_REGIONS = {
    "no class": (region(value={"rectanglelabels": []}), "region r1: expected one class for a box, found none."),
    "two classes": (
        region(value={"rectanglelabels": ["door", "stair"]}),
        "region r1: expected one class for a box, found 2: door, stair.",
    ),
    "class no list": (region(value={"rectanglelabels": None}), "expected one class for a box, found none."),
    "unlabelled": (
        region(type="rectangle"),
        "expected a rectangle or polygon with a class, found one without a class.",
    ),
    "ellipse": (region(type="ellipselabels"), "expected a rectangle or polygon with a class, found ellipselabels."),
    "no type": (region(type=None), "expected a rectangle or polygon with a class, found None."),
    "no number": (region(value={"x": "left"}), "expected a box in per cent of the picture, found {'x': 'left'"),
    "no value": (region(value={"x": None}), "expected a box in per cent of the picture, found {'x': None"),
    "polygon": (
        region(type="polygonlabels", value={"points": [[1]], "polygonlabels": ["door"]}),
        "expected a box in per cent of the picture",
    ),
    "no points": (
        region(type="polygonlabels", value={"points": [], "polygonlabels": ["door"]}),
        "expected a box in per cent of the picture",
    ),
    "turned, size unknown": (
        region(value={"rotation": 9}, original_width=None),
        "expected a box in per cent of the picture",
    ),
    "turned, no size": (region(value={"rotation": 9}, original_width=0), "expected a box in per cent of the picture"),
    "turned sheet": (region(image_rotation=90), "expected the sheet as it went out, found a picture turned by 90"),
    "no region": ("box", "x.json task 5: expected regions, found box."),
    "value no object": ({**region(), "value": [1]}, "expected one class for a box, found none."),
}


@pytest.mark.parametrize("case", BAD_REGIONS)
def test_bad_regions(case: str) -> None:
    one, words = BAD_REGIONS[case]
    with pytest.raises(UserError) as error:
        read(annotation(one))
    assert words in str(error.value)
    assert str(error.value).startswith("x.json task 5")


BAD_TASKS: dict[str, tuple[list[dict[str, Any]], str]] = {
    "two annotations": (
        [{"id": 5, "data": {}, "annotations": [annotation(region()), annotation(id=8)]}],
        "x.json task 5: expected one annotation, found 2 that differ (ids 7, 8). Open the sheet",
    ),
    "changes that were not submitted": (
        [{"id": 5, "data": {}, "annotations": [annotation()], "drafts": [DRAFT]}],
        "x.json task 5: expected what was submitted, found changes since then that were not.",
    ),
    "what went out": (
        [{"data": {}, "predictions": []}],
        "x.json task 1: expected a task with `data` and `annotations`, found data, predictions. Give what Label",
    ),
    "annotations as ids": ([{"id": 5, "data": {}, "annotations": [7]}], "expected annotations with a result, found 7"),
    "no result": ([{"id": 5, "data": {}, "annotations": [{"result": None}]}], "expected annotations with a result"),
    "two packets": (
        [{"data": {"packet": name}, "annotations": []} for name in ("aa", "bb")],
        "x.json: expected the tasks of one packet, found those of 2: aa, bb.",
    ),
}


@pytest.mark.parametrize("case", BAD_TASKS)
def test_bad_tasks(case: str) -> None:
    tasks, words = BAD_TASKS[case]
    with pytest.raises(UserError) as error:
        returned(tasks, "x.json")
    assert words in str(error.value)


BAD_FILES = {
    "cut off": (b'[{"id": 1,\n "data": {', "x.json:2: expected whole JSON"),
    "an object": (b'{"tasks": []}', "x.json: expected a list of tasks, found a dict."),
    "a list of something": (b"[1, 2]", "x.json: expected a list of tasks, found a list."),
    "CSV": (b"image,label\n", "x.json:1: expected whole JSON"),
    "a picture": (b"\xff\xd8\xff", "x.json: expected a JSON export of Label Studio, found another file."),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_bad_files(case: str, tmp_path: Path) -> None:
    content, words = BAD_FILES[case]
    file = tmp_path / "x.json"
    file.write_bytes(content)
    assert not label_studio.is_one(file)
    assert not label_studio.is_one(tmp_path)
    with pytest.raises(UserError) as error:  # where a person says --format label-studio
        label_studio.read(file)
    assert words in str(error.value)


def test_there_is_no_file(tmp_path: Path) -> None:
    assert not label_studio.is_one(tmp_path)
    with pytest.raises(UserError, match="expected a JSON export of Label Studio, found another file"):
        label_studio.read(tmp_path)


def test_what_went_out_is_no_export(tmp_path: Path) -> None:
    packet = build_packet(plain_spec(), tmp_path)
    with pytest.raises(UserError, match=r"task 1: expected a task .* tasks.json is what went out"):
        label_studio.read(written(packet, label_studio, tmp_path / "out"))
