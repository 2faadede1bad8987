"""What a person has put among outputs is neither taken for something missing nor deleted."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from stages.base.errors import UserError
from stages.iteration.finish import finish
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
    assert state_line(facts) == f"run, but its outputs were changed by hand: {name}"
    assert next_command(root, facts).startswith("move what was put or changed there elsewhere")
    with pytest.raises(UserError, match=f"found iteration 0: run, but its outputs were changed by hand: {name}"):
        run_loop(root, reviewer="oracle", say=print)
    with pytest.raises(
        UserError, match=f"found changed or added: {name}. Move that elsewhere, and the rest is brought"
    ):
        finish(root)
    assert "NaN" in (root / name).read_text()
    (root / name).rename(root / "elsewhere")
    if position_of(locate(root)) is not Position.COMPLETE:
        run_iteration(root, locate(root), say=print)
    assert position_of(locate(root)) is Position.COMPLETE


def test_what_lies_in_outputs_that_are_written_anew_is_kept(
    project: Callable[[], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    root = project()
    kept = ["data/predict/mine.txt", "data/sample/packet/note.txt", "data/sample/arms.csv", "models/best.pt"]
    for name in [*kept, "data/predict/.DS_Store"]:
        (root / name).unlink(missing_ok=True)
        (root / name).write_text("mine")
    file = root / "params.yaml"
    file.write_text(edited(file.read_text(), {"train.epochs_baseline": 2}))
    run_iteration(root, locate(root), say=print)
    said = capsys.readouterr().out
    for name in kept:
        assert f"{name} is none of what was computed there, so it is kept in .yoloop/yours/{name}" in said
        assert (root / ".yoloop/yours" / name).read_text() == "mine"
    assert said.count("is none of what was computed") == len(kept)
    assert position_of(locate(root)) is Position.COMPLETE


def test_what_lies_there_before_the_first_run_is_kept(
    project: Callable[[], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    root = project()
    (root / "dvc.lock").unlink()  # all that was computed is in the cache: only what was put there is kept
    (root / "data/predict/mine.txt").write_text("mine")
    run_iteration(root, locate(root), say=print)
    assert capsys.readouterr().out.count("is none of what was computed") == 1
    assert (root / ".yoloop/yours/data/predict/mine.txt").read_text() == "mine"


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
