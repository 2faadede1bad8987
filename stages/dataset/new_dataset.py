"""Writes a dataset from scratch: splits, manifests, `data.yaml`, and the labels that are held back."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import yaml

from stages.dataset.sheets.manifest import MANIFEST, ManifestRow, manifest_row, write_manifest


class NewSheet(NamedTuple):
    """A sheet to write: its image, its label rows (None: unlabelled), whether these go to the oracle, its group."""

    image: Path
    rows: str | None
    held_back: bool = False
    group: str = ""


def write_dataset(folder: Path, splits: Mapping[str, Sequence[NewSheet]], classes: Sequence[str]) -> None:
    """Write all splits under `folder`, which becomes `data/dataset`; images are copied byte for byte."""
    for split, sheets in splits.items():
        for kind in ("images", "labels"):
            (folder / split / kind).mkdir(parents=True, exist_ok=True)
        for sheet in sheets:
            shutil.copyfile(sheet.image, folder / split / "images" / sheet.image.name)
            if sheet.rows is not None and not sheet.held_back:
                _write_rows(folder / split / "labels", sheet)
        write_manifest([_manifest_row(sheet, folder / split) for sheet in sheets], folder / split / MANIFEST)
    write_description(folder, classes)


def write_description(folder: Path, classes: Sequence[str], **others: object) -> None:
    """Write `data.yaml`, which names the classes in the order of their ids, behind what else it says."""
    text = yaml.safe_dump({**others, "names": list(classes)}, sort_keys=False, allow_unicode=True)
    (folder / "data.yaml").write_text(text, encoding="utf-8")


def write_oracle(folder: Path, sheets: Sequence[NewSheet]) -> None:
    """Write the label rows that are held back under `folder`, which becomes `data/oracle`."""
    (folder / "labels").mkdir(parents=True, exist_ok=True)
    for sheet in sheets:
        if sheet.held_back:
            _write_rows(folder / "labels", sheet)


def _manifest_row(sheet: NewSheet, folder: Path) -> ManifestRow:
    """Return the row of a sheet that lies in the split `folder` already."""
    image, label = folder / "images" / sheet.image.name, folder / "labels" / f"{sheet.image.stem}.txt"
    source = "import" if sheet.rows is not None and not sheet.held_back else "none"
    return manifest_row(image, label, added_iteration=0, label_source=source, group=sheet.group)


def _write_rows(folder: Path, sheet: NewSheet) -> None:
    (folder / f"{sheet.image.stem}.txt").write_text(sheet.rows or "", encoding="utf-8")
