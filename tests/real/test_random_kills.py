"""Kills at random moments of whole loops of three iterations with the real stages: `yoloop run` again, to the end.

Nine kills; the other 91 of `make test-faults` are in `tests/iteration/test_random_kills.py`, where the stages are fake.
"""

import json
import pickle
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from tests.forks import REAL
from tests.kills import KINDS, end, leftovers, orphans
from tests.once import Once
from tests.real_project import Project, build, set_params
from tests.whole_loop import outcome

KILLS = 9
SEED = 20261201
RUN = ("run", "--review", "oracle")
EPOCHS = {"train": {"epochs_baseline": 2, "epochs": 2}}


class Undisturbed(NamedTuple):
    """A loop without a kill: what came of it, and the seconds that it took."""

    outcome: dict[str, object]
    seconds: float


@pytest.fixture(scope="session")
def undisturbed(toy_weights: Path, once: Once) -> tuple[Undisturbed, Path]:
    """And the project as it was before the loop: to be copied, never changed."""

    def build_it(folder: Path) -> None:
        project = begin(folder, toy_weights)
        project.run("cp", "-a", str(project.root), str(folder / "before"))
        started = time.monotonic()
        project.env[REAL] = "1"
        project.yoloop(*RUN)
        (folder / "seen").write_bytes(pickle.dumps(Undisturbed(outcome(project.root), time.monotonic() - started)))

    folder = once("undisturbed_real_loop", build_it)
    return pickle.loads((folder / "seen").read_bytes()), folder / "before"


def begin(folder: Path, weights: Path) -> Project:
    project = build(folder / "project", weights, counts={"train": 4, "val": 3, "test": 1, "pool": 10})
    set_params(project.root, EPOCHS)
    project.git("commit", "-qam", "Few epochs")
    return project


def pytest_generate_tests(metafunc: Any) -> None:
    every = metafunc.config.getoption("every_kill")
    metafunc.parametrize("number", range(KILLS if every else 0))


@pytest.mark.slow
@pytest.mark.faults
@pytest.mark.timeout(1800)
def test_a_killed_loop_goes_on_to_the_same_end(
    undisturbed: tuple[Undisturbed, Path], clean_env: None, tmp_path: Path, number: int
) -> None:
    """Bit for bit, unless a training was resumed: it says so, and its weights are others."""
    (then, seconds), before = undisturbed
    project = Project(tmp_path / "project", tmp_path / "home")
    subprocess.run(["cp", "-a", before, project.root], check=True)
    # One moment from each ninth of the loop, so that no part of it is left out.
    moment = (number + float(np.random.default_rng([SEED, number]).random())) / KILLS * 0.95 * seconds
    kind = KINDS[number % len(KINDS)]
    while (said := _ended_at(project, moment, kind)) is None:  # it was faster than the undisturbed one: once more
        moment *= 0.8
        subprocess.run(["rm", "-rf", project.root], check=True)
        subprocess.run(["cp", "-a", before, project.root], check=True)
    what = f"kill {number}: {kind} after {moment:.2f} of {seconds:.2f} s"
    left = orphans(project.root)
    again = project.yoloop(*RUN, code=None)
    now = outcome(project.root)
    others = [name for name in then if now[name] != then[name]]
    resumed = [i for i in range(3) if '"resumed": true' in project.git("show", f"iteration-{i}:metrics/train.json")]
    steps = [line.strip() for line in said.splitlines() if "[STEP" in line or line.startswith("Iteration")]
    print(f"{what}, at {steps[-1:]}: resumed {resumed}, other {others}", flush=True)
    assert (again.returncode, left, leftovers(project.root)) == (0, [], []), f"{what}: {again.stdout}{again.stderr}"
    assert "Traceback" not in said + again.stdout + again.stderr, what
    assert json.loads(project.git("show", "iteration-2:metrics/converge.json"))["verdict"] == "stop"
    assert sorted(now["trees"]) == sorted(then["trees"])  # type: ignore[call-overload]
    assert not others or resumed, f"{what}: {others}"


def _ended_at(project: Project, moment: float, kind: str) -> str | None:
    """Begin the loop, end it after `moment` seconds, and return what it had said; None if it was through by then."""
    env, command = {**project.env, REAL: "1"}, [sys.executable, "-m", "stages.loop", *RUN]
    with subprocess.Popen(
        command, cwd=project.root, env=env, text=True, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        try:
            process.communicate(timeout=moment)
        except subprocess.TimeoutExpired:
            end(process.pid, kind, project.root)
            return process.communicate()[0]
    return None
