"""What is compared after a change of the classes is the same thing as before, and all else is compared with nothing."""

import json

import pandas as pd
import pytest

from stages.classes.class_change import added, merged, renamed, split_up
from stages.classes.history_migration import ValContent, migrated_history, migrated_outcomes, migrated_review
from stages.convergence.gains import Gain, comparable, gain_since, measured
from stages.convergence.history.history_columns import column_types
from stages.convergence.outcome_files import outcomes_text, read_parent_outcomes
from stages.convergence.regression import KeptOutcomes, LabelledVal, PoolBox, SheetOutcome, regression_since
from stages.ruler.statement import Ruler

CLASSES = ("detail", "elevation", "title")
PROMPTS = {name: (f"a {name}",) for name in CLASSES}
RULER = Ruler(
    iou=0.5,
    matching="one to one",
    confidence=0.25,
    confidence_floor=0.01,
    nms_iou=0.7,
    max_det=1000,
    imgsz=640,
    filters={},
    classes=CLASSES,
    val_sheets=2,
    val_content="0123",
)
CONTENT = ValContent("0123", "4567")
CHANGES = {
    "add": added(CLASSES, PROMPTS, "door"),
    "rename": renamed(CLASSES, PROMPTS, "detail", "callout"),
    "merge": merged(CLASSES, PROMPTS, ["title", "detail"], "detail"),
    "split": split_up(CLASSES, PROMPTS, "title", ["title", "note"]),
}


def history(*rulers: Ruler) -> pd.DataFrame:
    """Return a row per ruler, each class with its own F1 and FN."""
    rows = [
        {
            **dict.fromkeys(column_types(CLASSES), pd.NA),
            "iteration": step,
            "f1": 0.8 + step / 100,
            **{f"f1[{name}]": 0.1 * (place + 1) for place, name in enumerate(CLASSES)},
            **{f"fn[{name}]": place + 1 for place, name in enumerate(CLASSES)},
            **{"ruler": one.id, "ruler_statement": one.text(), "verdict": "go on", "rule": ""},
            **{"despite_stop": 'why, "not"', "accepted_regression": ""},
        }
        for step, one in enumerate(rulers)
    ]
    return pd.DataFrame(rows, columns=list(column_types(CLASSES))).astype(column_types(CLASSES))


NUMBERS = {  # new class -> F1 and FN of before
    "add": {"detail": (0.1, 1), "elevation": (0.2, 2), "title": (0.3, 3), "door": None},
    "rename": {"callout": (0.1, 1), "elevation": (0.2, 2), "title": (0.3, 3)},
    "merge": {"detail": None, "elevation": (0.2, 2)},  # `detail` is another class now, though it has the name
    "split": {"detail": (0.1, 1), "elevation": (0.2, 2), "title": None, "note": None},
}


@pytest.mark.parametrize("name", CHANGES)
def test_numbers_of_a_class_go_with_it_as_long_as_it_means_what_it_meant(name):
    change, before = CHANGES[name], history(RULER)
    after = migrated_history(before, change)
    assert list(after.columns) == list(column_types(change.new))
    assert after.dtypes.equals(pd.DataFrame(columns=list(after.columns)).astype(column_types(change.new)).dtypes)
    for new, numbers in NUMBERS[name].items():
        found = (after[f"f1[{new}]"].iloc[0], after[f"fn[{new}]"].iloc[0])
        assert (found == pytest.approx(numbers)) if numbers else all(map(pd.isna, found)), new
    rest = [name for name in before.columns if "[" not in name and not name.startswith("ruler")]
    pd.testing.assert_frame_equal(before[rest], after[rest])


def test_an_empty_history_is_its_header():
    assert list(migrated_history(history(), CHANGES["add"]).columns) == list(column_types(CHANGES["add"].new))


def now(change, **others) -> Ruler:
    """Return the ruler that measures after `change`."""
    return RULER._replace(classes=change.new, val_content="4567" if change is CHANGES["merge"] else "0123", **others)


@pytest.mark.parametrize(("name", "compared"), [("add", False), ("merge", False), ("split", False), ("rename", True)])
def test_f1_of_another_list_of_classes_is_no_gain(name, compared):
    """So no plateau is seen across the change, but a class that is only called otherwise breaks nothing off."""
    change = CHANGES[name]
    sheets = pd.DataFrame({"image_id": ["a", "b"], "tp": [3, 4], "fp": [1, 1], "fn": [1, 2], "group": ["", ""]})
    earlier = measured(migrated_history(history(RULER, RULER), change), {0: sheets, 1: sheets})
    ruler = now(change)
    last = earlier[1]._replace(iteration=2, f1=0.9, ruler=ruler.id, statement=ruler.text())
    gain = gain_since(last, earlier[1])
    assert gain.gain == (pytest.approx(0.09) if compared else None)
    assert ("classes detail, elevation, title, now " in gain.other_ruler) is not compared
    assert [one.iteration for one in comparable([*earlier, last])] == ([0, 1, 2] if compared else [2])


