import pandas as pd
import pytest

from stages.report.pages.rendering import suspects_html
from stages.report.pages.suspects_page import MISTAKES, Pair

ROW = {
    **{"split": "val", "image_id": "a.png", "object_id": 1, "detection_id": 2, "class_id": 0, "judgement": "label"},
    **{"kind": "wrong_class", "other_class_id": 1, "confidence": 0.9, "sure": 1.0, "right": 0.9, "iou": 0.8},
    **{"score": 0.75, "reason": "It is labelled door."},
}
PIXEL = "data:image/png;base64,AAAA"


def page(*rows, shown=None):
    suspects = pd.DataFrame([ROW | row for row in rows], columns=list(ROW))
    pairs = [Pair(ROW | row, "door", "window", PIXEL, None) for row in (rows if shown is None else shown)]
    return suspects_html(3, suspects, pairs)


def test_a_suspect_is_shown_as_labelled_and_as_seen():
    html = page({})
    assert "<h1>Check the label: iteration 3</h1>" in html
    assert ">label: door</small>" in html
    assert ">the model: window, 90%</small>" in html
    assert html.count(f'<img src="{PIXEL}"') == html.count("no sheet</div>") == 1
    assert "It is labelled door." in html
    assert "val · a.png, IoU 0.80" in html
    assert "0.750 the label looks wrong" in html


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"kind": "missing_box", "object_id": pd.NA, "iou": pd.NA}, ">no label</small>"),
        ({"kind": "missing_box", "object_id": pd.NA, "iou": pd.NA}, ">the model: door, 90%</small>"),
        ({"kind": "duplicate", "detection_id": pd.NA, "iou": pd.NA, "confidence": pd.NA}, ">the model</small>"),
        ({"judgement": "unclear", "score": 0.3}, "0.300 unclear"),
    ],
)
def test_what_is_not_there_is_not_said(row, said):
    assert said in page(row)


def test_there_is_a_button_for_each_kind_that_is_shown_and_a_rule_that_hides_the_others():
    html = page({}, {}, {"kind": "stray", "confidence": pd.NA, "iou": pd.NA})
    for kind, count in (("all", 3), ("wrong_class", 2), ("stray", 1)):
        assert f'id="show-{kind}"' in html
        assert f"<span>{count}</span>" in html
    assert 'id="show-duplicate"' not in html
    assert all(f"#show-{kind}:checked ~ .pairs figure:not(.{kind})" in html for kind in MISTAKES)


def test_all_are_counted_and_the_first_are_shown():
    html = page({}, {"split": "train"}, {"judgement": "model", "kind": "missed"}, shown=[{}])
    assert "1 of 2 suspects are shown" in html
    assert "<td>val</td><td>1</td><td>0</td><td>1</td>" in html
    assert "<td>train</td><td>1</td><td>0</td><td>0</td>" in html


def test_names_are_no_markup():
    html = page({"image_id": "<b>.png", "reason": "<script>"})
    assert "<script" not in html
    assert "&lt;b&gt;.png" in html


def test_no_suspects():
    assert "<p>None. Below F1 0.5 on val" in page()
