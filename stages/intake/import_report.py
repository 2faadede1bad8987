"""What `yoloop data import` says: which images became what, and everything that was not taken as it was."""

from collections.abc import Mapping, Sequence

import numpy as np

from stages.dataset.defects import Defect
from stages.firewall.roles import ROLES, Assignment
from stages.formats.source_sheets import SheetLabels
from stages.formats.yolo_folder import Source
from stages.intake.pool_windows import CutPool
from stages.wording.quantities import counted

_FEW = 10  # names that still fit on a line
_NAMED = 3  # sheets without a box that are told by name
_FIRST = "boxes-lost"  # what is said before all else
# Kinds of warnings that have a line of their own.
_COUNTED = {_FIRST, "polygon", "no-label-file", "no-val", "label-without-image", "image-not-read"}


def report(
    source: Source,
    assignment: Assignment,
    labels: Mapping[str, SheetLabels],
    *,
    oracle: bool,
    findings: Sequence[Defect] = (),
    bare: bool = False,
) -> list[str]:
    """Return a table of sheets and boxes per split and class, then one line per thing worth knowing.

    `bare`: nobody has labelled anything.
    `findings` are what the checks let pass; a kind of warnings that the lines before do not count gets a line.
    """
    lines = [f"warning {one.code}: {one}" for one in findings if one.code == _FIRST]
    lines += table(source.classes, assignment, labels)
    lines += _remarks_of_bare(assignment) if bare else _remarks(source, assignment, labels, oracle=oracle)
    return [*lines, *_warnings(findings)]


def _warnings(findings: Sequence[Defect]) -> list[str]:
    of_kind: dict[str, list[Defect]] = {}
    for finding in findings:
        if finding.severity == "warning" and finding.code not in _COUNTED:
            of_kind.setdefault(finding.code, []).append(finding)
    return [f"warning {code} ({len(group)}): {group[0]}" for code, group in of_kind.items()]


def table(classes: Sequence[str], assignment: Assignment, labels: Mapping[str, SheetLabels]) -> list[str]:
    """Return sheets, boxes and boxes per class (rows) of each split (columns)."""
    ids = {role: _class_ids(assignment.roles[role], labels) for role in ROLES}
    rows = [("sheets", [len(assignment.roles[role]) for role in ROLES])]
    rows.append(("boxes", [len(ids[role]) for role in ROLES]))
    rows += [(f"  {name}", [int((ids[role] == i).sum()) for role in ROLES]) for i, name in enumerate(classes)]
    width = max(len(name) for name, _ in rows)
    head = " " * width + "".join(f"{role:>8}" for role in ROLES)
    return [head, *(f"{name:<{width}}" + "".join(f"{n:>8}" for n in numbers) for name, numbers in rows)]


def window_line(cut: CutPool, side: int) -> str:
    """Return what became of a pool that was to be cut into windows."""
    if not cut.cut:
        return f"no sheet of the pool is so large that it makes two windows of about {side} px"
    return (
        f"{counted(cut.cut, 'sheet')} of the pool became {cut.windows} windows of about {side} px, each of which is "
        f"reviewed by itself; of an object that a window cuts, at least half counts. tile: {side} in params.yaml"
    )


def names_of_few(assignment: Assignment) -> list[str]:
    """Return a line with the names of each split that has few sheets."""
    few = {role: names for role, names in assignment.roles.items() if 0 < len(names) <= _FEW}
    return [f"{role}: {', '.join(names)}" for role, names in few.items()]


def _class_ids(names: Sequence[str], labels: Mapping[str, SheetLabels]) -> np.ndarray:
    return np.concatenate([np.zeros(0, dtype=np.int32), *(labels[name].boxes.class_id for name in names)])


def _remarks(source: Source, assignment: Assignment, labels: Mapping[str, SheetLabels], *, oracle: bool) -> list[str]:
    polygons = sum(labels[name].polygons for names in assignment.roles.values() for name in names)
    lines = _without_box(source, assignment, labels)
    lines += [f"{polygons} polygons became the boxes around them"] if polygons else []
    lines += _unlabelled(source, assignment, oracle=oracle)
    lines += _moved(assignment)
    lines += [f"not used: {len(names)} images of the source's {split}" for split, names in assignment.unused.items()]
    if source.strangers:
        files = ", ".join(str(path.relative_to(source.folder)) for path in source.strangers[:3])
        lines.append(f"left out: {len(source.strangers)} files that belong to no image ({files}, ...)")
    for role in ("train", "val"):
        ids = _class_ids(assignment.roles[role], labels)
        lines += [f"{role} has no box of {name}" for i, name in enumerate(source.classes) if not (ids == i).any()]
    return [*lines, *_pool(assignment, oracle=oracle)]


def _without_box(source: Source, assignment: Assignment, labels: Mapping[str, SheetLabels]) -> list[str]:
    """Return how many labelled sheets of each split have no box: they say that nothing is there."""
    labelled = {name for items in source.splits.values() for name, item in items.items() if item.label.is_file()}
    empty = {name for name in labelled & labels.keys() if not len(labels[name].boxes.class_id)}
    found = {role: [name for name in assignment.roles[role] if name in empty] for role in ROLES}
    named = {role: f" ({', '.join(names)})" if len(names) <= _NAMED else "" for role, names in found.items()}
    said = ", ".join(f"{len(names)} of {role}{named[role]}" for role, names in found.items() if names)
    return [f"sheets without a box: {said}"] if said else []


def _remarks_of_bare(assignment: Assignment) -> list[str]:
    """Return what became of sheets that nobody has labelled."""
    val, test, pool = (len(assignment.roles[role]) for role in ("val", "test", "pool"))
    beside = f" and {test} for test" if test else ""
    lines = [f"no sheet is labelled: {val} were drawn for val{beside}, which wait for labels; the pool holds {pool}"]
    return [*lines, *_moved(assignment)]


def _moved(assignment: Assignment) -> list[str]:
    """Return what `--regroup` and `--one-of-each` did."""
    followed, left = assignment.followed, assignment.left_out
    lines = []
    if followed:
        lines.append(f"regroup: {len(followed)} sheets follow their group into val or test: {_named(followed)}")
    if left:
        lines.append(f"regroup: {len(left)} copies of sheets of val or test are left out: {_named(left)}")
    if assignment.spare:
        stays = [f"{name} ({other} stays)" for name, other in sorted(assignment.spare.items())]
        lines.append(f"one of each: {len(stays)} copies are left out: {_named(stays)}")
    return lines


def _named(names: Sequence[str]) -> str:
    return ", ".join(names[:_FEW]) + ", ..." * (len(names) > _FEW)


def _unlabelled(source: Source, assignment: Assignment, *, oracle: bool) -> list[str]:
    """Return a line per split that has images without a label file: empty sheets, except in an open pool."""
    items = {name: item for split in source.splits.values() for name, item in split.items()}
    lines = []
    for role in ROLES:
        without = [name for name in assignment.roles[role] if not items[name].label.is_file()]
        if without:
            meaning = "unlabelled" if role == "pool" and not oracle else "taken as sheets with nothing on them"
            lines.append(f"{role}: {len(without)} images without a label file, {meaning}")
    return lines


def _pool(assignment: Assignment, *, oracle: bool) -> list[str]:
    count = len(assignment.roles["pool"])
    if not count:
        return [
            "the pool is empty: there is nothing to sample from. "
            "To get one, import it with --again and --pool SPLIT or --pool 0.5"
        ]
    return [f"the labels of {count} pool sheets are held back in data/oracle, for `--review oracle`"] if oracle else []
