import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from stages.base.errors import UserError
from stages.base.params import read_section
from stages.base.tables import read_json, read_table
from stages.dataset.sheets.manifest import MANIFEST, manifest_row, write_manifest
from stages.dataset.sheets.split_folder import split_sheets
from stages.detector.prediction.box_features import FEATURES
from stages.detector.prediction.prediction_params import PredictParams
from stages.detector.prediction.prediction_tables import Predicted, predicted_tables, save_predicted
from stages.detector.prediction.predictor import NO_FEATURES, Prediction
from stages.ruler.headline import headline, remarks
from stages.ruler.labelled_tables import check_ruler, labelled_tables, seen_on
from stages.ruler.measurement import Point, Tables, measure
from stages.ruler.schemas import ERRORS, GROUND_TRUTH, IMAGES, LEDGER, MATCHES
from stages.ruler.scores.score_rows import row_of
from stages.ruler.statement import differences
from stages.ruler.validate_params import point_of
from stages.validate import METRICS, PLOTS, SPLITS, TABLES, Params, ruler_of, save
from tests.fake_project import person_params

PROJECT = Path(__file__).parents[1]
CLASSES = ("door", "window")
FIXED, AUTO = Point(0.5, 0.25, 0.01), Point(0.5, None, 0.01)
OFF = dict.fromkeys(("min_area", "max_area", "min_side", "max_aspect", "border"))  # filters
BOUNDS = [500, 2000, 10000]  # px²: the boxes of LABELS have 400, but for one of 5,000
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
    list_content(root)
    return root


def list_content(root):
    for split in ("train", "val", "pool"):
        folder = root / split
        rows = [
            manifest_row(
                image, folder / "labels" / f"{image.stem}.txt", added_iteration=0, label_source="import", group="set 1"
            )
            for image in (folder / "images").iterdir()
        ]
        write_manifest(rows, folder / MANIFEST)


def prediction(sheet):
    rows = sorted(SEEN[sheet.image_id], key=lambda row: -row[1])
    return Prediction(
        sheet.image,
        200,
        100,
        np.array([row[0] for row in rows], dtype=np.int32),
        np.array([row[1] for row in rows], dtype=float),
        np.array([row[2] for row in rows], dtype=float).reshape(-1, 4),
        features=np.zeros((len(rows), FEATURES), np.float16),
    )


def seen(root) -> Predicted:
    """Return what the model saw on the sheets below `root`."""
    sheets = split_sheets(SPLITS, CLASSES, root)
    return predicted_tables(sheets, [prediction(one.sheet) for one in sheets])


def tables_of(root) -> Tables:
    return labelled_tables(split_sheets(SPLITS, CLASSES, root), *seen(root)[:3], root=root)


@pytest.fixture
def tables(tmp_path):
    return tables_of(dataset(tmp_path / "dataset"))


def measured(tables, point=FIXED):
    return measure(tables, classes=CLASSES, point=point, size_bounds=BOUNDS)


@pytest.fixture
def report(tables):
    return measured(tables)


@pytest.fixture
def ruler(tmp_path, tables):
    return statement(tmp_path, tmp_path / "dataset")


def statement(tmp_path, root):
    file = params_with(tmp_path)
    params, predict = read_section(Params, "validate", file), read_section(PredictParams, "predict", file)
    return ruler_of(params, predict, CLASSES, None, root)


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


def test_numbers_of_val_by_hand(tables, report, ruler):
    shown = headline(tables, report, ruler)
    assert {key: shown[key] for key in ("tp", "fp", "fn")} == {"tp": 1, "fp": 2, "fn": 1}
    assert shown["f1"] == pytest.approx(2 / 5)
    assert shown["precision"] == pytest.approx(1 / 3)
    assert shown["recall"] == pytest.approx(1 / 2)
    # Both classes: first a wrong one, then the right one, the window's below the operating point.
    assert shown["map50"] == pytest.approx(0.5)
    assert shown["map50_95"] == pytest.approx(0.5)
    assert shown["train_f1"] == 1.0
    assert shown["confidence"] == 0.25
    assert shown["splits"] == [
        {"split": "val", "images": 3, "labelled": 2, "boxes": 2},
        {"split": "train", "images": 1, "labelled": 1, "boxes": 1},
        {"split": "pool", "images": 2, "labelled": 1, "boxes": 1},
    ]


