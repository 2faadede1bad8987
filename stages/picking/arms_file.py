"""Reads why each sheet of a packet is in it; no reviewer sees that."""

import csv
from pathlib import Path

from stages.base.errors import problem
from stages.picking.random_arm import PICKED

ARMS = Path("data/sample/arms.csv")
CANDIDATES = Path("data/sample/candidates.csv")  # what might have gone to review
_COLUMNS = ["image_id", "arm"]


def read_arms(file: Path = ARMS) -> dict[str, str]:
    """Return the arm of every sheet of the packet by image_id: picked, random, recheck, repeat.

    Raises `UserError` for a bad file.
    """
    mend = "Run `dvc checkout data/sample`, or `dvc repro` to write it again."
    if not file.is_file():
        raise problem("arms_file.arms_packet_sheets", file, mend=mend)
    with file.open(encoding="utf-8", newline="") as lines:
        head, *rows = list(csv.reader(lines)) or [[]]
    if head != _COLUMNS or any(len(row) != len(_COLUMNS) for row in rows):
        raise problem("arms_file.columns", file, columns=", ".join(_COLUMNS), found=",".join(head)[:80], mend=mend)
    return {row[0]: row[1] for row in rows}


def read_expected(file: Path = CANDIDATES) -> dict[str, float]:
    """Return the errors that are expected on each picked sheet, by image_id; none where nothing is expected."""
    with file.open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["arm"] == PICKED]
    return {row["image_id"]: float(row["expected_errors"] or 0) for row in rows}
