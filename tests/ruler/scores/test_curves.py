import numpy as np
import pandas as pd
import pytest

from stages.base.boxes import BOX
from stages.ruler.scores.curves import confusion, f1_curve, pr_curve

CLASSES = ["door", "window", "unseen"]
COLUMNS = ["split", "image_id", "class_id", *BOX]
TRUTH = pd.DataFrame(
    [
        ("val", "a", 0, 0, 0, 10, 10),
        ("val", "a", 1, 50, 50, 60, 60),
        ("val", "b", 1, 0, 0, 10, 10),
    ],
    columns=COLUMNS,
).assign(object_id=[0, 1, 0])
FOUND = pd.DataFrame(
    [
        ("val", "a", 0, 0, 0, 10, 10),  # right
        ("val", "a", 0, 50, 50, 60, 60),  # a window called a door
        ("val", "a", 1, 80, 80, 90, 90),  # nothing there
        ("val", "b", 1, 0, 0, 10, 10),  # right, but unsure
    ],
    columns=COLUMNS,
).assign(detection_id=[0, 1, 2, 0], confidence=[0.9, 0.8, 0.6, 0.1])


def test_pr_curve_has_101_rows_per_class_with_boxes_and_its_mean_is_map():
    table = pr_curve(detections=FOUND, ground_truth=TRUTH, classes=CLASSES, iou=0.5)
    assert table["class_name"].value_counts().to_dict() == {"all": 101, "door": 101, "window": 101}
    means = table.groupby("class_name")["precision"].mean()
    assert means["door"] == pytest.approx(1.0)
    assert means["window"] == pytest.approx(0.5 * 51 / 101)  # wrong, then right: precision 1/2 up to recall 1/2
    assert means["all"] == pytest.approx((means["door"] + means["window"]) / 2)


def test_f1_curve_counts_from_each_confidence_on():
    table = f1_curve(detections=FOUND, ground_truth=TRUTH, classes=CLASSES, iou=0.5, floor=0.05)
    assert set(table["class_name"]) == {"all", "door", "window"}
    rows = table[table["class_name"] == "all"].set_index("confidence")
    assert rows.index.min() == 0.05
    assert rows.index.max() == 1.0
    assert rows.loc[0.1, "f1"] == pytest.approx(4 / 7)  # tp 2, fp 2, fn 1
    assert rows.loc[0.6, "f1"] == pytest.approx(2 / 6)  # tp 1, fp 2, fn 2
    assert rows.loc[0.9, "precision"] == 1.0
    assert rows.loc[0.9, "recall"] == pytest.approx(1 / 3)
    assert rows.loc[0.91, "f1"] == 0.0
    assert np.isnan(rows.loc[0.91, "precision"])


def test_confusion_has_one_row_per_box():
    table = confusion(detections=FOUND, ground_truth=TRUTH, classes=CLASSES, iou=0.5, confidence=0.25)
    assert sorted(table.itertuples(index=False, name=None)) == [
        ("background", "window"),
        ("door", "door"),
        ("window", "background"),  # the right one is under the operating point
        ("window", "door"),
    ]


@pytest.mark.parametrize("found", [FOUND, FOUND.iloc[:0]])
def test_curves_of_nothing(found):
    empty = TRUTH.iloc[:0]
    assert len(pr_curve(detections=found, ground_truth=empty, classes=CLASSES, iou=0.5)) == 0
    table = f1_curve(detections=found, ground_truth=empty, classes=CLASSES, iou=0.5, floor=0.01)
    assert set(table["class_name"]) == {"all"}
    rows = confusion(detections=found, ground_truth=empty, classes=CLASSES, iou=0.5, confidence=0.25)
    assert len(rows) == (found["confidence"] >= 0.25).sum()
    assert set(rows["actual"]) <= {"background"}
    assert len(confusion(detections=found.iloc[:0], ground_truth=TRUTH, classes=CLASSES, iou=0.5, confidence=0.25)) == 3