def test_dvcs_tables_show_few_numbers_and_what_is_long_is_a_list(tables, report, ruler):
    shown = headline(tables, report, ruler)
    assert [key for key, value in shown.items() if isinstance(value, list)] == ["ruler_statement", "splits", "notes"]
    assert not any(isinstance(value, dict) for value in shown.values())
    assert sum(not isinstance(value, list) for value in shown.values()) <= 15


def test_scores_of_parts_by_hand(report):
    window = row_of(report.scores, split="val", part="class", name="window")
    assert (window["tp"], window["fp"], window["fn"], window["ap50"]) == (0, 1, 1, pytest.approx(0.5))
    assert row_of(report.scores, split="train", part="class", name="window")["f1"] is None
    tiny, medium = (row_of(report.scores, split="val", part="size", name=name) for name in ("tiny", "medium"))
    assert (tiny["boxes"], tiny["tp"], tiny["fn"], tiny["fp"]) == (2, 1, 1, 2)
    assert (medium["boxes"], medium["f1"]) == (0, None)
    group = row_of(report.scores, split="val", part="group", name="set 1")
    assert (group["tp"], group["fp"], group["fn"]) == (1, 2, 1)


def test_the_parts_add_up_to_the_whole(report):
    for split in ("val", "train"):
        rows = report.scores[report.scores["split"] == split]
        whole = row_of(report.scores, split=split)
        for part in ("class", "size", "group"):
            for count in ("boxes", "tp", "fp", "fn"):
                assert rows.loc[rows["part"] == part, count].sum() == whole[count]


def test_every_number_lies_in_its_interval(report):
    for rate in ("f1", "precision", "recall", "ap50", "ap50_95"):
        rows = report.scores.dropna(subset=[rate, f"{rate}_low"])
        assert (rows[f"{rate}_low"] <= rows[rate]).all()
        assert (rows[rate] <= rows[f"{rate}_high"]).all()


def test_every_sheet_of_val_is_judged_with_what_the_others_chose(tables):
    alone = tables._replace(images=tables.images.assign(group=""))
    report = measured(alone, AUTO)
    confidence = report.images.set_index("image_id")["confidence"]
    assert confidence["a.png"] == 0.25  # b.png shows no box to choose by
    assert 0.01 <= confidence["b.png"] < 0.25  # the window of a.png was seen with 0.1
    assert set(confidence[["t.png", "p.png", "q.png", "c.png"]]) == {report.confidence}


def test_the_ledger_names_a_fate_for_every_box(report):
    fates = report.ledger.set_index(["image_id", "object_id"])["fate"]
    assert fates["a.png", 0] == "found"
    assert fates["a.png", 1] == "under_threshold"  # seen with 0.1
    assert fates["q.png", 0] == "never_proposed"
    val = report.fates[(report.fates["split"] == "val") & (report.fates["class_name"] == "all")].iloc[0]
    assert (val["boxes"], val["found"], val["under_threshold"]) == (2, 1, 1)
    assert "missed on val: 1 under threshold" in remarks(report)


def test_false_alarms_are_errors_in_tides_terms(report):
    assert report.errors.loc[report.errors["split"] == "val", "error"].tolist() == ["bkg", "bkg", "miss"]


