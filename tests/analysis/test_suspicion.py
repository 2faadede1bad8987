import pandas as pd
import pytest

from stages.analysis.suspicion import KINDS, suspicion

ROW = {"class_id": 0, "other_class_id": 1, "confidence": 0.9, "sure": 0.8, "right": 0.95, "iou": 0.31}
SEEN = "The model is 90% sure of {} (surer than of 80% of those that it finds; 95% of such detections are right)."


@pytest.mark.parametrize(
    ("kind", "changes", "said"),
    [
        ("missing_box", {"other_class_id": pd.NA}, SEEN.format("door") + " No label lies there."),
        (
            "wrong_class",
            {},
            f"It is labelled door. {SEEN.format('window')} It is not sure of any door there.",
        ),
        (
            "badly_placed",
            {"other_class_id": pd.NA},
            SEEN.format("door") + " Its box and the label overlap by 0.31 (IoU) only.",
        ),
        (
            "duplicate",
            {"confidence": pd.NA},
            "The label door lies on another label, window: one of the two is too much.",
        ),
    ],
)
def test_the_sentence_names_the_numbers(kind, changes, said):
    assert suspicion(ROW | {"kind": kind} | changes, ["door", "window"]) == said


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_sentence_without_a_detection(kind):
    bare = {"kind": kind, "other_class_id": pd.NA, "confidence": pd.NA, "iou": 0.0}
    assert suspicion(ROW | bare, ["door", "window"])
