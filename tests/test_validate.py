import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from stages.core.errors import UserError
from stages.files.params import read_section
from stages.files.schemas import DETECTIONS, GROUND_TRUTH, IMAGES, MATCHES
from stages.files.tables import read_json, read_table
from stages.validate import (
    METRICS,
    PLOTS,
    TABLES,
    Params,
    build_tables,
    check_ruler,
    measure,
    read_sheets,
    save,
)
from stages.yolo.predict import Prediction
from tests.fake_project import person_params

PROJECT = Path(__file__).parents[1]
CLASSES = ("door", "window")
# Sheets of 200 x 100 px. None: nobody looked.
LABELS = {
    "train/t.png": "0 0.5 0.5 0.1 0.2\n",
    "val/a.png": "0 0.25 0.5 0.1 0.2\n1 0.75 0.5 0.1 0.2\n",
    "val/b.png": "",
    "val/c.png": None,
    "pool/p.png": None,
    "pool/q.png": "1 0.5 0.5 0.5 0.5\n",
}
DOOR, WINDOW = [40, 40, 60, 60], [140, 40, 160, 60]
SEEN = {
    "t.png": [(0, 0.9, [90, 40, 110, 60])],
    "a.png": [(0, 0.3, DOOR), (1, 0.1, WINDOW), (0, 0.8, [0, 0, 20, 20])],
    "b.png": [(1, 0.5, DOOR)],
    "c.png": [(1, 0.9, DOOR)],
    "p.png": [(1, 0.05, DOOR), (0, 0.95, WINDOW)],
    "q.png": [],
}


def dataset(root, labels=None):
    for split in ("train", "val", "pool"):
        (root / split / "images").mkdir(parents=True)
        (root / split / "labels").mkdir()
    for name, text in (LABELS if labels is None else labels).items():
        split, image = name.split("/")
        (root / split / "images" / image).write_bytes(b"only predict opens it")
        if text is not None:
            (root / split / "labels" / image).with_suffix(".txt").write_text(text)
    return root


def prediction(sheet):
    rows = SEEN[sheet.image_id]
    return Prediction(
        sheet.image,
        200,
        100,
        np.array([row[0] for row in rows], dtype=np.int32),
        np.array([row[1] for row in rows], dtype=float),
        np.array([row[2] for row in rows], dtype=float).reshape(-1, 4),
    )


@pytest.fixture
def tables(tmp_path):
    sheets = read_sheets(CLASSES, dataset(tmp_path / "dataset"))
    return build_tables(sheets, [prediction(one.sheet) for one in sheets])


@pytest.fixture
def report(tables):
    return measure(tables, classes=CLASSES, iou=0.5, confidence=0.25, floor=0.01)


def test_tables_hold_every_sheet_and_every_box(tables):
    assert tables.images["image_id"].tolist() == ["p.png", "q.png", "t.png", "a.png", "b.png", "c.png"]
    assert tables.images.set_index("image_id")["labelled"].to_dict() == {
        "p.png": False, "q.png": True, "t.png": True, "a.png": True, "b.png": True, "c.png": False
    }  # fmt: skip
    assert len(tables.detections) == sum(map(len, SEEN.values()))
    door = tables.ground_truth[tables.ground_truth["image_id"] == "a.png"].iloc[0]
    assert door[["x1", "y1", "x2", "y2"]].tolist() == DOOR
    assert door["object_id"] == 0


def test_detections_are_numbered_by_falling_confidence(tables):
    rows = tables.detections[tables.detections["image_id"] == "a.png"]
    assert rows["detection_id"].tolist() == [0, 1, 2]
    assert rows["confidence"].tolist() == [0.8, 0.3, 0.1]


def test_numbers_of_val_by_hand(report):
    val = report.metrics["val"]
    assert {key: val[key] for key in ("tp", "fp", "fn", "images", "boxes")} == {
        "tp": 1, "fp": 2, "fn": 1, "images": 2, "boxes": 2
    }  # fmt: skip
    assert val["f1"] == pytest.approx(2 / 5)
    assert val["precision"] == pytest.approx(1 / 3)
    assert val["recall"] == pytest.approx(1 / 2)
    # Both classes: first a wrong one, then the right one, the window's below the operating point.
    assert val["map50"] == pytest.approx(0.5)
    assert val["map50_95"] == pytest.approx(0.5)
    assert report.metrics["per_class"]["val"]["window"]["ap50"] == pytest.approx(0.5)
    assert report.metrics["per_class"]["val"]["window"]["f1"] == 0.0
    assert report.metrics["per_class"]["train"]["window"]["f1"] is None
    assert report.metrics["train"]["f1"] == 1.0
    assert report.metrics["train"]["map50"] == 1.0  # of the one class that train has
    assert report.metrics["pool"] == {"images": 2, "labelled": 1}
    assert list(report.metrics) == ["val", "train", "pool", "per_class"]


def test_unlabelled_sheets_are_not_judged(report):
    assert set(report.matches["image_id"]) == {"a.png", "b.png", "t.png", "q.png"}
    assert report.matches.loc[report.matches["split"] == "pool", "outcome"].tolist() == ["fn"]


