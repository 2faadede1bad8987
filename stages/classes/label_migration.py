"""Gives the boxes of a YOLO label file their new class_ids; all else of a row stays as it was written."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

_ROW = re.compile(r"(\s*)(\S+)(.*)", re.DOTALL)


class MigratedText(NamedTuple):
    """A label file after the change."""

    text: str
    boxes: Counter[int]  # class_id of before -> its boxes
    doubled: int  # boxes that lie exactly on another one of their class now, and did not before


def migrated_text(text: str, ids: Sequence[int | None]) -> MigratedText:
    """Return `text`, the rows of a label file that was read without a complaint, with the class_ids `ids[old]`.

    Raises `ValueError` for a box of a class without a new id: nobody's box is left out.
    """
    boxes: Counter[int] = Counter()
    lines = []
    for line in text.splitlines(keepends=True):
        found = _ROW.fullmatch(line) if line.strip() else None
        if found is None:
            lines.append(line)
            continue
        before, word, rest = found.groups()
        old = int(float(word))
        new = ids[old]
        if new is None:
            raise ValueError(f"a box of class_id {old} would go")
        boxes[old] += 1
        lines.append(line if new == old else f"{before}{new}{rest}")
    migrated = "".join(lines)
    return MigratedText(migrated, boxes, _doubled(migrated) - _doubled(text))


def _doubled(text: str) -> int:
    rows = Counter(tuple(map(float, line.split())) for line in text.splitlines() if line.strip())
    return sum(count - 1 for count in rows.values())
