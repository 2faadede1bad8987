"""Reads the rows of a YOLO label file: boxes, polygons, and what is neither."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from stages.dataset.defects import Defect, finding
from stages.formats.doubts.key_points import KeyPoints, may_be_keyed
from stages.formats.source_sheets import Box, Row


def read_rows(
    text: str, file: Path, classes: Sequence[str], *, key_points: KeyPoints | None = None
) -> tuple[list[Row], list[Defect]]:
    """Return the rows of `text`, the content of the label file `file`, and a finding for each that is none.

    A row is `class x y w h`, with what `key_points` says behind it, which is left out; or a polygon:
    `class x y x y x y ...`, which becomes the box around it.
    """
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    rows, findings = sorted_out(_row(line, number, file, classes, key_points) for number, line in lines)
    return rows, findings + polygon_findings(rows, file) + _key_point_findings(rows, file)


def sorted_out(found: Iterable[Row | Defect]) -> tuple[list[Row], list[Defect]]:
    """Return the rows among `found`, and the findings."""
    every = list(found)
    return [one for one in every if isinstance(one, Row)], [one for one in every if isinstance(one, Defect)]


def polygon_findings(rows: Sequence[Row], file: Path) -> list[Defect]:
    """Return a finding for the polygons among `rows`, one for all of them."""
    lines = [row.line for row in rows if row.polygon]
    if not lines:
        return []
    count = f"{len(lines)} polygon{'s' * (len(lines) > 1)}"
    return [finding("warning", "label_rows.polygon", file, lines[0], count=count, rows=len(rows))]


def _key_point_findings(rows: Sequence[Row], file: Path) -> list[Defect]:
    keyed = [row.line for row in rows if row.numbers > 4 and not row.polygon]
    if not keyed:
        return []
    return [finding("warning", "label_rows.key-points", file, keyed[0], count=len(keyed), rows=len(rows))]


def box_around(points: Sequence[float]) -> Box:
    """Return centre and size of the box around `points` (x y x y ...), in their unit."""
    xs, ys = points[0::2], points[1::2]
    return (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2, max(xs) - min(xs), max(ys) - min(ys)


def _row(line: str, number: int, file: Path, classes: Sequence[str], key_points: KeyPoints | None) -> Row | Defect:
    parts = line.split()
    more = len(parts) > 5
    keyed = more and key_points is not None and len(parts) == key_points.numbers + 1
    polygon = more and len(parts) % 2 == 1 and not (key_points and key_points.points)
    found = f"'{' '.join(parts)[:60]}'"
    try:
        values = [float(part) for part in parts]
    except ValueError:
        return finding("error", "label_rows.not-a-number", file, number, found=found)
    if len(parts) != 5 and not polygon and not keyed:
        mend = _of_length(len(parts), key_points)
        return finding("error", "label_rows.row-length", file, number, found=found, mend=mend)
    if not all(map(math.isfinite, values)):
        return finding("error", "label_rows.not-finite", file, number, found=found)
    if values[0] != int(values[0]):
        return finding("error", "label_rows.class-not-whole", file, number, found=found)
    if not 0 <= values[0] < len(classes):
        named = ", ".join(f"{i} {name}" for i, name in enumerate(classes))
        return finding("error", "label_rows.class-out-of-range", file, number, named=named, found=int(values[0]))
    xywh = box_around(values[1:]) if polygon else (values[1], values[2], values[3], values[4])
    row = Row(number, int(values[0]), xywh, "" if more else line.strip(), polygon, polygon, numbers=len(parts) - 1)
    return row._replace(keyed=may_be_keyed(values[1:])) if polygon and not key_points else row


def _of_length(count: int, key_points: KeyPoints | None) -> str:
    """Return what mends a row of `count` numbers, which is no box."""
    if key_points and key_points.points:
        said = f"kpt_shape: [{key_points.points}, {key_points.size}]"
        return f"Or {key_points.numbers + 1}, as `{said}` in data.yaml says: correct one of the two."
    if count == 6:
        return "A sixth number is a confidence: export labels instead of predictions, or remove it."
    points = "; key points are left out where data.yaml says `kpt_shape: [POINTS, 2 or 3]`" if count > 6 else ""
    return f"Correct or remove the row{points}."
