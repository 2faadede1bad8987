"""A kill of everything in the middle of a training: the same command goes on, on the same branch, nothing lost."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.forks import REAL
from tests.real_project import Project, build, set_params

pytestmark = pytest.mark.slow


def test_a_killed_run_goes_on_where_it_stopped(toy_weights, tmp_path):
    project = build(tmp_path / "project", toy_weights, counts={"train": 6, "val": 4, "pool": 4})
    set_params(project.root, {"train": {"epochs_baseline": 12}})
    project.git("commit", "-qam", "More epochs")
    _start_and_kill(project)
    log = project.root / "logs/train/train.log"
    first_half = log.read_text()
    assert "Starting training for 12 epochs" in first_half
    assert project.git("status", "-sb").startswith("## main")
    project.yoloop("run", "--review", "person")
    assert log.read_text().startswith(first_half)
    assert "Resuming training" in log.read_text().removeprefix(first_half)
    assert '"resumed": true' in project.git("show", "iteration-0:metrics/train.json")
    assert project.git("status", "-sb").strip() == "## main"
    assert not (project.root / ".scratch/train").exists() or not list((project.root / ".scratch/train").iterdir())


def test_the_same_training_never_runs_twice_at_once(toy_weights, tmp_path):
    project = build(tmp_path / "project", toy_weights, counts={"train": 6, "val": 2, "pool": 2})
    set_params(project.root, {"train": {"epochs_baseline": 60}})
    first = _popen(project, "stages.train")
    _wait_for_epochs(project, first)
    second = project.stage("train", code=2)
    first.kill()
    first.wait()
    assert "training with the same inputs" in second.stderr.splitlines()[-1]


def _popen(project: Project, *module: str) -> "subprocess.Popen[bytes]":
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL}
    command = [sys.executable, "-m", *module]
    env = {**project.env, REAL: "1"}  # true processes, all of them to be killed
    return subprocess.Popen(command, cwd=project.root, env=env, start_new_session=True, **quiet)


def _wait_for_epochs(project: Project, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 180
    while process.poll() is None and time.monotonic() < deadline:
        files = list((project.root / ".scratch/train").glob("*/run/results.csv"))
        if files and len(files[0].read_text().splitlines()) >= 3:
            return
        time.sleep(0.05)
    raise AssertionError("the training did not get to its second epoch")


def _start_and_kill(project: Project) -> None:
    """Start the loop, and kill every process that works in the project while it trains."""
    process = _popen(project, "stages.loop", "run", "--review", "person")
    _wait_for_epochs(project, process)
    killed = _processes_in(project.root)
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + 60
    while any(Path(f"/proc/{pid}").exists() for pid in killed) and time.monotonic() < deadline:
        time.sleep(0.05)  # until the system has cleared the orphans away: DVC would take them for living


def _processes_in(folder: Path) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                place = (entry / "cwd").readlink()
            except OSError:
                continue
            if place == folder:
                found.append(int(entry.name))
    return found
