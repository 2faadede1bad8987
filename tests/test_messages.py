"""What a person reads when something is wrong stands apart from the code: each text is used, and each use fits."""

import ast
import string
import tomllib
from pathlib import Path

import pytest

from stages.base.errors import problem
from tests.closures import ROOT

PACKAGE = ROOT / "stages"
CODE_AT = {"problem": 0, "finding": 1}  # what takes a text, and which of its arguments names it


def texts() -> dict[str, str]:
    """Return all texts by `module.name`."""
    rooms = [tomllib.loads(file.read_text(encoding="utf-8")) for file in (PACKAGE / "messages").glob("*.toml")]
    return {f"{module}.{name}": text for room in rooms for module in room for name, text in room[module].items()}


def calls() -> list[tuple[Path, ast.Call, str | None]]:
    """Return every call of `problem` and `finding` in the package, with its file and the code of its text."""
    return [
        (file, node, getattr(node.args[CODE_AT[node.func.id]], "value", None))
        for file in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CODE_AT
    ]


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_every_call_names_a_text_of_its_own_module_and_gives_what_stands_in_it():
    known, found = texts(), calls()
    assert len(found) > 250
    for file, call, code in found:
        where = f"{file.name}:{call.lineno}"
        assert code in known, where
        assert code.partition(".")[0] == file.stem, where
        assert {keyword.arg for keyword in call.keywords} == fields(known[code]), where


def test_every_text_is_used():
    used = {code for _, _, code in calls()}
    assert set(texts()) - used == set()


@pytest.mark.parametrize("room", sorted((PACKAGE / "messages").glob("*.toml")), ids=lambda file: file.stem)
def test_a_text_stands_in_the_file_of_its_room(room):
    for module in tomllib.loads(room.read_text(encoding="utf-8")):
        [file] = PACKAGE.rglob(f"{module}.py")
        parts = file.relative_to(PACKAGE).parts
        assert room.stem == (parts[0] if len(parts) > 1 else "stages")


@pytest.mark.parametrize(("code", "text"), sorted(texts().items()))
def test_a_text_says_what_was_expected_what_was_found_and_the_mend(code, text):
    expected, _, rest = text.partition(", found ")
    found, _, mend = rest.partition(". ")
    assert expected.startswith("expected ")
    assert found
    assert mend
    assert "\n" not in text


def test_a_problem_is_one_line_that_begins_with_its_place():
    error = problem("params.key", "params.yaml:3", name="train.epochs")
    assert str(error) == "params.yaml:3: expected the key 'train.epochs', found none. Add it."
