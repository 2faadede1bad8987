"""Builds commits on objects that nobody sees yet, moves refs in one step, and sets paths in the index."""

import os
import shutil
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from stages.base.errors import problem
from stages.project.project_lock import STATE
from stages.project.repository import git

if TYPE_CHECKING:
    from psutil import Process


class Commit(NamedTuple):
    """One commit to make: its message, and path (from the root) -> new content, or None to delete it."""

    message: str
    files: Mapping[str, bytes | None]


class Ref(NamedTuple):
    """A branch or tag by its full name, with the commit before and after; None where there is none."""

    name: str
    old: str | None
    new: str | None


def tag_refs(
    root: Path, tags: Mapping[str, int], renamed: Mapping[str, str | None]
) -> list[tuple[str, str | None, str | int | None]]:
    """Return each tag's (ref, value now, value to be); a commit yet to be made is given by its index.

    `renamed`: old name -> new name, or None where the tag goes.
    """
    wanted: dict[str, tuple[str | None, str | int | None]] = {}
    for old, new in renamed.items():
        sha = git.ref_value(root, f"refs/tags/{old}")
        if sha is None:
            raise problem("commits.tag", f"tag {old}")
        wanted[old] = (sha, None)
        if new is not None:
            _require_free(root, new)
            wanted[new] = (None, sha)
    for tag, index in tags.items():
        if tag not in renamed:
            _require_free(root, tag)
        wanted[tag] = (wanted.get(tag, (None, None))[0], index)
    return [(f"refs/tags/{tag}", old, new) for tag, (old, new) in wanted.items()]


def _require_free(root: Path, tag: str) -> None:
    if git.ref_value(root, f"refs/tags/{tag}") is not None:
        raise problem("commits.name_free", f"tag {tag}", tag=tag)


def build(root: Path, commits: Sequence[Commit], parent: str) -> list[str]:
    """Write the commits into Git's store, in an index of our own, and return their hashes; no ref moves."""
    index = {"GIT_INDEX_FILE": str((root / STATE / "index").resolve())}
    git.run(root, "read-tree", parent, env=index)
    shas: list[str] = []
    for commit in commits:
        blobs = {path: _store(root, data) for path, data in commit.files.items()}
        git.run(root, "update-index", "--index-info", stdin=_index_info(blobs), env=index)
        tree = git.run(root, "write-tree", env=index).strip()
        message = commit.message.encode() + b"\n"
        shas.append(git.run(root, "commit-tree", tree, "-p", [parent, *shas][-1], stdin=message).strip())
    return shas


def _store(root: Path, data: bytes | None) -> str | None:
    return None if data is None else git.run(root, "hash-object", "-w", "--stdin", stdin=data).strip()


def build_from(root: Path, entries: Mapping[str, str], *, files: Mapping[str, bytes], parent: str, message: str) -> str:
    """Write a commit on `parent` that holds exactly `entries` (as `entries_at` gives them) and `files`."""
    index = {"GIT_INDEX_FILE": str((root / STATE / "index").resolve())}
    new = {path: f"100644 {_store(root, data)}" for path, data in files.items()}
    lines = "".join(f"{entry}\t{path}\0" for path, entry in {**entries, **new}.items())
    git.run(root, "read-tree", "--empty", env=index)
    git.run(root, "update-index", "-z", "--index-info", stdin=os.fsencode(lines), env=index)
    tree = git.run(root, "write-tree", env=index).strip()
    return git.run(root, "commit-tree", tree, "-p", parent, stdin=message.encode() + b"\n").strip()


def entries_at(root: Path, rev: str) -> dict[str, str]:
    """Return every path of the commit `rev` with its mode and object: `100644 3b18e5…`."""
    listed = [line.split("\t", 1) for line in git.run(root, "ls-tree", "-r", "-z", rev).split("\0") if line]
    return {path: " ".join(info.split()[::2]) for info, path in listed}  # mode, type, object


def differing(root: Path, old: str, new: str) -> dict[str, str | None]:
    """Return every path that differs between two commits with its blob in `new`, or None where it is gone."""
    before, after = entries_at(root, old), entries_at(root, new)
    paths = [path for path in sorted({*before, *after}) if before.get(path) != after.get(path)]
    return {path: after[path].split()[1] if path in after else None for path in paths}


