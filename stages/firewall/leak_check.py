"""The split firewall as a check: no sheet, and no copy of one, lies on two sides of train and pool, val, and test."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from stages.base.errors import problem
from stages.dataset.defects import Defect, finding
from stages.dataset.sheets.manifest import MANIFEST, read_manifest
from stages.dataset.sheets.split_folder import read_split
from stages.firewall.kinship import copies_of
from stages.firewall.roles import SIDES, Kinship, leaks
from stages.firewall.spare_copies import Counts, disagreeing

_RULERS = ("val", "test")
MEND = "Remove one of the two; `yoloop data import --regroup` keeps those of val and test."


def leak_findings(
    images: Mapping[str, Sequence[Path]],
    copies: Sequence[tuple[str, ...]],
    *,
    boxes: Counts | None = None,
    groups: Mapping[str, str] | None = None,
    mend: str = MEND,
) -> list[Defect]:
    """Return an error for every sheet that is on two sides, and warnings for copies on one side or labelled otherwise.

    `images` are the files of each split, whose names are unique over all; a split that is neither val nor test counts
    as train. `copies` are the sets of names that show one sheet, `boxes` counts those of each that is labelled.
    `groups` names the drawing set or project of a sheet by its file name: a group belongs to one side, too.
    """
    files = {file.name: file for found in images.values() for file in found}
    split_of = {file.name: split for split, found in images.items() for file in found}
    kinship, counts = Kinship(copies, groups or {}), boxes or {}
    found = [
        _leak(files[leak.kept], leak.kept_role, files[leak.other], leak.other_role, kinship, mend)
        for leak in leaks(split_of, kinship)
    ]
    twice = [_twice(names, files) for names in kinship.copies if _one_side(names, split_of)]
    return [*found, *twice, *(_unlike(names, files, counts) for names in disagreeing(copies, counts))]


def require_no_leak(dataset: Path, moved: Sequence[str]) -> None:
    """Raise `UserError` when a sheet of `moved`, which is to leave the pool for train, must not be fitted on.

    That is a copy of a sheet of val or test, by its content, or a sheet of a group that has a sheet there.
    """
    mine = {name: dataset / "pool/images" / name for name in moved}
    others = {sheet.image_id: sheet.image for split in _RULERS for sheet in read_split(split, dataset)}
    rulers = {row.group: row.image_id for split in _RULERS for row in read_manifest(dataset / split / MANIFEST)}
    own = {row.image_id: row.group for row in read_manifest(dataset / "pool" / MANIFEST)}
    for name, other in copies_of(mine, others):
        raise problem("leak_check.sheet_val_test", mine[name], found=f"a copy of {others[other]}")
    for name in moved:
        if own.get(name) and own[name] in rulers:
            found = f"the group {own[name]}, of which is {others[rulers[own[name]]]} as well"
            raise problem("leak_check.sheet_val_test", mine[name], found=found)


def _leak(kept: Path, kept_role: str, other: Path, other_role: str, kinship: Kinship, mend: str) -> Defect:
    group = kinship.groups.get(kept.name)
    copied = any({kept.name, other.name} <= set(names) for names in kinship.copies)
    what = f"of the group {group} as well" if group and not copied else "a copy of it"
    return finding(
        "error", "leak_check.leak", kept, kept_role=kept_role, other_role=other_role, other=other, what=what, mend=mend
    )


def _twice(names: Sequence[str], files: Mapping[str, Path]) -> Defect:
    found = f"{', '.join(names[1:4])}{', ...' * (len(names) > 4)}"
    return finding("warning", "leak_check.copy", files[names[0]], found=found)


def _unlike(names: Sequence[str], files: Mapping[str, Path], boxes: Counts) -> Defect:
    counts = ", ".join(f"{name} with {int(boxes[name].sum())}" for name in names[:4]) + ", ..." * (len(names) > 4)
    as_many = len({int(boxes[name].sum()) for name in names}) == 1
    found = f"{counts}{', of other classes' if as_many else ''}"
    return finding("warning", "leak_check.copy-labels", files[names[0]], found=found)


def _one_side(names: Sequence[str], split_of: Mapping[str, str]) -> bool:
    return len({SIDES.get(split_of[name], "fit") for name in names}) == 1
