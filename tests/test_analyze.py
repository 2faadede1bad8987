import hashlib
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import yaml

from stages import analyze
from stages.analysis.analysis_tables import FINDINGS
from stages.base.errors import UserError
from stages.base.params import read_section
from stages.base.tables import read_json, read_metrics, read_table, write_table
from stages.dataset.sheets.manifest import MANIFEST, manifest_row, write_manifest
from stages.dataset.sheets.split_folder import split_sheets
from stages.detector.prediction.box_features import FEATURES
from stages.detector.prediction.prediction_tables import predicted_tables, save_predicted
from stages.detector.prediction.predictor import Prediction
from stages.prompts.texts.prompt_file import read_prompts
from stages.ruler.labelled_tables import labelled_tables
from stages.ruler.matching.matching import SHEET, outcomes
from stages.ruler.schemas import GROUND_TRUTH, IMAGES, MATCHES
from stages.validate import SPLITS
from tests.fake_project import person_params

PROJECT = Path(__file__).parents[1]
CLASSES = ["door", "window"]
WIDTH, HEIGHT = 400, 200
PROMPTS = {"door": "door", "window": "opening in a wall"}
# What is on the sheets: class_id and pixel box. None: nobody looked.
TRUTH = {
    "train/t 1.png": [(0, [0, 0, 20, 20]), (1, [200, 100, 260, 140])],
    "val/a.png": [(0, [200, 110, 240, 130]), (1, [300, 150, 320, 160]), (1, [150, 110, 190, 130])],
    "pool/p.png": [(1, [180, 90, 240, 130])],
    "pool/q.png": None,
}
SEEN = {
    "t 1.png": [(1, 0.9, [200, 100, 260, 140])],
    "a.png": [(1, 0.9, [200, 110, 240, 130]), (1, 0.1, [150, 110, 190, 128])],
    "p.png": [],
    "q.png": [(0, 0.6, [10, 10, 30, 30]), (0, 0.02, [100, 100, 110, 110])],
}


def picture(boxes):
    """A white sheet on which every object is a checkerboard, so that only empty places are faint."""
    image = np.full((HEIGHT, WIDTH, 3), 255, dtype=np.uint8)
    for _, (x1, y1, x2, y2) in boxes:
        image[y1:y2:2, x1:x2] = 0
    return image


def make_project(root, seen=SEEN):
    params = yaml.safe_load(person_params())
    params["classes"] = CLASSES
    (root / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    for name, boxes in TRUTH.items():
        split, file = name.split("/")
        (root / "data/dataset" / split / "images").mkdir(parents=True, exist_ok=True)
        (root / "data/dataset" / split / "labels").mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(root / "data/dataset" / split / "images" / file), picture(boxes or []))
        if boxes is not None:
            rows = [
                f"{c} {(x1 + x2) / 2 / WIDTH} {(y1 + y2) / 2 / HEIGHT} {(x2 - x1) / WIDTH} {(y2 - y1) / HEIGHT}"
                for c, (x1, y1, x2, y2) in boxes
            ]
            (root / "data/dataset" / split / "labels" / file).with_suffix(".txt").write_text("\n".join(rows))
    for split in {name.split("/")[0] for name in TRUTH}:
        write_rows(root / "data/dataset" / split)
    (root / "data/prompts.yaml").write_text(yaml.safe_dump({"prompts": PROMPTS}))
    sheets = split_sheets(SPLITS, CLASSES, root / "data/dataset")
    boxes = predicted_tables(sheets, [predicted(one.sheet, seen[one.sheet.image_id]) for one in sheets])
    save_predicted(boxes, root / "data/predict")
    save_tables(labelled_tables(sheets, *boxes[:3], root=root / "data/dataset"), root / "data/validate")


def save_tables(tables, folder):
    """Write what `validate` would, with every sheet judged from confidence 0.25 on."""
    images = tables.images.assign(confidence=0.25)
    seen = tables.detections.merge(images.loc[images["labelled"], SHEET], on=SHEET)
    matches = outcomes(detections=seen, ground_truth=tables.ground_truth, iou=0.5, confidence=0.25)
    write_table(images, folder / "images.parquet", IMAGES)
    write_table(tables.ground_truth, folder / "ground_truth.parquet", GROUND_TRUTH)
    write_table(matches, folder / "matches.parquet", MATCHES)


