"""`yoloop run --dry-run` on fast stages: nothing is written, whatever happens, and it says what it cannot do."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.everything import everything
from tests.fake_project import REPO, dvc, sh
from tests.iteration.test_run_loop import ended, in_pipe, not_running_soon, on_terminal, replace

pytestmark = pytest.mark.slow
MAKE = """
from pathlib import Path
from stages.detector.model.runtime import start_ultralytics
start_ultralytics()
from stages.detector.model.checkpoint import save_model
from ultralytics.nn.tasks import DetectionModel
model = DetectionModel("yolo26n.yaml", nc=3, verbose=False)
model.names = dict(enumerate(("detail", "elevation", "title")))
save_model(model, Path("parent.pt"), imgsz=64)
"""


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A detector with random weights: the one thing in a dry run that no fake stage stands for."""
    folder = tmp_path_factory.mktemp("weights")
    (folder / "make.py").write_text(MAKE)
    subprocess.run([sys.executable, "make.py"], cwd=folder, env={"PYTHONPATH": str(REPO)}, check=True)
    return folder / "parent.pt"


@pytest.fixture
def root(
    project: Callable[[], Path],
    weights: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A project with real weights and every kind of file; `TMPDIR` is a folder of the test."""
    monkeypatch.setenv("PYTHONPATH", str(REPO))
    monkeypatch.setenv("TMPDIR", str(tmp_path_factory.mktemp("tmp")))
    root = project()
    dvc(root, "config", "--local", "cache.type", "hardlink")
    dvc(root, "checkout", "-q", "--relink")
    (root / "models/parent.pt").unlink()
    (root / "models/parent.pt").write_bytes(weights.read_bytes())
    replace(root / "params.yaml", "plausible: 0.1", "plausible: 0.2")
    replace(root / "params.yaml", "imgsz: 2560 # px of the longer side in training", "imgsz: 64 # a step is timed")
    (root / "fake_stages.py").open("a").write("# edited\n")
    (root / "notes.txt").write_text("new\n")
    sh(root, "git", "add", "params.yaml")
    return root


@pytest.fixture
def temporary(root: Path) -> Path:
    """The folder in which scratch copies come and go."""
    return Path(os.environ["TMPDIR"])


def test_every_byte_stays(root, temporary):
    before = everything(root)
    done = in_pipe(root, "--dry-run")
    assert (done.returncode, done.stderr) == (0, "")
    assert everything(root) == before
    assert not list(temporary.glob("yoloop*"))
    assert [line[:10] for line in done.stdout.splitlines() if line.startswith("[STEP")] == [
        f"[STEP {step}/6]" for step in range(1, 7)
    ]
    assert "On val, untrained: F1 0.800 (0.74 to 0.86), P 0.900, R 0.800" in done.stdout
    assert "[CONVERGENCE] go on: 1 of " in done.stdout
    assert "[SAMPLING] 2 of 5 candidates picked, on 2 of 4 pool sheets" in done.stdout
    assert "[COST] Training: 3 sheets x " in done.stdout


def test_values_of_a_file_reach_the_copy_only(root, tmp_path):
    file = tmp_path / "try.yaml"
    file.write_text("converge: {max_iterations: 1}\ntrain:\n  epochs_baseline: 7\n  batch: 2\n  imgsz: 64\n")
    before = everything(root)
    done = in_pipe(root, "--dry-run", "--config", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert everything(root) == before
    assert "[CONVERGENCE] stop: 1 of 1 iterations are done." in done.stdout
    assert "[COST] Training: 3 sheets x 7 epochs = 21 images, in 14 steps of 2, at 64 px" in done.stdout


@pytest.mark.parametrize("stage", ["validate", "sample"])
def test_ctrl_c_leaves_nothing_behind(root, temporary, stage):
    replace(root / "fake_stages.py", f"def {stage}() -> None:", f"def {stage}() -> None:\n    wait()")
    wait = 'def wait():\n    import time\n    print("waiting", flush=True)\n    time.sleep(60)\n\n\n'
    replace(root / "fake_stages.py", "def train()", f"{wait}def train()")
    before = everything(root)
    child = on_terminal(root, "--dry-run", forked=True)
    child.expect_exact("waiting\r\n")
    assert list(temporary.glob("yoloop*"))
    child.sendintr()
    code, said = ended(child)
    assert code == 130
    assert f", {stage}): nothing has changed." in said
    assert not_running_soon(root)
    assert not list(temporary.glob("yoloop*"))
    assert everything(root) == before


def test_a_failing_stage_has_the_last_word(root, temporary):
    replace(
        root / "fake_stages.py", "def converge() -> None:", 'def converge() -> None:\n    sys.exit("error: x: bad.")'
    )
    before = everything(root)
    done = in_pipe(root, "--dry-run")
    assert (done.returncode, done.stderr) == (2, "error: x: bad. This was a dry run: nothing has changed.\n")
    assert everything(root) == before
    assert not list(temporary.glob("yoloop*"))


def test_weights_that_training_would_refuse_are_refused(root):
    (root / "models/parent.pt").write_text("no weights")
    done = in_pipe(root, "--dry-run")
    assert done.returncode == 2
    assert done.stderr.startswith("error: models/parent.pt: expected an Ultralytics checkpoint")
    assert done.stderr.count("\n") == 1


def test_not_beside_another_command(root):
    (root / ".yoloop").mkdir(exist_ok=True)
    with (root / ".yoloop/lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = everything(root)
        done = in_pipe(root, "--dry-run")
    assert done.returncode == 2
    assert "expected no other yoloop command at work here" in done.stderr
    assert everything(root) == before


def test_a_finished_iteration_has_nothing_to_run(finished, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(REPO))
    root = finished()
    before = everything(root)
    done = in_pipe(root, "--dry-run")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Iteration 0 is finished: nothing would run before your review." in done.stdout
    assert everything(root) == before
