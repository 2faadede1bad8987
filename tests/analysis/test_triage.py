import pandas as pd
import pytest

from stages.analysis.triage import is_trusted, judgement, triage
from stages.base.boxes import BOX
from stages.ruler.matching.matching import outcomes

IOU, THRESHOLD = 0.5, 0.25
COMMON = 40  # objects of each class that the model found, from 0.30 to 0.69 sure, on a sheet of their own


def box(x, y=0.0, w=20.0, h=20.0):
    return (float(x), float(y), float(x + w), float(y + h))


USUAL = [(class_id, box(40 * i, 100 * class_id)) for class_id in (0, 1) for i in range(COMMON)]
USUAL_SEEN = [(class_id, 0.30 + 0.01 * (i % COMMON), at) for i, (class_id, at) in enumerate(USUAL)]


def table(rows, name):
    columns = ["split", "image_id", name, "class_id", *(["confidence"] if name == "detection_id" else []), *BOX]
    return pd.DataFrame([("val", sheet, number, *row) for sheet, number, *row in rows], columns=columns)


def judge(labels, seen, *, trusted=True):
    """Return the rows of the triage for one sheet, beside the sheet where all is as usual."""
    labels = [("usual.png", i, c, *at) for i, (c, at) in enumerate(USUAL)] + [
        ("a.png", i, c, *at) for i, (c, at) in enumerate(labels)
    ]
    seen = [("usual.png", i, c, p, *at) for i, (c, p, at) in enumerate(USUAL_SEEN)] + [
        ("a.png", i, c, p, *at) for i, (c, p, at) in enumerate(sorted(seen, key=lambda one: -one[1]))
    ]
    boxes = {"ground_truth": table(labels, "object_id"), "detections": table(seen, "detection_id")}
    images = pd.DataFrame(
        [("val", name, True, THRESHOLD) for name in ("usual.png", "a.png")],
        columns=["split", "image_id", "labelled", "confidence"],
    )
    rows = triage(
        images=images, **boxes, matches=outcomes(**boxes, iou=IOU, confidence=THRESHOLD), iou=IOU, trusted=trusted
    )
    return rows[rows["image_id"] == "a.png"].drop(columns=["split", "image_id"])


def told(rows):
    shown = rows[["kind", "judgement", "object_id", "detection_id"]].astype(object)
    return [tuple(None if pd.isna(value) else value for value in row) for row in shown.to_numpy().tolist()]


HERE = box(100)
CASES = {
    "a sure detection where no label lies": ([], [(0, 0.9, HERE)], [("missing_box", "label", None, 0)]),
    "an unsure one": ([], [(0, 0.3, HERE)], [("false_alarm", "model", None, 0)]),
    "a second one on a found object": (
        [(0, HERE)],
        [(0, 0.9, HERE), (0, 0.8, box(103))],
        [("false_alarm", "model", None, 1)],
    ),
    "two classes on one unlabelled object: the surer one is meant": (
        [],
        [(0, 0.9, HERE), (1, 0.8, HERE)],
        [("missing_box", "label", None, 0), ("false_alarm", "model", None, 1)],
    ),
    "another class, and nothing of its own": ([(0, HERE)], [(1, 0.9, HERE)], [("wrong_class", "label", 0, 0)]),
    "another class, but its own as well": (
        [(0, HERE)],
        [(1, 0.9, HERE), (0, 0.24, HERE)],
        [("missed", "model", 0, None), ("false_alarm", "model", None, 0)],
    ),
    "a sure detection beside it": ([(0, HERE)], [(0, 0.9, box(110))], [("badly_placed", "label", 0, 0)]),
    "a sure detection that nearly found it": (
        [(0, HERE)],
        [(0, 0.9, box(106.8))],  # IoU 0.493
        [("missed", "model", 0, None), ("false_alarm", "model", None, 0)],
    ),
    "a second label on a found object": (
        [(0, HERE), (0, box(101))],
        [(0, 0.9, HERE)],
        [("duplicate", "label", 1, None)],
    ),
    "a second label of another class": (
        [(0, HERE), (1, box(101))],
        [(0, 0.9, HERE)],
        [("duplicate", "label", 1, None)],
    ),
    "a dot where nothing is": ([(0, box(100, w=1, h=1))], [], [("stray", "label", 0, None)]),
    "a usual label where nothing is": ([(0, HERE)], [], [("missed", "model", 0, None)]),
    "a dot that the model has an idea of": (
        [(0, box(100, w=1, h=1))],
        [(1, 0.24, box(100, w=1, h=1))],
        [("missed", "model", 0, None)],
    ),
    "a found label": ([(0, HERE)], [(0, 0.9, HERE)], []),
    "a found label that fits worse than all others": (
        [(0, HERE)],
        [(0, 0.9, box(106))],  # IoU 0.538
        [("badly_placed", "unclear", 0, 0)],
    ),
}