def test_a_sheet_with_a_near_copy_in_train_is_marked_and_scored_apart(tmp_path, ruler):
    import cv2

    root = dataset(tmp_path / "copies")
    page = np.full((300, 400, 3), 255, np.uint8)
    for x in range(20, 380, 60):
        cv2.circle(page, (x, 40 + x // 2), 18, (0, 0, 0), 2)
        cv2.putText(page, str(x), (x, 250 - x // 3), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (0, 0, 0), 1)
    cv2.imwrite(str(root / "train/images/t.png"), page)
    cv2.imwrite(str(root / "val/images/a.png"), (page * 0.9).astype(np.uint8))
    list_content(root)
    tables = tables_of(root)
    assert tables.images.loc[tables.images["near_copy"], "image_id"].tolist() == ["a.png"]
    shown = headline(tables, measured(tables), ruler)
    assert shown["f1_with_copy"] == pytest.approx(1 / 2)
    assert shown["f1_without_copy"] == 0.0


def test_the_ruler_changes_with_a_label_of_val_and_says_so(tmp_path, ruler):
    root = tmp_path / "dataset"
    assert statement(tmp_path, root).id == ruler.id
    (root / "val/labels/b.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    list_content(root)
    other = statement(tmp_path, root)
    assert other.id != ruler.id
    assert [one.split()[0] for one in differences(ruler.text(), other.text())] == ["val_content"]


def test_unlabelled_sheets_are_not_judged(report):
    assert set(report.matches["image_id"]) == {"a.png", "b.png", "t.png", "q.png"}
    assert report.matches.loc[report.matches["split"] == "pool", "outcome"].tolist() == ["fn"]


def test_a_folder_that_differs_from_its_list_is_not_read(tmp_path, tables):
    (tmp_path / "dataset/val/labels/a.txt").write_text("")
    with pytest.raises(UserError, match=r"val/labels/a\.txt.*yoloop data accept"):
        split_sheets(SPLITS, CLASSES, tmp_path / "dataset")


def test_everything_is_written_and_equal_results_are_equal_bytes(tables, report, ruler, tmp_path):
    for name in ("one", "two"):
        save(tables, report, ruler, tmp_path / name)
    digests = [
        {
            str(file.relative_to(tmp_path / name)): hashlib.sha256(file.read_bytes()).hexdigest()
            for file in (tmp_path / name).rglob("*")
            if file.is_file()
        }
        for name in ("one", "two")
    ]
    assert digests[0] == digests[1]
    parquet = ("errors", "ground_truth", "images", "ledger", "matches")
    assert sorted(digests[0]) == sorted(
        [
            *(f"data/validate/{name}.parquet" for name in parquet),
            *(f"data/validate/{name}.csv" for name in ("errors", "ledger", "scores", "sheets")),
            "metrics/validate.json",
            *(f"plots/validate/{name}.csv" for name in ("confusion", "f1_curve", "pr_curve")),
        ]
    )
    written = tmp_path / "one"
    for name, schema in [
        ("images", IMAGES), ("ground_truth", GROUND_TRUTH), ("matches", MATCHES),
        ("ledger", LEDGER), ("errors", ERRORS),
    ]:  # fmt: skip
        assert len(read_table(written / TABLES / f"{name}.parquet", schema)) > 0
    assert read_json(written / METRICS)["tp"] == 1
    assert list(pd.read_csv(written / PLOTS / "confusion.csv").columns) == ["actual", "predicted"]


def test_what_is_saved_gives_the_same_numbers_again(tables, report, ruler, tmp_path):
    save(tables, report, ruler, tmp_path)
    save_predicted(seen(tmp_path / "dataset"), tmp_path / "data/predict")
    mine = [
        read_table(tmp_path / TABLES / f"{name}.parquet", schema)
        for name, schema in {"images": IMAGES, "ground_truth": GROUND_TRUTH}.items()
    ]
    theirs = seen_on(split_sheets(SPLITS, CLASSES, tmp_path / "dataset"), tmp_path / "data/predict")
    repeated = measured(Tables(*mine, *theirs[1:]))
    pd.testing.assert_frame_equal(repeated.scores, report.scores)
    pd.testing.assert_frame_equal(repeated.matches.reset_index(drop=True), report.matches.reset_index(drop=True))


def test_nothing_seen_at_all(tmp_path):
    sheets = split_sheets(SPLITS, CLASSES, dataset(tmp_path))
    nothing = {
        "class_id": np.zeros(0, np.int32),
        "confidence": np.zeros(0),
        "xyxy": np.zeros((0, 4)),
        "features": NO_FEATURES,
    }
    blank = [prediction(one.sheet)._replace(**nothing) for one in sheets]
    for point in (FIXED, AUTO):
        report = measured(labelled_tables(sheets, *predicted_tables(sheets, blank)[:3], root=tmp_path), point)
        val = row_of(report.scores, split="val")
        assert (val["f1"], val["precision"], val["recall"], val["ap50"]) == (0.0, None, 0.0, 0.0)
        assert set(report.matches["outcome"]) == {"fn"}
        assert report.confidence == 0.25


def test_an_empty_pool_is_normal(tmp_path, ruler):
    labels = {name: text for name, text in LABELS.items() if not name.startswith("pool")}
    tables = tables_of(dataset(tmp_path / "no pool", labels))
    pool = headline(tables, measured(tables), ruler)["splits"][2]
    assert pool == {"split": "pool", "images": 0, "labelled": 0, "boxes": 0}


@pytest.mark.parametrize(
    ("val", "found"),
    [
        ({}, "no sheet"),
        ({"val/a.png": None}, "1 sheets, 0 with a label file"),
        ({"val/a.png": "", "val/b.png": None}, "2 sheets, 1 with a label file, no box"),
    ],
)
def test_no_ruler(tmp_path, val, found):
    root = dataset(tmp_path, {"train/t.png": LABELS["train/t.png"], **val})
    sheets = split_sheets(SPLITS, CLASSES, root)
    with pytest.raises(UserError, match=found):
        check_ruler(sheets, tmp_path)


def test_a_class_without_a_name_is_refused_before_predicting(tmp_path):
    root = dataset(tmp_path, {"val/a.png": "0 0.5 0.5 0.1 0.1\n2 0.5 0.5 0.1 0.1\n"})
    with pytest.raises(UserError, match=r"a\.txt:2: expected a class of params.yaml .* found class 2"):
        split_sheets(SPLITS, CLASSES, root)


def params_with(tmp_path, **changes):
    """Write params.yaml with `changes` of the section `validate`, and return it."""
    values = yaml.safe_load(person_params())
    values["validate"].update(changes)
    file = tmp_path / "params.yaml"
    file.write_text(yaml.safe_dump(values, sort_keys=False))
    return file


def test_params(tmp_path):
    params = read_section(Params, "validate", params_with(tmp_path))
    assert point_of(params, 0.01) == FIXED
    assert point_of(params.model_copy(update={"confidence": "auto"}), 0.9).confidence is None


def test_what_counts_must_have_been_saved(tmp_path):
    params = read_section(Params, "validate", params_with(tmp_path))
    assert point_of(params, 0.25).floor == 0.25
    with pytest.raises(UserError, match=r"predict.confidence_floor: at most validate.confidence \(0.25\), found 0.3"):
        point_of(params, 0.3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"iou": 0}, r"params.yaml:\d+: expected validate.iou: greater than 0, found 0"),
        ({"confidence": 1.5}, "validate.confidence: a number from 0 to 1, or auto, found 1.5"),
        ({"confidence": "high"}, "validate.confidence: a number from 0 to 1, or auto, found 'high'"),
        ({"treshold": 0.5}, "found 'validate.treshold'"),
    ],
)
def test_wrong_params_name_the_key(tmp_path, changes, message):
    with pytest.raises(UserError, match=message):
        read_section(Params, "validate", params_with(tmp_path, **changes))


@pytest.mark.parametrize("gone", ["val/b.png", "pool/new.png"])
def test_predictions_of_other_sheets_are_not_measured(tmp_path, gone):
    """A split that changed since `predict`: the score would be of sheets that nobody looked at, or looked at before."""
    root = dataset(tmp_path / "dataset")
    save_predicted(seen(root), tmp_path / "data/predict")
    now = dataset(
        tmp_path / "now", {**LABELS, gone: ""} if gone not in LABELS else {k: v for k, v in LABELS.items() if k != gone}
    )
    with pytest.raises(UserError, match=rf"found (some|none) on {gone}. The dataset changed since `predict`"):
        seen_on(split_sheets(SPLITS, CLASSES, now), tmp_path / "data/predict")