def write_rows(folder):
    files = sorted((folder / "images").iterdir())
    rows = [
        manifest_row(file, folder / "labels" / f"{file.stem}.txt", added_iteration=0, label_source="import")
        for file in files
    ]
    write_manifest(rows, folder / MANIFEST)


def predicted(sheet, rows):
    return Prediction(
        sheet.image,
        WIDTH,
        HEIGHT,
        np.array([row[0] for row in rows], dtype=np.int32),
        np.array([row[1] for row in rows], dtype=float),
        np.array([row[2] for row in rows], dtype=float).reshape(-1, 4),
        features=np.zeros((len(rows), FEATURES), np.float16),
    )


@pytest.fixture
def project(tmp_path, monkeypatch):
    make_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def findings():
    return read_table(analyze.FINDINGS_FILE, FINDINGS)


def test_findings_by_hand(project):
    analyze.run()
    rows = {
        (row.split, row.outcome, row.object_id, row.detection_id): row for row in findings().fillna(-1).itertuples()
    }
    assert sorted(rows) == [
        ("pool", "fn", 0, -1),
        ("pool", "unjudged", -1, 0),
        ("pool", "unjudged", -1, 1),
        ("train", "fn", 0, -1),
        ("val", "fn", 0, -1),
        ("val", "fn", 1, -1),
        ("val", "fn", 2, -1),
        ("val", "fp", -1, 0),
    ]
    door, window, nearly = (rows["val", "fn", i, -1] for i in range(3))
    assert (door.size, door.position, door.overlapping, door.overlap_iou) == ("small", "edge", True, 1.0)
    assert (window.size, window.position, window.overlapping) == ("tiny", "corner", False)
    assert nearly.near_miss == 0.1
    assert rows["train", "fn", 0, -1].position == "corner"
    assert door.contrast == pytest.approx(127.5)
    assert not door.low_contrast
    empty = rows["pool", "unjudged", -1, 0]
    assert (empty.contrast, empty.low_contrast) == (0.0, True)


def test_metrics_and_suggestions(project):
    analyze.run()
    numbers = read_metrics(analyze.METRICS)
    assert numbers == {
        "fn": 3,
        "fp": 1,
        "near_miss": 1,
        "low_contrast": 0,
        "unusual_aspect": 0,
        "overlapping": 1,
        "suspect_labels": 0,  # a model that found nothing on val says nothing about its labels
    }
    counts = pd.read_csv(analyze.COUNTS).set_index(["split", "kind", "name"])["fn"]
    assert (counts["val", "size", "tiny"], counts["pool", "size", "medium"], counts["train", "position", "corner"]) == (
        1,
        1,
        1,
    )
    (door,) = read_json(analyze.SUGGESTIONS)["suggestions"]  # its misses say nothing: iteration 0 reads no prompts
    assert (door["class_name"], door["prompt"], door["misses"]) == ("door", "door", 1)
    assert [row["rule"] for row in door["suggestions"]] == ["bare_name"]


def test_misses_of_a_model_that_reads_prompts_speak_of_words(project):
    analyze.run()
    findings, truth = read_table(analyze.FINDINGS_FILE, FINDINGS), analyze.read_seen().ground_truth
    prompts = read_prompts(CLASSES)
    window, door = analyze.suggest_prompts(findings, truth, CLASSES, prompts, iou=0.3, told=True)
    assert (window["class_name"], window["misses"], window["boxes"]) == ("window", 3, 3)
    assert [row["rule"] for row in door["suggestions"]][:2] == ["bare_name", "confused"]


def test_crops_of_misses_go_to_train_and_pool_and_never_to_val(project):
    stale = analyze.CROPS / "pool" / "old.jpg"
    stale.parent.mkdir(parents=True)
    stale.write_text("of an earlier run")
    analyze.run()
    crops = sorted(str(file.relative_to(analyze.CROPS)) for file in analyze.CROPS.rglob("*.jpg"))
    digest = hashlib.sha256(b"t 1").hexdigest()[:6]
    assert crops == ["pool/p__medium__window__0.jpg", f"train/t_1-{digest}__tiny__door__0.jpg"]
    assert cv2.imread(str(analyze.CROPS / "pool/p__medium__window__0.jpg")).shape == (140, 160, 3)


