"""What is typed after -S, and what DVC makes of what it is handed."""

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st

from stages.base.errors import UserError
from stages.sweeps.sweep_values import Setting, combinations, names_of, nested, override, said, taken

TITLE = "data/prompts.yaml:prompts.title"


def texts(*asked: str) -> list[list[str]]:
    return [[one.text for one in settings] for settings in combinations(asked)]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (["train.base_lr=0.1"], [["0.1"]]),
        (["train.base_lr=0.1, 0.2"], [["0.1"], ["0.2"]]),
        (["train.base_lr=0.1,0.2", "train.epochs=5,6"], [["0.1", "5"], ["0.1", "6"], ["0.2", "5"], ["0.2", "6"]]),
        (["train.base_lr=0.1", "train.base_lr=0.2"], [["0.1"], ["0.2"]]),
        (["train.device='0,1',cpu"], [["0,1"], ["cpu"]]),
        ([f"{TITLE}=a thin arc, with a line"], [["a thin arc, with a line"]]),
        ([f'{TITLE}="a thin arc, with a line"', f"{TITLE}=a bar"], [["a thin arc, with a line"], ["a bar"]]),
        ([f"{TITLE}=a = b"], [["a = b"]]),
    ],
)
def test_values_are_parted_at_commas_and_prompts_are_not(asked, found):
    assert texts(*asked) == found


@pytest.mark.parametrize(
    "asked", ["train.base_lr", "=1", "train.base_lr=", "train.base_lr=1,", "train.base_lr='1'2", " "]
)
def test_what_is_no_path_and_value_is_one_line(asked):
    with pytest.raises(UserError, match=r"^-S .*: expected PATH=VALUE"):
        combinations([asked])


@given(st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1))
def test_dvc_reads_a_prompt_as_it_was_typed(text):
    """DVC hands what it is told to Hydra's grammar."""
    told = override(Setting(TITLE, text)).partition("=")[2]
    assert OverridesParser.create().parse_override(f"prompts.title={told}").value() == text


@pytest.mark.parametrize(
    ("text", "value"), [("0.002", 0.002), ("1e-3", 0.001), ("5", 5), ("cpu", "cpu"), ("true", True)]
)
def test_dvc_reads_a_number_as_a_number(text, value):
    parsed = OverridesParser.create().parse_override(override(Setting("train.base_lr", text))).value()
    assert (parsed, type(parsed)) == (value, type(value))


def test_settings_as_params_yaml_would_hold_them():
    settings = [Setting("train.base_lr", "0.1"), Setting("train.epochs", "5"), Setting("tile", "null")]
    assert nested(settings) == {"train": {"base_lr": 0.1, "epochs": 5}, "tile": None}
    assert said(settings[:2]) == "train.base_lr = 0.1, train.epochs = 5"
    assert said([Setting(TITLE, "a, b")]) == "prompts.title = a, b"
    with pytest.raises(UserError, match="expected PATH=VALUE"):
        nested([Setting("tile", "5"), Setting("tile.side", "5")])


def test_names_and_which_of_them_is_used():
    assert names_of("lr", 1) == ["lr"]
    assert names_of("lr", 3) == ["lr-1", "lr-2", "lr-3"]
    assert taken(["a", "b"], {"b": "one that is queued"}) == ("b", "one that is queued")
    assert taken(["a"], {"b": "one that is queued"}) is None
