"""Writes a repaired copy of a dataset: a clean YOLO folder with a report of everything that was changed."""

import csv
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from stages.base.errors import printable, problem
from stages.dataset.crops import save_image
from stages.dataset.defects import Defect
from stages.dataset.image_names import UNPRINTABLE
from stages.dataset.new_dataset import write_description
from stages.formats.geometry import rows_text
from stages.formats.source_sheets import Dataset
from stages.intake.contract.contract import Checked
from stages.intake.contract.image_checks import trimmed, upright
from stages.intake.contract.repairs import LEFT_OUT, Change, Plan, plan

REPORT, TABLE = "report.md", "report.csv"
# What is wrong with all boxes, so that a copy could only guess.
_UNREPAIRABLE = {"names-differ", "corners", "undecided", "two-lists", "nothing-left", "nothing-read", "most-stick-out"}
_KEEPS_BARE = "pool"  # a sheet without a label file stays one there: it is unlabelled


def require_target(source: Path, target: Path) -> None:
    """Raise `UserError` unless a copy of `source` can be written to `target` without touching anything."""
    inside = source.resolve() in (target.resolve(), *target.resolve().parents)
    if inside or target.resolve() in source.resolve().parents:
        raise problem("repaired_copy.folder_apart_from", target, source=source)
    if (target.is_dir() and any(target.iterdir())) or (target.exists() and not target.is_dir()):
        raise problem("repaired_copy.folder_yet_empty", target)


def write_fixed(
    dataset: Dataset,
    sheets: Sequence[Checked],
    whole: Sequence[Defect],
    target: Path,
    *,
    classes: Sequence[str] | None = None,
    spare: Mapping[str, str] | None = None,
) -> list[str]:
    """Write the repaired copy of `dataset` to `target`, whole or not at all; return lines that say what was done.

    `whole` are the findings about the dataset, `classes` the project's names, which the copy's labels then follow,
    `spare` the image names that are left out, each with the copy of it that stays. Raises `UserError`, with
    nothing written, if a finding cannot be repaired, or no sheet would be left.
    """
    require_target(dataset.source.folder, target)
    for finding in whole:
        if finding.code in _UNREPAIRABLE:
            raise finding.error()
    names = list(classes) if classes and sorted(classes) == sorted(dataset.source.classes) else None
    ids = [(names or list(dataset.source.classes)).index(name) for name in dataset.source.classes]
    kept = [one for one in sheets if one.sheet.item.image.name not in (spare or {})]
    plans, changes = plan(kept, ids, dataset.source.classes)
    files = {one.sheet.item.image.name: one.sheet.item.image for one in sheets}
    changes += [
        Change(files[name], None, "copy", f"a copy of {stays}", LEFT_OUT)
        for name, stays in sorted((spare or {}).items())
    ]
    changes += [
        _of_whole(finding)
        for finding in whole
        if finding.severity != "note" and "same-stem" not in finding.code and finding.code != UNPRINTABLE
    ]
    if not plans:
        raise problem("repaired_copy.sheets_can_repaired", dataset.source.folder)
    partial = target.with_name(f".{target.name}.partial")
    if partial.exists():
        shutil.rmtree(partial)  # of a copy that was killed
    for one in plans:
        _write_sheet(one, partial)
    _write_names(partial, names or dataset.source.classes, plans)
    _write_report(partial, dataset, plans, changes, len(sheets))
    partial.replace(target)
    return _said(target, plans, changes, len(sheets))


def _write_sheet(one: Plan, folder: Path) -> None:
    sheet = one.checked.sheet
    image = folder / "images" / sheet.split / one.name
    label = folder / "labels" / sheet.split / f"{one.stem}.txt"
    for file in (image, label):
        file.parent.mkdir(parents=True, exist_ok=True)
    if one.how == "png":
        save_image(upright(sheet.item.image), image)
    elif one.how == "trim":
        image.write_bytes(trimmed(sheet.item.image))
    else:
        shutil.copyfile(sheet.item.image, image)
    if sheet.item.label.is_file() or sheet.split != _KEEPS_BARE:
        label.write_text(rows_text(one.rows), encoding="utf-8")


def _write_names(folder: Path, classes: Sequence[str], plans: Sequence[Plan]) -> None:
    splits = dict.fromkeys(one.checked.sheet.split for one in plans)
    write_description(folder, classes, **{split: f"images/{split}" for split in splits})


def _of_whole(finding: Defect) -> Change:
    done = "labels put into the project's order" if finding.code == "names-order" else "not in the copy"
    return Change(finding.file, finding.line, finding.code, finding.found, done)


def _write_report(folder: Path, dataset: Dataset, plans: Sequence[Plan], changes: Sequence[Change], count: int) -> None:
    root = dataset.source.folder
    with (folder / TABLE).open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(Change._fields)
        table.writerows(
            [_relative(one.file, root), one.line, one.code, printable(one.found), one.done] for one in changes
        )
    what = Counter((one.code, one.done) for one in changes)
    text = [
        f"# Repaired copy of {printable(root.resolve().name)}",
        "",
        f"{len(plans)} of {count} sheets of a {dataset.kind}; the source was only read.",
        f"Every change with its file and line is in {TABLE}.",
        "",
        "| what was found | what was done | times |",
        "| --- | --- | --- |",
        *(f"| {code} | {done} | {times} |" for (code, done), times in sorted(what.items())),
    ]
    lost = dict.fromkeys(_relative(one.file, root) for one in changes if one.done == LEFT_OUT)
    if lost:
        text += ["", "## Left out", "", *(f"- {name}" for name in lost)]
    (folder / REPORT).write_text("\n".join(text) + "\n", encoding="utf-8")


def _relative(file: Path, root: Path) -> str:
    return printable(str(file.relative_to(root) if file.is_relative_to(root) else file))


def _said(target: Path, plans: Sequence[Plan], changes: Sequence[Change], count: int) -> list[str]:
    what = Counter(f"{one.code}: {one.done}" for one in changes)
    return [
        f"{target}: {len(plans)} of {count} sheets, {len(changes)} changes; see {REPORT} and {TABLE} there",
        *(f"  {times} × {text}" for text, times in sorted(what.items())),
    ]
