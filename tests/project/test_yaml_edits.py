"""Values change, everything else in the text stays."""

import pytest
import yaml

from stages.project.yaml_edits import edited, flat, replaced_mapping, with_item
from tests.fake_project import REPO

FLOW = "# top\n\niteration: 0 # turn\nclasses: [a, b] # names\n\ntrain:\n  epochs: 100 # passes\n"
BLOCK = "# top\n\niteration: 0 # turn\nclasses: # names\n- a\n- b\n\ntrain:\n  epochs: 100 # passes\n"


def test_a_value_keeps_its_comment():
    assert edited(FLOW, {"train.epochs": 150, "iteration": 3}) == FLOW.replace("100", "150").replace("n: 0", "n: 3")


def test_the_other_lines_of_the_params_file_stay():
    text = (REPO / "params.yaml").read_text()
    assert "min_area: null # px" in text
    assert edited(text, {}) == text


def test_nested_mappings_as_dotted_paths():
    values = {"iteration": 0, "train": {"epochs": 5, "augment": {"scale": 0.5}}, "classes": ["a"]}
    assert flat(values) == {"iteration": 0, "train.epochs": 5, "train.augment.scale": 0.5, "classes": ["a"]}


@pytest.mark.parametrize("text", [FLOW, BLOCK])
def test_a_list_is_written_one_item_per_line_and_keeps_its_comment(text):
    assert edited(text, {"classes": ["a", "b"]}) == BLOCK


@pytest.mark.parametrize("text", [FLOW, BLOCK])
def test_a_longer_and_a_shorter_list(text):
    assert edited(text, {"classes": ["x", "y", "z"]}) == BLOCK.replace("- a\n- b\n", "- x\n- y\n- z\n")
    assert edited(text, {"classes": ["x"]}) == BLOCK.replace("- a\n- b\n", "- x\n")


def test_a_list_without_a_comment():
    assert edited("a: [1, 2]\nb: 1\n", {"a": [3]}) == "a:\n- 3\nb: 1\n"


def test_names_that_look_like_something_else_stay_names():
    names = ["yes", "12", "a: b", "#x", "null", "é"]
    assert yaml.safe_load(edited(FLOW, {"classes": names}))["classes"] == names


def test_a_missing_key_is_added():
    assert yaml.safe_load(edited(FLOW, {"train.seed": 1, "review.by": "folder"})) == {
        "iteration": 0,
        "classes": ["a", "b"],
        "train": {"epochs": 100, "seed": 1},
        "review": {"by": "folder"},
    }


def test_prompts_are_replaced_and_the_rest_stays():
    text = "# head\nprompts:\n  a: one\n  b: two\nnotes: {}\n"
    assert (
        replaced_mapping(text, "prompts", {"b": "two", "c": "c"}) == "# head\nprompts:\n  b: two\n  c: c\nnotes: {}\n"
    )


def test_an_item_is_set_in_a_mapping_and_its_neighbours_keep_their_comments():
    text = "prompts:\n  a: one # why\n  b: two\nnotes: {}\n"
    with_list = with_item(text, "prompts", "b", ["two", "2"])
    assert with_list == 'prompts:\n  a: one # why\n  b:\n  - two\n  - "2"\nnotes: {}\n'
    assert yaml.safe_load(with_item(text, "origins", "a.b", "x"))["origins"] == {"a.b": "x"}
    assert yaml.safe_load(with_item(text, "notes", "on", "x"))["notes"] == {"on": "x"}
