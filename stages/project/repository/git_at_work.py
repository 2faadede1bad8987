"""Asks the machine whether a Git is at work in a repository: one that was killed leaves its locks behind."""

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from stages.project.repository import git

if TYPE_CHECKING:
    from psutil import Process


def git_at_work(root: Path, locks: Collection[Path]) -> str | None:
    """Return the first process that is a Git in the repository of `root`, or has one of `locks` open, in words.

    A Git closes its locks once they are written, so that it is found by where it works. One that may not be asked,
    as another user's, counts as at work here. None: no such process is on this machine.
    """
    import psutil

    for process in psutil.process_iter():
        try:
            if _is_git_in(process, root) or any(Path(file.path) in locks for file in process.open_files()):
                return f"process {process.pid} ({process.name()})"
        except psutil.AccessDenied:
            if process.name() == "git":
                return f"process {process.pid} (git of another user)"
        except (psutil.Error, OSError):  # it has ended meanwhile
            continue
    return None


def _is_git_in(process: "Process", root: Path) -> bool:
    if process.name() != "git":
        return False
    ours, theirs = (_repository(folder) for folder in (root, Path(process.cwd())))
    named = [process.environ().get("GIT_DIR", ""), *process.cmdline()]
    return ours == theirs or any(str(ours) in text for text in named)


def _repository(folder: Path) -> Path | None:
    """Return where the repository of `folder` keeps its refs, also those of its other work trees; None for none."""
    done = git.call(folder, "rev-parse", "--git-common-dir")
    return (folder / done.stdout.decode().strip()).resolve() if done.returncode == 0 else None
