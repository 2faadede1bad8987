"""Ctrl+C in each step of `yoloop run` and at the review: the same command goes on, and nothing is lost."""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import yaml

from stages.iteration.restored_files import put_back, remember
from stages.project.yaml_edits import edited
from tests.fake_project import REPO, sh
from tests.iteration.test_run_loop import ended, in_pipe, not_running_soon, on_terminal, replace, running_in
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


@pytest.mark.faults
def test_ctrl_c_in_each_step_one_after_the_other(stale, *, every_kill):
    """Whoever stops six times, each time one step further, does no finished step again and ends where one run ends."""
    if not every_kill:  # a minute
        pytest.skip("make test-faults runs it")
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
        assert sh(stale, "git", "symbolic-ref", "--short", "HEAD").strip() == "main", stage
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
    code, _ = ended(child)
    assert code == (130 if end == "ctrl-c" else 2)
    assert {name: (stale / name).read_text() for name in typed} == typed


def test_results_that_a_failed_run_took_away_come_back_unless_they_were_written_anew(stale):
    (stale / "metrics/train.json").write_text("{}")
    before = remember(stale)
    (stale / "metrics/validate.json").write_text("new")
    (stale / "metrics/train.json").unlink()
    put_back(stale, before)
    assert (stale / "metrics/train.json").read_text() == "{}"
    assert (stale / "metrics/validate.json").read_text() == "new"


def test_a_kill_of_everything_loses_nothing_that_was_typed_and_nothing_that_was_committed_meanwhile(stale):
    """While a stage runs, HEAD is on its branch, and what is not committed lies in the workspace and nowhere else."""
    replace(stale / "fake_stages.py", "def train() -> None:", f"def train() -> None:{WAIT}")
    sh(stale, "git", "commit", "-qam", "a program that waits")
    file = stale / "params.yaml"
    file.write_text(edited(file.read_text(), {"train.epochs_baseline": 4}))
    typed = {name: (stale / name).read_text() + "# mine\n" for name in ("params.yaml", "data/prompts.yaml")}
    for name, text in typed.items():
        (stale / name).write_text(text)
    child = on_terminal(stale, forked=True)
    child.expect_exact("waiting")
    (stale / "note").write_text("meanwhile")
    sh(stale, "git", "add", "note")
    sh(stale, "git", "commit", "-qm", "meanwhile")
    for process in running_in(stale):
        os.kill(process, signal.SIGKILL)
    ended(child)
    assert not_running_soon(stale)
    assert {name: (stale / name).read_text() for name in typed} == typed
    assert sh(stale, "git", "stash", "list") == ""
    assert sh(stale, "git", "log", "-1", "--format=%s", "main") == "meanwhile\n"

    replace(stale / "fake_stages.py", WAIT, "")
    done = in_pipe(stale)
    assert (done.returncode, done.stderr) == (0, "")
    assert sh(stale, "git", "log", "-2", "--format=%s", "main").splitlines()[1] == "meanwhile"
    assert {name: sh(stale, "git", "show", f"iteration-0:{name}") for name in typed} == typed


def test_a_kill_of_dvc_alone(stale):
    """As when memory runs out: the stage that it had started ends too, nothing is staged, and the next run goes on."""
    replace(stale / "fake_stages.py", "def analyze() -> None:", f"def analyze() -> None:{WAIT}")
    sh(stale, "git", "commit", "-qam", "a program that waits")
    child = on_terminal(stale, forked=True)
    child.expect_exact("waiting")
    commands = {process: Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0") for process in running_in(stale)}
    for process, words in commands.items():
        if b"repro" in words:
            with suppress(ProcessLookupError):  # the stand-in ends with what it stands for
                os.kill(process, signal.SIGKILL)
    code, said = ended(child)
    assert (code, "Go on with" in said or "go on with `yoloop run`" in said) == (2, True), said
    assert not_running_soon(stale)
    assert sh(stale, "git", "diff", "--cached", "--name-only") == ""
    replace(stale / "fake_stages.py", WAIT, "")
    done = in_pipe(stale)
    assert (done.returncode, done.stderr) == (0, "")
    assert steps_in(done.stdout)[2:4] == [(3, False), (4, True)]


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
