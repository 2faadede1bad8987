import json

import pytest
import yaml

from stages.audit.prompt_import import import_prompts
from stages.base.errors import UserError
from tests.fake_project import person_params

PROMPTS = "# mine\nprompts:\n  door: an arc\n  window: an opening\nnotes: {door: seen}\n"
FLAT = {"door": "an arc", "window": ["a hole", "an opening"]}


@pytest.fixture
def root(tmp_path):
    params = yaml.safe_load(person_params())
    (tmp_path / "params.yaml").write_text(yaml.safe_dump({**params, "classes": ["door", "window"]}))
    (tmp_path / "data").mkdir()
    (tmp_path / "data/prompts.yaml").write_text(PROMPTS)
    return tmp_path


def brought(root, values):
    file = root / "prompts.json"
    file.write_text(values if isinstance(values, str) else json.dumps(values))
    return import_prompts(root, file)


@pytest.mark.parametrize(
    "values",
    [FLAT, {"version": 3, "callout_types": {name: {"text_prompt": text, "id": 1} for name, text in FLAT.items()}}],
)
def test_texts_come_in_flat_or_nested(root, values):
    assert brought(root, values) == ["window: 'an opening' -> 'a hole | an opening'"]
    text = (root / "data/prompts.yaml").read_text()
    assert text.startswith("# mine\n")
    assert yaml.safe_load(text) == {"prompts": FLAT, "notes": {"door": "seen"}}
    assert brought(root, values) == ["as before"]


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"door": "x"}, "none for 'window'"),
        ({**FLAT, "stair": "x"}, "one for 'stair', which is no class"),
        ({**FLAT, "door": ""}, "a text for 'door', or a list of texts, found ''"),
        ({"callout_types": {"door": {}, "window": {"text_prompt": "x"}}}, "a text for 'door'"),
        ({"door": "same", "window": "Same"}, "a different prompt for every class"),
        ([], "found list"),
        ("{", "expected JSON"),
    ],
)
def test_anything_else_is_one_line_and_changes_nothing(root, values, found):
    with pytest.raises(UserError, match=found):
        brought(root, values)
    assert (root / "data/prompts.yaml").read_text() == PROMPTS


def test_no_file_is_one_line(root):
    with pytest.raises(UserError, match="found no file"):
        import_prompts(root, root / "none.json")
