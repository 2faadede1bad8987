"""Remembers the branch that `dvc exp run` leaves while it runs: a kill would leave the project without one."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stages.base.atomic import replacing
from stages.project.project_lock import STATE, exclusive
from stages.project.repository import git


@contextmanager
def away_from_branch(root: Path) -> Iterator[None]:
    """Write down for the block which branch is checked out, and return to it at the end, whatever happens."""
    note = {"branch": git.branch(root), "head": git.head(root)}
    with replacing(_note(root)) as temporary:
        temporary.write_text(json.dumps(note), encoding="utf-8")
    try:
        yield
    finally:
        return_to_branch(root)


def return_to_branch(root: Path) -> str | None:
    """Return to the branch that a killed experiment left, and return a line to print; None when there was nothing.

    Only HEAD moves, and only from the very commit that the branch still points to: no file changes.
    """
    if not _note(root).exists():
        return None
    with exclusive(root):
        note = json.loads(_note(root).read_text(encoding="utf-8"))
        left = git.call(root, "symbolic-ref", "-q", "HEAD").returncode != 0
        same = git.resolve(root, "HEAD") == note["head"] == git.ref_value(root, note["branch"])
        if left and same:
            git.run(root, "symbolic-ref", "HEAD", note["branch"])
        _note(root).unlink()
    name = note["branch"].removeprefix("refs/heads/")
    return f"An experiment was killed: back on branch {name}." if left and same else None


def branch_left(root: Path) -> str | None:
    """Return the short name of the branch that an experiment has left and will return to, None when none runs."""
    if not _note(root).exists():
        return None
    return str(json.loads(_note(root).read_text(encoding="utf-8"))["branch"]).removeprefix("refs/heads/")


def _note(root: Path) -> Path:
    return root / STATE / "branch.json"
