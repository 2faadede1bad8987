"""Kills at random moments of loops of three iterations: the command again, and all is as in a loop without a kill.

Here the stages are fake and take milliseconds; Git, DVC and yoloop are real, each command that is killed is a true
process, and so is all that it starts. 91 kills in seven loops, each spot of each loop with one of the four kinds; nine
more are of loops with the real stages (`tests/real/test_random_kills.py`).
"""

import pickle
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from tests.kills import KINDS, end, leftovers, orphans
from tests.once import Once
from tests.whole_loop import STEPS, Running, build, do, is_done, outcome, prepare

LOOPS = 7
SEED = 20261130


class Spot(NamedTuple):
    """Where a kill hits: a step of the loop, and the part of it from one line that is said to another one."""

    step: str
    name: str
    begins: str = ""  # "": the start
    ends: str = ""  # "": the end


_STAGES = ("train", "predict", "validate", "analyze", "converge", "sample")
_LINES = [f"[STEP {number}/6]" for number in range(1, 7)]
_STAGE = {
    name: (name, begins, ends) for name, begins, ends in zip(_STAGES, _LINES, [*_LINES[1:], "[SAMPLING]"], strict=True)
}
SPOTS = (
    Spot("import", "data import"),
    Spot("run 0", "before the stages", "", _LINES[0]),
    Spot("run 0", *_STAGE["train"]),
    Spot("run 0", *_STAGE["predict"]),
    Spot("review import 0", "review import"),
    Spot("advance 0", "advance"),
    Spot("run 1", *_STAGE["validate"]),
    Spot("run 1", *_STAGE["analyze"]),
    Spot("run 1", *_STAGE["converge"]),
    Spot("page 1", "the page", "http://"),
    Spot("advance 1", "advance"),
    Spot("run 2", *_STAGE["sample"]),
    Spot("run 2", "finish", "[SAMPLING]"),
)


class Undisturbed(NamedTuple):
    """A loop without a kill: what it was after each step, and the seconds that each spot took."""

    outcomes: dict[str, dict[str, object]]
    seconds: dict[Spot, float]


@pytest.fixture(scope="session")
def undisturbed(once: Once) -> Undisturbed:
    def build_it(folder: Path) -> None:
        root = folder / "project"
        build(root)
        outcomes, seconds = {}, {}
        for step in STEPS:
            done = do(root, step, true=True)
            assert done.code == 0, done.errors
            outcomes[step] = outcome(root)
            whole = time.monotonic() - done.started
            for spot in (spot for spot in SPOTS if spot.step == step):
                seconds[spot] = (_time(done, spot.ends) if spot.ends else whole) - _time(done, spot.begins)
        (folder / "seen").write_bytes(pickle.dumps(Undisturbed(outcomes, seconds)))

    return pickle.loads((once("undisturbed_loop", build_it) / "seen").read_bytes())


def _time(done: Running, marker: str) -> float:
    at = done.time_of(marker)
    assert at is not None, (marker, done.said)
    return at


def pytest_generate_tests(metafunc: Any) -> None:
    every = metafunc.config.getoption("every_kill")
    metafunc.parametrize("number", range(LOOPS if every else 0))


@pytest.mark.slow
@pytest.mark.faults
@pytest.mark.timeout(1800)
def test_a_loop_that_is_killed_thirteen_times(
    undisturbed: Undisturbed, clean_env: None, tmp_path: Path, number: int
) -> None:
    root = tmp_path / "project"
    build(root)
    troubles = []
    for step in STEPS:
        prepare(root, step)
        spots = [spot for spot in SPOTS if spot.step == step]
        found = [one for spot in spots for one in _killed(root, number, spot, undisturbed.seconds[spot])]
        again = do(root, step)
        found += _went_on(root, step, again)
        found += leftovers(root)
        now, then = outcome(root), undisturbed.outcomes[step]
        found += [f"{name}: {now[name]!r} instead of {then[name]!r}" for name in then if now[name] != then[name]]
        print(f"loop {number}, {step}: {found or 'as undisturbed'}", flush=True)
        troubles += [f"loop {number}, {step}: {one}" for one in found]
        assert again.code == 0 or is_done(root, step), troubles
    assert not troubles, "\n".join(troubles)


def _killed(root: Path, number: int, spot: Spot, seconds: float) -> list[str]:
    """Begin a step and end it at a moment of the spot; return what was not as it should be."""
    place = SPOTS.index(spot)
    kind = KINDS[(number + place) % len(KINDS)]
    if spot.name == "finish" and _has_run(root):  # the kill of `sample` came behind it
        spot = spot._replace(begins="YOLOOP")
    moment = float(np.random.default_rng([SEED, number, place]).random()) * 0.9 * seconds
    before = Path(shutil.copytree(root, root.parent / "before", symlinks=True))
    running, began = _until(root, spot, moment)
    while running.process.poll() is not None and moment > 0.01:  # it was faster than the undisturbed one: once more
        running.wait()
        moment /= 2
        shutil.rmtree(root)
        shutil.copytree(before, root, symlinks=True)
        running, began = _until(root, spot, moment)
    shutil.rmtree(before)
    in_time = running.process.poll() is None
    end(running.process.pid, kind, root)
    left = orphans(root)
    running.wait()
    what = f"{kind} {moment:.3f} s into {spot.name}"
    print(f"loop {number}, {spot.step}: {what}: code {running.code}: {running.errors.strip()[-300:]!r}", flush=True)
    if began is None or not in_time:
        return [f"{what}: it had ended: {running.errors}"]
    troubles = [f"{what}: left an orphan: {one}" for one in left]
    if "Traceback" in running.errors and "exit_cleanly" in running.errors:  # else Python itself was still loading us
        troubles.append(f"{what}: {running.errors}")
    return troubles


def _has_run(root: Path) -> bool:
    command = [sys.executable, "-m", "dvc", "status", "--json"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    return done.stdout.strip() == "{}"  # nothing where a lock of the killed DVC is left, which yoloop drops


def _until(root: Path, spot: Spot, moment: float) -> tuple[Running, float | None]:
    """Begin a step and wait until `moment` seconds of the spot; return when that began, None if it never did."""
    running = Running(root, spot.step, true=True)
    while (began := running.time_of(spot.begins)) is None and running.process.poll() is None:
        time.sleep(0.001)
    time.sleep(max(0.0, running.started + (began or 0.0) + moment - time.monotonic()))
    return running, began


def _went_on(root: Path, step: str, again: Running) -> list[str]:
    """Return what is wrong with how a command went on after the kill: it ends well, or says that it is done."""
    lines = again.errors.strip().splitlines()
    if again.code == 0:
        return [line for line in lines if line.startswith(("error:", "Traceback"))]
    refused = again.code == 2 and len(lines) == 1 and lines[0].startswith("error: ")
    return [] if refused and is_done(root, step) else [f"again: code {again.code}: {again.errors}"]