def test_rulers_of_other_lists_follow_a_name_and_what_is_not_understood_stays():
    other = RULER._replace(classes=("title", "detail"))
    strange = RULER._replace(classes=("callout", "detail"))  # the name was in use then
    before = history(RULER, other, strange, RULER)
    before.loc[3, "ruler_statement"] = "{}"
    after = migrated_history(before, CHANGES["rename"])
    wanted = [RULER._replace(classes=("callout", "elevation", "title")), other._replace(classes=("title", "callout"))]
    assert after["ruler"].tolist() == [*(one.id for one in wanted), strange.id, RULER.id]
    assert [json.loads(text).get("classes") for text in after["ruler_statement"]] == [
        ["callout", "elevation", "title"],
        ["title", "callout"],
        ["callout", "detail"],
        None,
    ]


KEPT = KeptOutcomes(
    1,
    RULER.id,
    {"v1": SheetOutcome((0, 2), (1, 2, 4)), "v2": SheetOutcome((), (0, 0, 0))},
    {"p": [PoolBox(2, 0.9, 0, 0, 5, 5), PoolBox(1, 0.8, 9, 9, 12, 12)]},
)
OUTCOMES = {  # alarms on v1, classes of the boxes on p, class_ids that are compared
    "add": ((1, 2, 4, 0), [2, 1], (0, 1, 2)),
    "rename": ((1, 2, 4), [2, 1], None),
    "merge": ((5, 2), [0, 1], (1,)),
    "split": ((1, 2, 4, 0), [2, 1], (0, 1)),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_was_found_is_kept_for_the_classes_that_stayed(name, tmp_path):
    after = migrated_outcomes(KEPT, CHANGES[name], statement=RULER.text(), content=content_of(name))
    alarms, classes, compared = OUTCOMES[name]
    assert (after.iteration, after.sheets["v1"].found, after.sheets["v1"].alarms) == (1, (0, 2), alarms)
    assert ([box.class_id for box in after.pool["p"]], after.classes) == (classes, compared)
    assert after.ruler == now(CHANGES[name]).id
    (tmp_path / "kept.json").write_text(outcomes_text(after))
    read = read_parent_outcomes(2, tmp_path / "kept.json")
    assert (read.classes, read.ruler, read.sheets) == (after.classes, after.ruler, after.sheets)


def content_of(name: str) -> ValContent:
    return CONTENT if name == "merge" else ValContent("0123", "0123")


def test_two_changes_compare_what_stayed_in_both():
    first = CHANGES["add"]
    once = migrated_outcomes(KEPT, first, statement=RULER.text(), content=content_of("add"))
    second = merged(first.new, first.prompts, ["title", "door"], "title")
    twice = migrated_outcomes(once, second, statement=now(first).text(), content=content_of("add"))
    assert twice.classes == (0, 1)
    third = renamed(second.new, second.prompts, "title", "name")
    assert migrated_outcomes(twice, third, statement="", content=CONTENT).classes == (0, 1)


def test_box_by_box_the_classes_that_stayed_are_compared_and_no_others():
    """`merge` on val: sheet v1 has an elevation (found before, missed now) and a detail (never compared again)."""
    change = CHANGES["merge"]
    before = migrated_outcomes(KEPT, change, statement=RULER.text(), content=CONTENT)
    boxes = pd.DataFrame(
        [("v1", 0, "elevation", "tiny"), ("v1", 1, "detail", "tiny"), ("v1", 2, "detail", "tiny")],
        columns=["image_id", "object_id", "class_name", "size"],
    )
    val = LabelledVal(pd.DataFrame({"image_id": ["v1", "v2"], "group": ["", ""]}), boxes, change.new)
    sheets = {"v1": SheetOutcome((1,), (3, 0)), "v2": SheetOutcome((), (0, 0))}
    gain = Gain(1, None, None, None, "classes …")
    found = regression_since(before, KeptOutcomes(2, now(change).id, sheets), val, gain)
    assert [(one.part, one.name, one.lost, one.won, one.alarms) for one in found.parts] == [
        ("all", "stayed", 1, 0, -2),
        ("class", "elevation", 1, 0, -2),
        ("size", "tiny", 1, 0, None),
    ]
    other = regression_since(before, KeptOutcomes(2, now(change, imgsz=1280).id, sheets), val, gain)
    assert "nothing is compared box by box: iteration 1 was measured by another ruler" in other.note


@pytest.mark.parametrize(
    ("statement", "content"),
    [("", CONTENT), ("{}", CONTENT), (RULER._replace(imgsz=1).text(), CONTENT), (RULER.text(), ValContent("x", "y"))],
)
def test_where_it_is_not_known_how_it_was_measured_nothing_is_compared(statement, content):
    assert migrated_outcomes(KEPT, CHANGES["add"], statement=statement, content=content).ruler == RULER.id


def test_nothing_kept_stays_nothing():
    assert migrated_outcomes(None, CHANGES["add"], statement="", content=CONTENT) is None


def test_the_last_review_is_told_with_the_new_names():
    rows = [{"class_name": name, "right": 1} for name in (*CLASSES, "")]
    review = {"boxes": 4, "details": [{"judged": rows, "prelabels_by_class": rows[:3], "verdict": "x"}]}
    assert migrated_review({"boxes": 0}, CHANGES["merge"]) == {"boxes": 0}
    renaming = migrated_review(review, CHANGES["rename"])["details"][0]
    assert [row["class_name"] for row in renaming["judged"]] == ["callout", "elevation", "title", ""]
    merging = migrated_review(review, CHANGES["merge"])["details"][0]
    assert [row["class_name"] for row in merging["judged"]] == ["elevation", ""]
    assert merging["prelabels_by_class"] == rows[:3]
