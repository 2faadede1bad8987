"""Decides a finished iteration again, by stop rules that were edited since: one step in a copy, and no training.

What the iteration was finished with stays as it is, with its tag. The rules only say whether to go on from it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from stages.base.command import names_in
from stages.base.errors import UserError
from stages.base.params import PARAMS, read_yaml
from stages.base.tables import read_metrics
from stages.project.later_settings import RULES
from stages.project.location import edited_rules, params_as_run
from stages.project.process_group import run_group
from stages.project.repository import dvc
from stages.project.scratch_copy import scratch_copy
from stages.project.yaml_edits import edited, flat

STEP = RULES  # of dvc.yaml, called as its section of params.yaml is


class SecondDecision(NamedTuple):
    """What the edited rules say of a finished iteration."""

    edits: str  # as `converge.max_iterations 1 -> 5`
    verdict: str
    reason: str


def decide_again(root: Path, iteration: int) -> SecondDecision | None:
    """Return what the stop rules in params.yaml say of the finished `iteration`, None where they are those it ran with.

    Raises `UserError` with the step's own line when it fails.
    """
    edits = ", ".join(edited_rules(root, iteration))
    if not edits:
        return None
    stage = read_yaml(root / "dvc.yaml")["stages"][STEP]
    with scratch_copy(root, names_in(stage["deps"])) as copy:
        text = edited((root / PARAMS).read_text(encoding="utf-8-sig"), _as_run(params_as_run(root, iteration), stage))
        (copy / PARAMS).write_text(text, encoding="utf-8")
        said: list[str] = []
        environment = {**dvc.environment(root), "PYTHONDONTWRITEBYTECODE": "1"}
        code = run_group(["/bin/sh", "-c", stage["cmd"]], cwd=copy, env=environment, on_text=said.append)
        if code != 0:
            lines = [line.strip() for line in said if line.strip()] or ["without a word"]
            own = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
            raise UserError(own[-1] if own else f"{STEP} ended with exit code {code}: {lines[-1]}")
        found = read_metrics(copy / f"metrics/{STEP}.json")
    return SecondDecision(edits, str(found["verdict"]), str(found["reason"]))


def _as_run(params: Mapping[str, Any], stage: Mapping[str, Any]) -> dict[str, Any]:
    """Return of `params` what the step depends on beside the rules, by dotted path."""
    keys = [key for key in stage["params"] if isinstance(key, str) and key != RULES]
    return {
        path: value for path, value in flat(params).items() if any(f"{path}.".startswith(f"{key}.") for key in keys)
    }
