import pandas as pd
import pytest

from stages.ruler.val_notes import val_notes


def score(part, name, *, images=40, boxes=100, half=0.04, split="val"):
    low, high = (None, None) if half is None else (0.8 - half, 0.8 + half)
    return {
        "split": split,
        "part": part,
        "name": name,
        "images": images,
        "boxes": boxes,
        "f1": 0.8,
        "f1_low": low,
        "f1_high": high,
    }


def truth(**sheets):
    """Ground truth with one box of each class on as many sheets as are named, and one in train that does not count."""
    rows = [("val", f"{i}.png", k) for k, count in enumerate(sheets.values()) for i in range(count)]
    return pd.DataFrame([*rows, ("train", "x.png", 0)], columns=["split", "image_id", "class_id"])


def notes(*rows, **sheets):
    return val_notes(pd.DataFrame(rows), ground_truth=truth(**sheets), classes=list(sheets))


def test_enough_of_everything_says_nothing():
    assert notes(score("all", "all"), score("class", "title"), title=30) == []


def test_a_class_with_few_boxes():
    lines = notes(score("all", "all"), score("class", "elevation", boxes=26, half=0.11), elevation=9)
    assert lines == ["elevation: 26 boxes on 9 sheets: F1 lies in 0.690 to 0.910"]


@pytest.mark.parametrize(
    ("boxes", "half", "said"),
    [(29, 0.05, True), (30, 0.0549, False), (30, 0.0551, True), (1000, 0.2, True), (1, None, True)],
)
def test_the_limits_of_a_class(boxes, half, said):
    lines = notes(score("all", "all"), score("class", "title", boxes=boxes, half=half), title=12)
    assert bool(lines) == said


def test_a_class_without_boxes_and_one_on_a_single_sheet():
    lines = notes(
        score("all", "all"),
        score("class", "title", boxes=0, half=None),
        score("class", "detail", boxes=1, half=None),
        title=0,
        detail=1,
    )
    assert lines == [
        "title: no box in val, so it is not measured",
        "detail: 1 box on 1 sheet: too few to say how well F1 is known",
    ]


def test_few_sheets_say_how_many_would_do():
    # Half the width falls with the root of the sheets: from 0.10 to 0.05 takes four times as many.
    assert notes(score("all", "all", images=12, half=0.1)) == [
        "val: 100 boxes on 12 sheets: F1 lies in 0.700 to 0.900; "
        "about 48 such sheets would narrow that to 0.10 from end to end"
    ]
    assert notes(score("all", "all", images=19, half=0.03)) == [
        "val: 100 boxes on 19 sheets: F1 lies in 0.770 to 0.830"
    ]
    assert notes(score("all", "all", images=20, half=0.03)) == []
    assert notes(score("all", "all", images=1, half=None)) == [
        "val: 100 boxes on 1 sheet: too few to say how well F1 is known"
    ]


def test_other_splits_and_parts_are_not_meant():
    rows = [score("all", "all"), score("all", "all", images=2, split="train"), score("size", "tiny", boxes=2, half=0.3)]
    assert notes(*rows) == []
    assert val_notes(pd.DataFrame(rows[1:2]), ground_truth=truth(), classes=[]) == []


def test_an_f1_near_0_keeps_its_digits():
    """Half a width, 0.00, would say that it is known exactly; and 0.03 that it may lie under 0."""
    row = score("all", "all", images=19) | {"f1": 0.009, "f1_low": 0.0061, "f1_high": 0.0138}
    assert notes(row) == ["val: 100 boxes on 19 sheets: F1 lies in 0.006 to 0.014"]
