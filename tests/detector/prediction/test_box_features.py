"""The features of a detection come from the maps that the head looks at: they stand beside its box and tell of it."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from stages.base.boxes import iou_matrix, xywhn_to_xyxy
from stages.dataset.sheets.split_folder import Sheet, SplitSheet, read_labels, sheets_in
from stages.detector.model.runtime import start_ultralytics
from stages.detector.prediction.box_features import FEATURES, box_features, watch
from stages.detector.prediction.prediction_tables import FEATURE_FLOOR, predicted_tables
from tests.detector.conftest import seen
from tests.toy import CLASSES, SIDE, write_yolo_folder

pytestmark = pytest.mark.slow
SURE = 0.5  # confidence from which a detection of the toy weights is an object


@pytest.fixture
def sheets(workplace: Path):
    return sheets_in(write_yolo_folder(workplace / "easy", {"val": 10}, seed=7) / "val")


def rewritten(sheet: Sheet, name: str, change) -> Sheet:
    """Return a sheet with the picture that `change` makes of that of `sheet`."""
    file = Path(name).resolve()
    assert cv2.imwrite(str(file), change(cv2.imread(str(sheet.image))))
    return Sheet(file, file.with_suffix(".txt"))


def lying_on(one, boxes):
    """Return for each of `boxes` which sure detection lies on it, and whether one does."""
    overlap = iou_matrix(boxes, one.xyxy[one.confidence >= SURE])
    return overlap.argmax(axis=1), overlap.max(axis=1) > 0.7


def test_each_detection_has_features_of_length_one(toy_weights, sheets):
    for one in seen(toy_weights, sheets, 0.001, 1000):
        assert one.features.shape == (len(one.confidence), FEATURES)
        assert one.features.dtype == np.float16
        assert np.linalg.norm(one.features.astype(float), axis=1) == pytest.approx(1, abs=2e-3)


def test_an_object_is_nearer_to_itself_on_another_sheet_than_to_one_of_another_class(toy_weights, sheets):
    """A mirrored copy holds the same objects elsewhere: only its box finds one."""
    mirrored = [
        rewritten(sheet, f"mirrored-{place}.png", lambda image: image[:, ::-1]) for place, sheet in enumerate(sheets)
    ]
    nearer = 0
    for sheet, here, there in zip(
        sheets, *(seen(toy_weights, s, 0.001, 1000) for s in (sheets, mirrored)), strict=True
    ):
        labels = read_labels(sheet.label, CLASSES)
        boxes = xywhn_to_xyxy(labels.xywhn, width=SIDE, height=SIDE)
        across = np.stack([SIDE - boxes[:, 2], boxes[:, 1], SIDE - boxes[:, 0], boxes[:, 3]], axis=1)
        (first, found), (second, found_across) = lying_on(here, boxes), lying_on(there, across)
        both = found & found_across
        classes = labels.class_id[both]
        cosine = here.features[first[both]].astype(float) @ there.features[second[both]].astype(float).T
        for place, row in enumerate(cosine):
            others = row[classes != classes[place]]
            assert (row[place] > others).all()
            nearer += len(others)
    assert nearer > 10


def test_a_batch_changes_no_features_beyond_their_precision(toy_weights, sheets):
    for alone, together in zip(*(seen(toy_weights, sheets, 0.01, 1000, batch=b) for b in (1, 2)), strict=True):
        assert len(alone.features) == len(together.features) > 0
        np.testing.assert_allclose(together.features.astype(float), alone.features.astype(float), rtol=0, atol=1e-3)


def test_a_sheet_on_which_nothing_is_seen_has_none(toy_weights, sheets):
    blank = rewritten(sheets[0], "blank.png", lambda image: np.full_like(image, 245))
    before, empty, after = seen(toy_weights, [sheets[0], blank, sheets[1]], 0.3, 1000, batch=3)
    assert empty.features.shape == (0, FEATURES)
    split = [SplitSheet("val", sheet, None) for sheet in (sheets[0], blank, sheets[1])]
    assert predicted_tables(split[1:2], [empty]).features.shape == (0, FEATURES)
    assert len(predicted_tables(split, [before, empty, after]).features) == len(before.features) + len(after.features)


def test_a_filter_drops_the_features_of_what_it_drops(toy_weights, sheets):
    whole, cut = (seen(toy_weights, sheets, 0.01, 1000, **limits) for limits in ({}, {"min_side": 20}))
    for before, after in zip(whole, cut, strict=True):
        large = (before.xyxy[:, 2:] - before.xyxy[:, :2]).min(axis=1) >= 20
        assert after.features.tobytes() == before.features[large].tobytes()
    assert 0 < sum(len(one.features) for one in cut) < sum(len(one.features) for one in whole)


def test_saved_are_the_features_of_the_detections_that_somebody_compares(toy_weights, sheets):
    predictions = seen(toy_weights, sheets, 0.001, 1000)
    saved = predicted_tables([SplitSheet("val", sheet, None) for sheet in sheets], predictions)
    rows = saved.detections[saved.detections["confidence"] >= FEATURE_FLOOR]
    of = {sheet.image_id: one for sheet, one in zip(sheets, predictions, strict=True)}
    expected = [of[row.image_id].features[row.detection_id] for row in rows.itertuples()]
    assert 0 < len(rows) < len(saved.detections)
    assert saved.features.tobytes() == np.stack(expected).tobytes()


@pytest.mark.parametrize("prompted", [False, True])
def test_a_head_with_prompts_has_features_too(workplace, prompted):
    """A promptable head is given the vectors of its prompts beside the maps."""
    start_ultralytics()
    import torch
    from ultralytics.nn.tasks import DetectionModel, YOLOEModel

    kind, name = (YOLOEModel, "yoloe-26n.yaml") if prompted else (DetectionModel, "yolo26n.yaml")
    model = kind(name, nc=3, verbose=False).eval()
    if prompted:
        model.set_classes(["a", "b", "c"], torch.randn(1, 3, 512))
    maps = watch(model.model[-1])
    with torch.inference_mode():
        model(torch.rand(2, 3, 64, 64))
        features = box_features(maps, torch.tensor([[0, 0, 20, 20], [30, 30, 60, 40]]), sheet=1, height=64)
    assert [tuple(level.shape[2:]) for level in maps] == [(8, 8), (4, 4), (2, 2)]
    assert features.shape == (2, FEATURES)
    assert features.norm(dim=1).tolist() == pytest.approx([1, 1], abs=1e-5)
