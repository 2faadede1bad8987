"""Reads and writes `manifest.csv` of a split: which sheets it has, since when, and who labelled them."""

import csv
from collections import Counter
from collections.abc import Iterable
from io import StringIO
from pathlib import Path
from typing import NamedTuple

from stages.core.errors import problem
from stages.files.atomic import replacing

MANIFEST = "manifest.csv"
LABEL_SOURCES = ("import", "oracle", "folder", "auto", "none")  # auto: by the model, and nobody looked


class ManifestRow(NamedTuple):
    """One sheet: its file name, the iteration it came with, and who labelled it (`LABEL_SOURCES`)."""

    image_id: str
    added_iteration: int
    label_source: str


def count_sources(rows: Iterable[ManifestRow]) -> dict[str, int]:
    """Return how many sheets each source has labelled, in the order of `LABEL_SOURCES` and without zeros."""
    found = Counter(row.label_source for row in rows)
    return {source: found[source] for source in LABEL_SOURCES if found[source]}


def write_manifest(rows: Iterable[ManifestRow], file: Path) -> None:
    """Write `rows`, sorted by image_id."""
    text = StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([ManifestRow._fields, *sorted(rows)])
    with replacing(file) as temporary:
        temporary.write_text(text.getvalue(), encoding="utf-8")


def read_manifest(file: Path) -> list[ManifestRow]:
    """Return the rows in `file`; raise `UserError` when it is missing or damaged."""
    mend = "Restore the dataset with `dvc checkout`."
    if not file.is_file():
        raise problem(file, expected="the list of sheets", found="no file", mend=mend)
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.reader(lines))
    wanted = list(ManifestRow._fields)
    for number, row in enumerate(rows[1:], 2):
        if len(row) != 3 or not row[1].isdigit() or row[2] not in LABEL_SOURCES:
            raise problem(f"{file}:{number}", expected=", ".join(wanted), found=",".join(row)[:80], mend=mend)
    if not rows or rows[0] != wanted:
        found = ",".join(rows[0])[:80] if rows else "an empty file"
        raise problem(file, expected=f"the columns {', '.join(wanted)}", found=found, mend=mend)
    return [ManifestRow(row[0], int(row[1]), row[2]) for row in rows[1:]]
