"""A metrics file is JSON as everybody reads it, or it is named."""

from pathlib import Path

import pytest

from stages.base.errors import UserError
from stages.base.tables import read_json, write_json


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"f1": NaN}', "expected JSON, found NaN, which is no number of JSON"),
        ('{"f1": {"low": -Infinity}}', "expected JSON, found -Infinity, which is no number of JSON"),
        ('{"f1": 0.8, "low', "expected JSON, found Unterminated string"),
        ("", "expected JSON, found Expecting value"),
        ("[1]", "expected a JSON object, found list"),
        (None, "expected metrics, found no file"),
    ],
)
def test_a_damaged_file_is_named_with_what_brings_it_back(tmp_path: Path, text: str | None, says: str) -> None:
    file = tmp_path / "review.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(UserError) as error:
        read_json(file)
    assert str(error.value).startswith(f"{file}: {says}")
    assert str(error.value).endswith(f"what no stage writes comes back by: git checkout HEAD -- {file}")


def test_what_is_undefined_is_written_as_null(tmp_path: Path) -> None:
    write_json({"f1": float("nan"), "low": [float("-inf"), 0.5]}, tmp_path / "a.json")
    assert read_json(tmp_path / "a.json") == {"f1": None, "low": [None, 0.5]}
