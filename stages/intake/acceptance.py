"""`yoloop data accept`: makes a change of the dataset by hand official, after everything was checked."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from stages.base.errors import problem
from stages.base.params import PARAMS, read_classes, read_iteration
from stages.dataset.defects import Defect, refuse
from stages.dataset.sheets.manifest import MANIFEST, write_manifest
from stages.dataset.sheets.split_folder import DATASET, require_split, sheets_in
from stages.firewall.grouping import read_groups
from stages.firewall.kinship import copies_among
from stages.firewall.leak_check import leak_findings
from stages.firewall.roles import ROLES
from stages.formats.dataset_reader import read_dataset
from stages.formats.doubts.links import require_no_linked_folder
from stages.intake.contract.contract import OWN_BARE, check_sheets, class_findings, dataset_findings, deeper_findings
from stages.intake.contract.defect_list import finding_lines
from stages.intake.contract.lost_boxes import lost_findings
from stages.intake.manifest_renewal import Lists, ManifestChanges, changes, listed, relisted
from stages.project.preconditions import UNLABELLED, dataset_tag, is_finished, iteration_tag, require_repository
from stages.project.repository import dvc, git
from stages.project.repository.commits import Commit
from stages.project.repository.transaction import stage_dvc, staging, transact
from stages.review.kept.dataset_merge import link_or_copy
from stages.wording.quantities import some

_POINTER = f"{DATASET}.dvc"
_MEND = "Remove one of the two, then: yoloop data accept"
_THEN = "Put it right, then: yoloop data accept; all findings: yoloop data check"


def accept(
    root: Path,
    *,
    group_pattern: str | None = None,
    groups: Path | None = None,
    say: Callable[[str], None] | None = None,
) -> list[str]:
    """Take what lies in `data/dataset` as the dataset: check it, list it anew, commit it; return what to print.

    `group_pattern` and `groups` name the groups of sheets that have none. Raises `UserError`, with nothing changed,
    for anything that an import would refuse, and for a sheet that lies, as a copy or by its group, on two sides of
    train and pool, val, and test.
    """
    require_repository(root)
    dataset = root / DATASET
    with staging(root) as (data, _):
        for split in ROLES:  # one without sheets keeps its folder and its list
            require_split(split, dataset)
        require_no_linked_folder(dataset)  # DVC does not see one, so nothing would seem to have changed
        before = listed(dataset)
        names = [sheet.image_id for split in before for sheet in sheets_in(dataset / split)]
        named = read_groups(names, pattern=group_pattern, file=groups)
        now = relisted(dataset, before, iteration=read_iteration(root / PARAMS), groups=named)
        if now == {split: sorted(rows) for split, rows in before.items()} and not _unsaved(root):
            return ["Nothing to accept: the dataset is as its manifests list it."]
        _require_open(root)
        warnings = _check(root, dataset, now, say)
        found = {split: changes(before[split], now[split]) for split in now}
        _keep_manifests(root, dataset, data)
        _stage(dataset, data / "dataset", now)
        files = {_POINTER: stage_dvc(root, data / "dataset")}
        tags = _starting_tag(root, now)
        transact(root, name="yoloop data accept", commits=[Commit(_message(found), files)], tags=tags)
    return [*finding_lines(warnings), *_said(found), "Next: `yoloop run`, or `dvc repro` and then `yoloop finish`."]


def _require_open(root: Path) -> None:
    """Raise `UserError` when the iteration is finished: with another dataset its results could not be advanced from."""
    iteration = read_iteration(root / PARAMS)
    if is_finished(root, iteration):
        raise problem(
            "acceptance.not_finished_whose", f"iteration {iteration}", iteration_tag=iteration_tag(root, iteration)
        )


def _starting_tag(root: Path, now: Lists) -> dict[str, int]:
    """Return the tag that iteration 0 starts from where val was labelled by hand after an import without labels."""
    tag = dataset_tag(root, read_iteration(root / PARAMS))
    labelled = all(row.label_source != "none" for row in now["val"])
    waited = git.resolve(root, f"refs/tags/{UNLABELLED}") and not git.resolve(root, f"refs/tags/{tag}")
    return {tag: 0} if waited and labelled else {}


def _unsaved(root: Path) -> bool:
    """Say whether the dataset differs from what is committed, in whatever file."""
    return bool(git.changed(root, [_POINTER]) or dvc.modified(root, _POINTER))


def _check(root: Path, dataset: Path, now: Lists, say: Callable[[str], None] | None) -> list[Defect]:
    """Return the warnings; raise `UserError` unless the dataset keeps the contract and no sheet lies on two sides."""
    read = read_dataset(dataset)
    classes = class_findings(read, read_classes(root / PARAMS))
    whole = [*dataset_findings(read, own=True), *deeper_findings(read), *classes]
    refuse(whole, then=_THEN)
    checked = check_sheets(read.sheets, bare=OWN_BARE, say=say)
    of_sheets = [finding for one in checked for finding in one.findings]
    refuse(of_sheets, then=_THEN)
    lost = lost_findings(read, checked, own=True)
    refuse(lost, then=_THEN)
    for split, rows in now.items():
        stems = {Path(row.image_id).stem for row in rows}
        for file in sorted((dataset / split / "labels").glob("[!.]*.txt")):
            if file.stem not in stems:
                raise problem("acceptance.labels_sheet_there", file)
    images = {split: [dataset / split / "images" / row.image_id for row in rows] for split, rows in now.items()}
    groups = {row.image_id: row.group for rows in now.values() for row in rows}
    files = {file.name: file for found in images.values() for file in found}
    shared = leak_findings(images, copies_among(files, say=say), groups=groups, mend=_MEND)
    refuse(shared)
    return [finding for finding in (*lost, *whole, *of_sheets, *shared) if finding.severity == "warning"]


def _keep_manifests(root: Path, dataset: Path, data: Path) -> None:
    """Put the manifests as they lie here into DVC's cache: where a person wrote into one, it is replaced now."""
    kept = data / "manifests"
    kept.mkdir()
    for file in sorted(dataset.glob(f"*/{MANIFEST}")):
        shutil.copyfile(file, kept / f"{file.parent.name}.csv")
    stage_dvc(root, kept)


def _stage(dataset: Path, target: Path, now: Lists) -> None:
    shutil.copytree(dataset, target, copy_function=link_or_copy, ignore=shutil.ignore_patterns("*.cache"))
    for split, rows in now.items():
        write_manifest(rows, target / split / MANIFEST)


def _message(found: Mapping[str, ManifestChanges]) -> str:
    """Return the commit's first line: sheets that came, went, and changed in each split."""
    counts = [
        f"{split} +{len(one.added)} -{len(one.removed)} ~{len({*one.relabelled, *one.repainted, *one.unlabelled})}"
        for split, one in found.items()
        if any(one)
    ]
    return f"Accept the dataset as it was changed by hand{': ' if counts else ''}{', '.join(counts)}"


def _said(found: Mapping[str, ManifestChanges]) -> list[str]:
    lines = [f"{split}: {_words(one)}" for split, one in found.items() if any(one)]
    if any(found.get("val", ())):
        lines.append(
            "val has changed, and with it the ruler: scores from before are of another val, and stay marked so."
        )
    if any(found.get("test", ())):
        lines.append("test has changed: `yoloop holdout` opens it as it is now.")
    return lines or ["No sheet and no label has changed; the lists of the dataset are written anew."]


def _words(one: ManifestChanges) -> str:
    words = zip(("added", "removed", "with other labels", "with another image", "without labels now"), one, strict=True)
    return "; ".join(f"{len(names)} {what} ({some(names)})" for what, names in words if names)
