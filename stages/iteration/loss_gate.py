"""Asks before a model is carried on that lost what the one before it had found."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stages.base.errors import problem
from stages.base.tables import read_metrics
from stages.convergence.regression_lines import lost_text

_CONVERGE = Path("metrics/converge.json")


def accepted_loss(root: Path, reason: str | None) -> str:
    """Return `reason`, on one line, for going on although something was lost; "" where nothing was.

    Raises `UserError` that names what was lost, unless there is a reason.
    """
    converge = read_metrics(root / _CONVERGE)
    lost, accepted = lost_text(converge), " ".join((reason or "").split())
    if lost and not accepted:
        raise problem("loss_gate.nothing_lost", _CONVERGE, since=converge["regression"]["since"], lost=lost)
    return accepted if lost else ""


def accepting(converge: Mapping[str, Any]) -> str:
    """Return what has to be typed behind `yoloop advance` to go on although something was lost; "" for nothing."""
    return " --accept-regression WHY" if lost_text(converge) else ""
