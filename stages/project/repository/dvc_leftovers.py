"""Mends what a killed DVC leaves: locks of nobody, halves of its files, and a person's files laid aside."""

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stages.base.atomic import replacing
from stages.base.errors import UserError
from stages.project.project_lock import exclusive
from stages.project.repository import git
from stages.project.repository.dvc_cache import drop_unfinished_runs, unfinished_runs

if TYPE_CHECKING:
    from psutil import Process

LOCK = "dvc.lock"
_LOCKS = ".dvc/tmp/rwlock"  # who reads and writes which files, by number of process
_EXPERIMENT_LOCKS = ".dvc/tmp/exps/rwlock"
_PATIENCE = 1.0  # seconds; DVC writes its small files in milliseconds
_LAID_ASIDE_IN = 60.0  # seconds from DVC's lock to the stash that it makes first


def mend(root: Path) -> list[str]:
    """Mend what is left, and return lines to print; nothing is touched while another command is at work."""
    left = (_is_left(root, name) for name in (_LOCKS, _EXPERIMENT_LOCKS, LOCK))
    if not any(left) and not unfinished_runs(_cache(root)):
        return []  # as nearly always: then nothing is written, not even a lock
    with suppress(UserError), exclusive(root):
        return [
            *_bring_back(root),
            *_free_locks(root, _LOCKS),
            *_free_locks(root, _EXPERIMENT_LOCKS),
            *_mend_lock_file(root),
            *_drop_runs(root),
        ]
    return []


def _cache(root: Path) -> Path:
    """Return where the cache is, unless DVC was told another place: to ask it takes long, and `yoloop run` does."""
    return root / ".dvc/cache"


def _drop_runs(root: Path) -> list[str]:
    if not drop_unfinished_runs(_cache(root)):
        return []
    return [".dvc/cache/runs held half of an entry that a killed DVC was writing: removed."]


def _is_left(root: Path, name: str) -> bool:
    """Say whether the file is there and not as DVC leaves it when nothing runs."""
    data = git.here(root, name)
    if data is None:
        return False
    if name == LOCK:
        return not _is_whole(data)
    try:
        return any(part != {} for part in json.loads(data).values())
    except (ValueError, AttributeError):
        return True


def _is_whole(data: bytes) -> bool:
    return data.startswith(b"schema:") and data.endswith(b"\n")


def _free_locks(root: Path, name: str) -> list[str]:
    """Drop the entries of processes that are gone, where DVC itself would take another process for them."""
    file = root / name
    held = _read_twice(file)
    if held is None:
        return []
    if held is False:
        file.unlink()
        return [f"{name} was left empty by a killed DVC: removed."]
    gone = {int(one["pid"]) for one in _holders(held) if _is_another(one, file.stat().st_mtime)}
    if gone:
        _write_without(file, held, gone)
        numbers = ", ".join(map(str, sorted(gone)))
        return [f"{name} named a DVC that was killed (process {numbers}): freed."]
    return []


def _mend_lock_file(root: Path) -> list[str]:
    """Put the committed `dvc.lock` in the place of half of one: DVC's cache still knows what ran since."""
    file = root / LOCK
    end = time.monotonic() + _PATIENCE
    while (now := git.here(root, LOCK)) is not None and not _is_whole(now) and time.monotonic() < end:
        time.sleep(0.1)
    if now is None or _is_whole(now):
        return []
    committed = git.content(root, "HEAD", LOCK)
    if committed is None:
        file.unlink()
    else:
        with replacing(file) as temporary:
            temporary.write_bytes(committed)
    how = "removed" if committed is None else "the one of the last commit is back"
    return [f"{LOCK} was left unfinished by a killed DVC: {how}. What has run is taken from the cache."]


def _bring_back(root: Path) -> list[str]:
    """Bring back the files that `dvc exp run` had laid aside when it was killed, and the branch that it had left."""
    file = root / _EXPERIMENT_LOCKS
    held = _read_twice(file)
    writes = held.get("write", {}) if isinstance(held, dict) else {}
    since = file.stat().st_mtime if writes else 0.0
    dead = {place: int(one["pid"]) for place, one in writes.items() if not _lives(one, since)}
    refs = [ref for place, ref in (("workspace", "refs/stash"), ("refs/exps/exec", _MERGE)) if place in dead]
    stashes = {ref: stash for ref in refs if (stash := _made_then(root, ref, since))}
    said = [line for ref, stash in stashes.items() for line in _restored(root, ref, stash)]
    if dead:
        _write_without(file, held, set(dead.values()))
    return said