@pytest.mark.parametrize(("labels", "seen", "expected"), CASES.values(), ids=CASES.keys())
def test_who_is_wrong(labels, seen, expected):
    assert told(judge(labels, seen)) == expected


def test_the_evidence_is_in_the_row():
    (row,) = judge([(0, HERE)], [(1, 0.9, HERE)]).to_dict("records")
    assert (row["class_id"], row["other_class_id"], row["confidence"], row["iou"]) == (0, 1, 0.9, 1.0)
    assert row["sure"] == 1.0  # surer than of any of the usual ones
    assert row["right"] == pytest.approx((40 + 10) / 51, abs=0.2)  # the alarm itself is the only wrong one
    assert row["score"] == pytest.approx(row["right"])


def test_a_class_that_is_often_seen_where_none_is_says_little():
    rows = judge([], [(0, 0.9 + i / 1000, box(40 * i)) for i in range(80)])
    assert "label" not in set(rows["judgement"])


def test_the_same_on_every_order_of_the_rows():
    forward = judge([(0, HERE), (0, box(300))], [(1, 0.9, HERE), (0, 0.8, box(310))])
    backward = judge([(0, box(300)), (0, HERE)], [(0, 0.8, box(310)), (1, 0.9, HERE)])
    scores = [rows.sort_values("kind")[["kind", "score"]].to_numpy().tolist() for rows in (forward, backward)]
    assert scores[0] == scores[1]


def test_nothing_to_judge():
    assert judge([], []).empty


@pytest.mark.parametrize(("score", "said"), [(0.0, "model"), (0.25, "unclear"), (0.499, "unclear"), (0.5, "label")])
def test_judgement(score, said):
    assert judgement(score) == said


def test_a_model_that_is_not_trusted_is_no_evidence_but_two_labels_on_one_place_are():
    assert told(judge([], [(0, 0.9, HERE)], trusted=False)) == [("false_alarm", "model", None, 0)]
    assert told(judge([(0, HERE)], [(1, 0.9, HERE)], trusted=False)) == [
        ("missed", "model", 0, None),
        ("false_alarm", "model", None, 0),
    ]
    twins = judge([(0, HERE), (0, box(101))], [(0, 0.9, HERE)], trusted=False)
    assert told(twins) == told(judge([(0, HERE), (0, box(101))], [(0, 0.9, HERE)]))
    assert twins["kind"].tolist() == ["duplicate"]


@pytest.mark.parametrize(
    ("tp", "fp", "fn", "trusted"),
    [(1, 1, 1, True), (2, 2, 3, False), (0, 0, 0, False), (0, 1, 0, False), (9, 0, 0, True)],
)
def test_a_model_is_trusted_from_f1_of_a_half_on_val_on(tp, fp, fn, trusted):
    outcome = ["tp"] * tp + ["fp"] * fp + ["fn"] * fn
    val = pd.DataFrame({"split": "val", "outcome": outcome})
    train = pd.DataFrame({"split": "train", "outcome": ["tp"] * 50})
    assert is_trusted(pd.concat([val, train])) is trusted
