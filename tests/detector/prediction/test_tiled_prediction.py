"""Sheets that are seen in windows, with a detector that was trained on toy sheets of 128 px."""

import cv2
import numpy as np
import pytest

from stages.base.boxes import iou_matrix, xywhn_to_xyxy
from stages.dataset.sheets.split_folder import Labels, read_labels, sheets_in
from stages.detector.prediction.filters import Filters
from stages.detector.prediction.prediction_params import FilterParams, PredictParams
from stages.detector.prediction.predictor import predict
from stages.detector.prediction.tiles.windows import Tiling
from stages.ruler.pairing.evidence import REASONS
from tests.toy import CLASSES

pytestmark = pytest.mark.slow
SIDE = 128  # px of a toy sheet


@pytest.fixture
def large(easy_sheets, workplace):
    """A sheet of four by two toy sheets, and its labels."""
    rows, pictures = [], []
    for number, sheet in enumerate(sheets_in(easy_sheets / "train")[:8]):
        pictures.append(cv2.imread(str(sheet.image)))
        labels = read_labels(sheet.label, CLASSES)
        corner = np.array([number % 4, number // 4] * 2) * SIDE
        boxes = xywhn_to_xyxy(labels.xywhn, width=SIDE, height=SIDE) + corner
        rows += [(key, *box) for key, box in zip(labels.class_id, boxes, strict=True)]
    whole = np.vstack([np.hstack(pictures[:4]), np.hstack(pictures[4:])])
    cv2.imwrite(str(workplace / "large.png"), whole)
    table = np.array(rows)
    sizes = np.array([4 * SIDE, 2 * SIDE] * 2)
    centre = np.hstack([(table[:, 1:3] + table[:, 3:]) / 2, table[:, 3:] - table[:, 1:3]]) / sizes
    return workplace / "large.png", Labels(table[:, 0].astype(np.int32), centre), table[:, 1:]


def seen(weights, image, tiling, *, labels=None, batch=1, max_det=300):
    limits = FilterParams(**Filters()._asdict())
    how = {"imgsz": SIDE, "batch": batch, "device": "cpu", "confidence_floor": 0.01, "max_det": max_det}
    params = PredictParams(**how, filters=limits)
    told = None if labels is None else [labels]
    return next(predict(weights, [image], classes=CLASSES, prompts={}, params=params, labels=told, tiling=tiling))


def found(prediction, labels, boxes):
    """Return how many of the boxes a detection of their class lies on, from a confidence of 0.25 on."""
    sure = prediction.confidence >= 0.25
    same = prediction.class_id[sure][:, None] == labels.class_id[None]
    return int(((iou_matrix(prediction.xyxy[sure], boxes) >= 0.5) & same).any(0).sum())


def test_in_windows_what_was_too_small_is_found(toy_weights, large):
    image, labels, boxes = large
    whole, cut = seen(toy_weights, image, None), seen(toy_weights, image, Tiling(SIDE, 32))
    assert found(cut, labels, boxes) > 0.8 * len(boxes)
    assert found(whole, labels, boxes) < 0.5 * found(cut, labels, boxes)
    assert (cut.width, cut.height) == (4 * SIDE, 2 * SIDE)
    assert (np.diff(cut.confidence) <= 0).all()
    assert cut.features.shape == (len(cut.class_id), 64)
    overlaps = iou_matrix(cut.xyxy, cut.xyxy) * (cut.class_id[:, None] == cut.class_id[None])
    assert (np.triu(overlaps, 1) < 0.7).all()  # no object is there twice


def test_a_sheet_that_fits_is_seen_as_without_windows(toy_weights, large):
    image, labels, _ = large
    whole, cut = (seen(toy_weights, image, tiling, labels=labels) for tiling in (None, Tiling(512, 64)))
    for name in ("class_id", "confidence", "xyxy", "features"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(cut, name))
    for one, other in zip(whole.discarded, cut.discarded, strict=True):
        np.testing.assert_array_equal(one, other)


def test_windows_side_by_side_give_what_they_give_one_by_one(toy_weights, large):
    one, four = (seen(toy_weights, large[0], Tiling(SIDE, 32), batch=batch) for batch in (1, 4))
    np.testing.assert_allclose(one.xyxy, four.xyxy, atol=0.01)
    np.testing.assert_array_equal(one.class_id, four.class_id)


def test_what_the_merge_takes_can_say_what_became_of_a_box(toy_weights, large):
    image, labels, boxes = large
    told = seen(toy_weights, image, Tiling(SIDE, 32), labels=labels)
    assert set(told.discarded.reason) <= set(REASONS)
    assert "merge" in told.discarded.reason
    few = seen(toy_weights, image, Tiling(SIDE, 32), labels=labels, max_det=5)
    assert len(few.class_id) == 5
    assert few.confidence.min() >= told.confidence[4]
    assert "max_det" in few.discarded.reason
    placed = iou_matrix(told.discarded.xyxy, boxes).max(1)
    assert (placed >= 0.1).all()  # in px of the sheet, as labels are
