"""`yoloop run --dry-run`: everything but training, in a scratch copy; the workspace stays byte for byte."""

import fcntl
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from stages.base.command import names_in
from stages.base.errors import UserError, problem
from stages.base.fact_store import unused
from stages.base.params import PARAMS, read_iteration, read_params, read_yaml
from stages.base.tables import read_json, read_metrics
from stages.convergence.outcome_files import supply_outcomes
from stages.detector.rehearsal.training_cost import cost_lines, last_training
from stages.iteration import run_lines as wording
from stages.iteration.overrides import overridden
from stages.iteration.preflight import STAGES, preflight
from stages.project.preconditions import is_finished
from stages.project.process_group import ends_like_ctrl_c, run_group
from stages.project.project_lock import STATE
from stages.project.repository import dvc
from stages.project.scratch_copy import scratch_copy
from stages.wording.rates import result_text

Say = Callable[[str], None]
_STAND_IN = [sys.executable, "-m", "stages.detector.rehearsal.stand_in"]


@unused()
def dry_run(root: Path, *, overrides: Mapping[str, Any], say: Say) -> None:
    """Run the iteration without training in a temporary copy, and say what came out and what training would cost.

    `overrides` are set in the copy's params.yaml, by dotted path. Nothing under `root` is written, not even Git's
    index or a lock. Raises `UserError` with the line of the stage that fails, and `KeyboardInterrupt` after saying
    where it stopped; the copy is gone then, too.
    """
    _require_idle(root)
    graph = read_yaml(root / "dvc.yaml").get("stages", {})
    preflight(root, tuple(graph))
    iteration = read_iteration(root / PARAMS)
    if is_finished(root, iteration):
        say(f"Iteration {iteration} is finished: nothing would run before your review. See: yoloop status")
        return
    here, heard = "before the first step", list[str]()
    try:
        with ends_like_ctrl_c(), scratch_copy(root, _inputs(graph)) as copy:
            supply_outcomes(copy)
            text = overridden((copy / PARAMS).read_text(encoding="utf-8-sig"), overrides)
            (copy / PARAMS).write_text(text, encoding="utf-8")
            plan = wording.plan_line(iteration, read_params(copy / PARAMS))
            say(wording.banner(f"DRY RUN of iteration {iteration}: everything but training, in a scratch copy", plan))
            for name in STAGES:
                here = f"step {STAGES.index(name) + 1}/{len(STAGES)}, {name}"
                heard += _step(copy, name, str(graph[name]["cmd"]), say=say)
            here = "after the last step"
            _say_results(root, copy, iteration, heard=heard, say=say)
    except KeyboardInterrupt:
        say(f"\nStopped in the dry run ({here}): nothing has changed.")
        raise


def _require_idle(root: Path) -> None:
    """Raise `UserError` while another command is at work; the lock is only looked at, never taken or written."""
    file = root / STATE / "lock"
    if not file.is_file():
        return
    with file.open() as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise problem("dry_run.other_yoloop_command", file) from error


def _inputs(graph: Mapping[str, Any]) -> list[str]:
    """Return what the stages read and none of them writes, alone or as part of a folder."""
    kinds = ("outs", "metrics", "plots")
    outs = {path for stage in graph.values() for kind in kinds for path in names_in(stage.get(kind, []))}
    deps = {path for stage in graph.values() for path in names_in(stage.get("deps", []))}
    return sorted(dep for dep in deps if not any(dep == out or dep.startswith(f"{out}/") for out in outs))


def _step(copy: Path, name: str, cmd: str, *, say: Say) -> list[str]:
    """Run one stage as DVC would, or the stand-in for `train`, and return what it printed.

    Raises `UserError` with the stage's own line when it fails.
    """
    line = str(wording.translated(f"Running stage '{name}':", STAGES)).rstrip("\n")
    say(f"{line} left out" if name == "train" else line)
    code, lines = _run(copy, _STAND_IN if name == "train" else ["/bin/sh", "-c", cmd], show=say)
    if code != 0:
        found = wording.complaint(lines) or f"{name} ended with exit code {code}."
        raise UserError(f"{found} This was a dry run: nothing has changed.")
    return lines


def _run(copy: Path, command: Sequence[str], *, show: Say) -> tuple[int, list[str]]:
    tail: deque[str] = deque(maxlen=500)

    def on_text(line: str) -> None:
        tail.append(line)
        if line.strip() and not line.startswith("error: "):
            show(line.rstrip("\r\n"))

    environment = {**dvc.environment(), "PYTHONDONTWRITEBYTECODE": "1"}
    return run_group(command, cwd=copy, env=environment, on_text=on_text), list(tail)


def _say_results(root: Path, copy: Path, iteration: int, *, heard: Sequence[str], say: Say) -> None:
    metrics = {name: read_metrics(copy / f"metrics/{name}.json") for name in ("validate", "converge", "sample")}
    say(f"On val, untrained: {result_text(metrics['validate'])}")
    for line in wording.not_said(wording.result_lines(metrics["converge"], metrics["sample"]), heard):
        say(line)
    measured = last_training(root)
    step = None if measured else _timed_step(copy)
    for line in cost_lines(copy, iteration, measured=measured, step=step):
        say(line)
    say(wording.banner("END OF THE DRY RUN: nothing has changed. To do it: yoloop run"))


def _timed_step(copy: Path) -> dict[str, Any] | str:
    """Return what a timed step of training gave, or why there is none."""
    code, lines = _run(copy, [*_STAND_IN, "--measure"], show=lambda line: None)
    if code != 0:
        return wording.complaint(lines) or f"a step of training ended with exit code {code} (out of memory?)"
    return read_json(copy / "logs/train/step.json")
