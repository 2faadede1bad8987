import json

import pytest
import yaml

from stages.audit.text_acceptance import accept
from stages.base.errors import UserError
from tests.fake_project import person_params

PROMPTS = """# what to look for
prompts:
  detail: round bubble # a person's note
  elevation: filled triangle
  title: small circle
notes: {}
"""
SAYS = "expected effect on F1 of 'title': +0.100 (+0.050 to +0.150)"
ROW = {
    "class_name": "title",
    "prompt": "small circle",
    "candidates": [
        {
            "number": 1,
            "texts": "wide bar",
            "f1": {"value": 0.1},
            "says": "expected effect on F1 of 'title': +0.100 (+0.050 to +0.150)",
        },
        {"number": 2, "texts": ["small circle", "wide bar"], "f1": {"value": -0.1}, "says": "expected"},
    ],
}


@pytest.fixture
def root(tmp_path):
    params = yaml.safe_load(person_params())
    (tmp_path / "params.yaml").write_text(
        yaml.safe_dump({**params, "iteration": 2, "classes": ["detail", "elevation", "title"]})
    )
    for folder in ("data", "metrics"):
        (tmp_path / folder).mkdir()
    (tmp_path / "data/prompts.yaml").write_text(PROMPTS)
    write(tmp_path, ROW)
    return tmp_path


def write(root, *rows):
    (root / "metrics/prompt_suggestions.json").write_text(json.dumps({"suggestions": rows}))


def test_a_text_is_taken_with_where_it_came_from(root):
    said = accept(root, "title", 1)
    assert said[0] == "title: 'small circle' -> 'wide bar' (suggestion 1 of iteration 2)"
    assert len(said) == 3
    assert said[1] == "expected effect on F1 of 'title': +0.100 (+0.050 to +0.150)"
    text = (root / "data/prompts.yaml").read_text()
    assert "# what to look for" in text
    assert "round bubble # a person's note" in text
    found = yaml.safe_load(text)
    assert found["prompts"] == {"detail": "round bubble", "elevation": "filled triangle", "title": "wide bar"}
    assert found["origins"] == {"title": "suggestion 1 of iteration 2"}


def test_several_texts_are_taken_as_a_list(root):
    assert any("finds no more than the present text" in line for line in accept(root, "title", 2))
    assert yaml.safe_load((root / "data/prompts.yaml").read_text())["prompts"]["title"] == ["small circle", "wide bar"]


@pytest.mark.parametrize(
    ("name", "number", "found"),
    [
        ("title", 3, "expected a number from 1 to 2, found 3 for 'title'"),
        ("detail", 1, "expected a class with candidates (of detail, elevation, title), found 1 for 'detail'"),
        ("stair", 1, "found 1 for 'stair'"),
    ],
)
def test_what_was_not_tried_is_refused(root, name, number, found):
    with pytest.raises(UserError) as error:
        accept(root, name, number)
    assert found in str(error.value)
    assert (root / "data/prompts.yaml").read_text() == PROMPTS


def test_a_prompt_that_was_edited_since_is_not_overwritten(root):
    edited = PROMPTS.replace("small circle", "my own words")
    (root / "data/prompts.yaml").write_text(edited)
    with pytest.raises(UserError, match="'small circle', found 'my own words'"):
        accept(root, "title", 1)
    assert (root / "data/prompts.yaml").read_text() == edited


def test_without_suggestions_there_is_a_line(root):
    (root / "metrics/prompt_suggestions.json").unlink()
    with pytest.raises(UserError, match="found no file"):
        accept(root, "title", 1)
