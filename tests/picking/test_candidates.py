import numpy as np
import pandas as pd
import pytest

from stages.base.boxes import BOX, iou_matrix
from stages.picking.candidates import least_sure, pool_candidates, without_duplicates

FINDING = {
    **{"split": "pool", "outcome": "unjudged", "class_id": 0, "object_id": pd.NA, "detection_id": 0, "confidence": 0.5},
    **{"x1": 10.0, "y1": 10.0, "x2": 30.0, "y2": 30.0, "size": "tiny", "position": "center"},
    **{"low_contrast": False, "unusual_aspect": False, "near_miss": pd.NA},
}
UNSURE = {"kind": "uncertain", "class_name": "door", "size": "tiny"}
WHOLE = {"kind": "nothing_seen", "class_name": "", "size": "", "x2": 200.0, "y2": 100.0}
TYPES = {"class_id": "int32", "object_id": "Int32", "detection_id": "Int32", "confidence": "Float64"}


def findings(*rows):
    frame = pd.DataFrame([FINDING | row for row in rows], columns=["image_id", *FINDING])
    return frame.astype(TYPES | {"near_miss": "Float64", "low_contrast": "bool", "unusual_aspect": "bool"})


def images(**labelled):
    """Sheets by name (all in the pool, unless the name starts with another split) and whether they have labels."""
    rows = [
        (name.split("_")[0] if "_" in name else "pool", f"{name}.png", 200, 100, value, 0.25)
        for name, value in labelled.items()
    ]
    columns = ["split", "image_id", "width", "height", "labelled", "confidence"]
    return pd.DataFrame(rows, columns=columns).astype({"labelled": "bool"})


def picked(frame):
    return list(zip(frame["kind"], frame["image_id"], strict=True))


@pytest.mark.parametrize(
    ("row", "sheet_is_labelled", "kinds"),
    [
        ({"outcome": "fn", "object_id": 3, "detection_id": pd.NA, "confidence": pd.NA}, True, ["missed"]),
        ({"outcome": "fp"}, True, []),  # a false alarm on a labelled sheet is no question: the label has answered
        ({"confidence": 0.5}, False, ["uncertain"]),
        ({"confidence": 0.1}, False, ["uncertain"]),  # exactly plausible
        ({"confidence": 0.0999}, False, ["nothing_seen"]),  # noise: the sheet itself is the candidate
        ({"confidence": 0.99}, False, ["uncertain"]),  # sure detections stay in; their score is low
    ],
)
def test_kinds(row, sheet_is_labelled, kinds):
    found = pool_candidates(
        images=images(a=sheet_is_labelled), findings=findings({"image_id": "a.png", **row}), plausible=0.1
    )
    assert found["kind"].tolist() == kinds


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_other_splits_never_go_to_review(split):
    sheets = images(**{f"{split}_a": False, f"{split}_b": True})
    rows = findings(
        {"image_id": f"{split}_a.png", "split": split},
        {"image_id": f"{split}_b.png", "split": split, "outcome": "fn", "object_id": 1},
    )
    assert pool_candidates(images=sheets, findings=rows, plausible=0.1).empty


