"""What is lost and won box by box, by hand; and that a loss is said when it is one, and not when it is chance."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.convergence.gains import Gain
from stages.convergence.regression import KeptOutcomes, LabelledVal, SheetOutcome, compare, regression_since
from stages.convergence.regression_lines import lost_text, regression_lines, regression_values
from stages.ruler.scores.intervals import gain_interval

CLASSES = ("door", "title")
SINCE = Gain(0, 0.1, 0.0, 0.2, "")


def labelled(boxes, groups=None):
    """Return val with `boxes`: sheet -> class and size of each of its boxes."""
    rows = [(name, number, *one.split()) for name, listed in boxes.items() for number, one in enumerate(listed)]
    groups = groups or dict.fromkeys(boxes, "")
    return LabelledVal(
        pd.DataFrame({"image_id": list(boxes), "group": [groups[name] for name in boxes]}),
        pd.DataFrame(rows, columns=["image_id", "object_id", "class_name", "size"]),
        CLASSES,
    )


def kept(iteration, found, alarms=None, ruler="a"):
    sheets = {name: SheetOutcome(tuple(one), (alarms or {}).get(name, (0, 0))) for name, one in found.items()}
    return KeptOutcomes(iteration, ruler, sheets)


def parts(found):
    return {(one.part, one.name): one for one in found.parts}


SMALL = labelled(
    {"a": ["door tiny", "title large", "door tiny"], "b": ["title large"], "c": []}, {"a": "x", "b": "y", "c": "y"}
)


def test_lost_and_won_by_hand():
    before, now = kept(0, {"a": [0, 2], "b": [0], "c": []}), kept(1, {"a": [1], "b": [0], "c": []}, {"c": (0, 2)})
    found = compare(now, before, SMALL)
    assert found.since == 0
    counts = {key: (one.boxes, one.lost, one.won, one.lost_sheets, one.alarms) for key, one in parts(found).items()}
    assert counts == {
        ("all", "all"): (4, 2, 1, 1, 2),
        ("class", "door"): (2, 2, 0, 1, 0),
        ("class", "title"): (2, 0, 1, 0, 2),
        ("size", "tiny"): (2, 2, 0, 1, None),
        ("size", "large"): (2, 0, 1, 0, None),
        ("group", "x"): (3, 2, 1, 1, 0),
        ("group", "y"): (1, 0, 0, 0, 2),
    }
    whole, tiny = parts(found)["all", "all"], parts(found)["size", "tiny"]
    assert (whole.rate, whole.before, whole.now) == ("f1", pytest.approx(6 / 7), pytest.approx(4 / 8))
    assert (tiny.rate, tiny.before, tiny.now, tiny.change) == ("recall", 1.0, 0.0, -1.0)
    assert {one.significant for one in found.parts} == {None}  # too few boxes to judge anything
    assert found.sheets == [
        {
            "image_id": "a",
            "group": "x",
            "lost": [
                {"object_id": 0, "class_name": "door", "size": "tiny"},
                {"object_id": 2, "class_name": "door", "size": "tiny"},
            ],
            "won": [{"object_id": 1, "class_name": "title", "size": "large"}],
        }
    ]


def test_where_classes_have_changed_those_that_stayed_are_compared_alone():
    """`door` came after the iteration before: its boxes and its false alarms are nobody's loss."""
    before = kept(0, {"a": [1], "b": [0], "c": []}, {"a": (0, 1)})._replace(classes=(1,))
    now = kept(1, {"a": [0, 2], "b": [0], "c": []}, {"c": (5, 0)})
    found = compare(now, before, SMALL)
    counts = {key: (one.boxes, one.lost, one.won, one.alarms) for key, one in parts(found).items()}
    assert counts == {
        ("all", "stayed"): (2, 1, 0, -1),
        ("class", "title"): (2, 1, 0, -1),
        ("size", "large"): (2, 1, 0, None),
        ("group", "x"): (1, 1, 0, -1),
        ("group", "y"): (1, 0, 0, 0),
    }
    assert found.total("lost") == 1
    values = {"regression": regression_values(found)}
    assert regression_lines(values) == ["1 box of the classes that stayed lost, 0 won on val, since iteration 0"]


def many(sheets=20, doors=2, titles=2):
    return labelled({f"s{i:02d}": ["door tiny"] * doors + ["title small"] * titles for i in range(sheets)})


def lost_on(val, number, class_name="door"):
    """Return outcomes that found all, but for the first box of `class_name` on each of the first `number` sheets."""
    found = {}
    for place, (name, part) in enumerate(val.boxes.groupby("image_id")):
        numbers = list(map(int, part["object_id"]))
        lost = part.loc[part["class_name"] == class_name, "object_id"][:1].tolist() if place < number else []
        found[name] = [one for one in numbers if one not in lost]
    return found


def test_a_class_that_lost_is_named_and_the_other_is_not():
    val = many()
    found = compare(kept(1, lost_on(val, 15, "title")), kept(0, lost_on(val, 0, "title")), val)
    assert {key: one.significant for key, one in parts(found).items()} == {
        ("all", "all"): True, ("class", "door"): False, ("class", "title"): True,
        ("size", "tiny"): False, ("size", "small"): True,
    }  # fmt: skip
    values = regression_values(found)
    said = regression_lines({"regression": values})
    assert said[0] == "15 boxes lost, 0 won on val, since iteration 0"
    assert said[2].startswith("LOST since iteration 0: class title: F1 1.000 to 0.769, -0.231 (-0.")
    assert said[2].endswith("; 15 boxes lost on 15 sheets, 0 won")
    assert "size small: recall 1.000 to 0.625" in lost_text({"regression": values})


