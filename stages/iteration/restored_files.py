"""Puts back what a failed run took away: DVC removes a stage's outs before it runs."""

from pathlib import Path

from stages.base.atomic import replacing
from stages.base.errors import UserError
from stages.project.repository import dvc, git

_RESULTS = ("metrics/**/*.json", "plots/**/*.csv")  # not in DVC's cache; in Git only once an iteration is finished


def remember(root: Path) -> dict[str, bytes]:
    """Return the results that DVC could not restore, by path: what `put_back` needs when the run that begins fails."""
    paths = [str(file.relative_to(root)) for pattern in _RESULTS for file in root.glob(pattern)]
    return {path: data for path in paths if (data := git.here(root, path)) is not None}


def put_back(root: Path, results: dict[str, bytes]) -> None:
    """Restore what is gone; what stages wrote in the meantime stays."""
    for path, data in results.items():
        if git.here(root, path) is None:
            with replacing(root / path) as temporary:
                temporary.write_bytes(data)
    try:
        stages = {name: changes for name, changes in dvc.status(root).items() if not name.endswith(".dvc")}
        if gone := dvc.outs_in("deleted", stages):
            dvc.checkout(root, *gone)
    except UserError:
        pass  # what the cache does not have either was never complete, and the next run makes it
