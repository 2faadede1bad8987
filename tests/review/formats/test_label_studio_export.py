"""What exported tasks of Label Studio say: what is reviewed, which box a shape is, and what damaged ones are told."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from stages.base.errors import UserError
from stages.review.formats import label_studio
from stages.review.formats.label_studio_export import returned
from stages.review.formats.returned_boxes import Returned, ReturnedSheet


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
    "submitted, beside it a draft of another": (
        *([annotation(region())], {"drafts": [{**DRAFT, "annotation": None}]}, "reviewed", 1, 4.0),
    ),
    "never opened, in a snapshot": ([], {"drafts": [3]}, "unreviewed", 0, None),
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
    "a draft of which a snapshot has the id": (
        [{"id": 5, "data": {}, "annotations": [annotation()], "drafts": [3]}],
        "x.json task 5: expected what was submitted, found a draft as well, and no word on what it changes. Export",
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


def min_row(name: str, *names: str) -> dict[str, Any]:
    """Return what JSON-MIN has of a sheet with a box of each of the classes `names`."""
    boxes = [{"x": 10, "y": 20, "width": 30, "height": 40, "rotation": 0, "rectanglelabels": [one]} for one in names]
    return {"image": f"/data/upload/1/{name}", "id": 1, "label": boxes, "annotation_id": 7, "lead_time": 4.0}


def test_two_projects_that_both_count_from_1(tmp_path: Path) -> None:
    """Equal ids of tasks and annotations are of two sheets, also where these say the same."""
    rows = [min_row("a.png", "door"), min_row("b.png"), min_row("c.png")]
    (tmp_path / "x.json").write_text(json.dumps(rows), encoding="utf-8")
    found = label_studio.read(tmp_path / "x.json").sheets
    assert [(sheet.name, len(sheet.boxes)) for sheet in found] == [("a.png", 1), ("b.png", 0), ("c.png", 0)]
    assert [sheet.where.rpartition(" task ")[2] for sheet in found] == [
        f"1 (number {n} in the file)" for n in (1, 2, 3)
    ]


def test_what_went_out_lies_beside_what_came_back(tmp_path: Path) -> None:
    data = {"image": "/data/upload/1/a.png"}
    for name, more in (("tasks", {"predictions": []}), ("what_came", {"annotations": [annotation(region())]})):
        (tmp_path / f"{name}.json").write_text(json.dumps([{"id": 1, "data": data, **more}]), encoding="utf-8")
    assert label_studio.is_one(tmp_path)
    assert [len(sheet.boxes) for sheet in label_studio.read(tmp_path).sheets] == [1]
