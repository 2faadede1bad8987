"""What is said before a training: what filters cost, and how large objects look in training and at prediction."""

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from stages.base.decoding import read_bgr
from stages.dataset.sheets.manifest import MANIFEST, manifest_row, write_manifest
from stages.detector.prediction.filters import Filters
from stages.intake.contract.image_checks import read_headers
from stages.intake.expectations import expectation_lines, filter_cost, filter_sentence
from stages.intake.object_scale import FEW
from stages.project.yaml_edits import edited
from tests.fake_project import person_params

# Boxes of 40 x 40 and of 10 x 10 px on sheets of 400 x 200 px.
LABELS = {"train/a": "0 0.5 0.5 0.1 0.2\n", "val/b": "0 0.5 0.5 0.1 0.2\n1 0.2 0.2 0.025 0.05\n"}


@pytest.fixture
def root(tmp_path):
    (tmp_path / "params.yaml").write_text(edited(person_params(), {"classes": ["door", "window"], "train.imgsz": 800}))
    for name, rows in LABELS.items():
        split, stem = name.split("/")
        folder = tmp_path / "data/dataset" / split
        for kind in ("images", "labels"):
            (folder / kind).mkdir(parents=True)
        image, label = folder / "images" / f"{stem}.png", folder / "labels" / f"{stem}.txt"
        cv2.imwrite(str(image), np.full((200, 400, 3), 255, np.uint8))
        label.write_text(rows)
        write_manifest([manifest_row(image, label, added_iteration=0, label_source="import")], folder / MANIFEST)
    return tmp_path


def with_params(root, **values):
    file = root / "params.yaml"
    file.write_text(edited(file.read_text(), {f"predict.{key}": value for key, value in values.items()}))
    return expectation_lines(root)


def test_the_sizes_are_those_that_the_network_sees(root):
    # Longer side 400 px: twice as large at 800, and the median of 40 and 10 px is 25.
    lines = with_params(root, imgsz=800)
    assert lines[0] == "filters: none"
    assert lines[1].startswith("object size: 80 px in training, 50 px at prediction (0.62 times")


def test_a_mismatch_is_a_warning_that_names_the_mend(root):
    for split, stem in (("train", "a"), ("val", "b")):
        folder = root / "data/dataset" / split
        image, label = folder / f"images/{stem}.png", folder / f"labels/{stem}.txt"
        label.write_text(label.read_text() * FEW)  # fewer boxes would say little
        row = manifest_row(image, label, added_iteration=0, label_source="import")
        write_manifest([row], folder / MANIFEST)
    lines = with_params(root, imgsz=1600)
    assert "warning: door: 80 px in training and 160 px at prediction, 2.00 times" in "\n".join(lines)
    assert "lower predict.imgsz" in lines[-1]
    assert not any(line.startswith("warning: window") for line in lines)  # train has none: nothing to compare


def test_what_a_filter_costs_a_perfect_detector_is_said_before_it_is_trained(root):
    lines = with_params(root, **{"filters.min_side": 12})
    assert lines[0] == (
        "filters: min_side 12 deletes 1 of 2 true boxes of val: a perfect detector would reach recall 0.500"
    )


def test_a_picture_that_cannot_be_read_is_left_to_the_stage_that_opens_it(root):
    folder = root / "data/dataset/val"
    image = folder / "images/b.png"
    image.write_bytes(b"none")
    row = manifest_row(image, folder / "labels/b.txt", added_iteration=0, label_source="import")
    write_manifest([row], folder / MANIFEST)
    tiny = "the smallest tenth of objects, as the network sees them: door up to 80 px"  # of train
    assert with_params(root, imgsz=800) == ["filters: none", tiny]


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
def test_a_header_says_the_size_that_the_decoder_gives(tmp_path, suffix):
    """EXIF turns the picture by a quarter; PIL has counted that in for a TIFF alone."""
    exif = Image.Exif()
    exif[0x0112] = 6
    file = tmp_path / f"turned{suffix}"
    Image.fromarray(np.zeros((20, 40, 3), np.uint8)).save(file, exif=exif)
    height, width = read_bgr(file).shape[:2]
    assert next(read_headers([file])).size == (width, height) == (20, 40)


WIDE = [10, 10, 50, 20]  # 40 x 10 px
SMALL = [0, 0, 6, 6]
IMAGES = pd.DataFrame({"split": ["val", "train"], "image_id": ["a", "b"], "width": [100, 100], "height": [60, 60]})
TRUTH = pd.DataFrame(
    [("val", "a", 0, *WIDE), ("val", "a", 0, *SMALL), ("val", "a", 1, *SMALL), ("train", "b", 0, *WIDE)],
    columns=["split", "image_id", "class_id", "x1", "y1", "x2", "y2"],
)


def test_what_filters_cost_a_perfect_detector():
    filters = Filters(min_side=8)
    costs = filter_cost(
        ground_truth=TRUTH, images=IMAGES, filters=filters, classes=["door", "sink", "tree"], names=["val"]
    )
    assert costs["class_name"].tolist() == ["all", "door", "sink", "tree"]
    assert costs["boxes"].tolist() == [3, 2, 1, 0]
    assert costs["deleted"].tolist() == [2, 1, 1, 0]
    assert costs["recall"].tolist() == pytest.approx([1 / 3, 1 / 2, 0, np.nan], nan_ok=True)
    assert costs["f1"].tolist() == pytest.approx([1 / 2, 2 / 3, 0, np.nan], nan_ok=True)
    assert filter_sentence(costs, filters, split="val") == (
        "filters: min_side 8 deletes 2 of 3 true boxes of val: a perfect detector would reach recall 0.333"
    )


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(), "filters: none"),
        (Filters(max_area=500), "filters: max_area 500 deletes none of 3 true boxes of val"),
        (
            Filters(max_area=399, border=5),
            "filters: max_area 399 and border 5 delete 3 of 3 true boxes of val: a perfect detector would reach "
            "recall 0.000",
        ),
    ],
)
def test_the_sentence_on_filters(filters, expected):
    costs = filter_cost(ground_truth=TRUTH, images=IMAGES, filters=filters, classes=["door", "sink"], names=["val"])
    assert filter_sentence(costs, filters, split="val") == expected
