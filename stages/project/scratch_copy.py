"""A copy of the project outside of it, in which stages can write whatever they want."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from stages.project.repository import git

_SMALL = 10_000_000  # bytes


@contextmanager
def scratch_copy(root: Path, inputs: Sequence[str]) -> Iterator[Path]:
    """Yield a temporary folder with the project's files as they are now; it goes with the block, whatever happens.

    What Git tracks, and small files that are new, are copied. The files below `inputs`, which no stage writes, are
    links to read through, so that a large dataset costs neither time nor space.
    """
    folder = Path(tempfile.mkdtemp(prefix="yoloop-dry-run-"))
    try:
        new = [path for path in _listed(root, "--others", "--exclude-standard") if _is_small(root / path)]
        for path in [*_listed(root, "--cached"), *new]:
            _copy(root / path, folder / path)
        for path in inputs:
            _link(root / path, folder / path)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _listed(root: Path, *which: str) -> list[str]:
    return [path for path in git.run(root, "ls-files", "-z", *which).split("\0") if path]


def _is_small(file: Path) -> bool:
    """Say whether it can be code or settings that a stage reads; an archive or a video beside them cannot."""
    return file.is_file() and file.stat().st_size <= _SMALL


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
