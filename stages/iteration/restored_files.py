"""Puts back what a failed run took away: DVC removes a stage's outs, and lays uncommitted files aside for a moment."""

from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

from stages.base.atomic import replacing
from stages.base.errors import UserError
from stages.project.repository import dvc, git

_RESULTS = ("metrics/**/*.json", "plots/**/*.csv")  # not in DVC's cache; in Git only once an iteration is finished
_WRITTEN = ("metrics/*", "plots/*", "*.dvc", "dvc.lock")  # by stages and DVC; what else Git tracks, a person writes


class Remembered(NamedTuple):
    """Content before a run, by path: of results that DVC could not restore, and of what a person has not committed."""

    results: dict[str, bytes]
    typed: dict[str, bytes]


def remember(root: Path) -> Remembered:
    """Return what `put_back` needs when the run that begins now fails."""
    changed = git.run(root, "diff", "--name-only", "-z", "--no-renames", "HEAD").split("\0")
    typed = [path for path in changed if path and not any(fnmatch(path, written) for written in _WRITTEN)]
    results = [str(file.relative_to(root)) for pattern in _RESULTS for file in root.glob(pattern)]
    return Remembered(_contents(root, results), _contents(root, typed))


def put_back(root: Path, before: Remembered) -> list[str]:
    """Restore what is gone, and return lines to print; what stages or a person wrote in the meantime stays."""
    said = []
    for path, data in {**before.results, **before.typed}.items():
        now = git.here(root, path)
        if now is None or (path in before.typed and now != data and now == git.content(root, "HEAD", path)):
            with replacing(root / path) as temporary:
                temporary.write_bytes(data)
        elif path in before.typed and now != data:
            said.append(f"{path} was changed while the iteration ran: it stays as it is now.")
    try:
        stages = {name: changes for name, changes in dvc.status(root).items() if not name.endswith(".dvc")}
        if gone := dvc.outs_in("deleted", stages):
            dvc.checkout(root, *gone)
    except UserError:
        pass  # what the cache does not have either was never complete, and the next run makes it
    return said


def _contents(root: Path, paths: Iterable[str]) -> dict[str, bytes]:
    return {path: data for path in paths if (data := git.here(root, path)) is not None}