_MERGE = "refs/exps/exec/EXEC_MERGE"


def _made_then(root: Path, ref: str, since: float) -> str | None:
    """Return the stash in `ref` if it was made on HEAD by whoever took the lock at `since`: not one of a person's."""
    sha = git.resolve(root, ref)
    if sha is None or git.resolve(root, f"{sha}^1") != git.resolve(root, "HEAD"):
        return None
    made = int(git.run(root, "log", "-1", "--format=%ct", sha))
    earliest = since - (1 if ref == "refs/stash" else _LAID_ASIDE_IN)
    return sha if earliest <= made <= since + _LAID_ASIDE_IN else None


def _restored(root: Path, ref: str, stash: str) -> list[str]:
    listed = git.run(root, "diff", "--name-only", "-z", "--no-renames", "HEAD", stash).split("\0")
    paths = [path for path in listed if path and not path.startswith(".dvc/tmp/")]
    now = {path: git.here(root, path) for path in paths}
    back = [path for path in paths if now[path] in (None, git.content(root, "HEAD", path))]
    other = [path for path in paths if path not in back and now[path] != git.content(root, stash, path)]
    back = [path for path in back if git.content(root, stash, path) is not None]
    if back:
        git.run(root, "restore", f"--source={stash}", "--worktree", "--", *back)
    if not other and ref == "refs/stash":
        git.run(root, "stash", "drop", "-q")
    lines = [f"`dvc exp run` was killed while it had laid aside what was not committed: back are {', '.join(back)}."]
    kept = f"changed since, so they stay as they are: {', '.join(other)}. What they held before: git show {stash}:FILE"
    return [*(lines if back else []), *([kept] if other else []), *_back_on_branch(root)]


def _back_on_branch(root: Path) -> list[str]:
    names = git.run(root, "for-each-ref", "--points-at", "HEAD", "--format=%(refname)", "refs/heads").split()
    if git.attached(root) or len(names) != 1:
        return []
    git.run(root, "symbolic-ref", "HEAD", names[0])
    return [f"Back on branch {names[0].removeprefix('refs/heads/')}."]


def _read_twice(file: Path) -> Any:
    """Return what a list of locks holds, None where there is none, False for what is no list for a second."""
    end = time.monotonic() + _PATIENCE
    while file.is_file():
        with suppress(ValueError, FileNotFoundError):
            held = json.loads(file.read_text(encoding="utf-8"))
            if isinstance(held, dict) and all(isinstance(part, dict) for part in held.values()):
                return held
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return None


def _holders(held: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*held.get("write", {}).values(), *chain.from_iterable(held.get("read", {}).values())]


def _write_without(file: Path, held: Mapping[str, Any], gone: set[int]) -> None:
    writes = {path: one for path, one in held.get("write", {}).items() if int(one["pid"]) not in gone}
    reads = {path: [one for one in some if int(one["pid"]) not in gone] for path, some in held.get("read", {}).items()}
    with replacing(file) as temporary:
        temporary.write_text(
            json.dumps({"write": writes, "read": {path: some for path, some in reads.items() if some}})
        )


def _lives(one: Mapping[str, Any], since: float) -> bool:
    import psutil

    return psutil.pid_exists(int(one["pid"])) and not _is_another(one, since)


def _is_another(one: Mapping[str, Any], since: float) -> bool:
    """Say whether there is a process of the number in a lock that is not, or no longer, the DVC that made the lock;
    the file of locks was written last at `since`, seconds of the clock.

    In a container, numbers come again: after a restart, process 1 is always somebody.
    """
    import psutil

    try:
        process = psutil.Process(int(one["pid"]))
        return process.create_time() > since + 1 or not _is_dvc(process, str(one.get("cmd", "")))
    except psutil.ZombieProcess:  # killed, and not cleared away by its parent: in a container, perhaps never
        return True
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:  # another user's, who may well run DVC here
        return False


def _is_dvc(process: "Process", command: str) -> bool:
    """Say whether a process is the DVC of `command`, as its lock has it: the script by its path, then what was typed.

    A shell that starts DVC has its name among its words, too.
    """
    words, typed = process.cmdline(), command.rpartition("/")[2].partition(" ")[2]
    return any("dvc" in word for word in words) and " ".join(words).endswith(typed)
