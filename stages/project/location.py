"""Finds out where the project is from Git and DVC, never from the existence of a file."""

import json
import re
import tempfile
from pathlib import Path
from typing import Any

from stages.base.params import PARAMS, read_iteration, read_yaml
from stages.base.tables import with_details
from stages.convergence.regression_lines import lost_text
from stages.dataset.sheets.manifest import MANIFEST, read_manifest
from stages.dataset.sheets.split_folder import DATASET
from stages.project.later_settings import RULES, differs_in_decision, edits
from stages.project.lines_of_work import prefix, read_lines
from stages.project.position import Facts, Position, next_step, position_of, read_changes
from stages.project.preconditions import WITHOUT_DATA, holds_demo, iteration_tag
from stages.project.project_lock import STATE
from stages.project.repository import dvc, dvc_cache, git

LOCK = "dvc.lock"
RUNNING = Path(STATE) / "running"  # there while an iteration runs, and after one that was stopped: outputs may be half


def locate(root: Path) -> Facts:
    """Return what Git and DVC know about the project at `root`; raise `UserError` when it is none.

    While DVC is at work it cannot be asked: then that is a `dvc.BusyError`.
    """
    git.require_repository(root)
    dvc.require_repository(root)
    git.head(root)
    iteration = read_iteration(root / PARAMS)
    tag = iteration_tag(root, iteration)
    finished = iteration in finished_iterations(root)
    imported = is_imported(root)
    converge = metrics_at(root, tag, "converge") if finished else {}
    found = dvc.status(root) if imported else {}
    changes = read_changes(found, finished=finished, here=lambda path: (root / path).exists())
    changes = changes._replace(altered=()) if (root / RUNNING).exists() else changes
    if changes.outputs_only and changes.altered:
        changes = changes._replace(altered_files=tuple(dvc_cache.altered_files(root, changes.altered)))
    lock_then, lock_now = git.content(root, tag, LOCK), git.here(root, LOCK)
    return Facts(
        iteration=iteration,
        imported=imported,
        branch=current_branch(root),
        finished=finished,
        same_run=finished and lock_then == lock_now,
        decided_here=finished and differs_in_decision(lock_then, lock_now),
        verdict=converge.get("verdict"),
        packet=metrics_at(root, tag, "sample").get("packet_sheets") if finished else None,
        changes=changes,
        all_stages=tuple(read_yaml(root / "dvc.yaml").get("stages", {})),
        to_label=unlabelled_of_val(root),
        lost=bool(lost_text(converge)),
    )


def is_imported(root: Path) -> bool:
    """Say whether a dataset was imported: its pointer is committed."""
    return git.content(root, "HEAD", "data/dataset.dvc") is not None


def unlabelled_of_val(root: Path) -> tuple[int, int]:
    """Return how many sheets of val nobody has labelled, and how many there are, as its list says; 0 without one."""
    file = root / DATASET / "val" / MANIFEST
    rows = read_manifest(file, without_content=True) if file.is_file() else []
    return sum(row.label_source == "none" for row in rows), len(rows)


def next_command(root: Path, facts: Facts, *, reviewer: str = "person", unopened: bool = False) -> str:
    """Return what to type next, as `next_step` says it.

    In a clone of the demo, whose data is drawn and not pulled, that is an import.
    """
    if facts.changes.absent and holds_demo(root):
        return WITHOUT_DATA
    if position_of(facts) is Position.STOPPED and edited_rules(root, facts.iteration):
        return f"yoloop run (decides again by the edited {RULES} rules, and trains nothing again)"
    return next_step(facts, home=home_branch(root), reviewer=reviewer, unopened=unopened)


def finished_iterations(root: Path) -> list[int]:
    """Return the iterations of this line, and of those that it came from, whose tags lie in the history of HEAD."""
    tags = git.run(root, "tag", "--merged", "HEAD", "-l", "*iteration-*").split()
    lines = read_lines(root)
    found = {tag: int(match[2]) for tag in tags if (match := re.fullmatch(r"(.*/)?iteration-(\d+)", tag))}
    return sorted(number for tag, number in found.items() if tag == f"{prefix(lines, number)}iteration-{number}")


def metrics_at(root: Path, rev: str, stage: str) -> dict[str, Any]:
    """Return the metrics of `stage` as they are at `rev`; empty where there are none."""
    data = git.content(root, rev, f"metrics/{stage}.json")
    values = json.loads(data) if data else {}
    return with_details(values) if isinstance(values, dict) else {}


def params_as_run(root: Path, iteration: int) -> dict[str, Any]:
    """Return params.yaml as it was when `iteration` was finished, as it lies here where it has no tag.

    A replay has none, and nobody who edits its values.
    """
    data = git.content(root, iteration_tag(root, iteration), str(PARAMS))
    if data is None:
        return read_yaml(root / PARAMS)
    with tempfile.TemporaryDirectory() as folder:  # read by the one reader of it: others take 1e-05 for a text
        file = Path(folder) / PARAMS.name
        file.write_bytes(data)
        return read_yaml(file)


def edited_since(root: Path, iteration: int) -> list[str]:
    """Return what was edited in params.yaml since `iteration` was finished, each as `train.epochs 8 -> 4`."""
    return edits(params_as_run(root, iteration), read_yaml(root / PARAMS))


def edited_rules(root: Path, iteration: int) -> list[str]:
    """Return which stop rules were edited since `iteration` was finished, each as `converge.max_iterations 1 -> 5`."""
    return [one for one in edited_since(root, iteration) if one.startswith(f"{RULES}.")]


def current_branch(root: Path) -> str | None:
    """Return the short name of the branch that is checked out, None on a detached HEAD."""
    done = git.call(root, "symbolic-ref", "-q", "--short", "HEAD")
    return done.stdout.decode().strip() if done.returncode == 0 else None


def home_branch(root: Path) -> str | None:
    """Return the branch that was left to look back: the one that was committed to last."""
    names = git.run(root, "for-each-ref", "--sort=-committerdate", "--format=%(refname:short)", "refs/heads").split()
    return names[0] if names else None
