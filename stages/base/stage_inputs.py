"""What lies where a stage reads, to see whether somebody changed a file of it while it ran.

DVC hashes what a stage depends on once the stage has ended: its lock would say that the results come from the new
bytes. Looked at are names, sizes and times, as DVC does to save hashing, so that 20,000 files take a tenth of a second.
Code is compared by content: Python reads a module once, and an editor may save one that nobody changed.
"""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

States = dict[str, str]  # path -> what changes with the content of the file there


class FileChange(NamedTuple):
    """A file that is no longer as it was: `how` is "changed", "added" or "removed"."""

    path: str
    how: str


def states_of(paths: Iterable[str], root: Path = Path()) -> States:
    """Return the state of every file in `paths`, or below them; what Python keeps beside its modules is none."""
    found: States = {}
    for path in paths:
        found |= _below(path, root) if (root / path).is_dir() else _of_file(path, root / path)
    return found


def first_change(before: Mapping[str, str], paths: Iterable[str], root: Path = Path()) -> FileChange | None:
    """Return a file in `paths` that is not as it was `before`, None where all are; what DVC ignores does not count."""
    now = states_of(paths, root)
    changes = sorted(_changes(before, now))
    ignored = _ignored([change.path for change in changes], root) if changes else set()
    return next((change for change in changes if change.path not in ignored), None)


def _changes(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[FileChange]:
    for path in {*before, *now}:
        if path not in now:
            yield FileChange(path, "removed")
        elif path not in before:
            yield FileChange(path, "added")
        elif before[path] != now[path]:
            yield FileChange(path, "changed")


def _below(folder: str, root: Path) -> States:
    found: States = {}
    try:
        entries = list(os.scandir(root / folder))
    except FileNotFoundError:  # removed while we look
        return found
    for entry in entries:
        path = f"{folder}/{entry.name}"
        if not entry.is_dir():
            found |= _of_file(path, entry)
        elif entry.name != "__pycache__":
            found |= _below(path, root)
    return found


def _of_file(path: str, file: "Path | os.DirEntry[str]") -> States:
    """Return the state of one file, nothing where there is none."""
    try:
        if path.endswith(".py"):
            return {path: sha256(Path(file).read_bytes()).hexdigest()}
        found = file.stat()
    except OSError:
        return {}
    return {path: f"{found.st_size} {found.st_mtime_ns}"}


def _ignored(paths: Iterable[str], root: Path) -> set[str]:
    """Return those of `paths` that DVC passes over, such as what a computer leaves in folders of pictures."""
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "check-ignore", "--stdin"],
        cwd=root,
        input="".join(f"{path}\n" for path in paths),
        capture_output=True,
        check=False,
        text=True,
        errors="surrogateescape",  # a file's name may be no UTF-8
    )
    return set(done.stdout.splitlines())
