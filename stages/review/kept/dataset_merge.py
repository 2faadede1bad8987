"""Builds the next dataset: reviewed sheets leave the pool and join train, with their new labels."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from stages.base.boxes import xyxy_to_xywhn
from stages.base.errors import problem
from stages.dataset.sheets.manifest import MANIFEST, ManifestRow, manifest_row, read_manifest, write_manifest
from stages.dataset.sheets.split_folder import Sheet, label_text, read_split
from stages.picking.packet import Packet
from stages.review.kept.kept_review import ReviewedSheet


def merge_reviewed(
    dataset: Path,
    target: Path,
    reviewed: Sequence[ReviewedSheet],
    packet: Packet,
    *,
    iteration: int,
    label_source: str,
) -> None:
    """Write to `target` the dataset with the `reviewed` sheets of `packet` moved from pool to train for `iteration`.

    Our own images are kept, byte for byte; only labels come from the review. Raises `UserError` when a
    reviewed sheet is not in the pool or its stem is taken.
    """
    pool = {sheet.image_id: sheet for sheet in read_split("pool", dataset)}
    for result in reviewed:
        _require_in_pool(result.image_id, pool, dataset)
    moved = [pool[sheet.image_id] for sheet in reviewed]
    copy_without(dataset, target, moved)
    for kind in ("images", "labels"):
        (target / "train" / kind).mkdir(parents=True, exist_ok=True)
    for sheet, result in zip(moved, reviewed, strict=True):
        link_or_copy(str(sheet.image), str(target / "train/images" / sheet.image.name))
        text = _label_text(result, packet)
        (target / "train/labels" / sheet.label.name).write_text(text, encoding="utf-8")
    _move_rows(dataset, target, moved, iteration=iteration, label_source=label_source)


def copy_without(dataset: Path, target: Path, sheets: Sequence[Sheet]) -> None:
    """Write to `target` the dataset without the files of `sheets`; its manifests are not brought after it."""
    gone = {str(path) for sheet in sheets for path in (sheet.image, sheet.label)}
    shutil.copytree(
        dataset,
        target,
        ignore=lambda folder, names: [name for name in names if str(Path(folder) / name) in gone],
        copy_function=link_or_copy,
    )


def link_or_copy(source: str, target: str) -> str:
    """Give `source` a second name where the disk can do that, else copy it; nobody writes into either."""
    try:
        os.link(Path(source).resolve(), target)
    except OSError:
        shutil.copyfile(source, target)
    return target


def _label_text(reviewed: ReviewedSheet, packet: Packet) -> str:
    """Return the boxes of a reviewed sheet as a YOLO label file."""
    size = next(sheet for sheet in packet.sheets if sheet.image_id == reviewed.image_id)
    xyxy = np.array([box[1:5] for box in reviewed.boxes], dtype=np.float64).reshape(-1, 4)
    class_ids = [packet.classes.index(box.class_name) for box in reviewed.boxes]
    return label_text(class_ids, xyxy_to_xywhn(xyxy, width=size.width, height=size.height))


def _move_rows(dataset: Path, target: Path, moved: Sequence[Sheet], *, iteration: int, label_source: str) -> None:
    before = {old.image_id: old for old in read_manifest(dataset / "pool" / MANIFEST)}
    added = [
        manifest_row(
            target / "train/images" / sheet.image.name,
            target / "train/labels" / sheet.label.name,
            added_iteration=iteration,
            label_source=_source(before[sheet.image_id], label_source),
            group=before[sheet.image_id].group,
        )
        for sheet in moved
    ]
    gone = {row.image_id for row in added}
    pool = [old for name, old in before.items() if name not in gone]
    write_manifest(pool, target / "pool" / MANIFEST)
    write_manifest([*read_manifest(dataset / "train" / MANIFEST), *added], target / "train" / MANIFEST)


def _source(before: ManifestRow, now: str) -> str:
    """Return who labelled a sheet: with `auto` a sheet keeps the labels that it had, and so their source."""
    return before.label_source if now == "auto" and before.label_source != "none" else now


def _require_in_pool(image_id: str, pool: dict[str, Sheet], dataset: Path) -> None:
    if image_id not in pool:
        raise problem("dataset_merge.reviewed_sheet_pool", dataset / "pool" / "images" / image_id)
    for split in ("train", "val", "test"):
        taken = dataset / split / "labels" / f"{Path(image_id).stem}.txt"
        if taken.is_file():
            raise problem("dataset_merge.other_sheet_called", taken, stem=Path(image_id).stem)
