"""A stop rule that was raised after the stop lets the loop go on: one command, and nothing is trained again."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from stages.base.errors import UserError
from stages.iteration.advance import advance
from stages.iteration.finish import finish
from stages.iteration.run_loop import run_loop
from stages.project.later_settings import differs_in_decision
from stages.project.location import locate, next_command
from stages.project.position import Position, position_of
from stages.project.yaml_edits import edited
from tests.fake_project import dvc, sh
from tests.real_project import Project
from tests.refusal import contents, refs
from tests.reviews import review_packet

DECIDE = """
from pathlib import Path
from stages.base.command import exit_cleanly
from stages.project.second_decision import decide_again
def say():
    found = decide_again(Path(), 0)
    print(found and f"{found.edits}: {found.reason} {found.verdict}")
exit_cleanly(say)
"""
LOCK = """schema: '2.0'
stages:
  train: {cmd: t, outs: [{path: models/best.pt, md5: a1}]}
  converge:
    cmd: c
    deps: [{path: metrics/validate.json, md5: b1}]
    params: {params.yaml: {iteration: 0, converge: {max_iterations: 1}}}
    outs: [{path: metrics/converge.json, md5: c1}]
"""


def set_values(root: Path, **values: object) -> None:
    file = root / "params.yaml"
    file.write_text(edited(file.read_text(), {key.replace("__", "."): value for key, value in values.items()}))


@pytest.fixture
def stopped(project: Callable[[], Path]) -> Path:
    """A project that has come to its end after one iteration, as `converge.max_iterations` asked."""
    root = project()
    set_values(root, converge__max_iterations=1)
    dvc(root, "repro", "-q")
    finish(root)
    assert position_of(locate(root)) is Position.STOPPED
    return root


@pytest.mark.slow
def test_run_decides_again_and_goes_on_to_the_review(stopped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    set_values(stopped, converge__max_iterations=5, train__epochs=7)  # the latter is for the next iteration
    assert next_command(stopped, locate(stopped)).startswith("yoloop run (decides again by the edited converge rules")
    before = (contents(stopped), refs(stopped))
    assert not run_loop(stopped, reviewer="person", say=print)
    said = capsys.readouterr().out
    assert "[CONVERGENCE] decided again with converge.max_iterations 1 -> 5: go on. 1 of 5 iterations are done." in said
    assert "[STEP" not in said
    assert said.index("decided again") < said.index("MANUAL REVIEW - iteration 0")
    assert (contents(stopped), refs(stopped)) == before
    review_packet(stopped)
    assert "Iteration 1 starts" in advance(stopped, reviewer="person")
    row = (stopped / "metrics/history.csv").read_text().splitlines()[1]
    assert "stop,max_iterations,converge.max_iterations 1 -> 5," in row


@pytest.mark.slow
def test_it_stays_a_stop_where_another_rule_says_so(stopped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    set_values(stopped, converge__overfit_gap=0.5)
    assert run_loop(stopped, reviewer="person", say=print)
    said = capsys.readouterr().out
    assert "decided again with converge.overfit_gap 0.05 -> 0.5: stop. 1 of 1 iterations are done." in said
    assert "THE LOOP HAS COME TO ITS END\nReason: 1 of 1 iterations are done." in said
    with pytest.raises(UserError, match=r"found 'stop' .converge.overfit_gap 0.05 -> 0.5: 1 of 1 iterations are done"):
        advance(stopped, reviewer="oracle")


@pytest.mark.slow
def test_a_rule_that_is_none_is_refused(stopped: Path) -> None:
    set_values(stopped, converge__max_iterations="many")
    with pytest.raises(
        UserError, match="converge ended with exit code 1: TypeError"
    ):  # the real step has a better line
        run_loop(stopped, reviewer="person", say=print)


@pytest.mark.slow
def test_what_dvc_repro_decided_again_is_finished_anew(stopped: Path) -> None:
    set_values(stopped, converge__max_iterations=5)
    first = sh(stopped, "git", "rev-parse", "iteration-0").strip()
    dvc(stopped, "repro", "-q")
    facts = locate(stopped)
    assert (position_of(facts), next_command(stopped, facts)) == (Position.COMPLETE, "yoloop finish")
    set_values(stopped, train__epochs=7)
    with pytest.raises(
        UserError, match=r"expected no edits beside those of the converge rules.*found train.epochs 100 -> 7"
    ):
        finish(stopped)
    set_values(stopped, train__epochs=100)
    assert "Verdict: go on. 1 of 5 iterations are done." in finish(stopped)
    assert sh(stopped, "git", "rev-parse", "iteration-0", "HEAD~1").split() == [
        sh(stopped, "git", "rev-parse", "HEAD").strip(),
        first,
    ]
    assert position_of(locate(stopped)) is Position.FINISHED
    assert json.loads(sh(stopped, "git", "show", "iteration-0:metrics/converge.json"))["verdict"] == "go on"


@pytest.mark.slow
def test_the_real_step_decides_with_the_values_that_it_ran_with(ran: Project, tmp_path: Path) -> None:
    root = Path(shutil.copytree(ran.root, tmp_path / "project", symlinks=True))
    project = Project(root, ran.root.parent / "home")
    project.yoloop("finish")
    said = project.run(sys.executable, "-c", DECIDE).stdout
    assert said == "None\n"
    # An IoU that is edited for the next iteration is no value of this one: with it the step would not even begin.
    set_values(root, converge__max_iterations=1, validate__iou=0.7, analyze__tiny_area="none")
    said = project.run(sys.executable, "-c", DECIDE).stdout
    assert said == "converge.max_iterations 3 -> 1: 1 iteration is done, and the most is 1. stop\n"
    set_values(root, converge__max_iterations="many")
    refused = project.run(sys.executable, "-c", DECIDE, code=2)
    assert refused.stderr.startswith("error: params.yaml:")
    assert "converge.max_iterations: " in refused.stderr


@pytest.mark.parametrize(
    ("old", "new", "alike"),
    [
        ("max_iterations: 1", "max_iterations: 5", True),
        ("md5: c1", "md5: c2", True),
        ("md5: a1", "md5: a2", False),
        ("md5: b1", "md5: b2", False),
        ("iteration: 0", "iteration: 1", False),
        ("cmd: c", "cmd: d", False),
        ("schema", "schema", False),  # nothing differs
        (LOCK, "", False),
    ],
)
def test_what_a_second_decision_changes_in_dvc_lock(old: str, new: str, alike: bool) -> None:
    assert differs_in_decision(LOCK.encode(), LOCK.replace(old, new).encode()) is alike


def test_without_a_lock_nothing_was_decided() -> None:
    assert not differs_in_decision(None, LOCK.encode())
    assert not differs_in_decision(LOCK.encode(), None)
