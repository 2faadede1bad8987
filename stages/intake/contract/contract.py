"""Runs every check over a dataset; each image is decoded once, ever."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from stages.dataset.defects import Defect, finding
from stages.dataset.image_names import name_findings
from stages.dataset.sheets.split_folder import IMAGE_SUFFIXES
from stages.formats.bare_folder import is_bare
from stages.formats.geometry import KeptRows, place
from stages.formats.source_sheets import Dataset, Picture, SourceSheet
from stages.intake.contract.image_checks import look_at
from stages.intake.contract.tile_names import tile_findings
from stages.wording.progress import Say, told

BARE = ("pool",)  # the splits in which no label file means unlabelled
OWN_BARE = ("pool", "val", "test")  # those of the project's own dataset, where val and test may wait for their labels


class Checked(NamedTuple):
    """One sheet after its checks: its picture (None: it does not decode), the rows that stay, all its findings."""

    sheet: SourceSheet
    picture: Picture | None
    placed: KeptRows
    findings: list[Defect]


def check_sheets(sheets: Sequence[SourceSheet], *, bare: Sequence[str] = BARE, say: Say | None = None) -> list[Checked]:
    """Return every sheet checked, in their order; `say` gets a line now and then while it takes long.

    `bare` are the splits in which no label file means unlabelled.
    """
    done = []
    looks = look_at([sheet.item.image for sheet in sheets])
    for sheet, look in told(zip(sheets, looks, strict=True), total=len(sheets), what="images checked", say=say):
        done.append(_checked(sheet, *look, may_be_bare=sheet.split in bare))
    return done


def dataset_findings(dataset: Dataset, *, own: bool = False) -> list[Defect]:
    """Return what is odd about `dataset` as a whole: its reading, its names, files left over, splits without images."""
    strangers = [_stranger(file) for file in dataset.source.strangers]
    tiles = [] if own else tile_findings(dataset.sheets)  # the project's own share the group of their sheet
    names = name_findings(list(dict.fromkeys(sheet.item.image for sheet in dataset.sheets)))
    alike = [
        finding("warning", "contract.names-case", dataset.source.folder, names=" and ".join(group))
        for group in groups_of_case(dataset.source.classes)
    ]
    return [*dataset.findings, *names, *alike, *_without_val(dataset), *tiles, *strangers]


def groups_of_case(names: Sequence[str]) -> list[list[str]]:
    """Return the names that differ in case alone, together; the encoder of texts takes them for one."""
    folded: dict[str, list[str]] = {}
    for name in names:
        folded.setdefault(name.casefold(), []).append(name)
    return [group for group in folded.values() if len(group) > 1]


def deeper_findings(dataset: Dataset) -> list[Defect]:
    """Return an error for each image of the project's own `dataset` in a folder where no stage looks for it."""
    images = {split: dataset.source.folder / split / "images" for split in dataset.source.splits}
    off = [sheet.item.image for sheet in dataset.sheets if sheet.item.image.parent != images[sheet.split]]
    return [finding("error", "contract.image-deeper", image) for image in off]


def class_findings(dataset: Dataset, classes: Sequence[str]) -> list[Defect]:
    """Return an error unless `dataset` names exactly the project's `classes`, in their order."""
    found = dataset.source.classes
    if tuple(classes) == found:
        return []
    file, wanted, said = dataset.source.folder / "data.yaml", ", ".join(classes), ", ".join(found)
    if sorted(classes) == sorted(found):
        return [finding("error", "contract.names-order", file, classes=wanted, found=said)]
    return [finding("error", "contract.names-differ", file, classes=wanted, found=said)]


def _checked(sheet: SourceSheet, picture: Picture | None, findings: Sequence[Defect], *, may_be_bare: bool) -> Checked:
    placed = place(sheet, picture)
    missing = [] if sheet.item.label.is_file() else [_no_labels(sheet, may_be_bare=may_be_bare)]
    return Checked(sheet, picture, placed, [*findings, *sheet.findings, *placed.findings, *missing])


def _no_labels(sheet: SourceSheet, *, may_be_bare: bool) -> Defect:
    image, label = sheet.item
    if may_be_bare:
        return finding("note", "contract.unlabelled", image, label=label.name)
    return finding("warning", "contract.no-label-file", image, label=label.name)


def _stranger(file: Path) -> Defect:
    if file.suffix.lower() in IMAGE_SUFFIXES:
        return finding("warning", "contract.image-not-read", file)
    if file.suffix.lower() == ".txt":
        return finding("warning", "contract.label-without-image", file)
    return finding("note", "contract.stranger", file)


def _without_val(dataset: Dataset) -> list[Defect]:
    """Return a warning if nothing is there to measure on, and nobody has said so yet."""
    said = any(one.code == "split-missing" and "'val'" in one.found for one in dataset.findings)
    if said or any(sheet.split == "val" for sheet in dataset.sheets) or is_bare(dataset):
        return []
    splits = ", ".join(sorted({sheet.split for sheet in dataset.sheets}))
    return [finding("warning", "contract.no-val", dataset.source.folder, splits=splits)]