def test_a_second_run_writes_the_same_bytes(project):
    def digests():
        folders = ("data/analyze", "plots/analyze", "metrics")
        files = [file for folder in folders for file in Path(folder).rglob("*") if file.is_file()]
        return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}

    analyze.run()
    first = digests()
    analyze.run()
    assert digests() == first
    assert {Path(name).name for name in first if name.endswith(".png")} == {
        "fn_by_size.png",
        "fn_by_position.png",
        "fn_by_class.png",
        "fn_heatmap.png",
        "fn_crops.png",
    }


def test_nothing_missed(tmp_path, monkeypatch):
    perfect = {name.split("/")[1]: [(c, 0.9, box) for c, box in boxes or []] for name, boxes in TRUTH.items()}
    make_project(tmp_path, perfect)
    monkeypatch.chdir(tmp_path)
    analyze.run()
    assert len(findings()) == 0
    assert read_json(analyze.SUGGESTIONS) == {"suggestions": []}
    assert len(list(analyze.PLOTS.glob("*.png"))) == 5
    assert not analyze.CROPS.exists()


def test_a_sheet_is_opened_only_for_findings(project):
    seen = {**SEEN, "q.png": []}
    make_project(project, seen)
    Path("data/dataset/pool/images/q.png").write_bytes(b"no picture")
    write_rows(Path("data/dataset/pool"))
    analyze.run()
    assert "q.png" not in set(findings()["image_id"])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda file: (file.unlink(), Path("data/dataset/val/labels/a.txt").unlink()), "found no file"),
        (lambda file: file.write_bytes(b"no picture"), "bytes that do not decode"),
        (
            lambda file: cv2.imwrite(str(file), np.zeros((50, 60, 3), np.uint8)),
            "expected a sheet of 400 × 200 px, found 60 × 50",
        ),
    ],
)
def test_a_sheet_that_changed_since_validate(project, spoil, message):
    spoil(Path("data/dataset/val/images/a.png"))
    write_rows(Path("data/dataset/val"))  # as if somebody had accepted it
    with pytest.raises(UserError, match=message):
        analyze.run()


def test_validate_has_not_run(project):
    (Path("data/validate") / "matches.parquet").unlink()
    with pytest.raises(UserError, match=r"matches\.parquet: expected a table, found no file"):
        analyze.run()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"small_area": 400}, r"analyze.small_area: more than analyze.tiny_area \(500"),
        ({"medium_area": 1}, "analyze.medium_area: more than analyze.small_area"),
        ({"aspect_max": 0.1}, "analyze.aspect_max: more than analyze.aspect_min"),
        ({"low_contrast": 200}, "analyze.low_contrast"),
        ({"heatmap_bins": 0}, "analyze.heatmap_bins"),
        ({"tiny_areas": 0}, "found 'analyze.tiny_areas'"),
    ],
)
def test_wrong_params_name_the_key(project, changes, message):
    values = yaml.safe_load(Path("params.yaml").read_text())
    values["analyze"].update(changes)
    Path("params.yaml").write_text(yaml.safe_dump(values))
    with pytest.raises(UserError, match=message):
        read_section(analyze.AnalyzeParams, "analyze")


def test_an_empty_pool_is_normal(project):
    images = read_table(Path("data/validate/images.parquet"), IMAGES)
    write_table(images[images["split"] != "pool"], Path("data/validate/images.parquet"), IMAGES)
    for name in ("ground_truth", "detections", "matches"):
        file = Path("data/predict" if name == "detections" else "data/validate", f"{name}.parquet")
        schema = getattr(analyze, name.upper())
        table = read_table(file, schema)
        write_table(table[table["split"] != "pool"], file, schema)
    analyze.run()
    counts = pd.read_csv(analyze.COUNTS).set_index("split")["fn"]
    assert (counts["pool"].sum(), counts["val"].sum() > 0) == (0, True)