@pytest.mark.parametrize(("number", "lost"), [(3, False), (5, False), (12, True)])
def test_a_few_boxes_may_be_chance(number, lost):
    val = many()
    found = compare(kept(1, lost_on(val, number)), kept(0, lost_on(val, 0)), val)
    assert parts(found)["class", "door"].significant is lost


def test_holm_asks_for_more_where_more_parts_are_looked_at():
    """Seven boxes lost and none won: enough for one class by its own interval, not beside 30 groups."""
    doors = {f"s{i:02d}": ["door tiny"] * 2 for i in range(16)}
    titles = {f"t{i:02d}": ["title small"] * 30 for i in range(30)}
    val = labelled({**doors, **titles}, {**dict.fromkeys(doors, ""), **{name: f"g{name}" for name in titles}})
    everything = lost_on(val, 0)
    fewer = {name: one[1:] if name in list(doors)[:7] else one for name, one in everything.items()}
    door = parts(compare(kept(1, fewer), kept(0, everything), val))["class", "door"]
    assert door.change_high < 0
    assert door.significant is False
    alone = labelled(doors)
    door = parts(
        compare(
            kept(1, {name: fewer[name] for name in doors}), kept(0, {name: everything[name] for name in doors}), alone
        )
    )["class", "door"]
    assert door.significant is True


def test_more_false_alarms_are_a_loss_of_f1_without_a_lost_box():
    val = many()
    everything = lost_on(val, 0)
    found = compare(kept(1, everything, dict.fromkeys(everything, (1, 0))), kept(0, everything), val)
    door = parts(found)["class", "door"]
    assert (door.lost, door.alarms, door.significant) == (0, 20, True)
    assert "0 boxes lost on 0 sheets, 0 won, 20 false alarms more" in lost_text(
        {"regression": regression_values(found)}
    )
    assert parts(found)["size", "tiny"].significant is False


def test_the_interval_is_that_of_the_gain():
    val = many()
    before, now = kept(0, lost_on(val, 4)), kept(1, lost_on(val, 9, "title"))
    whole = parts(compare(now, before, val))["all", "all"]
    counts = [
        np.array([[len(one.found), sum(one.alarms), 4 - len(one.found)] for one in kept_.sheets.values()])
        for kept_ in (now, before)
    ]
    assert (whole.change_low, whole.change_high) == tuple(gain_interval(*counts))


@st.composite
def two_models(draw):
    """Return val and what two models found on it."""
    sizes, groups = st.sampled_from(["door tiny", "title small", "title large"]), st.sampled_from(["", "g", "h"])
    names = [f"s{i}" for i in range(draw(st.integers(1, 6)))]
    boxes = {name: draw(st.lists(sizes, max_size=5)) for name in names}
    val = labelled(boxes, {name: draw(groups) for name in names})
    both = [
        kept(
            step,
            {name: [i for i in range(len(boxes[name])) if draw(st.booleans())] for name in names},
            {name: (draw(st.integers(0, 3)), draw(st.integers(0, 3))) for name in names},
        )
        for step in (0, 1)
    ]
    return val, both


@given(two_models())
@settings(max_examples=40, deadline=None)
def test_swapped_models_swap_lost_and_won(drawn):
    val, (one, other) = drawn
    there, back = compare(other, one, val), compare(one, other, val)
    for a, b in zip(there.parts, back.parts, strict=True):
        assert (a.lost, a.won, a.before, a.now) == (b.won, b.lost, b.now, b.before)
        assert a.alarms is None or a.alarms == -b.alarms
        turned = [None if one is None else -one for one in (b.change, b.change_high, b.change_low)]
        for found, expected in zip((a.change, a.change_low, a.change_high), turned, strict=True):
            assert found == (None if expected is None else pytest.approx(expected))
    swapped = {sheet["image_id"]: (sheet["won"], sheet["lost"]) for sheet in back.sheets}
    assert {sheet["image_id"]: (sheet["lost"], sheet["won"]) for sheet in there.sheets} == swapped


@given(two_models())
@settings(max_examples=40, deadline=None)
def test_parts_sum_to_the_whole(drawn):
    val, (one, other) = drawn
    rows = compare(other, one, val).parts
    for field in ("boxes", "lost", "won"):
        total = getattr(rows[0], field)
        for part in ("class", "size"):
            assert sum(getattr(row, field) for row in rows if row.part == part) == total


def test_what_is_not_compared_is_said():
    val, found = SMALL, {"a": [0], "b": [], "c": []}
    now = kept(1, found)
    assert regression_since(None, now, val, None) == (None, "", (), ())  # the first iteration
    cases = [
        (None, "what iteration 0 found was not kept"),
        (kept(0, found, ruler="b"), r"another ruler (imgsz 640, now 1280)"),
        (kept(0, {"a": [0]}), "other sheets were kept of iteration 0"),
    ]
    for before, why in cases:
        made = regression_since(before, now, val, SINCE._replace(other_ruler="imgsz 640, now 1280"))
        assert made.parts == ()
        assert why in made.note
        assert regression_lines({"regression": regression_values(made)}) == [made.note]
    assert regression_lines({}) == []  # an older iteration


def test_chance_alone_seldom_speaks_of_a_loss():
    """Two models alike but for chance: about one comparison in 40 may say that something is lost."""
    rng = np.random.default_rng(0)
    val, said = many(sheets=30, doors=3, titles=3), 0
    names = list(val.sheets["image_id"])
    for _ in range(100):
        chances = dict(zip(names, rng.beta(6, 2, len(names)), strict=True))  # sheets differ
        both = [{name: np.flatnonzero(rng.random(6) < p).tolist() for name, p in chances.items()} for _ in range(2)]
        said += any(one.significant for one in compare(kept(1, both[0]), kept(0, both[1]), val).parts)
    assert said <= 7  # 2.5 expected at most: 8 and more would come by chance once in 300
