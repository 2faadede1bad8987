"""`yoloop run` as a person has it: on a terminal, with real Git and DVC, and stages that take milliseconds."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pexpect
import pytest

from stages.base.errors import UserError
from stages.iteration.run_loop import run_iteration, run_loop
from stages.project.location import locate
from tests.browser import CHROMIUM, opened
from tests.fake_project import REPO, sh
from tests.forks import FORKED
from tests.reviews import review_packet

YOLOOP = [sys.executable, "-m", "stages.loop"]
pytestmark = pytest.mark.slow


@pytest.fixture
def short(project, monkeypatch):
    """A project that ends after two iterations; its last stages have to run again for that."""
    root = project()
    monkeypatch.setenv("PYTHONPATH", str(REPO))
    replace(root / "params.yaml", "max_iterations: 10", "max_iterations: 2")
    return root


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def on_terminal(root: Path, *args: str, forked: bool = False) -> pexpect.spawn:
    """Start `yoloop run`; `forked`: not as a true process, which is dear, and so is all that it starts."""
    env = {**os.environ, **({FORKED: "1"} if forked else {})}
    return pexpect.spawn(YOLOOP[0], [*YOLOOP[1:], "run", *args], cwd=str(root), env=env, encoding="utf-8", timeout=90)


def ended(child: pexpect.spawn) -> tuple[int, str]:
    """Return the exit code and what was printed since the last match."""
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus, child.before


def in_pipe(root: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*YOLOOP, "run", *args], cwd=root, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def running_in(root: Path) -> list[int]:
    """Return the processes whose working folder is the project."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").resolve() == root.resolve() and (process / "cmdline").read_bytes():
                found.append(int(process.name))
        except OSError:
            continue
    return found


def test_it_leaves_when_the_iteration_that_was_asked_for_is_finished(short):
    said = []
    assert run_loop(short, reviewer="oracle", say=said.append, until=0)
    assert said[-1] == "Iteration 0 is finished: left, as --until 0 says. Go on: yoloop run"
    assert locate(short).finished
    head = sh(short, "git", "rev-parse", "HEAD")
    done = in_pipe(short, "--until", "0")  # there already: nothing is done, and nobody is asked
    assert (done.returncode, "MANUAL REVIEW" in done.stdout) == (0, False)
    assert sh(short, "git", "rev-parse", "HEAD") == head
    assert run_loop(short, reviewer="oracle", say=said.append, until=7)  # the verdict ends it before
    assert "THE LOOP HAS COME TO ITS END" in said[-1]


def test_two_iterations_with_a_person(short):
    child = on_terminal(short)
    child.expect_exact("[STEP 5/6] Checking convergence...")
    child.expect_exact("[CONVERGENCE] go on: 1 of 2 iterations are done.")
    child.expect_exact("[SAMPLING] 2 of 5 candidates picked, on 2 of 4 pool sheets")
    child.expect_exact("MANUAL REVIEW - iteration 0")
    child.expect_exact("2 sheets to review.")
    child.expect_exact("4. Update the prompts")
    child.expect_exact("ENTER goes on")
    child.sendline()
    child.expect("error: .*data/review")  # nothing is there yet: the line, and the pause again
    child.expect_exact("ENTER tries again")

    child.sendintr()
    code, said = ended(child)
    assert code == 130
    assert "Stopped in iteration 0 (finished). Go on with: yoloop run" in said
    assert "Traceback" not in said

    review_packet(short)
    child = on_terminal(short, "--resume", forked=True)
    child.expect_exact("MANUAL REVIEW - iteration 0")
    child.expect_exact("ENTER goes on")
    child.sendline()
    child.expect_exact("Iteration 1 starts")
    child.expect_exact("YOLOE-26 with text prompts; 100 epochs, learning rate 0.0005")
    child.expect_exact("[STEP 1/6] Training...")
    child.expect_exact("[CONVERGENCE] stop: 2 of 2 iterations are done.")
    code, said = ended(child)
    assert code == 0
    assert "Final F1: 0.850" in said
    assert "Iterations: 2 (0 to 1)" in said
    assert sh(short, "git", "tag").split() == ["dataset-v0", "dataset-v1", "iteration-0", "iteration-1"]
    assert sh(short, "git", "status", "--porcelain") == ""

    again = in_pipe(short)
    assert (again.returncode, again.stderr) == (0, "")
    assert "Reason: 2 of 2 iterations are done." in again.stdout
    assert "STEP" not in again.stdout


