"""Runs every check over a dataset, decoding each image once."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from stages.dataset.defects import Defect
from stages.dataset.image_names import name_findings
from stages.dataset.sheets.split_folder import IMAGE_SUFFIXES
from stages.formats.geometry import KeptRows, place
from stages.formats.source_sheets import Dataset, Picture, SourceSheet
from stages.intake.contract.image_checks import look

_MANY = 500  # images between two lines that say how far it is
_MAY_BE_BARE = "pool"  # the split in which no label file means unlabelled


class Checked(NamedTuple):
    """One sheet after its checks: its picture (None: it does not decode), the rows that stay, all its findings."""

    sheet: SourceSheet
    picture: Picture | None
    placed: KeptRows
    findings: list[Defect]


def check_sheets(sheets: Sequence[SourceSheet], *, say: Callable[[str], None] | None = None) -> list[Checked]:
    """Return every sheet checked, in their order; `say` gets a line now and then when there are many."""
    done = []
    for number, sheet in enumerate(sheets):
        if say and number and number % _MANY == 0:
            say(f"{number} of {len(sheets)} images checked")
        done.append(_checked(sheet))
    return done


def dataset_findings(dataset: Dataset) -> list[Defect]:
    """Return what is odd about `dataset` as a whole: its reading, its names, files left over, splits without images."""
    strangers = [_stranger(file) for file in dataset.source.strangers]
    names = name_findings([sheet.item.image for sheet in dataset.sheets])
    return [*dataset.findings, *names, *_without_val(dataset), *strangers]


def class_findings(dataset: Dataset, classes: Sequence[str]) -> list[Defect]:
    """Return an error unless `dataset` names exactly the project's `classes`, in their order."""
    found = dataset.source.classes
    if tuple(classes) == found:
        return []
    order = sorted(classes) == sorted(found)
    mend = "The order is the class_id: `--fix` puts the labels into the project's order."
    return [
        Defect(
            "error",
            "names-order" if order else "names-differ",
            dataset.source.folder / "data.yaml",
            None,
            f"the classes of params.yaml in their order ({', '.join(classes)})",
            ", ".join(found),
            mend if order else "Rename the classes here, or import it into a fresh project.",
        )
    ]


def _checked(sheet: SourceSheet) -> Checked:
    picture, findings = look(sheet.item.image)
    placed = place(sheet, picture)
    missing = [] if sheet.item.label.is_file() else [_no_labels(sheet)]
    return Checked(sheet, picture, placed, [*findings, *sheet.findings, *placed.findings, *missing])


def _no_labels(sheet: SourceSheet) -> Defect:
    expected = f"a label file {sheet.item.label.name}"
    if sheet.split == _MAY_BE_BARE:
        return Defect("note", "unlabelled", sheet.item.image, None, expected, "none", "The sheet is unlabelled.")
    mend = "It is taken as a sheet with nothing on it."
    return Defect("warning", "no-label-file", sheet.item.image, None, expected, "none", mend)


def _stranger(file: Path) -> Defect:
    if file.suffix.lower() in IMAGE_SUFFIXES:
        mend = "It is not read: move it beside the others."
        return Defect("warning", "image-not-read", file, None, "images where the others are", "one elsewhere", mend)
    if file.suffix.lower() == ".txt":
        mend = "It is left out: bring the image, or remove the file."
        return Defect("warning", "label-without-image", file, None, "an image of the same name", "none", mend)
    return Defect("note", "stranger", file, None, "images and their labels", "another file", "It is left out.")


def _without_val(dataset: Dataset) -> list[Defect]:
    """Return a warning if nothing is there to measure on, and nobody has said so yet."""
    said = any(one.code == "split-missing" and "'val'" in one.found for one in dataset.findings)
    if said or any(sheet.split == "val" for sheet in dataset.sheets):
        return []
    splits = ", ".join(sorted({sheet.split for sheet in dataset.sheets}))
    mend = "Draw one from train when you import: --val 0.2"
    return [Defect("warning", "no-val", dataset.source.folder, None, "a val split", f"only {splits}", mend)]
