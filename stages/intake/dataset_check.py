"""`yoloop data check`: says what is wrong with a dataset before anything is trained on it, and repairs a copy."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from shlex import quote
from typing import NamedTuple

from stages.base.errors import UserError, problem
from stages.base.params import PARAMS, read_classes
from stages.dataset.defects import Defect, errors
from stages.dataset.sheets.manifest import MANIFEST, read_manifest
from stages.dataset.sheets.split_folder import DATASET, require_as_listed
from stages.firewall.kinship import copies_among
from stages.firewall.leak_check import leak_findings
from stages.firewall.roles import ROLES
from stages.firewall.spare_copies import Copies, Counts, spare_copies
from stages.formats.bare_folder import is_bare, read_bare
from stages.formats.dataset_reader import read_dataset
from stages.formats.source_sheets import Dataset
from stages.intake.contract.contract import (
    BARE,
    OWN_BARE,
    Checked,
    check_sheets,
    class_findings,
    dataset_findings,
    deeper_findings,
)
from stages.intake.contract.defect_list import finding_lines, summary
from stages.intake.contract.lost_boxes import lost_findings
from stages.intake.contract.repaired_copy import require_target, write_fixed
from stages.intake.import_source import boxes_of
from stages.project.preconditions import UNLABELLED, holds_demo
from stages.project.repository import git
from stages.wording.quantities import counted

_TAGS = ("iteration-*", "dataset-v*", UNLABELLED, "*/iteration-*", "*/dataset-v*")


class CheckReport(NamedTuple):
    """What to print, and whether the dataset is refused."""

    lines: list[str]
    refused: bool


def check_data(
    root: Path,
    source: Path | None,
    *,
    fix: Path | None = None,
    one_of_each: bool = False,
    every: bool = False,
    classes: Sequence[str] | None = None,
    say: Callable[[str], None] | None = None,
) -> CheckReport:
    """Check `source`, or the project's own dataset; with `fix`, write a repaired copy there and say what was done.

    With `one_of_each` the repaired copy has each sheet once. `every` lists every finding. `classes` are those of
    pictures that nobody has labelled. Raises `UserError` for what is no dataset, and where no copy can be written.
    """
    own = source is None or source.resolve() == (root / DATASET).resolve()
    folder = root / DATASET if source is None else source
    if fix is not None:
        require_target(folder, fix)
    elif one_of_each:
        raise problem("dataset_check.fix_beside", "--one-of-each")
    dataset = read_dataset(folder) if classes is None or own else read_bare(folder, classes)
    settled = read_classes(root / PARAMS) if own or _begun(root) else None
    whole = [*dataset_findings(dataset, own=own), *(class_findings(dataset, settled) if settled else [])]
    whole += deeper_findings(dataset) if own else []
    sheets = check_sheets(dataset.sheets, bare=_may_be_bare(dataset, own=own), say=say)
    by_name = {one.sheet.item.image.name: one.sheet for one in sheets}
    copies = copies_among({name: sheet.item.image for name, sheet in by_name.items()}, say=say)
    boxes = boxes_of(by_name, len(dataset.source.classes))
    leaks = _leaks(dataset, copies, boxes, own=own)
    lost = lost_findings(dataset, sheets, own=own)
    found = [
        *errors(whole),
        *lost,  # why boxes are lost, then that they are
        *(finding for finding in whole if finding.severity != "error"),
        *(finding for one in sheets for finding in one.findings),
        *leaks,
    ]
    lines = [
        *_head(dataset, sheets),
        *finding_lines(found, every=every, sheets=len(sheets)),
        *(_expected(root) if own and not errors(found) else []),
        *(unlisted := _unlisted(root) if own else []),
        summary(found, sheets=len(sheets)),
    ]
    if fix is None:
        following = [] if own or settled else [_next(folder, refused=bool(errors(found)))]
        return CheckReport([*lines, *following], bool(errors(found) or unlisted))
    split_of = {name: sheet.split for name, sheet in by_name.items()}
    spare = spare_copies(split_of, copies, boxes) if one_of_each else {}
    written = write_fixed(dataset, sheets, [*errors(lost), *whole], fix, classes=settled, spare=spare)
    left = [] if one_of_each else errors(leaks)
    following = [] if own or settled else [_next(fix, refused=False)]
    return CheckReport([*lines, *written, *_left(len(left)), *following], refused=False)


def _left(leaks: int) -> list[str]:
    """Return what a repaired copy still has; which sheet leaves which split is for the import to say."""
    return [f"not repaired: {counted(leaks, 'leak')}; import it with --regroup"] if leaks else []


def _next(source: Path, *, refused: bool) -> str:
    """Return what to type after the check of a source that a project can begin with."""
    if not refused:
        return f"Next: yoloop data import {quote(str(source))}"
    return f"Next: correct the errors, or let a copy be repaired: yoloop data check {quote(str(source))} --fix FOLDER"


def _may_be_bare(dataset: Dataset, *, own: bool) -> Sequence[str]:
    return ROLES if is_bare(dataset) else OWN_BARE if own else BARE


def _expected(root: Path) -> list[str]:
    from stages.intake.expectations import expectation_lines  # with pandas, which no other source needs

    return expectation_lines(root)


def _unlisted(root: Path) -> list[str]:
    """Return for every split of the project's dataset that is not as its manifest lists it the first difference."""
    said = []
    for folder in (root / DATASET / split for split in ROLES):
        try:
            if folder.is_dir():
                require_as_listed(folder)
        except UserError as error:
            said.append(f"not official: {error}")
    return said


def _leaks(dataset: Dataset, copies: Copies, boxes: Counts, *, own: bool) -> list[Defect]:
    """Return what the split firewall finds; the project's own manifests know the groups."""
    images: dict[str, list[Path]] = {}
    for sheet in dataset.sheets:
        images.setdefault(sheet.split, []).append(sheet.item.image)
    if not own:
        return leak_findings(images, copies, boxes=boxes)
    lists = [dataset.source.folder / split / MANIFEST for split in images]
    rows = [row for file in lists if file.is_file() for row in read_manifest(file, without_content=True)]
    mend = "Remove one of the two, then: yoloop data accept"
    return leak_findings(images, copies, boxes=boxes, groups={row.image_id: row.group for row in rows}, mend=mend)


def _begun(root: Path) -> bool:
    """Say whether iterations of a person's own sheets are in the project: then its classes are settled."""
    tags = git.run(root, "tag", "-l", *_TAGS).split()
    return any(not holds_demo(root, tag) for tag in tags)


def _head(dataset: Dataset, sheets: Sequence[Checked]) -> list[str]:
    """Return what the dataset is, in one line."""
    count = Counter(one.sheet.split for one in sheets)
    boxes = sum(len(one.placed.rows) for one in sheets)
    splits = ", ".join(f"{split} {number}" for split, number in count.items())
    classes = ", ".join(dataset.source.classes)
    bare = sum(not one.placed.rows and one.sheet.item.label.is_file() for one in sheets) if boxes else 0
    without = f"; {bare} {'image' if bare == 1 else 'images'} without a box" if bare else ""
    head = f"{dataset.source.folder}: {dataset.kind}, {len(sheets)} images ({splits}), {boxes} boxes of {classes}"
    return [f"{head}{without}"]
