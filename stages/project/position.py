"""Where a project stands, and the one next step: a pure function of facts from Git and DVC."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple

from stages.project.later_settings import without_later
from stages.wording.quantities import counted

DATASET = "data/dataset"  # the one input that a person may change by hand
LABEL_VAL = "yoloop review open --split val"


class Position(Enum):
    """Every place a project can be in; exactly one holds."""

    NO_DATASET = "no dataset yet"
    DETACHED = "a look back: no branch is checked out"
    INPUTS_MISSING = "inputs are not in the workspace"
    UNCACHED = "in the workspace, but no longer in DVC's cache"
    INPUTS_CHANGED = "inputs were changed by hand"
    UNLABELLED = "val is not labelled"
    NOT_RUN = "not run yet"
    STALE = "to be run again"
    OUTPUTS_CHANGED = "run, but its outputs were changed by hand"
    OUTPUTS_MISSING = "run, but its outputs are not in the workspace"
    COMPLETE = "run, but not finished"
    OTHER_EXPERIMENT = "finished, but the workspace holds something else"
    FINISHED = "finished"
    USED_UP = "finished, and nothing is left to review"
    STOPPED = "finished, and the loop has come to its end"


class Changes(NamedTuple):
    """What DVC says is out of date."""

    missing: tuple[str, ...] = ()  # tracked inputs that a checkout would bring
    absent: tuple[str, ...] = ()  # tracked inputs that neither the workspace nor the cache has
    uncached: tuple[str, ...] = ()  # tracked inputs that the workspace has and the cache does not
    uncached_outs: tuple[str, ...] = ()  # the same of what stages wrote, where all of it is here and up to date
    modified: tuple[str, ...] = ()  # tracked inputs with other content than their .dvc file says
    stages: tuple[str, ...] = ()  # stages that would run
    gone: tuple[str, ...] = ()  # what stages wrote, and is no longer in the workspace
    altered: tuple[str, ...] = ()  # what stages wrote, and holds something else now
    altered_files: tuple[str, ...] = ()  # of those, where somebody has looked
    outputs_only: bool = False  # nothing that went into the stages has changed, only what they wrote is gone


class Facts(NamedTuple):
    """What Git and DVC know about a project."""

    iteration: int
    imported: bool  # data/dataset.dvc is committed
    branch: str | None
    finished: bool  # tag iteration-N is in the history of HEAD
    same_run: bool  # dvc.lock is the one at that tag
    verdict: str | None  # at that tag
    packet: int | None  # sheets to review at that tag
    changes: Changes
    all_stages: tuple[str, ...]
    to_label: tuple[int, int] = (0, 0)  # sheets of val that nobody has labelled, and all of them
    decided_here: bool = False  # dvc.lock differs from that one only in the stop rules, and in what was decided by them
    lost: bool = False  # at that tag: the model lost more than chance explains of what the one before had found


def read_changes(
    status: Mapping[str, Sequence[Any]], *, finished: bool = False, here: Callable[[str], bool] = lambda _: False
) -> Changes:
    """Return the meaning of `dvc status --json`: name of a stage or .dvc file -> list of changes.

    `here` says whether a path is in the workspace. Of an iteration that is `finished`, edited prompts and params do not
    count: they are for the next one.
    """
    if finished:
        status = {name: without_later(entry) for name, entry in status.items()}
    status = {name: entry for name, entry in status.items() if entry}
    inputs = {path: kind for name, entry in status.items() if name.endswith(".dvc") for path, kind in _outs(entry)}
    stages = tuple(name for name in status if not name.endswith(".dvc"))
    written = {path: kind for name in stages for path, kind in _outs(status[name])}
    deps = {path for name in stages for path in _part(status[name], "changed deps")}
    words = any(isinstance(part, str) for name in stages for part in status[name])  # "changed command"
    outputs_only = bool(stages) and not words and all(_is_part(dep, written) for dep in deps)
    gone = _of_kind(written, "deleted")
    uncached = tuple(path for path in _of_kind(inputs, "not in cache") if here(path))
    outs = _of_kind(written, "not in cache")
    all_here = outputs_only and not gone and all(here(path) for path in outs)  # else a stage writes them anew
    return Changes(
        missing=_of_kind(inputs, "deleted"),
        absent=tuple(path for path in _of_kind(inputs, "not in cache") if path not in uncached),
        uncached=uncached,
        uncached_outs=outs if all_here else (),
        modified=tuple(sorted(path for path, kind in inputs.items() if kind not in ("deleted", "not in cache"))),
        stages=stages,
        gone=gone,
        altered=_of_kind(written, "modified"),
        outputs_only=outputs_only,
    )


def position_of(facts: Facts) -> Position:
    """Return where the project stands."""
    changes = facts.changes
    checks = (
        (not facts.imported, Position.NO_DATASET),
        (facts.branch is None, Position.DETACHED),
        (bool(changes.missing or changes.absent), Position.INPUTS_MISSING),
        (bool(changes.modified), Position.INPUTS_CHANGED),
        (bool(changes.uncached or changes.uncached_outs), Position.UNCACHED),
        (0 < facts.to_label[0] == facts.to_label[1] and not facts.finished, Position.UNLABELLED),
        (changes.outputs_only and bool(changes.altered), Position.OUTPUTS_CHANGED),
        (changes.outputs_only, Position.OUTPUTS_MISSING),
        (facts.finished and facts.decided_here and not changes.stages, Position.COMPLETE),
        (facts.finished and (bool(changes.stages) or not facts.same_run), Position.OTHER_EXPERIMENT),
        (set(changes.stages) >= set(facts.all_stages), Position.NOT_RUN),
        (bool(changes.stages), Position.STALE),
        (not facts.finished, Position.COMPLETE),
        (facts.verdict == "stop", Position.STOPPED),
        (facts.packet == 0, Position.USED_UP),
    )
    return next((position for holds, position in checks if holds), Position.FINISHED)


def state_line(facts: Facts) -> str:
    """Return what a person reads about this iteration, with the names of what is concerned."""
    position, changes = position_of(facts), facts.changes
    names = {
        Position.INPUTS_MISSING: (*changes.missing, *changes.absent),
        Position.INPUTS_CHANGED: changes.modified,
        Position.UNCACHED: (*changes.uncached, *changes.uncached_outs),
        Position.OUTPUTS_CHANGED: changes.altered_files or changes.altered,
        Position.STALE: changes.stages,
        Position.OTHER_EXPERIMENT: changes.stages,
        Position.UNLABELLED: (f"{facts.to_label[0]} of {counted(facts.to_label[1], 'sheet')}",),
    }.get(position, ())
    return f"{position.value}: {', '.join(names)}" if names else position.value


def next_step(facts: Facts, *, home: str | None = None, reviewer: str = "person", unopened: bool = False) -> str:
    """Return the command to type next.

    `home` is the branch to go back to from a look back; `unopened`: there is a test that nobody has scored on.
    """
    changes = facts.changes
    accepting = " --accept-regression WHY" if facts.lost else ""
    by_hand = f"review the packet (yoloop review open, or export and import), then: yoloop advance{accepting}"
    at_end = "yoloop holdout (scores test, once)" if unopened else "none"
    review = by_hand if reviewer in ("person", "page") else f"yoloop run{accepting}"
    return {
        Position.NO_DATASET: "yoloop data import SOURCE",
        Position.DETACHED: f"git switch {home} && dvc checkout" if home else "git switch -c NAME",
        Position.INPUTS_MISSING: "dvc pull" if changes.absent else f"dvc checkout {' '.join(changes.missing)}",
        Position.UNCACHED: f"{_recaching(changes)} (puts what lies here back into the cache)",
        Position.INPUTS_CHANGED: _of_changed_inputs(changes.modified, finished=facts.finished),
        Position.UNLABELLED: LABEL_VAL,
        Position.NOT_RUN: "yoloop run",
        Position.STALE: "yoloop run",
        Position.OUTPUTS_CHANGED: "move what was put or changed there elsewhere, and the rest is brought back by: "
        "yoloop run",
        Position.OUTPUTS_MISSING: "dvc checkout (or dvc pull), or compute them again: yoloop run",
        Position.COMPLETE: "yoloop finish",
        Position.OTHER_EXPERIMENT: "git stash && dvc checkout --force (brings the finished state back; "
        "what is meant for the next iteration: git stash pop, after yoloop advance)",
        Position.FINISHED: review,
        Position.USED_UP: f"{at_end}: the pool has nothing more to ask about",
        Position.STOPPED: f"{at_end}; to go on in spite of it: yoloop advance --despite-stop REASON{accepting}",
    }[position_of(facts)]


def _recaching(changes: Changes) -> str:
    """Return the command that keeps what lies here, of all, or of the inputs alone where stages are to run again."""
    if changes.uncached_outs:
        return "dvc commit"
    return " ".join(["dvc commit", *(f"{path}.dvc" for path in changes.uncached)])


def _of_changed_inputs(modified: Sequence[str], *, finished: bool) -> str:
    """Return what to do with inputs that were changed by hand; a dataset may be meant so, and is not to be lost."""
    back = f"put them back: dvc checkout --force {' '.join(modified)}"
    if DATASET not in modified:
        return back
    if finished:
        return (
            f"copy what you changed elsewhere, then {back} (it counts from the next iteration on: after yoloop "
            "advance bring it back, then yoloop data accept)"
        )
    return f"yoloop data accept (makes your changes of {DATASET} official), or {back} (and lose them)"


def _outs(entry: Iterable[Any]) -> list[tuple[str, str]]:
    return list(_part(entry, "changed outs").items())


def _is_part(path: str, outs: Iterable[str]) -> bool:
    """Say whether `path` is one of `outs` or lies below one: a stage may read a file of a folder that another wrote."""
    return any(path == out or path.startswith(f"{out}/") for out in outs)


def _part(entry: Iterable[Any], key: str) -> dict[str, str]:
    return {path: kind for part in entry if isinstance(part, dict) for path, kind in part.get(key, {}).items()}


def _of_kind(inputs: Mapping[str, str], kind: str) -> tuple[str, ...]:
    return tuple(sorted(path for path, found in inputs.items() if found == kind))
