"""Ultralytics' own validator on the boxes that we judge: the same decisions, another formula of AP."""

from types import SimpleNamespace

import numpy as np
import pytest

from stages.base.boxes import BOX
from stages.detector.model.runtime import start_ultralytics
from stages.ruler.matching.matching import hits
from stages.ruler.scores.average_precision import AP_IOUS, ap_of, hit_table
from tests.scenes import awkward, table


@pytest.fixture(scope="module", autouse=True)
def _ultralytics(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("home"))
        for name in ("YOLO_CONFIG_DIR", "YOLO_AUTOINSTALL", "YOLO_OFFLINE"):
            patch.setenv(name, "")  # put back what was there
        start_ultralytics()
        yield


def scene(seed):
    """Boxes without equal IoUs and confidences: of equal IoUs it takes the first box, COCO the last."""
    rng = np.random.default_rng(seed)
    truth, found, sheets = awkward(seed)
    truth[BOX] += rng.uniform(0, 0.01, (len(truth), 4))
    return truth, found.assign(confidence=rng.permutation(len(found)) / 1000), sheets


def decisions(truth, found):
    """What its validator says of each detection at each IoU."""
    import torch
    from ultralytics.engine.validator import BaseValidator
    from ultralytics.utils.metrics import box_iou

    validator = SimpleNamespace(iouv=torch.linspace(0.5, 0.95, 10))
    right = np.zeros((len(found), 10), dtype=bool)
    for on_sheet in found.groupby("image_id").indices.values():
        rows = on_sheet[np.argsort(-found["confidence"].to_numpy()[on_sheet], kind="stable")]
        there = truth[truth["image_id"] == found["image_id"].iloc[rows[0]]]
        if not len(there):
            continue
        (seen, boxes), (named, classes) = (
            [torch.tensor(part[key].to_numpy()) for part in (found.iloc[rows], there)] for key in (BOX, "class_id")
        )
        right[rows] = BaseValidator.match_predictions(validator, named, classes, box_iou(boxes, seen)).numpy()
    return right


@pytest.mark.parametrize("seed", range(25))
def test_it_decides_as_we_do(seed):
    truth, found, _ = scene(seed)
    ours = hits(detections=found, ground_truth=truth, thresholds=AP_IOUS)
    assert (decisions(truth, found) == ours).all()


def ultralytics_ap(truth, found):
    from ultralytics.utils.metrics import ap_per_class

    classes = truth["class_id"].to_numpy()
    right = hits(detections=found, ground_truth=truth, thresholds=AP_IOUS)
    return ap_per_class(right, found["confidence"].to_numpy(), found["class_id"].to_numpy(), classes)[5]


def test_its_ap_draws_straight_lines_between_recalls():
    boxes = [[0, 0, 10, 10], [20, 0, 30, 10]]
    truth = table([0, 0], [0, 0], boxes, "object_id")
    found = table([0, 0, 0], [0] * 3, [boxes[0], [50, 50, 60, 60], boxes[1]], "detection_id", [0.9, 0.8, 0.7])
    sheets = truth[["split", "image_id"]].drop_duplicates()
    ours = ap_of(hit_table(detections=found, ground_truth=truth, sheets=sheets, classes=1))
    # Right, wrong, right: precision 1 up to recall 1/2, then 2/3 up to 1. COCO takes the mean at 101 recalls; it takes
    # the area below straight lines, in which each step is a slope, also the one to 0 at the end.
    assert ours == pytest.approx((51 + 50 * 2 / 3) / 101)
    assert ultralytics_ap(truth, found) == pytest.approx((49 + 5 / 6 + 49 * 2 / 3 + 1 / 3) / 100)


def test_a_perfect_model_has_an_ap_of_0_995_there():
    truth, _, sheets = awkward(1)
    truth = truth.drop_duplicates(["image_id", "class_id", *BOX])
    found = truth.assign(confidence=0.9)
    present = np.unique(truth["class_id"])
    ours = ap_of(hit_table(detections=found, ground_truth=truth, sheets=sheets, classes=4))
    assert (ours[present] == 1).all()
    assert ultralytics_ap(truth, found) == pytest.approx(0.995)


def test_the_two_formulas_stay_close_where_there_are_many_boxes():
    truth, found, sheets = awkward(1, sheets=6)
    ours = ap_of(hit_table(detections=found, ground_truth=truth, sheets=sheets, classes=4))
    present = np.unique(truth["class_id"])
    gap = np.abs(ultralytics_ap(truth, found) - ours[present])
    assert 0 < gap.max() < 0.08
