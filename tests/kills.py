"""Ends a command in one of four ways at a moment, and says what it left behind."""

import fcntl
import json
import os
import signal
import time
from contextlib import suppress
from itertools import chain
from pathlib import Path

import psutil

from tests.fake_project import sh

KINDS = ("SIGKILL", "SIGKILL of all", "SIGINT", "SIGTERM")
_GONE_IN = 60.0  # seconds in which what a killed command had started must have ended


def end(pid: int, kind: str, root: Path) -> None:
    """End process `pid`, the leader of a group that works in `root`.

    `SIGINT` goes to its group, as from a terminal; `SIGKILL of all` to whatever works in the project, as when a machine
    goes down; the others to that process alone.
    """
    with suppress(ProcessLookupError):
        if kind == "SIGINT":
            os.killpg(pid, signal.SIGINT)
        elif kind == "SIGTERM":
            os.kill(pid, signal.SIGTERM)
        else:
            os.kill(pid, signal.SIGKILL)
    if kind == "SIGKILL of all":
        for other in at_work(root):
            with suppress(ProcessLookupError):
                os.kill(other, signal.SIGKILL)


def at_work(root: Path) -> list[int]:
    """Return the processes whose folder is the project, or in it."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if Path(process.cwd()).is_relative_to(root.resolve()) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
    return found


def orphans(root: Path) -> list[str]:
    """Return the command lines of what still works in the project a minute after a kill."""
    end_of_patience = time.monotonic() + _GONE_IN
    while at_work(root) and time.monotonic() < end_of_patience:
        time.sleep(0.02)
    return [" ".join(psutil.Process(pid).cmdline()) for pid in at_work(root)]


def leftovers(root: Path) -> list[str]:
    """Return what a killed command has left that a whole one would not: locks, staging folders, stashes, journals."""
    locks = [str(file.relative_to(root)) for file in (root / ".git").rglob("*.lock")]
    folders = ("data/.advance", "models/.advance", ".yoloop/journal.json", ".yoloop/running", ".scratch/review-import")
    stashes = sh(root, "git", "stash", "list").splitlines()
    damage = [line for line in sh(root, "git", "fsck", "--strict").splitlines() if not line.startswith("dangling")]
    return [*locks, *(name for name in folders if (root / name).exists()), *stashes, *damage, *_held(root)]


def _held(root: Path) -> list[str]:
    """Return the locks of DVC and of yoloop that somebody seems to hold."""
    found: list[str] = []
    file = root / ".dvc/tmp/rwlock"
    held = json.loads(file.read_text()) if file.is_file() else {}
    entries = [*held.get("write", {}).values(), *chain.from_iterable(held.get("read", {}).values())]
    # DVC itself drops those of processes that are no more.
    found += [f"{file.name}: {entry}" for entry in entries if psutil.pid_exists(entry["pid"])]
    for name in (".dvc/tmp/lock", ".yoloop/lock", ".yoloop/review.lock", ".yoloop/review_page.lock"):
        if (root / name).is_file():
            with (root / name).open() as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    found.append(name)
    return found
