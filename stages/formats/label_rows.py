"""Reads the rows of a YOLO label file: boxes, polygons, and what is neither."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from stages.dataset.defects import Defect
from stages.formats.source_sheets import Box, Row


def read_rows(text: str, file: Path, classes: Sequence[str]) -> tuple[list[Row], list[Defect]]:
    """Return the rows of `text`, the content of the label file `file`, and a finding for each that is none.

    A row is `class x y w h`, or a polygon: `class x y x y x y ...`, which becomes the box around it.
    """
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    rows, findings = sorted_out(_row(line, number, file, classes) for number, line in lines)
    return rows, findings + polygon_findings(rows, file)


def sorted_out(found: Iterable[Row | Defect]) -> tuple[list[Row], list[Defect]]:
    """Return the rows among `found`, and the findings."""
    every = list(found)
    return [one for one in every if isinstance(one, Row)], [one for one in every if isinstance(one, Defect)]


def polygon_findings(rows: Sequence[Row], file: Path) -> list[Defect]:
    """Return a finding for the polygons among `rows`, one for all of them."""
    lines = [row.line for row in rows if row.polygon]
    if not lines:
        return []
    found = f"{len(lines)} polygon{'s' * (len(lines) > 1)} among {len(rows)} rows"
    done = "Each becomes the box around it."
    return [Defect("warning", "polygon", file, lines[0], "boxes: class x y w h", found, done)]


def box_around(points: Sequence[float]) -> Box:
    """Return centre and size of the box around `points` (x y x y ...), in their unit."""
    xs, ys = points[0::2], points[1::2]
    return (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2, max(xs) - min(xs), max(ys) - min(ys)


def _row(line: str, number: int, file: Path, classes: Sequence[str]) -> Row | Defect:
    parts = line.split()
    polygon = len(parts) > 5 and len(parts) % 2 == 1
    values = _numbers(parts)
    if values is None:
        return _no_row("not-a-number", file, number, parts, "Correct or remove the row; decimals have a point.")
    if len(parts) != 5 and not polygon:
        mend = "Correct or remove the row."
        if len(parts) == 6:
            mend = "A sixth number is a confidence: export labels instead of predictions, or remove it."
        return _no_row("row-length", file, number, parts, mend)
    if not all(map(math.isfinite, values)):
        return _no_row("not-finite", file, number, parts, "Correct or remove the row.")
    if values[0] != int(values[0]):
        return _no_row("class-not-whole", file, number, parts, "A class is a whole number: correct the row.")
    if not 0 <= values[0] < len(classes):
        return _no_class(file, number, int(values[0]), classes)
    xywh = box_around(values[1:]) if polygon else (values[1], values[2], values[3], values[4])
    return Row(number, int(values[0]), xywh, "" if polygon else line.strip(), polygon, polygon)


def _numbers(parts: Sequence[str]) -> list[float] | None:
    try:
        return [float(part) for part in parts]
    except ValueError:
        return None


def _no_row(code: str, file: Path, line: int, parts: Sequence[str], mend: str) -> Defect:
    found = f"'{' '.join(parts)[:60]}'"
    return Defect("error", code, file, line, "five numbers: class x y w h", found, mend)


def _no_class(file: Path, line: int, class_id: int, classes: Sequence[str]) -> Defect:
    named = ", ".join(f"{i} {name}" for i, name in enumerate(classes))
    return Defect(
        "error",
        "class-out-of-range",
        file,
        line,
        f"a class of data.yaml ({named})",
        f"class {class_id}",
        "Add the class to `names`, or correct the label.",
    )
