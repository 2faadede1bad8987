"""What each tool makes of a box that nobody touched is that box again; what a person drew is counted from 0."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from stages.review.identity.rounding import RULES, Rounded, find_rule, untouched

Box = tuple[float, float, float, float]

# The arithmetic of each tool, in its own words.
TOOLS: dict[str, Callable[[Box], Box]] = {
    "to the nearest": lambda box: tuple(map(round, box)),
    "decimals cut off": lambda box: tuple(map(int, box)),
    "decimals cut off, from 1 on (labelImg)": lambda box: (
        *(max(int(value), 1) for value in box[:2]),
        *map(int, box[2:]),
    ),
    "corner and size cut off (Label Studio)": lambda box: (
        *map(int, box[:2]),
        *(int(low) + int(high - low) for low, high in zip(box[:2], box[2:], strict=True)),
    ),
    "pixels from 1, the last one in the box (supervision)": lambda box: (
        *(round(value + 1) for value in box[:2]),
        *(max(round(high), round(low + 1)) for low, high in zip(box[:2], box[2:], strict=True)),
    ),
    "pixels from 1, all around the box (datumaro)": lambda box: (
        *(math.floor(value) + 1 for value in box[:2]),
        *map(math.ceil, box[2:]),
    ),
    "corners from 1 (Roboflow)": lambda box: tuple(round(value) + 1 for value in box),
}


def boxes(count: int, *, seed: int, size: float = 2560.0) -> list[Box]:
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, size - 40, (count, 2))
    corners[count // 2] = 0.2  # a box at the border
    return [tuple(map(float, (*corner, *(corner + rng.uniform(4, 40, 2))))) for corner in corners]


def sheet(before: list[Box], after: list[Box]) -> Rounded:
    same = np.ones((len(before), len(after)), dtype=bool)
    return Rounded(np.array(before).reshape(-1, 4), np.array(after).reshape(-1, 4), same)


@pytest.mark.parametrize("name", TOOLS)
def test_the_rule_of_every_tool_is_found(name: str) -> None:
    before = boxes(40, seed=1)
    after = [TOOLS[name](box) for box in before][::-1]
    rule = find_rule([sheet(before, after)])
    assert rule == RULES[name]
    assert sorted(untouched(sheet(before, after), rule)) == [(place, 39 - place) for place in range(40)]


@pytest.mark.parametrize("name", TOOLS)
def test_what_was_drawn_is_no_rounded_box(name: str) -> None:
    before = boxes(40, seed=2)
    drawn = [tuple(value + 3 for value in box) for box in before[:5]]
    after = [TOOLS[name](box) for box in (*drawn, *before[5:])]
    rule = find_rule([sheet(before, after)])
    assert rule == RULES[name]
    assert {i for i, _ in untouched(sheet(before, after), rule)} == set(range(5, 40))
    counted = np.array(after[:5]) - np.array(rule.shift)
    assert np.abs(counted - np.array(drawn)).max() < 2.0


def test_other_classes_are_other_boxes() -> None:
    before = boxes(3, seed=3)
    one = sheet(before, [TOOLS["to the nearest"](box) for box in before])
    one.same_class[1] = False
    assert untouched(one, RULES["to the nearest"]) == [(0, 0), (2, 2)]


def test_without_evidence_numbers_are_taken_as_they_are() -> None:
    nothing = sheet([], boxes(3, seed=4))
    assert find_rule([nothing]) == RULES["to the nearest"]
    assert untouched(nothing, RULES["to the nearest"]) == []
    far = sheet(boxes(3, seed=4), [(1.0, 1.0, 2.0, 2.0)])
    assert find_rule([far]).shift == (0, 0, 0, 0)


def test_whole_numbers_before_are_whole_numbers_after() -> None:
    before = [tuple(map(float, map(round, box))) for box in boxes(10, seed=5)]
    assert find_rule([sheet(before, before)]) == RULES["to the nearest"]
