"""Writes that leave the old file or the new one, never half of one."""

import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

_SUFFIX = ".yoloop-tmp"  # .gitignore and .dvcignore name it: what a kill leaves is no data
_A_DAY = 24 * 3600.0  # seconds; nothing is being written for longer


@contextmanager
def replacing(file: Path) -> Iterator[Path]:
    """Yield a temporary path beside `file`; when the block ends well, it becomes `file` in one step.

    A plain copy over an existing file would write through DVC's hard links into its cache.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = beside(file)
    try:
        yield temporary
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty folder beside `folder`; when the block ends well, it takes the place of `folder`."""
    building = beside(folder)
    building.mkdir(parents=True)
    try:
        yield building
        shutil.rmtree(folder, ignore_errors=True)
        building.replace(folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def beside(path: Path) -> Path:
    """Return a path in the folder of `path` that no other process takes, and remove what a kill left there."""
    _sweep(path.parent.resolve())
    return path.with_name(f".{secrets.token_hex(8)}{_SUFFIX}")


def is_temporary(path: Path) -> bool:
    """Say whether `path` is one of `beside`."""
    return path.name.endswith(_SUFFIX)


@cache
def _sweep(folder: Path) -> None:
    """Remove temporary files and folders of killed processes, once per process: there may be many to look through."""
    for left in folder.glob(f".*{_SUFFIX}"):
        try:
            if time.time() - left.lstat().st_mtime > _A_DAY:
                shutil.rmtree(left) if left.is_dir() else left.unlink()
        except OSError:  # gone meanwhile, or another person's: it harms nobody
            continue
