"""Ctrl+C in each step of `yoloop run` and at the review: the same command goes on, and nothing is lost."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from stages.iteration.restored_files import put_back, remember
from stages.project.yaml_edits import edited
from tests.fake_project import REPO, sh
from tests.iteration.test_run_loop import ended, in_pipe, not_running_soon, on_terminal, replace
from tests.refusal import contents

pytestmark = pytest.mark.slow
STEPS = {  # stage -> a value that makes it run again
    "train": {"train.epochs_baseline": 3},
    "predict": {"predict.max_det": 999},
    "validate": {"validate.confidence": 0.31},
    "analyze": {"analyze.border": 91},
    "converge": {"converge.target_f1": 0.97},
    "sample": {"sample.budget": 13},
}
WAIT = '\n    print("waiting", flush=True)\n    __import__("time").sleep(60)'


@pytest.fixture
def stale(project: Callable[[], Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in which each of the six stages has to run again."""
    monkeypatch.setenv("PYTHONPATH", str(REPO))
    root = project()
    file = root / "params.yaml"
    values = {key: value for changes in STEPS.values() for key, value in changes.items()}
    file.write_text(edited(file.read_text(), values))
    return root


def test_ctrl_c_in_each_step_one_after_the_other(stale):
    """Whoever stops six times, each time one step further, does no finished step again and ends where one run ends."""
    before = sh(stale, "git", "for-each-ref", "refs/heads", "refs/tags")
    params = (stale / "params.yaml").read_text()
    program = (stale / "fake_stages.py").read_text()
    for number, stage in enumerate(STEPS, 1):
        (stale / "fake_stages.py").write_text(program)
        replace(stale / "fake_stages.py", f"def {stage}() -> None:", f"def {stage}() -> None:{WAIT}")
        child = on_terminal(stale, forked=True)
        child.expect_exact(f"[STEP {number}/6]")
        seen = child.before
        child.expect_exact("waiting")
        child.sendintr()
        code, said = ended(child)
        assert code == 130, stage
        assert f"Stopped in iteration 0 (step {number}/6, {stage}). Go on with: yoloop run" in said
        assert not_running_soon(stale), stage
        assert sh(stale, "git", "for-each-ref", "refs/heads", "refs/tags") == before, stage
        assert sh(stale, "git", "symbolic-ref", "--short", "HEAD").strip() in ("main", "HEAD"), stage
        assert (stale / "params.yaml").read_text() == params, stage
        assert steps_in(seen) == [(step, step == number - 1) for step in range(1, number)], stage

    (stale / "fake_stages.py").write_text(program)
    done = in_pipe(stale)
    assert (done.returncode, done.stderr) == (0, "")
    assert steps_in(done.stdout) == [(step, step == 6) for step in range(1, 7)]
    assert "MANUAL REVIEW - iteration 0" in done.stdout
    assert yaml.safe_load(sh(stale, "git", "show", "iteration-0:params.yaml")) == yaml.safe_load(params)
    assert sh(stale, "git", "status", "--porcelain") == ""
    assert sh(stale, "git", "symbolic-ref", "--short", "HEAD").strip() == "main"


def steps_in(said: str) -> list[tuple[int, bool]]:
    """Return the steps that were named, each with whether it was done: those of before are only named."""
    lines = [line.strip() for line in said.splitlines() if line.strip().startswith("[STEP ")]
    return [(int(line[6]), line.endswith("...")) for line in lines]


@pytest.mark.parametrize("end", ["ctrl-c", "failure"])
def test_what_is_typed_while_a_step_runs_stays(stale, end):
    fails = WAIT.replace("sleep(60)", "sleep(2)") + '\n    sys.exit("error: x: bad.")'
    replace(stale / "fake_stages.py", "def analyze() -> None:", f"def analyze() -> None:{fails}")
    child = on_terminal(stale, forked=True)
    child.expect_exact("waiting")
    typed = {name: (stale / name).read_text() + "# typed meanwhile\n" for name in ("params.yaml", "data/prompts.yaml")}
    for name, text in typed.items():
        (stale / name).write_text(text)
    if end == "ctrl-c":
        child.sendintr()
    code, said = ended(child)
    assert code == (130 if end == "ctrl-c" else 2)
    assert {name: (stale / name).read_text() for name in typed} == typed
    assert said.count("params.yaml was changed while the iteration ran: it stays as it is now") == 1


def test_what_git_stash_took_away_comes_back_unless_it_was_typed_anew(stale):
    """DVC puts uncommitted files aside for a moment; a kill just then leaves those of the last commit."""
    typed = {name: (stale / name).read_text() + "# mine\n" for name in ("params.yaml", "data/prompts.yaml", "dvc.yaml")}
    for name, text in typed.items():
        (stale / name).write_text(text)
    (stale / "metrics/train.json").write_text("{}")
    before = remember(stale)
    sh(stale, "git", "stash", "-q")
    (stale / "dvc.yaml").write_text("typed anew")
    sh(stale, "rm", "metrics/train.json", "data/prompts.yaml")
    assert put_back(stale, before) == ["dvc.yaml was changed while the iteration ran: it stays as it is now."]
    assert (stale / "metrics/train.json").read_text() == "{}"
    assert {name: (stale / name).read_text() for name in typed} == {**typed, "dvc.yaml": "typed anew"}


def test_ctrl_c_at_the_review(stale):
    child = on_terminal(stale, forked=True)
    child.expect_exact("ENTER goes on")
    before = contents(stale), sh(stale, "git", "for-each-ref", "refs/heads", "refs/tags")
    child.sendintr()
    code, said = ended(child)
    assert code == 130
    assert "Stopped in iteration 0 (finished). Go on with: yoloop run" in said
    assert (contents(stale), sh(stale, "git", "for-each-ref", "refs/heads", "refs/tags")) == before

    done = in_pipe(stale)
    assert (done.returncode, done.stderr) == (0, "")
    assert "MANUAL REVIEW - iteration 0" in done.stdout
    assert "[STEP" not in done.stdout
    assert (contents(stale), sh(stale, "git", "for-each-ref", "refs/heads", "refs/tags")) == before
