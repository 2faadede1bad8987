"""The statement of how a score is measured."""

import json

import pytest

from stages.detector.prediction.prediction_params import NMS_IOU
from stages.ruler.statement import MATCHING, Ruler, content_digest, differences

RULER = Ruler(
    iou=0.5,
    matching=MATCHING,
    confidence=0.25,
    confidence_floor=0.01,
    nms_iou=NMS_IOU,
    max_det=1000,
    imgsz=2560,
    filters={},
    classes=("detail", "elevation"),
    val_sheets=2,
    val_content=content_digest([("a.png", "1", "2"), ("b.png", "3", "")]),
)
OTHERS = {
    "iou": 0.6,
    "matching": "by hand",
    "confidence": "auto",
    "confidence_floor": 0.02,
    "nms_iou": 0.5,
    "max_det": 300,
    "imgsz": 1280,
    "filters": {"min_side": 12.0},
    "classes": ("elevation", "detail"),
    "val_sheets": 3,
    "val_content": "0" * 16,
    "tile": 1024,
    "overlap": 128,
}


def test_every_part_of_it_changes_the_id():
    assert set(OTHERS) == set(Ruler._fields)
    ids = {RULER.id, *(RULER._replace(**{key: value}).id for key, value in OTHERS.items())}
    assert len(ids) == 1 + len(OTHERS)


def test_the_text_says_it_all_and_gives_the_difference_in_words():
    assert json.loads(RULER.text()) == RULER.statement()
    now = RULER._replace(imgsz=1280, filters={"min_side": 12.0})
    assert differences(RULER.text(), now.text()) == ["imgsz 2560, now 1280", "filters none, now min_side 12.0"]
    assert differences(RULER.text(), RULER.text()) == []


def test_a_key_that_the_older_one_lacks_is_a_difference():
    old = {key: value for key, value in RULER.statement().items() if key != "nms_iou"}
    assert differences(json.dumps(old), RULER.text()) == ["nms_iou unknown, now 0.7"]


def test_without_windows_nothing_is_said_of_them_and_with_them_it_differs():
    assert not {"tile", "overlap"} & set(RULER.statement())
    now = RULER._replace(tile=1024, overlap=128)
    assert differences(RULER.text(), now.text()) == ["tile none, now 1024", "overlap none, now 128"]
    assert differences(now.text(), RULER.text()) == ["tile 1024, now none", "overlap 128, now none"]


@pytest.mark.parametrize("text", ["", "[]", "{"])
def test_what_is_no_statement_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        differences(text, RULER.text())


def test_the_content_of_val_does_not_depend_on_its_order_but_on_every_digest():
    sheets = [("a.png", "1", "2"), ("b.png", "3", "")]
    assert content_digest(sheets[::-1]) == content_digest(sheets)
    changed = [[("a.png", "1", "2"), ("b.png", "3", "4")], [("c.png", "1", "2"), sheets[1]], sheets[:1]]
    assert len({content_digest(one) for one in (sheets, *changed)}) == 4