def test_a_loss_ends_the_run_before_the_review_unless_it_is_accepted(short):
    """And a project that lacks the file of what was found before, since it was begun without, runs all the same."""
    replace(short / "params.yaml", "overfit_gap: 0.05", "overfit_gap: 0.13")
    sh(short, "git", "rm", "-q", "metrics/parent_outcomes.json")
    sh(short, "git", "commit", "-qm", "as begun before")
    stopped = in_pipe(short)
    assert stopped.returncode == 2
    assert "[CONVERGENCE] LOST since iteration 0: class title: F1 0.900 to 0.700" in stopped.stdout
    assert "MANUAL REVIEW" not in stopped.stdout
    (line,) = stopped.stderr.splitlines()
    assert line.startswith("error: metrics/converge.json: expected nothing lost since iteration 0")
    assert line.endswith("yoloop run --accept-regression WHY)")
    assert sh(short, "git", "tag").split() == ["dataset-v0", "iteration-0"]
    done = in_pipe(short, "--review", "oracle", "--accept-regression", "titles move")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Iterations: 2 (0 to 1)" in done.stdout
    rows = (short / "metrics/history.csv").read_text().splitlines()
    assert rows[1].endswith(",titles move")
    assert '"iteration": 0' in (short / "metrics/parent_outcomes.json").read_text()


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_the_page_is_the_pause(short):
    """The loop opens the page, waits until its review is finished there, and goes on."""
    words = [*YOLOOP, "run", "--review", "page"]
    with subprocess.Popen(words, cwd=short, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        said = []
        while not said or not said[-1].strip().startswith("http://"):
            said.append(process.stdout.readline())
            assert said[-1], "".join(said)
        assert "Press `Finish review` there" in "".join(said)
        with opened(said[-1].strip()) as tab:
            for name in ("p1.jpg", "p2.jpg"):
                tab.until(f"document.getElementById('name').textContent === '{name}'")
                tab.until("!!document.querySelector('.marks')")
                tab.press("d")
            tab.until("document.getElementById('ending').open")
            tab.evaluate("document.getElementById('ending-finish').click()")
            rest = process.stdout.read()
    assert process.returncode == 0
    assert "Iteration 1 starts: 2 sheets with 2 boxes moved from pool to train" in rest
    assert "[REVIEW] 2 boxes: 2 confirmed, on the page" in rest
    assert "Iterations: 2 (0 to 1)" in rest


@pytest.mark.parametrize("stop", ["ctrl-c", "kill", "kill -9", "closed terminal"])
def test_a_stop_in_training_leaves_no_orphan(short, stop):
    replace(short / "fake_stages.py", "def train() -> None:", "def train() -> None:\n    wait()")
    wait = 'def wait():\n    import time\n    print("training", flush=True)\n    time.sleep(60)\n\n\n'
    replace(short / "fake_stages.py", "def train()", f"{wait}def train()")
    replace(short / "params.yaml", "epochs_baseline: 150", "epochs_baseline: 3")
    child = on_terminal(short, forked=stop == "kill")
    child.expect_exact("[STEP 1/6] Training...")
    child.expect_exact("training\r\n")
    assert len(running_in(short)) >= 3  # yoloop, DVC, the stage
    if stop == "closed terminal":
        child.ptyproc.fileobj.close()  # a hang-up, and nothing more
    elif stop == "kill -9":
        os.kill(child.pid, signal.SIGKILL)  # it alone
        ended(child)
    else:
        child.sendintr() if stop == "ctrl-c" else os.kill(child.pid, signal.SIGTERM)
        code, said = ended(child)
        assert code == 130
        assert "Stopped in iteration 0 (step 1/6, train). Go on with: yoloop run" in said
    assert not_running_soon(short)

    if stop in ("ctrl-c", "kill -9"):
        replace(short / "fake_stages.py", "\n    wait()", "")
        done = in_pipe(short)
        assert "[STEP 1/6] Training..." in done.stdout
        assert "MANUAL REVIEW" in done.stdout


def not_running_soon(root: Path) -> bool:
    end = time.monotonic() + 20
    while running_in(root) and time.monotonic() < end:
        time.sleep(0.1)
    return not running_in(root)


def test_an_oracle_goes_through_without_a_pause(short):
    done = in_pipe(short, "--review", "oracle")
    assert (done.returncode, done.stderr) == (0, "")
    assert "MANUAL REVIEW" not in done.stdout
    assert "Iterations: 2 (0 to 1)" in done.stdout
    names = [line.rsplit("/", 1)[1] for line in sh(short, "git", "for-each-ref", "refs/exps").splitlines()]
    assert {"iter-0", "iter-1"} <= set(names)


def test_nobody_at_the_keyboard_is_no_reason_to_wait(short):
    done = in_pipe(short)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("stopped at the review. Go on with: yoloop run\n")


def test_a_failing_stage_has_the_last_word(short):
    replace(
        short / "fake_stages.py", "def converge() -> None:", 'def converge() -> None:\n    sys.exit("error: x: bad.")'
    )
    done = in_pipe(short)
    assert done.returncode == 2
    assert done.stderr.startswith("error: x: bad. ")
    assert done.stderr.count("\n") == 1
    assert "yoloop run" in done.stderr


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("params.yaml", "budget: 20", "budgt: 20", "sample.budgt"),
        ("params.yaml", "by: person", "by: nobody", "review.by"),
        ("params.yaml", "epochs: 100", "epochs: many", "train.epochs"),
        ("params.yaml", "iteration: 0", "iteration: 7", "iteration: 7"),
        ("data/prompts.yaml", "  title:", "  tilte:", "title"),
        ("params.yaml", "- detail\n- elevation\n", "- elevation\n- detail\n", "elevation, detail, title"),
        ("dvc.yaml", "  sample:\n", "  simple:\n", "no sample"),
    ],
)
def test_mistakes_are_found_before_dvc_starts(short, file, old, new, says):
    replace(short / file, old, new)
    done = in_pipe(short)
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert "STEP" not in done.stdout


def test_a_look_back_is_not_run(short):
    sh(short, "git", "switch", "-q", "--detach")
    with pytest.raises(UserError, match="branch"):
        run_iteration(short, locate(short), say=print)
    with pytest.raises(UserError, match=r"no branch is checked out\. Next: git switch main && dvc checkout"):
        run_loop(short, reviewer="oracle", say=print)


def test_without_a_keyboard_it_stops_at_the_review_and_goes_on_once_all_is_reviewed(short):
    done = in_pipe(short)
    assert (done.returncode, "Nobody is at the keyboard: stopped at the review." in done.stdout) == (0, True)
    review_packet(short)
    done = in_pipe(short)
    assert done.returncode == 0, done.stderr
    assert "MANUAL REVIEW" not in done.stdout
    assert "iteration-1" in sh(short, "git", "tag")
