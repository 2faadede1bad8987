"""Reads and writes the record of openings of `test`; it is in Git, where no stage and no return to the past undoes it.

Each opening has a tag, so that it counts on every branch, also on one that began before it.
"""

import csv
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from stages.base.errors import problem
from stages.dataset.sheets.manifest import MANIFEST, read_manifest
from stages.dataset.sheets.split_folder import DATASET
from stages.holdout.openings import COLUMNS, NUMBERS
from stages.project.repository import git

OPENINGS = Path("metrics/holdout.csv")
TAG = "holdout-"
_WHOLE = ("opening", "iteration", "sheets", "boxes")


def read_openings(root: Path) -> list[dict[str, Any]]:
    """Return the openings of this project, the first one first, wherever in Git's history they were recorded.

    Raises `UserError` when the record is damaged.
    """
    tags = [tag for tag in git.run(root, "tag", "-l", f"{TAG}*").split() if tag.removeprefix(TAG).isdigit()]
    found = [(rev, git.content(root, rev, str(OPENINGS))) for rev in ("HEAD", *tags)]
    read = [_rows(data.decode(), f"{OPENINGS} at {rev}") for rev, data in found if data]
    return max(read, key=len, default=[])


def is_unopened(root: Path) -> bool:
    """Say whether there are sheets of test, and nobody has scored on them yet."""
    file = root / DATASET / "test" / MANIFEST
    return file.is_file() and bool(read_manifest(file, without_content=True)) and not read_openings(root)


def openings_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the content of the record: a header and a row per opening."""
    text = StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([["" if row[name] is None else row[name] for name in COLUMNS] for row in rows])
    return text.getvalue()


def _rows(text: str, where: str) -> list[dict[str, Any]]:
    rows = list(csv.reader(StringIO(text, newline="")))
    try:
        if not rows or tuple(rows[0]) != COLUMNS:
            raise ValueError(",".join(rows[0])[:80] if rows else "nothing")
        return [_typed(dict(zip(COLUMNS, row, strict=True))) for row in rows[1:]]
    except ValueError as error:
        raise problem(
            "openings_file.record_openings_test", where, found=" ".join(str(error).split())[:120], openings=OPENINGS
        ) from error


def _typed(row: Mapping[str, str]) -> dict[str, Any]:
    whole = {name: int(row[name]) for name in _WHOLE}
    numbers = {name: float(row[name]) if row[name] else None for name in (*NUMBERS, "confidence")}
    return {**row, **whole, **numbers}
