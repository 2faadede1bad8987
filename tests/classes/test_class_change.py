"""What a change of the classes means: ids, boxes, texts and rows, by hand; and what is refused."""

import pytest

from stages.base.errors import UserError
from stages.classes.class_change import added, merged, removed, renamed, row_sources, split_up

CLASSES = ("detail", "elevation", "title")
PROMPTS = {"detail": ("round bubble",), "elevation": ("triangle", "marker"), "title": ("underlined name",)}


def change(make, *args):
    return make(CLASSES, PROMPTS, *args)


@pytest.mark.parametrize(
    ("made", "new", "ids", "same"),
    [
        (change(added, "door"), ("detail", "elevation", "title", "door"), (0, 1, 2), CLASSES),
        (change(renamed, "detail", "callout"), ("callout", "elevation", "title"), (0, 1, 2), CLASSES),
        (change(merged, ["title", "detail"], "mark"), ("mark", "elevation"), (0, 1, 0), ("elevation",)),
        (change(merged, ["elevation", "title"], "title"), ("detail", "title"), (0, 1, 1), ("detail",)),
        (change(split_up, "elevation", ["a", "b"]), ("detail", "a", "title", "b"), (0, 1, 2), ("detail", "title")),
        (change(split_up, "title", ["title", "b"]), (*CLASSES, "b"), (0, 1, 2), ("detail", "elevation")),
        (change(removed, "detail"), ("elevation", "title"), (None, 0, 1), ("elevation", "title")),
    ],
)
def test_ids_move_as_little_as_can_be(made, new, ids, same):
    assert (made.new, made.ids, tuple(made.same)) == (new, ids, same)
    assert tuple(made.prompts) == new
    assert made.is_renaming == made.what.startswith("Rename")


def test_texts_go_with_their_classes():
    assert change(added, "door").prompts["door"] == ("door",)
    assert change(added, "door", [" a door ", "its swing"]).prompts["door"] == ("a door", "its swing")
    assert change(renamed, "elevation", "marker").prompts["marker"] == ("triangle", "marker")
    assert change(merged, ["title", "elevation"], "x").prompts["x"] == ("underlined name", "triangle", "marker")
    assert change(merged, ["title", "elevation"], "x", ["one"]).prompts["x"] == ("one",)
    assert change(split_up, "elevation", ["a", "b"]).prompts == {
        "detail": ("round bubble",),
        "a": ("triangle", "marker"),
        "title": ("underlined name",),
        "b": ("b",),
    }


def test_rows_go_with_their_classes():
    boxes = {"detail": 3, "title": 8}
    assert row_sources(change(merged, ["detail", "title"], "x"), boxes) == {"x": "title", "elevation": "elevation"}
    assert row_sources(change(merged, ["title", "detail"], "x"), {})["x"] == "detail"  # a tie: the first one
    assert row_sources(change(added, "door"), boxes)["door"] is None
    rows = row_sources(change(split_up, "title", ["a", "b"]), boxes)
    assert rows == {"detail": "detail", "elevation": "elevation", "a": "title", "b": "title"}


REFUSED = [
    (added, ("detail",), "params.yaml: expected a name that no class has, found 'detail'"),
    (added, ("all",), "NAME: expected a name of printable letters, with single blanks at most, and not all or backgr"),
    (added, ("",), "found ''"),
    (added, ("${iteration}",), "found '${iteration}'"),
    (renamed, ("detail", "<b>x</b>"), "found '<b>x</b>'"),
    (added, (" door",), "found ' door'"),
    (added, ("a\nb",), r"found 'a\nb'"),
    (added, ("triangle",), "found that of 'elevation' for 'triangle' as well ('triangle')"),
    (added, ("door", ["Round Bubble"]), "data/prompts.yaml: expected a text that tells one class from the others"),
    (added, ("door", [" "]), "found an empty one for 'door'"),
    (added, ("door", ["a", "A"]), "found that of 'door' for 'door' as well ('A')"),
    (renamed, ("door", "x"), "params.yaml: expected one of the classes (detail, elevation, title), found 'door'"),
    (renamed, ("detail", "title"), "or make two classes one: yoloop classes merge"),
    (renamed, ("detail", "detail"), "found 'detail' among `classes`"),
    (merged, (["detail"], "x"), "expected two classes or more to make one of, found detail."),
    (merged, (["detail", "detail"], "x"), "expected two classes or more to make one of, found detail."),
    (merged, (["detail", "title"], "elevation"), "yoloop classes merge detail title elevation --into elevation"),
    (merged, (["detail", "door"], "x"), "found 'door'"),
    (merged, (["detail", "title"], "x", ["marker"]), "found that of 'x' for 'elevation' as well ('marker')"),
    (split_up, ("detail", ["a"]), "expected two classes or more to make of detail, found a."),
    (split_up, ("detail", ["a", "detail"]), "expected detail as the first --into"),
    (split_up, ("detail", ["a", "title"]), "found 'title' among `classes`"),
    (split_up, ("door", ["a", "b"]), "found 'door'"),
    (removed, ("door",), "found 'door'"),
]


@pytest.mark.parametrize(("make", "args", "complaint"), REFUSED)
def test_what_cannot_be_is_one_line(make, args, complaint):
    with pytest.raises(UserError) as caught:
        change(make, *args)
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_last_class_stays():
    with pytest.raises(UserError, match="expected a class to stay, found detail alone"):
        removed(("detail",), {"detail": ("x",)}, "detail")
