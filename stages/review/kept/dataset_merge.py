"""Builds the next dataset: reviewed sheets leave the pool and join train, with their new labels.

Sheets of train that were rechecked stay where they are, and their labels are replaced; what was there before stays in
the dataset's earlier versions.
"""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from stages.base.boxes import xyxy_to_xywhn
from stages.base.errors import problem
from stages.dataset.sheets.manifest import MANIFEST, ManifestRow, manifest_row, read_manifest, write_manifest
from stages.dataset.sheets.split_folder import Sheet, label_text, read_split
from stages.picking.packet import Packet, PacketSheet
from stages.picking.second_looks.recheck_arm import RECHECK
from stages.picking.second_looks.repeat_arm import REPEAT
from stages.review.kept.kept_review import ReviewedSheet


class TakenIn(NamedTuple):
    """What a review brings to train: sheets that leave the pool, and sheets of train that get new labels there."""

    moved: tuple[ReviewedSheet, ...]
    corrected: tuple[ReviewedSheet, ...] = ()


def taken_in(dataset: Path, reviewed: Sequence[ReviewedSheet], arms: Mapping[str, str]) -> TakenIn:
    """Return what of `reviewed` goes into train; `arms` has the arm of each sheet.

    A repeat goes nowhere: the labels of before stay.
    """
    train = {row.image_id for row in read_manifest(dataset / "train" / MANIFEST)}
    corrected = [one for one in reviewed if arms.get(one.image_id) == RECHECK and one.image_id in train]
    stay = {one.image_id for one in corrected}
    moved = [one for one in reviewed if one.image_id not in stay and arms.get(one.image_id) != REPEAT]
    return TakenIn(tuple(moved), tuple(corrected))


def merge_reviewed(
    dataset: Path, target: Path, taken: TakenIn, packet: Packet, *, iteration: int, label_source: str
) -> None:
    """Write to `target` the dataset with what is `taken` of a review of `packet`, for `iteration`.

    Our own images are kept, byte for byte; only labels come from the review. Raises `UserError` when a sheet that
    leaves the pool is not in it, or its stem is taken.
    """
    pool = {sheet.image_id: sheet for sheet in read_split("pool", dataset)}
    train = {sheet.image_id: sheet for sheet in (read_split("train", dataset) if taken.corrected else ())}
    for result in taken.moved:
        _require_in_pool(result.image_id, pool, dataset)
    moved = [pool[sheet.image_id] for sheet in taken.moved]
    corrected = [train[sheet.image_id] for sheet in taken.corrected]
    copy_without(dataset, target, moved, labels_of=corrected)
    for kind in ("images", "labels"):
        (target / "train" / kind).mkdir(parents=True, exist_ok=True)
    for sheet in moved:
        link_or_copy(str(sheet.image), str(target / "train/images" / sheet.image.name))
    sizes = {sheet.image_id: sheet for sheet in packet.sheets}
    for sheet, result in zip((*moved, *corrected), (*taken.moved, *taken.corrected), strict=True):
        text = reviewed_text(result, sizes[result.image_id], packet.classes)
        (target / "train/labels" / sheet.label.name).write_text(text, encoding="utf-8")
    _move_rows(dataset, target, moved, corrected, iteration=iteration, label_source=label_source)


def copy_without(dataset: Path, target: Path, sheets: Sequence[Sheet], *, labels_of: Sequence[Sheet] = ()) -> None:
    """Write to `target` the dataset without the files of `sheets`, and without the labels of those of `labels_of`.

    Its manifests are not brought after it.
    """
    gone = {str(path) for sheet in sheets for path in (sheet.image, sheet.label)}
    gone |= {str(sheet.label) for sheet in labels_of}
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


def reviewed_text(reviewed: ReviewedSheet, size: PacketSheet, classes: Sequence[str]) -> str:
    """Return the boxes of a reviewed sheet as a YOLO label file; `size` is the sheet as it went out."""
    xyxy = np.array([box[1:5] for box in reviewed.boxes], dtype=np.float64).reshape(-1, 4)
    class_ids = [classes.index(box.class_name) for box in reviewed.boxes]
    return label_text(class_ids, xyxy_to_xywhn(xyxy, width=size.width, height=size.height))


def _move_rows(
    dataset: Path,
    target: Path,
    moved: Sequence[Sheet],
    corrected: Sequence[Sheet],
    *,
    iteration: int,
    label_source: str,
) -> None:
    pool, train = (
        {row.image_id: row for row in read_manifest(dataset / name / MANIFEST)} for name in ("pool", "train")
    )
    for sheet in (*moved, *corrected):
        name = sheet.image_id
        before = train.get(name) or pool.pop(name)
        train[name] = manifest_row(
            target / "train/images" / sheet.image.name,
            target / "train/labels" / sheet.label.name,
            added_iteration=before.added_iteration if name in train else iteration,
            label_source=_source(before, label_source),
            group=before.group,
        )
    write_manifest(pool.values(), target / "pool" / MANIFEST)
    write_manifest(train.values(), target / "train" / MANIFEST)


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
