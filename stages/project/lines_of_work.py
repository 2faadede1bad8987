"""Lines of iterations: what starts over gets tags under the name of a new line, and those of the old line stay.

A commit says itself which line it belongs to, in a small file of its own: so a branch can be renamed, merged, looked
back at or cloned, and `yoloop data import`, which drops all results, ends every line.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from stages.base.errors import problem
from stages.project.repository import git

LINES = Path("metrics/lines.csv")
_HEADER = "line,first_iteration"


class Line(NamedTuple):
    """A line that was started over: its name, and the first iteration that it ran itself."""

    name: str
    first: int


def read_lines(root: Path, rev: str = "HEAD") -> list[Line]:
    """Return the lines that the commit `rev` lies on, the oldest first; none before anything was started over."""
    data = git.content(root, rev, str(LINES))
    rows = [row.rpartition(",") for row in data.decode().splitlines()[1:]] if data else []
    if not all(name and first.isdigit() for name, _, first in rows):
        raise problem("lines_of_work.columns", root / LINES, header=_HEADER, lines=LINES)
    return [Line(name, int(first)) for name, _, first in rows]


def lines_text(lines: Sequence[Line]) -> str:
    """Return the content of the file that holds `lines`."""
    return "\n".join([_HEADER, *(f"{line.name},{line.first}" for line in lines)]) + "\n"


def prefix(lines: Sequence[Line], iteration: int) -> str:
    """Return what the tags of `iteration` begin with: the last line that ran it, or nothing for the first one."""
    names = [line.name for line in lines if line.first <= iteration]
    return f"{names[-1]}/" if names else ""