def test_a_sheet_without_detections_is_one_candidate_that_covers_it():
    found = pool_candidates(images=images(a=False, b=True), findings=findings(), plausible=0.1)
    assert picked(found) == [("nothing_seen", "a.png")]
    assert found[["x1", "y1", "x2", "y2"]].values.tolist() == [[0, 0, 200, 100]]
    assert found[["class_id", "confidence"]].isna().all(axis=None)  # the threshold of a sheet is no detection's


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ([(0.9, 10.0), (0.3, 60.0), (0.6, 100.0)], {"confidence": 0.3, "x1": 60.0, **UNSURE}),
        ([(0.9, 10.0), (0.3, 10.0), (0.6, 100.0)], {"confidence": 0.6, "x1": 100.0, **UNSURE}),  # a double is left out
        ([(0.9, 10.0), (0.0999, 60.0)], {"confidence": 0.9, "x1": 10.0, **UNSURE}),  # and so is noise
        ([(0.9, 10.0), (0.1, 60.0)], {"confidence": 0.1, "x1": 60.0, **UNSURE}),
        ([(0.0999, 60.0)], {"confidence": None, "x1": 0.0, **WHOLE}),
        ([], {"confidence": None, "x1": 0.0, **WHOLE}),
    ],
)
def test_a_sheet_on_which_all_was_found_has_its_least_sure_detection(seen, expected):
    rows = [
        {"image_id": "a.png", "detection_id": i, "confidence": confidence, "x1": x, "x2": x + 20.0}
        for i, (confidence, x) in enumerate(seen)
    ]
    elsewhere = {"image_id": "b.png", "confidence": 0.2}
    row = least_sure(images(a=True), findings(*rows, elsewhere), ["door"], (500, 2000, 10000), plausible=0.1)
    assert row.astype(object).replace({pd.NA: None})[["image_id", *expected]].values.tolist() == [
        ["a.png", *expected.values()]
    ]


def test_empty_pool_has_no_candidates_and_all_columns():
    found = pool_candidates(images=images(), findings=findings(), plausible=0.1)
    assert found.empty
    assert {"kind", "class_id", "near_miss", "width"} <= set(found.columns)


def test_order_does_not_depend_on_the_order_of_the_findings():
    rows = [{"image_id": f"{name}.png", "detection_id": i, "x1": 9.0 * i} for name in "ba" for i in (0, 1)]
    sheets = images(a=False, b=False, c=False)
    one = pool_candidates(images=sheets, findings=findings(*rows), plausible=0.1)
    other = pool_candidates(images=sheets, findings=findings(*reversed(rows)), plausible=0.1)
    pd.testing.assert_frame_equal(one, other)


@pytest.mark.parametrize(
    ("second", "kept"),
    [
        ({"x1": 10.0, "confidence": 0.4}, [0]),  # the same place: the more confident one speaks
        ({"x1": 10.0, "confidence": 0.6}, [1]),
        ({"x1": 10.0, "confidence": 0.5}, [0]),  # a tie: the first detection
        ({"x1": 10.0, "confidence": 0.4, "class_id": 1}, [0]),  # another class makes no other place
        ({"x1": 20.0, "confidence": 0.4}, [0, 1]),  # half of it: IoU 0.5 exactly is no overlap "above 0.5"
        ({"x1": 19.0, "confidence": 0.4}, [0]),  # 20 x 11 of 20 x 20: IoU 0.55
        ({"x1": 10.0, "confidence": 0.4, "image_id": "b.png"}, [0, 1]),  # another sheet
    ],
)
def test_overlapping_detections_are_one_question(second, kept):
    both = findings({"image_id": "a.png"}, {"image_id": "a.png", "detection_id": 1, **second})
    assert without_duplicates(both)["detection_id"].sort_values().tolist() == kept


def test_doubles_are_those_of_a_plain_loop():
    """Sheet by sheet, from the surest box on: what lies on a kept one goes."""
    rng = np.random.default_rng(0)
    corner = rng.uniform(0, 60, (400, 2))
    table = pd.DataFrame(np.hstack([corner, corner + rng.uniform(10, 30, (400, 2))]), columns=BOX)
    table["image_id"] = rng.choice([f"{n}.png" for n in range(12)], 400)
    table["confidence"] = rng.choice([0.2, 0.5, 0.9], 400)
    table["detection_id"] = np.arange(400)
    kept = []
    for _, sheet in table.sort_values(["confidence", "detection_id"], ascending=[False, True]).groupby("image_id"):
        own: list[int] = []
        for label, box in zip(sheet.index, sheet[BOX].to_numpy(), strict=True):
            if not own or iou_matrix(box[None], table.loc[own, BOX].to_numpy()).max() <= 0.5:
                own.append(label)
        kept += own
    assert without_duplicates(table).index.tolist() == kept
    assert 100 < len(kept) < 390
