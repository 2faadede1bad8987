"""Where a command will write: asked before it changes anything, so that it never stops half-way for a closed folder."""

from collections.abc import Collection, Iterable
from pathlib import Path

from stages.base.writable import require_writable, with_subfolders
from stages.project.project_lock import STATE
from stages.project.repository import git

# One file in each folder where the commands between two iterations prepare what they commit, and where it goes then.
BETWEEN = ("params.yaml", "data/dataset.dvc", "models/parent.pt.dvc", "metrics/history.csv")
_OF_RUN = ("dvc.lock", ".dvc/tmp/lock", "logs/train", ".scratch/train", "metrics/reports")
_OF_GIT = ("index", "objects/pack", "refs/heads/main", "refs/tags/v")


def require_places(root: Path, files: Collection[str], *, removes: Iterable[str] = ()) -> None:
    """Raise `UserError` unless all of `files` can be written, and `removes`, files or folders, deleted.

    So must be what Git keeps of them; and what .dvc files stand for is replaced whole.
    """
    listed = git.run(root, "rev-parse", *(word for name in _OF_GIT for word in ("--git-path", name))).splitlines()
    ours = [*(root / name for name in listed), root / STATE / "journal.json", *(root / name for name in files)]
    tracked = [name.removesuffix(".dvc") for name in files if name.endswith(".dvc")]
    deep = [folder for name in (*tracked, *removes) for folder in with_subfolders(root / name)]
    require_writable(dict.fromkeys([*(place.parent for place in ours), *deep]))


def require_run_places(root: Path, outs: Iterable[str], cache: Path) -> None:
    """Raise `UserError` unless an iteration can run to its end: stages write `outs`, and DVC keeps them in `cache`."""
    require_places(root, _OF_RUN, removes=outs)
    require_writable([cache / "files/md5", cache / "runs"])
