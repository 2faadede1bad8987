import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.base.boxes import BOX
from stages.ruler.scores.metrics import interpolated, ratios


@pytest.mark.parametrize(
    ("tp", "fp", "fn", "f1", "precision", "recall"),
    [
        (3, 1, 2, 6 / 9, 3 / 4, 3 / 5),
        (0, 0, 5, 0.0, None, 0.0),  # nothing seen: precision says nothing
        (0, 4, 0, 0.0, 0.0, None),  # nothing there: recall says nothing
        (0, 0, 0, None, None, None),
        (7, 0, 0, 1.0, 1.0, 1.0),
    ],
)
def test_ratios(tp, fp, fn, f1, precision, recall):
    assert ratios(tp=tp, fp=fp, fn=fn) == {"f1": f1, "precision": precision, "recall": recall}


def test_interpolated_by_hand():
    # Of 4 boxes: right, wrong, right, and two never found. Precision 1 up to recall 1/4, then 2/3 up to 2/4.
    hit, confidence = np.array([True, True, False]), np.array([0.9, 0.4, 0.6])
    curve = interpolated(hit=hit, confidence=confidence, boxes=4)
    assert curve.precision[:26].tolist() == [1.0] * 26  # recall 0.00 to 0.25
    assert curve.precision[26:51] == pytest.approx(2 / 3)  # 0.26 to 0.50
    assert curve.precision[51:].tolist() == [0.0] * 50
    assert curve.confidence[25] == 0.9
    assert curve.confidence[50] == 0.4
    assert np.isnan(curve.confidence[51:]).all()


def test_interpolated_without_detections_is_zero():
    curve = interpolated(hit=np.zeros(0, dtype=bool), confidence=np.zeros(0), boxes=3)
    assert (curve.precision == 0).all()


def scene(seed, sheets=12, classes=4):
    """Ground truth and jittered detections of it, with doubles, false alarms and misses."""
    rng = np.random.default_rng(seed)
    truth, found = [], []
    for sheet in range(sheets):
        count = int(rng.integers(0, 15))
        xy, size = rng.uniform(0, 300, (count, 2)), rng.uniform(4, 80, (count, 2))
        boxes, ids = (
            np.hstack([xy, xy + size]),
            rng.integers(0, classes - 1, count),
        )  # the last class has no box
        truth += [("val", f"{sheet}.png", i, ids[i], *boxes[i]) for i in range(count)]
        for box, name in zip(np.repeat(boxes, 2, axis=0), np.repeat(ids, 2), strict=True):
            if rng.random() < 0.7:
                moved = box + rng.normal(0, 0.08, 4) * np.tile(box[2:] - box[:2], 2)
                seen = name if rng.random() < 0.9 else rng.integers(0, classes)
                found.append(("val", f"{sheet}.png", len(found), seen, *np.sort(moved.reshape(2, 2), axis=0).ravel()))
    truth = pd.DataFrame(truth, columns=["split", "image_id", "object_id", "class_id", *BOX])
    found = pd.DataFrame(found, columns=["split", "image_id", "detection_id", "class_id", *BOX])
    return truth, found.assign(confidence=rng.permutation(len(found)) / max(len(found), 1))


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), max_size=20), st.integers(0, 5))
@settings(deadline=None)
def test_interpolated_precision_never_rises(pairs, unseen):
    hit, confidence = np.array([p[0] for p in pairs], dtype=bool), np.array([p[1] for p in pairs])
    boxes = max(1, int(hit.sum()) + unseen)
    precision = interpolated(hit=hit, confidence=confidence, boxes=boxes).precision
    assert (np.diff(precision) <= 0).all()
    assert 0 <= precision.min() <= precision.max() <= 1
