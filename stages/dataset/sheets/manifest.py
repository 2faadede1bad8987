"""Reads and writes `manifest.csv` of a split: which sheets it has, since when, who labelled them, and their content."""

import csv
import hashlib
from collections import Counter
from collections.abc import Iterable
from io import StringIO
from pathlib import Path
from typing import NamedTuple

from stages.base.atomic import replacing
from stages.base.errors import problem

MANIFEST = "manifest.csv"
# auto: by the model, and nobody looked; folder: an older word for person
LABEL_SOURCES = ("import", "oracle", "person", "folder", "auto", "none")
# DVC goes by size and time, and takes a file of the same for the one that it knows: with a new time it looks again.
RESTORE = "Put it back: touch it, then dvc checkout --force data/dataset"
ACCEPT = "or make it official: yoloop data accept"


class ManifestRow(NamedTuple):
    """One sheet: its file name, the iteration it came with, who labelled it (`LABEL_SOURCES`), and its content.

    `group` is the drawing set or project that it belongs to, "" for none. The digests are SHA-256 as hex;
    `label_sha256` is "" where there is no label file.
    """

    image_id: str
    added_iteration: int
    label_source: str
    group: str
    image_sha256: str
    label_sha256: str


def manifest_row(
    image: Path, label: Path, *, added_iteration: int, label_source: str, group: str = "", image_sha256: str = ""
) -> ManifestRow:
    """Return the row of a sheet whose files lie where they belong; `label` need not exist.

    The image is read unless its digest, `image_sha256`, is known.
    """
    sha256 = image_sha256 or file_sha256(image)
    return ManifestRow(image.name, added_iteration, label_source, group, sha256, file_sha256(label))


def file_sha256(file: Path) -> str:
    """Return the SHA-256 of a file's bytes as hex, "" when there is no such file."""
    if not file.is_file():
        return ""
    with file.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


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


def read_manifest(file: Path, *, without_content: bool = False) -> list[ManifestRow]:
    """Return the rows in `file`; raise `UserError` when it is missing or damaged.

    `without_content` takes a list from before it named groups and content as well, with "" for them.
    """
    if not file.is_file():
        raise problem("manifest.list_sheets", file, restore=RESTORE, accept=ACCEPT)
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.reader(lines))
    wanted = list(ManifestRow._fields)
    old = bool(rows) and rows[0] == wanted[:3]
    if not rows or (rows[0] != wanted and not (old and without_content)):
        found = ",".join(rows[0])[:80] if rows else "an empty file"
        mend = "Write it anew: yoloop data accept" if old else f"{RESTORE}; {ACCEPT}"
        raise problem("manifest.columns", file, wanted=", ".join(wanted), found=found, mend=mend)
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(rows[0]) or not row[1].isdigit() or row[2] not in LABEL_SOURCES:
            raise problem(
                "manifest.read_manifest",
                f"{file}:{number}",
                expected=", ".join(rows[0]),
                found=",".join(row)[:80],
                restore=RESTORE,
            )
    return [ManifestRow(row[0], int(row[1]), row[2], *[*row[3:], "", "", ""][:3]) for row in rows[1:]]
