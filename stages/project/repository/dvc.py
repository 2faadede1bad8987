"""Asks DVC, as a process of its own, and turns what a person has to mend into one line."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stages.base.command import refused_by_system
from stages.base.errors import UserError, problem
from stages.picking.written_sample import SAMPLE, is_as_written
from stages.project.repository import git


class BusyError(UserError):
    """DVC waits for another DVC that is at work here."""


_BUSY = re.compile("is busy, it is being blocked by|Unable to acquire lock")


def environment(root: Path = Path()) -> dict[str, str]:
    """Return the environment in which DVC and its stages find this interpreter and send nothing out."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return {**os.environ, **_no_global_excludes(root), "PATH": path, "DVC_NO_ANALYTICS": "1"}


def _no_global_excludes(root: Path) -> dict[str, str]:
    """Return the variable under which Git ignores what the project does and no more, where a person ignores our files
    everywhere, as in `*.dvc` or `data/`: DVC refuses those."""
    ignored = git.call(root, "check-ignore", "--no-index", "dvc.lock", *_ASKED_FOR).returncode == 0
    return {"GIT_CONFIG_GLOBAL": str(Path(__file__).with_name("gitconfig"))} if ignored else {}


_ASKED_FOR = ("data/dataset.dvc", "models/parent.pt.dvc", "data/.advance/dataset.dvc")


def run(root: Path, *args: str) -> str:
    """Return what `dvc ARGS` prints in `root`; raise `UserError` with DVC's own line when it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *args],
        cwd=root,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
        env=environment(root),
    )
    if done.returncode != 0:
        said = _complaint(done.stderr) or f"exit code {done.returncode}"
        kind = BusyError if _BUSY.search(said) else UserError
        raise refused_by_disk(said) or kind(f"dvc {args[0]}: {said}")
    return done.stdout


def refused_by_disk(said: str) -> UserError | None:
    """Return what a person reads where DVC says in `said` that the disk is full, or that it may not touch a file."""
    found = re.search(r"\[Errno (\d+)\] [^:]+(?:: '([^']+)')?", said)
    return refused_by_system(OSError(int(found[1]), os.strerror(int(found[1])), found[2])) if found else None


def require_repository(root: Path) -> None:
    """Raise `UserError` unless DVC is initialised in `root`."""
    if not (root / ".dvc").is_dir():
        raise problem("dvc.dvc_project", root.resolve())


def status(root: Path, *targets: str) -> dict[str, list[Any]]:
    """Return what DVC would do again: stage or .dvc file -> what changed; empty when all is up to date.

    Folders that no stage reads do not count: a clone without the held-back labels can still go on. Nor do files that
    somebody put beside those of the packet.
    """
    found = json.loads(run(root, "status", "--json", *targets))
    if _PACKET_CHANGED in found.get("sample", []) and is_as_written(root, (root / "dvc.lock").read_bytes()):
        found["sample"].remove(_PACKET_CHANGED)
    return {str(key): list(value) for key, value in found.items() if value and key not in _READ_BY_NO_STAGE}


def modified(root: Path, *targets: str) -> list[str]:
    """Return which of the tracked files and folders of the .dvc files `targets` hold what DVC has not seen."""
    return outs_in("modified", json.loads(run(root, "status", "--json", *targets))) if targets else []


def outs_in(state: str, changes: Mapping[str, Sequence[Any]]) -> list[str]:
    """Return the outs whose state is `state` among what `dvc status` says of stages or .dvc files."""
    entries = [part.get("changed outs", {}) for parts in changes.values() for part in parts if isinstance(part, dict)]
    return sorted(path for outs in entries for path, found in outs.items() if found == state)


def has_remote(root: Path) -> bool:
    """Say whether data can be fetched from anywhere."""
    return bool(run(root, "remote", "list").strip())


def add(root: Path, target: Path) -> None:
    """Put a file or folder into the DVC cache and write its .dvc file beside it; `target` stays as it is."""
    run(root, "add", "--no-relink", str(target))  # with `-q` it would not say why it fails


def checkout(root: Path, *targets: str) -> None:
    """Bring what the .dvc files `targets` track into the workspace; only those are touched."""
    run(root, "checkout", *targets)


def remove_leftovers(out: Path) -> None:
    """Delete what a killed `dvc checkout` was still writing in `out`: the next one would stumble over it."""
    for file in [*out.parent.glob(TEMPORARY), *out.rglob(TEMPORARY)]:
        file.unlink(missing_ok=True)


TEMPORARY = "." + "[A-Za-z0-9_-]" * 22 + ".tmp"  # as DVC names what it is still writing
_PACKET_CHANGED = {"changed outs": {str(SAMPLE): "modified"}}
_READ_BY_NO_STAGE = ("data/oracle.dvc", "data/review.dvc")


def _complaint(stderr: str) -> str:
    """Return DVC's error in one line: from ERROR to the next empty line, or to the end where that says what helps."""
    start = stderr.find("ERROR: ")
    text = stderr[start + 7 :] if start >= 0 else stderr
    return " ".join((text if _BUSY.search(text) else text.split("\n\n")[0]).split())
