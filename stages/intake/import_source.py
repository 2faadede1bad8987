"""What `yoloop data import` takes from a source: every image with its role and its labels, all checked."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.base.errors import problem
from stages.base.params import is_plain_name
from stages.dataset.defects import Defect, refuse
from stages.firewall.grouping import read_groups
from stages.firewall.kinship import copies_among
from stages.firewall.roles import ROLES, Assignment, Kinship, LeakError, RolePart, assign
from stages.formats.bare_folder import is_bare, read_bare
from stages.formats.dataset_reader import read_dataset
from stages.formats.source_sheets import SheetLabels, SourceSheet
from stages.formats.yolo_folder import Item, Source, split_name
from stages.formats.yolo_reader import sheet_labels
from stages.intake.contract.contract import check_sheets, dataset_findings
from stages.intake.contract.lost_boxes import lost_findings
from stages.intake.contract.tile_names import TILES
from stages.intake.unlabelled_roles import assign_unlabelled
from stages.wording.progress import Say

BASELINE, TARGET = "yolo26n.pt", "yoloe-26n-seg.pt"


class ImportOptions(NamedTuple):
    """What was asked for; val, test and pool are each a split, a share of train, or a file of names."""

    val: str | None = None
    test: str | None = None
    pool: str | None = None
    oracle: bool = False
    baseline: str = BASELINE
    target: str = TARGET
    seed: int = 0
    keep_params: bool = False
    group_pattern: str | None = None
    groups: Path | None = None
    regroup: bool = False
    one_of_each: bool = False
    pool_windows: int | None = None  # px: larger sheets of the pool are cut into windows of this side
    trust_weights: bool = False
    classes: tuple[str, ...] | None = None  # of pictures that nobody has labelled; None: the labels' source names them


class Read(NamedTuple):
    """A source after all checks: the role of every image, its labels, and what the checks found and let pass."""

    source: Source
    assignment: Assignment
    labels: dict[str, SheetLabels]  # by image file name
    items: dict[str, Item]
    kind: str = "YOLO folder"  # the words for its format
    findings: tuple[Defect, ...] = ()
    kinship: Kinship = Kinship()
    bare: bool = False  # nobody has labelled anything


def read_sheets(folder: Path, options: ImportOptions, *, say: Say | None = None) -> Read:
    """Return what is in `folder` (YOLO, COCO JSON or Pascal VOC), every image that gets a role decoded and checked.

    Raises `UserError` with the first error that the checks found and how many more there are.
    """
    dataset = read_dataset(folder) if options.classes is None else read_bare(folder, options.classes)
    bare = is_bare(dataset)
    if bare:
        _refuse_for_bare(options)
    grouped = options.group_pattern is not None or options.groups is not None
    whole = [one for one in dataset_findings(dataset) if not (grouped and one.code == TILES)]
    named = f" --classes {','.join(options.classes)}" if options.classes else ""
    then = f"All of them: yoloop data check {folder}{named}; a repaired copy: add --fix TARGET"
    refuse(whole, then=then)
    _refuse_shares(options)
    sheets = {sheet.item.image.name: sheet for sheet in dataset.sheets}
    kinship = _kinship(sheets, options, say)
    assignment = _assign(dataset.source, sheets, kinship, options, bare=bare)
    checked = check_sheets([sheets[name] for role in ROLES for name in assignment.roles[role]], say=say)
    found = [finding for one in checked for finding in one.findings]
    refuse(found, then=then)
    lost = lost_findings(dataset, checked)
    refuse(lost, then=then)
    labels = {one.sheet.item.image.name: sheet_labels(one.sheet, one.placed) for one in checked}
    items = {name: sheet.item for name, sheet in sheets.items()}
    return Read(dataset.source, assignment, labels, items, dataset.kind, (*lost, *whole, *found), kinship, bare)


def class_list(text: str) -> tuple[str, ...]:
    """Return the names in `text`, with commas between them; raise `UserError` for an empty one, or one twice."""
    names = tuple(name.strip() for name in text.split(","))
    if not all(name and is_plain_name(name) for name in names) or len(set(names)) != len(names):
        raise problem("import_source.class_names", "--classes", found=text)
    return names


def _refuse_for_bare(options: ImportOptions) -> None:
    """Raise `UserError` for options that nothing without labels has a use for."""
    if options.oracle:
        raise problem("import_source.labels_to_hold", "--oracle")
    if options.pool is not None:
        raise problem("import_source.all_others_pool", f"--pool {options.pool}")


def _refuse_shares(options: ImportOptions) -> None:
    """Raise `UserError` for shares that leave nothing, before any picture is compared."""
    given = [_number(text) for text in (options.val, options.test, options.pool) if text is not None]
    shares = [share for share in given if share is not None and 0 < share < 1]
    if sum(shares) >= 1:
        found = " + ".join(f"{share:g}" for share in shares)
        raise problem("import_source.shares_leave_some", "--val, --test, --pool", found=found)


def _kinship(sheets: Mapping[str, SourceSheet], options: ImportOptions, say: Say | None) -> Kinship:
    """Return which images of the source are copies of one sheet, and the groups that the person names."""
    groups = read_groups(list(sheets), pattern=options.group_pattern, file=options.groups)
    return Kinship(copies_among({name: sheet.item.image for name, sheet in sheets.items()}, say=say), groups)


def boxes_of(sheets: Mapping[str, SourceSheet], classes: int) -> dict[str, NDArray[np.int64]]:
    """Return the boxes per class, (classes,), of every image that is labelled; the checks refuse other classes."""
    rows = {
        name: [row.class_id for row in sheet.rows if 0 <= row.class_id < classes]
        for name, sheet in sheets.items()
        if sheet.item.label.is_file()
    }
    return {name: np.bincount(np.array(ids, np.int64), minlength=classes) for name, ids in rows.items()}


def _assign(
    source: Source, sheets: Mapping[str, SourceSheet], kinship: Kinship, options: ImportOptions, *, bare: bool
) -> Assignment:
    asked = {"val": options.val, "test": options.test, "pool": options.pool}
    wanted = {role: _part(text, source, role) for role, text in asked.items() if text is not None}
    names = {split: list(items) for split, items in source.splits.items()}
    rng = np.random.default_rng(options.seed)
    asked_for = {"regroup": options.regroup, "one_of_each": options.one_of_each}
    try:
        if bare:
            done = assign_unlabelled(names, wanted, rng, kinship=kinship, **asked_for)
        else:
            boxes = boxes_of(sheets, len(source.classes))
            done = assign(names, wanted, rng, kinship=kinship, boxes=boxes, **asked_for)
    except LeakError as error:
        raise _leaks(error, sheets, kinship) from error
    except ValueError as error:
        if bare:
            raise problem("import_source.sheets_left_pool", source.folder, error=error) from error
        raise problem("import_source.role_every_image", source.folder, error=error) from error
    if not done.roles["val"]:
        raise problem("import_source.val_split_f1", source.folder, names=", ".join(sorted(names)))
    if options.oracle and not done.roles["pool"]:
        raise problem("import_source.pool_hold_labels", "--oracle")
    return done


def _leaks(error: LeakError, sheets: Mapping[str, SourceSheet], kinship: Kinship) -> Exception:
    """Return the refusal of a source whose own splits share a sheet or a group."""
    leak = error.leaks[0]
    group = kinship.groups.get(leak.other)
    same_group = group is not None and group == kinship.groups.get(leak.kept)
    what = f"of the group {group} as well" if same_group else "a copy of it"
    more = f" ({len(error.leaks) - 1} more like this)" if len(error.leaks) > 1 else ""
    return problem(
        "import_source.sheet",
        sheets[leak.kept].item.image,
        kept_role=leak.kept_role,
        other_role=leak.other_role,
        image=sheets[leak.other].item.image,
        what=what,
        more=more,
    )


def _part(text: str, source: Source, role: str) -> RolePart:
    """Return what the text behind `--val`, `--test` or `--pool` stands for."""
    if split_name(text) in source.splits:
        return RolePart(split=split_name(text))
    share = _number(text)
    if share is not None and 0 < share < 1:
        return RolePart(share=share)
    if share is None and Path(text).is_file():
        return RolePart(names=_listed(Path(text), source))
    raise problem("import_source.split_share_between", f"--{role} {text}", splits=", ".join(source.splits), role=role)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _listed(file: Path, source: Source) -> frozenset[str]:
    """Return the image names in a list file; a path or a name without its ending is fine, too."""
    known = {key: name for items in source.splits.values() for name in items for key in (name, Path(name).stem)}
    names = []
    for number, line in enumerate(file.read_text(encoding="utf-8-sig").splitlines(), 1):
        if line.strip():
            name = known.get(Path(line.strip()).name)
            if name is None:
                raise problem("import_source.image_source", f"{file}:{number}", found=line.strip())
            names.append(name)
    return frozenset(names)
