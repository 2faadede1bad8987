import pandas as pd
import pytest

from stages.prompts.rewording import Evidence, gather, report, suggest, tokens

GOOD = "round bubble with a number over a line"


def evidence(*prompt, misses=10, size=None, position=None, low_contrast=0, confused_with=None):
    return Evidence(
        "door",
        prompt or (GOOD,),
        misses,
        40,
        size or {"medium": 10},
        position or {"center": 10},
        low_contrast,
        confused_with or {},
    )


@pytest.mark.parametrize(
    ("one", "rules"),
    [
        (evidence(), ["look"]),
        (evidence("bubble / circle with a line"), ["look"]),  # read whole, unlike in plain Ultralytics
        (evidence("Door"), ["bare_name"]),
        (evidence("wide  OPENING in a wall"), ["shared"]),
        (evidence(GOOD, "wide opening in a wall"), ["shared"]),
        (evidence("door", GOOD), ["look"]),  # several texts: the name may be one of them
        (evidence(GOOD, "a big round thing " * 20), ["too_long"]),
        (evidence("a big round thing " * 20), ["too_long"]),
        (evidence(size={"tiny": 3, "small": 2, "large": 5}), ["small"]),
        (evidence(size={"tiny": 3, "small": 1, "large": 6}), ["look"]),
        (evidence(position={"edge": 3, "corner": 2, "center": 5}), ["border"]),
        (evidence(low_contrast=5), ["low_contrast"]),
        (evidence(low_contrast=4), ["look"]),
        (evidence(confused_with={"window": 2}), ["confused"]),
        (evidence(confused_with={"window": 1}), ["look"]),
        (evidence("door", size={"tiny": 10}, confused_with={"window": 9}), ["bare_name", "confused", "small"]),
    ],
)
def test_rules(one, rules):
    prompts = {"door": one.prompt, "window": ("wide opening in a wall",)}
    found = suggest(one, prompts)
    assert [row.rule for row in found] == rules
    assert all(row.change.endswith(".") and row.why.endswith(".") for row in found)


def test_a_suggestion_speaks_in_numbers_and_names():
    one = evidence("bubble / circle", size={"tiny": 7, "large": 3}, confused_with={"window": 4})
    confused, small = suggest(one, {"door": one.prompt, "window": ("opening", "hole")})
    assert "'window'" in confused.change
    assert "'opening | hole'" in confused.change
    assert confused.why.startswith("4 of 10")
    assert small.why.startswith("7 of 10")


@pytest.mark.parametrize(
    ("text", "low", "high"), [("", 2, 2), ("a red door", 5, 5), ("door, wide", 5, 5), ("word " * 80, 82, 82)]
)
def test_tokens(text, low, high):
    assert low <= tokens(text) <= high


def test_gather_and_report():
    findings = pd.DataFrame(
        {
            "outcome": ["fn", "fn", "fn", "fp"],
            "class_id": [1, 1, 0, 2],
            "size": ["tiny", "tiny", "large", "tiny"],
            "position": ["edge", "center", "center", "center"],
            "low_contrast": [True, False, False, True],
        }
    )
    truth = pd.DataFrame({"class_id": [0, 0, 1, 1, 1, 2]})
    confused = pd.DataFrame({"class_id": [1], "other_class_id": [2]})
    prompts = {"door": ("d",), "window": ("w",), "wall": ("x", "y")}
    rows = gather(
        findings=findings, ground_truth=truth, confused=confused, classes=["door", "window", "wall"], prompts=prompts
    )
    assert [(row.class_name, row.misses, row.boxes) for row in rows] == [("window", 2, 3), ("door", 1, 2)]
    window = report(rows, prompts)[0]
    assert window["mostly"] == {"size": "tiny", "position": "center", "contrast": "low"}
    assert window["confused_with"] == {"wall": 1}
    assert {row["rule"] for row in window["suggestions"]} == {"confused", "small", "border", "low_contrast"}
