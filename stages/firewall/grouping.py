"""Reads which drawing set or project each sheet belongs to: from its name, or from a list that a person wrote."""

import csv
import re
from collections.abc import Sequence
from pathlib import Path

from stages.base.errors import problem
from stages.dataset.sheets.split_folder import IMAGE_SUFFIXES


def read_groups(names: Sequence[str], *, pattern: str | None, file: Path | None) -> dict[str, str]:
    """Return the group of each image of `names` that has one.

    `pattern` is a regular expression with one group, looked for in the image's name; `file` a CSV of image name and
    group, whose lines win. Raises `UserError` for a pattern that is none or fits no name, and for a line of the list
    that names no image, no group, or another group than a line before.
    """
    found = _by_pattern(names, pattern) if pattern is not None else {}
    return {**found, **(_by_list(names, file) if file is not None else {})}


def _by_pattern(names: Sequence[str], pattern: str) -> dict[str, str]:
    where = f"--group-pattern {pattern}"
    mend = r"For example --group-pattern '^(.+)_page_\d+'"
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise problem("grouping.regular_expression", where, found=str(error), mend=mend) from error
    if compiled.groups != 1:
        raise problem("grouping.pair_brackets_around", where, found=str(compiled.groups), mend=mend)
    matches = {name: compiled.search(name) for name in names}
    found = {name: match[1] for name, match in matches.items() if match and match[1]}
    if not found:
        first = f"no image, and not {names[0]}" if names else "no image"
        raise problem("grouping.pattern_fits_names", where, first=first, mend=mend)
    return found


def _by_list(names: Sequence[str], file: Path) -> dict[str, str]:
    if not file.is_file():
        raise problem("grouping.csv_file", f"--groups {file}")
    known = {key: name for name in names for key in (Path(name).stem, name)}
    found: dict[str, str] = {}
    rows = _rows(file)
    for number, row in rows:
        cells = [cell.strip() for cell in row]
        name = known.get(Path(cells[0]).name)
        if name is None and (number, row) == rows[0] and Path(cells[0]).suffix.lower() not in IMAGE_SUFFIXES:
            continue  # the names of the columns
        if name is None or len(cells) != 2 or not cells[1] or found.get(name, cells[1]) != cells[1]:
            raise problem("grouping.by_list", f"{file}:{number}", found=",".join(row)[:80])
        found[name] = cells[1]
    return found


def _rows(file: Path) -> list[tuple[int, list[str]]]:
    """Return the lines of a CSV that are not empty, with their numbers."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.reader(lines, skipinitialspace=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise problem("grouping.csv_file_utf", file, found=str(error)[:80]) from error
    return [(number, row) for number, row in enumerate(rows, 1) if any(cell.strip() for cell in row)]
