"""The commands as they are typed."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from stages.base.errors import UserError
from stages.base.params import read_classes
from stages.loop import app

pytestmark = pytest.mark.slow


def test_a_day_of_changes(started: Callable[[], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(started())

    def typed(*words: str) -> str:
        done = CliRunner().invoke(app, ["classes", *words])
        if done.exception:
            raise done.exception
        return done.output

    typed("split", "title", "--into", "title", "--into", "note")
    typed("add", "door", "--prompt", "a leaf", "--prompt", "its swing")
    typed("merge", "detail", "note", "--into", "detail", "--prompt", "any round thing")
    said = typed("rename", "door", "gate")
    assert "Prompts (data/prompts.yaml): gate: a leaf | its swing" in said
    assert read_classes() == ("detail", "elevation", "title", "gate")
    typed("remove", "gate")
    assert read_classes() == ("detail", "elevation", "title")
    with pytest.raises(UserError, match="yoloop classes merge title OTHER --into OTHER"):
        typed("remove", "title")
