"""Reads a YOLO folder into the one plain form, and single label files of one."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from stages.dataset.defects import Defect, finding, refuse
from stages.dataset.sheets.split_folder import Labels
from stages.formats.doubts.key_points import KeyPoints, key_points_in, undecided
from stages.formats.geometry import KeptRows, rows_text
from stages.formats.label_rows import read_rows
from stages.formats.source_sheets import Dataset, SheetLabels, SourceSheet
from stages.formats.yolo_folder import Item, described, read_source

_BOM = b"\xef\xbb\xbf"


def read_yolo(folder: Path) -> Dataset:
    """Return what is in the YOLO folder `folder`; raise `UserError` where it is none."""
    source = read_source(folder)
    shape = key_points_in(described(folder))
    sheets = [
        yolo_sheet(split, item, source.classes, key_points=shape)
        for split, items in source.splits.items()
        for item in items.values()
    ]
    findings = (*source.findings, *(undecided(sheets) if shape is None else []))
    return Dataset("YOLO folder", source, tuple(sheets), findings)


def yolo_sheet(
    split: str, item: Item, classes: Sequence[str], *, strict: bool = False, key_points: KeyPoints | None = None
) -> SourceSheet:
    """Return one image with the rows of its label file, which may not exist; `strict`: raise what is an error."""
    if not item.label.is_file():
        return SourceSheet(split, item)
    text, found = _text(item.label)
    rows, more = read_rows(text, item.label, classes, key_points=key_points)
    if strict:
        refuse([*found, *more])
    return SourceSheet(split, item, tuple(rows), findings=(*found, *more))


def sheet_labels(sheet: SourceSheet, placed: KeptRows) -> SheetLabels:
    """Return the rows that stay of `sheet` in the form that a dataset is written from."""
    boxes = np.array([row.xywh for row in placed.rows], dtype=np.float64).reshape(-1, 4)
    class_id = np.array([row.class_id for row in placed.rows], dtype=np.int32)
    return SheetLabels(rows_text(placed.rows), Labels(class_id, boxes), sum(row.polygon for row in sheet.rows))


def _text(file: Path) -> tuple[str, list[Defect]]:
    """Return the text of a label file, and what is odd about its bytes."""
    data = file.read_bytes()
    found = []
    if data.startswith(_BOM):
        found.append(finding("note", "yolo_reader.byte-order-mark", file, 1))
    if b"\r" in data:
        found.append(finding("note", "yolo_reader.windows-lines", file, 1))
    if not data.strip():
        found.append(finding("note", "yolo_reader.empty-label-file", file))
    try:
        return data.decode("utf-8-sig"), found
    except UnicodeDecodeError:
        return "", [*found, finding("error", "yolo_reader.label-encoding", file)]
