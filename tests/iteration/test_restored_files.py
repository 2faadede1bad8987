"""What a person has put among outputs is neither taken for something missing nor deleted."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from stages.base.errors import UserError
from stages.iteration.run_loop import run_iteration, run_loop
from stages.project.location import RUNNING, locate, next_command
from stages.project.position import Position, position_of, state_line
from stages.project.yaml_edits import edited

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", ["data/predict/mine.txt", "models/best.pt", "metrics/validate.json"])
def test_an_output_that_was_changed_by_hand_is_named_and_stays(project: Callable[[], Path], name: str) -> None:
    root = project()
    (root / name).unlink(missing_ok=True)
    (root / name).write_text(json.dumps({"f1": float("nan")}))
    facts = locate(root)
    out = "data/predict" if name.startswith("data/predict") else name
    assert state_line(facts) == f"run, but its outputs were changed by hand: {out}"
    assert next_command(root, facts).startswith("move what was put or changed there elsewhere")
    with pytest.raises(UserError, match=f"found iteration 0: run, but its outputs were changed by hand: {out}"):
        run_loop(root, reviewer="oracle", say=print)
    assert "NaN" in (root / name).read_text()
    (root / name).rename(root / "elsewhere")
    if position_of(locate(root)) is not Position.COMPLETE:
        run_iteration(root, locate(root), say=print)
    assert position_of(locate(root)) is Position.COMPLETE


def test_what_lies_in_outputs_that_are_written_anew_is_kept(
    project: Callable[[], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    root = project()
    for name in ("data/predict/mine.txt", "data/sample/packet/note.txt", "data/predict/.DS_Store"):
        (root / name).write_text("mine")
    file = root / "params.yaml"
    file.write_text(edited(file.read_text(), {"predict.max_det": 999}))
    run_iteration(root, locate(root), say=print)
    said = capsys.readouterr().out
    for name in ("data/predict/mine.txt", "data/sample/packet/note.txt"):
        assert f"{name} is none of what was computed there, so it is kept in .yoloop/yours/{name}" in said
        assert (root / ".yoloop/yours" / name).read_text() == "mine"
    assert "DS_Store" not in said
    assert position_of(locate(root)) is Position.COMPLETE


def test_half_of_an_output_of_a_run_that_was_stopped_is_made_anew(project: Callable[[], Path]) -> None:
    root = project()
    (root / RUNNING).parent.mkdir(exist_ok=True)
    (root / RUNNING).touch()
    (root / "data/predict/detections.parquet").unlink()
    (root / "data/predict/detections.parquet").write_text("half")
    assert position_of(locate(root)) is Position.OUTPUTS_MISSING
    run_iteration(root, locate(root), say=print)
    assert position_of(locate(root)) is Position.COMPLETE
    assert not (root / RUNNING).exists()
