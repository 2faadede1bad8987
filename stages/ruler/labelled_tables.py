"""What is on the sheets, beside what the model saw there: the tables that a score is made from."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from stages.base.boxes import xywhn_to_xyxy
from stages.base.errors import problem
from stages.base.tables import conform, read_table
from stages.dataset.sheets.manifest import MANIFEST, ManifestRow, read_manifest
from stages.dataset.sheets.split_folder import DATASET, SplitSheet
from stages.firewall.kinship import fingerprints
from stages.firewall.signatures import near_copies
from stages.ruler.matching.matching import SHEET
from stages.ruler.measurement import RULER_SPLIT, Tables
from stages.ruler.pairing.box_tables import DETECTIONS, DISCARDED, PREDICTED, SHEETS, box_rows, numbered
from stages.ruler.schemas import GROUND_TRUTH, IMAGES
from stages.ruler.statement import content_digest


def seen_on(sheets: Sequence[SplitSheet], folder: Path = PREDICTED) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return SHEETS, DETECTIONS and DISCARDED of `predict`; raise `UserError` unless they are of `sheets`."""
    found = read_table(folder / "sheets.parquet", SHEETS)
    here, there = (
        {(one.split, one.sheet.image_id) for one in sheets},
        set(found[SHEET].itertuples(index=False, name=None)),
    )
    if here != there:
        split, name = min(here ^ there)
        raise problem(
            "labelled_tables.predictions_sheets_dataset",
            folder,
            value="none" if (split, name) in here else "some",
            split=split,
            name=name,
        )
    return (
        found,
        read_table(folder / "detections.parquet", DETECTIONS),
        read_table(folder / "discarded.parquet", DISCARDED),
    )


def labelled_tables(
    sheets: Sequence[SplitSheet],
    sizes: pd.DataFrame,
    detections: pd.DataFrame,
    discarded: pd.DataFrame,
    root: Path = DATASET,
) -> Tables:
    """Return the tables of `sheets`: IMAGES and GROUND_TRUTH from the dataset at `root`, beside what was seen.

    From where detections count is decided when the sheets are measured.
    """
    size = {(row[0], row[1]): (int(row[2]), int(row[3])) for row in sizes.to_numpy().tolist()}
    groups = {row.image_id: row.group for split in {s.split for s in sheets} for row in _listed(split, root)}
    copies = near_copies(*(fingerprints(_files(sheets, split)) for split in (RULER_SPLIT, "train")))
    images = [
        {
            **dict(zip(("split", "image_id", "width", "height"), (*key, *size[key]), strict=True)),
            "labelled": one.labels is not None,
            "group": groups[one.sheet.image_id],
            "near_copy": one.split == RULER_SPLIT and one.sheet.image_id in copies,
        }
        for one in sheets
        for key in [(one.split, one.sheet.image_id)]
    ]
    truth = [_truth(one, *size[one.split, one.sheet.image_id]) for one in sheets if one.labels is not None]
    return Tables(
        conform(pd.DataFrame(images, columns=list(IMAGES.columns)), IMAGES),
        conform(numbered(truth, "object_id", list(GROUND_TRUTH.columns)), GROUND_TRUTH),
        detections,
        discarded,
    )


def check_ruler(sheets: Sequence[SplitSheet], root: Path = DATASET) -> None:
    """Raise `UserError` unless val holds at least one box: without it nothing can be measured."""
    val = [one for one in sheets if one.split == RULER_SPLIT]
    labelled = [one.labels for one in val if one.labels is not None]
    if not any(len(labels.class_id) for labels in labelled):
        found = f"{len(val)} sheets, {len(labelled)} with a label file, no box" if val else "no sheet"
        mend = "Say which images become val: yoloop data import --help"
        if val and len(labelled) < len(val):
            mend = f"Label them: yoloop review open --split {RULER_SPLIT}"
        raise problem("labelled_tables.labelled_sheets_measure", root / RULER_SPLIT, found=found, mend=mend)


def content_of(split: str, root: Path = DATASET) -> str:
    """Return the digest of the images and labels that the manifest of `split` lists."""
    return content_digest((row.image_id, row.image_sha256, row.label_sha256) for row in _listed(split, root))


def _listed(split: str, root: Path) -> list[ManifestRow]:
    return read_manifest(root / split / MANIFEST)


def _files(sheets: Sequence[SplitSheet], split: str) -> Mapping[str, Path]:
    return {one.sheet.image_id: one.sheet.image for one in sheets if one.split == split}


def _truth(one: SplitSheet, width: int, height: int) -> pd.DataFrame:
    assert one.labels is not None
    xyxy = xywhn_to_xyxy(one.labels.xywhn, width=width, height=height)
    return box_rows(one.split, one.sheet.image_id, one.labels.class_id, xyxy)
