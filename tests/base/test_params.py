"""Numbers of params.yaml mean what DVC, which writes some of them, means by them."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from stages.base.errors import UserError
from stages.base.params import read_classes, read_yaml
from stages.project.yaml_edits import edited


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-05", 1e-05),  # as `dvc exp run -S train.base_lr=0.00001` writes it
        ("1e-3", 0.001),
        ("1E3", 1000.0),
        ("-2.e+4", -20000.0),
        ("1.5", 1.5),
        ("3", 3),
        ("1e", "1e"),
        ("1e-05x", "1e-05x"),
        ("e5", "e5"),
        ("'1e-05'", "1e-05"),
    ],
)
def test_a_number_with_an_exponent_is_one_for_us_where_it_is_one_for_dvc(tmp_path: Path, text: str, value: object):
    (tmp_path / "params.yaml").write_text(f"a: {text}\n", encoding="utf-8")
    found = read_yaml(tmp_path / "params.yaml")["a"]
    assert (found, type(found)) == (value, type(value))
    assert YAML().load(f"a: {text}\n")["a"] == value  # DVC's own reader


@pytest.mark.parametrize("name", ["1e5", "1E-3", "yes", "12", "on"])
def test_a_name_that_looks_like_something_else_comes_back_as_text(tmp_path: Path, name: str):
    (tmp_path / "params.yaml").write_text(edited("classes:\n- a\n", {"classes": [name]}), encoding="utf-8")
    assert read_yaml(tmp_path / "params.yaml")["classes"] == [name]


@pytest.mark.parametrize("name", ["${iteration}", "<script>x", "</b>", "<!-- x", "a\\nb"])
def test_a_class_is_called_nothing_that_dvc_or_a_page_would_run(tmp_path: Path, name: str):
    file = tmp_path / "params.yaml"
    file.write_text(f'classes: [title, "{name}"]\n', encoding="utf-8")
    with pytest.raises(UserError, match=r"params.yaml:1: expected class names of printable letters, without \$\{, </"):
        read_classes(file)


def test_a_class_may_have_letters_that_markup_uses(tmp_path: Path):
    (tmp_path / "params.yaml").write_text('classes: ["< 5 mm", "a & b", "$ {", "ß"]\n', encoding="utf-8")
    assert read_classes(tmp_path / "params.yaml") == ("< 5 mm", "a & b", "$ {", "ß")


@pytest.mark.parametrize("text", ["no", "yes", "on", "off", "NO", "y"])
def test_a_class_called_like_a_truth_value_of_yaml_1_1_is_a_text(tmp_path, text):
    """`dvc exp run -S` writes params.yaml anew without its quotes, since YAML 1.2 needs none."""
    (tmp_path / "params.yaml").write_text(f"classes: [{text}, door]\n")
    assert read_yaml(tmp_path / "params.yaml") == {"classes": [text, "door"]}


def test_true_and_false_stay_truth_values(tmp_path):
    (tmp_path / "a.yaml").write_text("a: true\nb: False\nc: 'true'\nd: trueish\n")
    assert read_yaml(tmp_path / "a.yaml") == {"a": True, "b": False, "c": "true", "d": "trueish"}
