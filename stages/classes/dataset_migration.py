"""Writes the dataset and the held-back labels with the new class_ids: nobody's box is lost, no image is touched."""

import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from stages.base.atomic import replacing
from stages.classes.class_change import ClassChange
from stages.classes.label_migration import MigratedText, migrated_text
from stages.dataset.sheets.manifest import MANIFEST, file_sha256, read_manifest, write_manifest
from stages.dataset.sheets.split_folder import read_labels, read_split
from stages.firewall.roles import ROLES
from stages.project.yaml_edits import edited
from stages.review.kept.dataset_merge import link_or_copy

ORACLE = "oracle"  # the labels that are held back, in what is counted


class SheetBoxes(NamedTuple):
    """A labelled sheet of a split, or of ORACLE: its boxes by their class of before, and how many got doubled."""

    split: str
    name: str  # image_id; of ORACLE, whose images lie in the pool, the name of the label file
    boxes: Mapping[str, int]
    doubled: int


def labelled_sheets(dataset: Path, oracle: Path, classes: tuple[str, ...]) -> list[SheetBoxes]:
    """Return the boxes of every labelled sheet; raise `UserError` for one that is not as its manifest lists it."""
    unchanged = tuple(range(len(classes)))
    return [
        _counted(split, name, migrated_text(_read(file, classes), unchanged), classes)
        for split, name, file in _label_files(dataset, oracle)
    ]


def migrate_dataset(dataset: Path, target: Path, change: ClassChange) -> list[SheetBoxes]:
    """Write to `target` the dataset with the classes of `change`; return the boxes of every labelled sheet.

    Labels whose ids stay keep their bytes. A manifest changes in the digests of the labels alone.
    """
    new, sheets = _migrated(_label_files(dataset, dataset / "none"), change)
    _copy(dataset, target, new)
    for split in _splits(dataset):
        rows = read_manifest(dataset / split / MANIFEST)
        labels = {row: target / split / "labels" / f"{Path(row.image_id).stem}.txt" for row in rows}
        write_manifest(
            [row._replace(label_sha256=file_sha256(label)) for row, label in labels.items()], target / split / MANIFEST
        )
    text = (dataset / "data.yaml").read_text(encoding="utf-8-sig")
    with replacing(target / "data.yaml") as temporary:
        temporary.write_text(edited(text, {"names": list(change.new)}), encoding="utf-8")
    return sheets


def migrate_oracle(oracle: Path, target: Path, change: ClassChange) -> list[SheetBoxes]:
    """Write to `target` the labels that are held back with the classes of `change`; return their boxes."""
    new, sheets = _migrated(_label_files(oracle / "none", oracle), change)
    _copy(oracle, target, new)
    return sheets


def boxes_by_class(sheets: list[SheetBoxes], *splits: str) -> Counter[str]:
    """Return how many boxes each class has in `splits`, in all of them if none is given."""
    total: Counter[str] = Counter()
    for sheet in sheets:
        if not splits or sheet.split in splits:
            total.update(sheet.boxes)
    return total


def _migrated(
    files: list[tuple[str, str, Path]], change: ClassChange
) -> tuple[dict[Path, MigratedText], list[SheetBoxes]]:
    """Return the label files whose text changes, and the boxes in all of `files`."""
    texts = [(split, name, file, _read(file, change.old)) for split, name, file in files]
    done = [(split, name, file, text, migrated_text(text, change.ids)) for split, name, file, text in texts]
    new = {file: after for _, _, file, text, after in done if after.text != text}
    return new, [_counted(split, name, after, change.old) for split, name, _, _, after in done]


def _counted(split: str, name: str, after: MigratedText, classes: tuple[str, ...]) -> SheetBoxes:
    return SheetBoxes(split, name, {classes[key]: count for key, count in after.boxes.items()}, after.doubled)


def _label_files(dataset: Path, oracle: Path) -> list[tuple[str, str, Path]]:
    """Return every label file with its split and the name of its sheet."""
    listed = [
        (split, sheet.image_id, sheet.label)
        for split in _splits(dataset)
        for sheet in read_split(split, dataset)
        if sheet.labelled
    ]
    return [*listed, *((ORACLE, file.name, file) for file in sorted((oracle / "labels").glob("[!.]*.txt")))]


def _splits(dataset: Path) -> list[str]:
    return [split for split in ROLES if (dataset / split).is_dir()]


def _read(file: Path, classes: tuple[str, ...]) -> str:
    read_labels(file, classes)  # raises with file and line
    return file.read_bytes().decode("utf-8-sig")  # with its line ends


def _copy(source: Path, target: Path, new: Mapping[Path, MigratedText]) -> None:
    """Copy a folder by links, with other texts in place of the files `new`."""
    left_out = {str(file) for file in new}
    shutil.copytree(
        source,
        target,
        ignore=lambda folder, names: [name for name in names if str(Path(folder) / name) in left_out],
        copy_function=link_or_copy,
    )
    for file, after in new.items():
        (target / file.relative_to(source)).write_bytes(after.text.encode())
