"""`yoloop experiments`: the experiments of this iteration, what each changes, and what came of it, as one table."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from stages.base.params import PARAMS, read_iteration
from stages.project.preconditions import is_finished, require_repository, start_tag
from stages.project.repository import dvc, git
from stages.project.yaml_edits import flat
from stages.wording.rates import rate, rate_in

_MEASURED = "metrics/validate.json"
_HEAD = ("experiment", "F1 (95 % interval)", "P", "R", "changed")


class Experiment(NamedTuple):
    """One row: what it is called, its metrics (none: it has not come so far), and its params that differ."""

    name: str
    state: str  # "" for one that has run
    metrics: Mapping[str, Any]
    changed: Mapping[str, Any]


def experiment_lines(root: Path) -> list[str]:
    """Return a table of the experiments on the commit that is checked out, the best F1 first.

    Where there are none, of those on the commits of this iteration before it: each commit hides what began earlier.
    """
    require_repository(root)
    here = list(experiments(json.loads(dvc.run(root, "exp", "show", "--json"))))
    found = sorted(here or _earlier(root), key=lambda one: (-(one.metrics.get("f1") or -1.0), one.name))
    if not found:
        return ["no experiments on this commit; begin some: yoloop sweep NAME -S train.base_lr=0.0005,0.002"]
    first = [] if here else ["none on this commit; these began from an earlier one of this iteration:"]
    last = "Keep one, and finish the iteration with it: yoloop adopt NAME"
    old = "" if here else ", which also puts params and prompts back to those that it ran with"
    keep = [last + old] if any(one.metrics for one in found) else []
    failed = [one.name for one in found if one.state.lower() == "failed"]
    why = [f"Why one failed: dvc queue logs {failed[0]}"] if failed else []
    return [*first, *table([_HEAD, *map(_row, found)]), *keep, *why]


def _earlier(root: Path) -> list[Experiment]:
    """Return the experiments on the commits before HEAD from which this iteration began; none once it is finished."""
    iteration = read_iteration(root / PARAMS)
    start = git.resolve(root, f"refs/tags/{start_tag(root, iteration)}")
    if start is None or is_finished(root, iteration):
        return []
    revs = {start, *git.run(root, "rev-list", f"{start}..HEAD").split()} - {git.head(root)}
    asked = [part for rev in sorted(revs) for part in ("--rev", rev)]
    shown = json.loads(dvc.run(root, "exp", "show", "--json", *asked)) if revs else []
    return [one for entry in shown if entry.get("rev") in revs for one in experiments([entry])]


def experiments(shown: list[dict[str, Any]]) -> Iterator[Experiment]:
    """Yield what `dvc exp show --json` says of the experiments on the commit that is checked out."""
    base = next((entry for entry in shown if entry.get("rev") != "workspace"), None)
    if base is None:
        return
    before = _params(base)
    for one in base.get("experiments") or []:
        entry = one["revs"][0]
        state = str((one.get("executor") or {}).get("state") or "")
        data = entry.get("data") or {}
        measured = ((data.get("metrics") or {}).get(_MEASURED) or {}).get("data") or {}
        metrics = measured if state == "success" else {}  # what has not come so far shows those of before
        changed = {path: value for path, value in _params(entry).items() if before.get(path) != value}
        yield Experiment(one.get("name") or entry["rev"][:7], "" if state == "success" else state, metrics, changed)


def table(rows: list[tuple[str, ...]]) -> list[str]:
    """Return rows of texts as lines in which the columns begin at one place."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _row(one: Experiment) -> tuple[str, ...]:
    f1, low, high, *rest = (one.metrics.get(key) for key in ("f1", "f1_low", "f1_high", "precision", "recall"))
    changed = ", ".join(f"{path} {value}" for path, value in one.changed.items())
    return (one.name, one.state.lower() or rate_in(f1, low, high), *map(rate, rest), changed)


def _params(entry: Mapping[str, Any]) -> dict[str, Any]:
    files = (entry.get("data") or {}).get("params") or {}
    return {path: value for file in files.values() for path, value in flat(file.get("data") or {}).items()}
