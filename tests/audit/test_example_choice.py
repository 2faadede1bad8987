import cv2
import numpy as np
import pytest
import yaml

from stages.audit.example_choice import LabelledBox, show_examples, typical
from stages.base.errors import UserError
from stages.dataset.sheets.manifest import manifest_row, write_manifest
from stages.prompts.texts.examples import DrawnExample
from tests.fake_project import person_params

PROMPTS = "prompts:\n  detail: round bubble\n  elevation: filled triangle\n  title: flat bar\nnotes: {}\n"


@pytest.fixture
def root(tmp_path):
    params = yaml.safe_load(person_params())
    (tmp_path / "params.yaml").write_text(yaml.safe_dump({**params, "classes": ["detail", "elevation", "title"]}))
    train = tmp_path / "data/dataset/train"
    for kind in ("images", "labels"):
        (train / kind).mkdir(parents=True)
    rows = {"a.png": "2 0.5 0.5 0.4 0.1\n0 0.2 0.2 0.1 0.1\n", "b.png": "2 0.5 0.5 0.4 0.12\n", "c.png": ""}
    for name, text in rows.items():
        cv2.imwrite(str(train / "images" / name), np.full((100, 200, 3), 255, np.uint8))
        (train / "labels" / name).with_suffix(".txt").write_text(text)
    listed = [
        manifest_row(file, train / "labels" / f"{file.stem}.txt", added_iteration=0, label_source="import")
        for file in sorted((train / "images").iterdir())
    ]
    write_manifest(listed, train / "manifest.csv")
    (tmp_path / "data/prompts.yaml").write_text(PROMPTS)
    return tmp_path


def told(root):
    values = yaml.safe_load((root / "data/prompts.yaml").read_text())
    return values["prompts"]["title"], values.get("origins", {}).get("title")


def test_boxes_that_were_named_stand_beside_the_text(root):
    said = show_examples(root, "title", ["b.png#1"], only=False)
    assert told(root) == (["flat bar", "example:b.png#1"], "visual")
    assert said[0] == "title: flat bar | example:b.png#1"
    show_examples(root, "title", ["a.png#1"], only=False)
    assert told(root)[0] == ["flat bar", "example:b.png#1", "example:a.png#1"]


def test_boxes_are_chosen_and_may_take_the_place_of_words(root):
    show_examples(root, "title", [], only=True)
    assert told(root)[0] == ["example:a.png#1", "example:b.png#1"]
    show_examples(root, "title", [], only=False)  # chosen anew, not beside those chosen before
    assert told(root)[0] == ["example:a.png#1", "example:b.png#1"]


@pytest.mark.parametrize(
    ("name", "boxes", "found"),
    [
        ("title", ["a.png#2"], "a box of 'title'"),  # a detail
        ("title", ["a.png#3"], "a box of 'title'"),
        ("title", ["none.png#1"], "a box of 'title'"),
        ("title", ["a.png"], "SHEET#ROW"),
        ("elevation", [], "expected labelled boxes of 'elevation', found none"),
        ("stair", [], "expected one of detail, elevation, title, found 'stair'"),
    ],
)
def test_what_cannot_be_shown_is_one_line_and_changes_nothing(root, name, boxes, found):
    with pytest.raises(UserError, match=found):
        show_examples(root, name, boxes, only=False)
    assert (root / "data/prompts.yaml").read_text() == PROMPTS


def test_the_typical_boxes_are_of_usual_size_and_of_different_sheets():
    def box(name, row, width, height):
        return LabelledBox(DrawnExample(name, row), width, height)

    usual = [box(f"s{i}.png", 1, 40, 10) for i in range(3)]
    odd = [box("s0.png", 2, 400, 10), box("s1.png", 3, 41, 10)]
    found = [(one.image_id, one.row) for one in typical([*odd, *usual])]
    assert found == [("s0.png", 1), ("s1.png", 1), ("s2.png", 1), ("s1.png", 3), ("s0.png", 2)]
    assert typical([]) == []