def test_everything_is_written_and_equal_results_are_equal_bytes(tables, report, tmp_path):
    for name in ("one", "two"):
        save(tables, report, tmp_path / name)
    digests = [
        {
            str(file.relative_to(tmp_path / name)): hashlib.sha256(file.read_bytes()).hexdigest()
            for file in (tmp_path / name).rglob("*")
            if file.is_file()
        }
        for name in ("one", "two")
    ]
    assert digests[0] == digests[1]
    assert sorted(digests[0]) == [
        "data/validate/detections.parquet",
        "data/validate/ground_truth.parquet",
        "data/validate/images.parquet",
        "data/validate/matches.parquet",
        "metrics/validate.json",
        "plots/validate/confusion.csv",
        "plots/validate/f1_curve.csv",
        "plots/validate/pr_curve.csv",
    ]
    written = tmp_path / "one"
    for name, schema in [
        ("images", IMAGES), ("ground_truth", GROUND_TRUTH), ("detections", DETECTIONS), ("matches", MATCHES)
    ]:  # fmt: skip
        assert len(read_table(written / TABLES / f"{name}.parquet", schema)) > 0
    assert read_json(written / METRICS)["val"]["tp"] == 1
    assert list(pd.read_csv(written / PLOTS / "confusion.csv").columns) == ["actual", "predicted"]


def test_what_is_saved_gives_the_same_numbers_again(tables, report, tmp_path):
    save(tables, report, tmp_path)
    again = type(tables)(
        *(
            read_table(tmp_path / TABLES / f"{name}.parquet", schema)
            for name, schema in [
                ("images", IMAGES),
                ("ground_truth", GROUND_TRUTH),
                ("detections", DETECTIONS),
            ]
        )
    )
    repeated = measure(again, classes=CLASSES, iou=0.5, confidence=0.25, floor=0.01)
    assert repeated.metrics == report.metrics
    pd.testing.assert_frame_equal(repeated.matches, report.matches)


def test_nothing_seen_at_all(tmp_path):
    sheets = read_sheets(CLASSES, dataset(tmp_path))
    nothing = {"class_id": np.zeros(0, np.int32), "confidence": np.zeros(0), "xyxy": np.zeros((0, 4))}
    blank = [prediction(one.sheet)._replace(**nothing) for one in sheets]
    report = measure(build_tables(sheets, blank), classes=CLASSES, iou=0.5, confidence=0.25, floor=0.01)
    val = report.metrics["val"]
    assert (val["f1"], val["precision"], val["recall"], val["map50"]) == (0.0, None, 0.0, 0.0)
    assert set(report.matches["outcome"]) == {"fn"}


def test_an_empty_pool_is_normal(tmp_path):
    labels = {name: text for name, text in LABELS.items() if not name.startswith("pool")}
    sheets = read_sheets(CLASSES, dataset(tmp_path, labels))
    tables = build_tables(sheets, [prediction(one.sheet) for one in sheets])
    report = measure(tables, classes=CLASSES, iou=0.5, confidence=0.25, floor=0.01)
    assert report.metrics["pool"] == {"images": 0, "labelled": 0}


@pytest.mark.parametrize(
    ("val", "found"),
    [
        ({}, "no sheet"),
        ({"val/a.png": None}, "1 sheets, 0 with a label file"),
        ({"val/a.png": "", "val/b.png": None}, "2 sheets, 1 with a label file, no box"),
    ],
)
def test_no_ruler(tmp_path, val, found):
    sheets = read_sheets(CLASSES, dataset(tmp_path, {"train/t.png": LABELS["train/t.png"], **val}))
    with pytest.raises(UserError, match=found):
        check_ruler(sheets, tmp_path)


def test_a_class_without_a_name_is_refused_before_predicting(tmp_path):
    root = dataset(tmp_path, {"val/a.png": "0 0.5 0.5 0.1 0.1\n2 0.5 0.5 0.1 0.1\n"})
    with pytest.raises(UserError, match=r"a\.txt:2: expected a class of params.yaml .* found class 2"):
        read_sheets(CLASSES, root)


def params_with(tmp_path, **changes):
    values = yaml.safe_load(person_params())
    values["validate"].update(changes)
    file = tmp_path / "params.yaml"
    file.write_text(yaml.safe_dump(values, sort_keys=False))
    return file


@pytest.mark.parametrize(("device", "expected"), [("auto", "auto"), (0, "0"), ("cpu", "cpu")])
def test_params(tmp_path, device, expected):
    params = read_section(Params, "validate", params_with(tmp_path, device=device))
    assert params.device == expected
    assert (params.iou, params.confidence, params.max_det) == (0.5, 0.25, 1000)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"iou": 0}, r"params.yaml:\d+: expected validate.iou: greater than 0, found 0"),
        ({"confidence": 1.5}, "validate.confidence: less than or equal to 1"),
        ({"confidence_floor": 0.3}, r"at most validate.confidence \(0.25\)"),
        ({"batch": 1.5}, "validate.batch"),
        ({"device": "gpu"}, "validate.device"),
        ({"treshold": 0.5}, "found 'validate.treshold'"),
    ],
)
def test_wrong_params_name_the_key(tmp_path, changes, message):
    with pytest.raises(UserError, match=message):
        read_section(Params, "validate", params_with(tmp_path, **changes))
