"""A copy of the project outside of it, in which stages can write whatever they want."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from stages.files import git


@contextmanager
def scratch_copy(root: Path, inputs: Sequence[str]) -> Iterator[Path]:
    """Yield a temporary folder with the project's files as they are now; it goes with the block, whatever happens.

    What Git tracks is copied. New files of the person, and the files below `inputs`, are links to read through: stages
    replace files and never write into them, so neither the workspace nor DVC's cache can be reached.
    """
    folder = Path(tempfile.mkdtemp(prefix="yoloop-dry-run-"))
    try:
        for path in _listed(root, "--cached"):
            _copy(root / path, folder / path)
        for path in [*_listed(root, "--others", "--exclude-standard"), *inputs]:
            _link(root / path, folder / path)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _listed(root: Path, *which: str) -> list[str]:
    return [path for path in git.run(root, "ls-files", "-z", *which).split("\0") if path]


def _copy(source: Path, target: Path) -> None:
    if source.is_file() or source.is_symlink():  # else it is deleted in the workspace
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target, follow_symlinks=False)


def _link(source: Path, target: Path) -> None:
    """Make `target` a link to the file `source`, or a folder of links; what is there already stays."""
    if source.is_dir():
        for part in source.iterdir():
            _link(part, target / part.name)
    elif source.exists() and not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(source.resolve())
