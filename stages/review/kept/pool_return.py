"""Builds the dataset in which sheets of train are back in the pool, without labels."""

from collections.abc import Collection
from pathlib import Path

from stages.dataset.sheets.manifest import MANIFEST, manifest_row, read_manifest, write_manifest
from stages.dataset.sheets.split_folder import read_split
from stages.review.kept.dataset_merge import copy_without, link_or_copy


def take_back(dataset: Path, target: Path, names: Collection[str], *, iteration: int) -> None:
    """Write to `target` the dataset with the sheets `names` (image_id) of train back in the pool for `iteration`.

    Images and groups stay as they are, labels go. Raises `UserError` when train or pool is not as its list says.
    """
    read_split("pool", dataset)
    moved = [sheet for sheet in read_split("train", dataset) if sheet.image_id in names]
    copy_without(dataset, target, moved)
    images = target / "pool/images"
    images.mkdir(parents=True, exist_ok=True)
    train = {row.image_id: row for row in read_manifest(dataset / "train" / MANIFEST)}
    back = []
    for sheet in moved:
        link_or_copy(str(sheet.image), str(images / sheet.image.name))
        unlabelled = target / "pool/labels" / sheet.label.name
        row = manifest_row(images / sheet.image.name, unlabelled, added_iteration=iteration, label_source="none")
        back.append(row._replace(group=train.pop(sheet.image_id).group))
    write_manifest(train.values(), target / "train" / MANIFEST)
    write_manifest([*read_manifest(dataset / "pool" / MANIFEST), *back], target / "pool" / MANIFEST)