def _index_info(blobs: Mapping[str, str | None]) -> bytes:
    lines = [f"100644 {blob}\t{path}\n" if blob else f"0 {'0' * 40}\t{path}\n" for path, blob in blobs.items()]
    return os.fsencode("".join(lines))


def blobs_at(root: Path, commits: Sequence[Commit], head: str) -> dict[str, str | None]:
    """Return every committed path with its blob at `head`, or None where it is gone."""
    paths = sorted({path for commit in commits for path in commit.files})
    listed = git.run(root, "ls-tree", "-z", "-r", head, "--", *paths) if paths else ""
    found = {line.split("\t", 1)[1]: line.split()[2] for line in listed.split("\0") if line}
    return {path: found.get(path) for path in paths}


def move_refs(root: Path, refs: Sequence[Ref], *, reason: str) -> None:
    """Move every ref that has not moved yet, all in one transaction: the commit point."""
    lines = [_ref_line(ref) for ref in refs if not moved(root, ref)]
    if lines:
        script = "".join(f"{line}\n" for line in ["start", *lines, "prepare", "commit"])
        git.run(root, "update-ref", "-m", f"yoloop: {reason}", "--stdin", stdin=script.encode())


def _ref_line(ref: Ref) -> str:
    if ref.new is None:
        return f"delete {ref.name} {ref.old}"
    return f"update {ref.name} {ref.new} {ref.old or '0' * 40}"  # zeros: it must not exist yet


def moved(root: Path, ref: Ref) -> bool:
    """Say whether `ref` has its new value, or a branch on top of it."""
    now = git.ref_value(root, ref.name)
    if now == ref.new:
        return True
    # A person may have committed on top of ours before the rest could follow.
    return (
        ref.name.startswith("refs/heads/") and bool(now and ref.new) and git.is_ancestor(root, str(ref.new), str(now))
    )


def update_index(root: Path, blobs: Mapping[str, str | None]) -> None:
    """Set the committed paths in the person's index and leave the rest of it as it is.

    The new index is written beside the old one, under a lock that is a link to a file of ours: so a lock
    that a kill left behind can be told from one of a `git commit` at work.
    """
    index = git.internal_path(root, "index")
    lock, ours, copy = (index.with_name(name) for name in ("index.lock", "index.yoloop-lock", "index.yoloop"))
    if lock.exists() and ours.exists() and lock.samefile(ours):
        lock.unlink()  # left by a kill: we hold the project's lock
    copy.with_name("index.yoloop.lock").unlink(missing_ok=True)
    ours.touch()
    try:
        os.link(ours, lock)
    except FileExistsError as error:
        raise _locked(root, lock) from error
    try:
        shutil.copyfile(index, copy)
        git.run(root, "update-index", "--index-info", stdin=_index_info(blobs), env={"GIT_INDEX_FILE": str(copy)})
        copy.replace(index)
    finally:
        lock.unlink()
        ours.unlink()


def remove_stale_locks(root: Path, refs: Sequence[Ref]) -> None:
    """Delete locks on these refs that a killed Git left; raise `UserError` while somebody may still hold one.

    Git holds them for milliseconds: what outlives two seconds, with no Git at work here, belongs to nobody.
    """
    names = ["HEAD", "packed-refs", *(ref.name for ref in refs)]
    paths = [git.internal_path(root, name) for name in names]
    locks = [lock for path in paths if (lock := path.with_name(f"{path.name}.lock")).exists()]
    end = time.monotonic() + 2
    while any(lock.exists() for lock in locks) and time.monotonic() < end:
        time.sleep(0.1)
    left = [lock for lock in locks if lock.exists()]
    if left and _git_at_work(root, left):
        raise _locked(root, left[0])
    for lock in left:
        lock.unlink(missing_ok=True)


def _locked(root: Path, lock: Path) -> Exception:
    holder = _git_at_work(root, [lock])
    return problem(
        "commits.git_work_here",
        lock,
        found=holder or "its lock, and no git that lives on this machine",
        value="Wait until it is done, or end it" if holder else f"Remove it: rm {lock}",
    )


def _git_at_work(root: Path, locks: Collection[Path]) -> str | None:
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
