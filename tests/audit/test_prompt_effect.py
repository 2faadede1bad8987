import numpy as np
import pandas as pd
import pytest

from stages.audit.prompt_effect import change_text, class_counts, class_effects
from stages.ruler.scores.intervals import PairedChange

BOX = {"x1": 0.0, "y1": 0.0, "x2": 10.0, "y2": 10.0}


def rows(*entries, extra):
    frame = pd.DataFrame(
        [{"split": "val", "image_id": sheet, "class_id": class_id, **BOX, **more} for sheet, class_id, more in entries]
    )
    return frame.assign(**{extra: np.arange(len(frame))}).astype({"class_id": "int32", extra: "int32"})


def test_counts_by_sheet_and_class():
    truth = rows(("a", 0, {}), ("a", 1, {}), ("b", 1, {}), extra="object_id")
    seen = rows(
        ("a", 0, {"confidence": 0.9}),
        ("a", 1, {"confidence": 0.2}),  # under the operating confidence
        ("b", 0, {"confidence": 0.8}),
        extra="detection_id",
    )
    counts = class_counts(
        detections=seen,
        ground_truth=truth,
        sheets=[("val", "a"), ("val", "b"), ("val", "c")],
        classes=2,
        iou=0.5,
        confidence=0.25,
    )
    assert counts.tolist() == [[[1, 0, 0], [0, 0, 1]], [[0, 1, 0], [0, 0, 1]], [[0, 0, 0], [0, 0, 0]]]


def test_effects_are_paired_over_the_sheets():
    before = np.array([[[1, 0, 1]], [[2, 0, 2]]] * 6)
    now = np.array([[[2, 0, 0]], [[4, 0, 0]]] * 6)
    all_classes, only = class_effects(before=before, now=now, unit=np.arange(12), classes=["door"])
    assert (all_classes.class_name, only.class_name, only.boxes) == ("all", "door", 36)
    assert (only.f1_before, only.f1_now) == (pytest.approx(2 / 3), 1.0)
    assert only.recall.value == pytest.approx(0.5)
    assert only.recall.low > 0
    assert only.precision.value == 0
    assert all_classes[1:] == only[1:]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (PairedChange(0.031, 0.01, 0.052, 0.9), "+0.031 (+0.010 to +0.052)"),
        (PairedChange(-0.031, -0.052, -0.01, 0.0), "-0.031 (-0.052 to -0.010)"),
        (PairedChange(0.01, -0.02, 0.04, 0.7), "no effect measurable: +0.010 (-0.020 to +0.040)"),
        (PairedChange(0.0, 0.0, 0.0, 0.5), "no effect measurable: +0.000 (+0.000 to +0.000)"),
        (PairedChange(0.01, None, None, None), "+0.010, on too few sheets for an interval"),
        (PairedChange(None, None, None, None), "undefined"),
    ],
)
def test_a_change_in_words(change, text):
    assert change_text(change) == text
