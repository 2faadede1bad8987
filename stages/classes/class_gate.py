"""When classes may change: at the start of an iteration, before it has run, with nothing that Git or DVC lacks.

There a change is a new start of the iteration, and every stage reads the new one. Between `finish` and `advance` the
results and the packet belong to the classes that they were made with: another list would make every stage stale, and
no review of the packet could be taken in.
"""

from pathlib import Path
from typing import NamedTuple

from stages.base.errors import problem
from stages.base.params import PARAMS, read_iteration
from stages.project.preconditions import RESULTS, SETTINGS, dataset_tag, is_finished, iteration_tag, next_dataset_tag
from stages.project.repository import dvc, git

# What holds class_ids or class names, each with a .dvc file beside it.
TRACKED = ("data/dataset", "data/oracle", "models/parent.pt")


class IterationStart(NamedTuple):
    """The start of an iteration at which the classes may change."""

    iteration: int
    tag: str  # of the start with the classes changed
    tracked: tuple[str, ...]  # those of `TRACKED` that this project has


def require_start(root: Path) -> IterationStart:
    """Return the start at which the project stands; raise `UserError`, in one line, when it stands elsewhere."""
    iteration = read_iteration(root / PARAMS)
    tracked = tuple(name for name in TRACKED if git.content(root, "HEAD", f"{name}.dvc") is not None)
    if "data/dataset" not in tracked:
        raise problem("class_gate.imported_dataset", root / "data/dataset.dvc")
    if is_finished(root, iteration):
        raise problem("class_gate.not_finished", f"iteration {iteration}", iteration_tag=iteration_tag(root, iteration))
    _require_not_run(root, iteration)
    for name in tracked:
        if not (root / name).exists():
            raise problem("class_gate.there", root / name, name=name)
    unsaved = dvc.modified(root, *(f"{name}.dvc" for name in tracked))
    if unsaved:
        raise problem("class_gate.as_committed", root / unsaved[0], name=unsaved[0])
    return IterationStart(iteration, next_dataset_tag(root, iteration), tracked)


def _require_not_run(root: Path, iteration: int) -> None:
    """Raise `UserError` when a stage of the iteration has run, or something that the change writes is uncommitted."""
    start = dataset_tag(root, iteration)
    begun = git.resolve(root, f"refs/tags/{start}")
    if begun is None or not git.is_ancestor(root, begun, "HEAD"):
        raise problem("class_gate.start", f"iteration {iteration}", tag=start)
    if git.content(root, begun, "dvc.lock") != git.here(root, "dvc.lock"):
        raise problem("class_gate.not_run", root / "dvc.lock", iteration=iteration, tag=start)
    changed = git.changed(root, [*RESULTS, *SETTINGS])
    if changed:
        raise problem("class_gate.committed", changed[0], number=len(changed), s="s" * (len(changed) > 1))
