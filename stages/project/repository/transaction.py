"""The one commit point of every command: a kill at any moment leaves the old state or the new one, no mix.

Commits are built on objects that nobody sees yet. A journal is written, one `git update-ref --stdin`
transaction moves the branch and the tags, and only then are the workspace and the index brought after it.
`recover` reads the journal of a command that was killed: if a ref has moved, the rest follows; if none has,
only what was staged goes.
"""

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, count
from pathlib import Path
from typing import NamedTuple

from stages.base.atomic import replacing
from stages.base.errors import UserError, problem
from stages.base.shapes import read_shape
from stages.project.project_lock import STATE, exclusive
from stages.project.repository import dvc, git
from stages.project.repository.commits import (
    Commit,
    Ref,
    blobs_at,
    build,
    differing,
    move_refs,
    moved,
    remove_stale_locks,
    tag_refs,
    update_index,
)
from stages.project.repository.written_places import BETWEEN, require_places

# Where a command prepares what it will commit: beside the final place, so that .dvc files fit there too.
# Not ignored by Git, since DVC refuses ignored .dvc files; whatever is in there may be deleted at any time.
STAGING = ("data/.advance", "models/.advance")


class _Journal(NamedTuple):
    """What `recover` must know to finish or undo."""

    name: str  # of the command
    head: str  # the new commit
    refs: list[Ref]
    files: dict[str, str | None]  # path -> blob in Git's store, None: deleted
    before: dict[str, str | None]  # path -> sha256 of what lay in the workspace
    checkout: list[str]  # .dvc files that change: what they track follows them
    removes: list[str]
    leaves: list[str] | None = None  # the branch (or commit) that was checked out, and its commit; None: we stay on it


@contextmanager
def staging(root: Path) -> Iterator[tuple[Path, Path]]:
    """Hold the lock and yield empty staging folders, in `data/` and in `models/`, that go with the block."""
    with exclusive(root):
        require_places(root, BETWEEN)
        _discard_staging(root)
        data, models = (root / name for name in STAGING)
        data.mkdir(parents=True)
        models.mkdir(parents=True)
        try:
            yield data, models
        finally:
            # A kill or Ctrl+C behind the commit point leaves the journal, and `recover` needs no staging.
            _discard_staging(root)


def stage_dvc(root: Path, staged: Path) -> bytes:
    """Put a staged file or folder into the DVC cache and return its .dvc file.

    It is valid for the final place as well, because `path:` in it is relative: stage `data/.advance/dataset`
    for `data/dataset`.
    """
    dvc.add(root, staged.relative_to(root) if staged.is_relative_to(root) else staged)
    return staged.with_name(f"{staged.name}.dvc").read_bytes()


def transact(
    root: Path,
    *,
    name: str,
    commits: Sequence[Commit],
    tags: Mapping[str, int],
    renamed_tags: Mapping[str, str | None] | None = None,
    removes: Sequence[str] = (),
    read: Mapping[str, bytes | None] | None = None,
    experiment: str | None = None,
) -> str:
    """Make `commits` on top of HEAD and set `tags` (name -> index of commit) in one step; return the HEAD.

    Afterwards the workspace and the index hold the new content of the committed paths, changed .dvc files
    are checked out, and the paths `removes` are deleted. Other files are never touched. `renamed_tags`
    moves tags (old name -> new name; None: it goes) in the same step; one that leaves may be set anew. `read` is
    what the command made new content from (path -> bytes). `experiment` is the name of the DVC experiment that the last
    commit is then known as, beside the commits that it is made on. Raises `UserError` before anything happens when
    a tag exists, HEAD is on no branch, or a file of `read` is no longer as it was.
    """
    with exclusive(root):
        git.require_repository(root)
        git.require_committer(root)
        require_no_journal(root)
        require_places(root, {path for commit in commits for path in commit.files}, removes=removes)
        branch, parent = git.branch(root), git.head(root)
        wanted = tag_refs(root, tags, renamed_tags or {})
        shas = build(root, commits, parent)
        moves = [Ref(ref, old, shas[new] if isinstance(new, int) else new) for ref, old, new in wanted]
        files = blobs_at(root, commits, shas[-1])
        before = {path: _digest_of(git.here(root, path)) for path in files}
        _require_as_read(root, read or {}, before)
        refs = [Ref(branch, parent, shas[-1]), *moves]
        if experiment:
            name_of_it = f"refs/exps/{parent[:2]}/{parent[2:]}/{experiment}"  # where DVC looks for those on `parent`
            refs.append(Ref(name_of_it, git.ref_value(root, name_of_it), shas[-1]))
        checkout = _changed_dvc(root, files)
        _carry_out(root, _Journal(name, shas[-1], refs, files, before, checkout, list(removes)))
        return shas[-1]


def switch(root: Path, *, name: str, commit: str, branch: str, tags: Sequence[str]) -> None:
    """Start `branch` at `commit`, set `tags` on it, and check it out, all in one step.

    Every file that differs from HEAD is brought, and what changed .dvc files track; other files are never touched.
    Raises `UserError` before anything happens when the branch or a tag exists.
    """
    with exclusive(root):
        require_no_journal(root)
        head = git.head(root)
        files = differing(root, head, commit)
        require_places(root, files)
        # As committed: nothing else is here, unless somebody has typed it since that was looked at.
        before = {path: _digest_of(git.content(root, head, path)) for path in files}
        refs = [Ref(f"refs/heads/{branch}", None, commit), *(Ref(f"refs/tags/{tag}", None, commit) for tag in tags)]
        leaves = [git.attached(root) or head, head]
        _carry_out(root, _Journal(name, commit, refs, files, before, _changed_dvc(root, files), [], leaves))


def recover(root: Path) -> str | None:
    """Finish or undo what a killed command left, and return a line to print; None when there was nothing."""
    if not _journal_file(root).exists() and not any((root / folder).exists() for folder in STAGING):
        return None
    with exclusive(root):
        return _settle(root)


def require_no_journal(root: Path) -> None:
    """Raise `UserError` when a killed command is not finished yet."""
    if _journal_file(root).exists():
        raise problem("transaction.unfinished_command", _journal_file(root))


def _carry_out(root: Path, journal: _Journal) -> None:
    _write_journal(root, journal)
    try:
        move_refs(root, journal.refs, reason=journal.name)
    except UserError:
        _settle(root)  # Git refused, so nothing has moved: drop the journal
        raise
    _enter(root, journal)
    for line in _follow(root, journal):
        print(line, file=sys.stderr)


def _require_as_read(root: Path, read: Mapping[str, bytes | None], now: Mapping[str, str | None]) -> None:
    """Raise `UserError` for a file that was changed after the command had read it; `now`: path -> sha256."""
    for path, data in read.items():
        if now[path] != _digest_of(data):
            raise problem("transaction.held_when_began", root / path)


def _enter(root: Path, journal: _Journal) -> None:
    """Let HEAD name the new branch of a `switch`, unless it has left the old place meanwhile."""
    if journal.leaves == [git.attached(root) or git.head(root), git.head(root)]:
        git.run(root, "symbolic-ref", "-m", f"yoloop: {journal.name}", "HEAD", journal.refs[0].name)


def _settle(root: Path) -> str | None:
    if not _journal_file(root).exists():
        _discard_staging(root)
        return "Cleared what an interrupted command had prepared: nothing was changed."
    journal = read_shape(_Journal, _journal_file(root))
    remove_stale_locks(root, journal.refs)
    if not any(moved(root, ref) for ref in journal.refs):
        _discard_staging(root)
        _journal_file(root).unlink()
        return f"`{journal.name}` was interrupted before anything had changed: run it again."
    move_refs(root, journal.refs, reason=journal.name)
    _enter(root, journal)
    if git.resolve(root, "HEAD") != journal.head:
        _discard_staging(root)
        _journal_file(root).unlink()
        return f"`{journal.name}` was finished, but HEAD has moved since: see `git status`, run `dvc checkout`."
    for target in journal.checkout:
        dvc.remove_leftovers(root / target.removesuffix(".dvc"))
    said = _follow(root, journal)
    return "\n".join([f"`{journal.name}` was interrupted half-way: it is finished now.", *said])


def _follow(root: Path, journal: _Journal) -> list[str]:
    """Bring workspace and index after the refs, and return what to print about files of a person.

    Doing it twice does no harm, so a kill in here does none.
    """
    said = [_bring(root, path, blob, before=journal.before[path]) for path, blob in journal.files.items()]
    update_index(root, journal.files)
    if journal.checkout:
        dvc.checkout(root, *journal.checkout)
    for path in journal.removes:
        _remove(root / path)
    _discard_staging(root)
    _journal_file(root).unlink()
    return [line for line in said if line]


def _bring(root: Path, path: str, blob: str | None, *, before: str | None) -> str | None:
    """Give one file its new content; what a person wrote there meanwhile is put aside, and the line says where."""
    file = root / path
    now = _digest_of(git.here(root, path))
    data = _blob(root, blob)
    if now == _digest_of(data):
        return None
    said = None
    if now not in (before, None):
        said = f"{path} was changed meanwhile: what was typed there is kept in {put_aside(root, path)}"
    if data is None:
        file.unlink()
    else:
        with replacing(file) as temporary:
            temporary.write_bytes(data)
    return said


def put_aside(root: Path, path: str) -> Path:
    """Copy a file to where nothing lies yet, and return that place (from `root`)."""
    first = Path(STATE) / "yours" / path
    names = chain([first.name], (f"{first.name}.{number}" for number in count(1)))
    place = next(first.with_name(name) for name in names if not (root / first.with_name(name)).exists())
    (root / place).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(root / path, root / place)
    return place


def _changed_dvc(root: Path, files: Mapping[str, str | None]) -> list[str]:
    """Return the .dvc files that will differ from what lies in the workspace, or whose data does not lie there.

    An equal .dvc file says nothing about the data: a clone has the one without the other.
    """
    paths = [path for path, blob in files.items() if blob and path.endswith(".dvc")]
    return [
        path
        for path in paths
        if _digest_of(git.here(root, path)) != _digest_of(_blob(root, files[path]))
        or not (root / path.removesuffix(".dvc")).exists()
    ]


def _discard_staging(root: Path) -> None:
    folders = [folder for folder in STAGING if (root / folder).exists()]
    for folder in folders:
        shutil.rmtree(root / folder)
    # With DVC's core.autostage the staged .dvc files have got into the index.
    if folders and git.call(root, "ls-files", "--", *folders).stdout:
        git.run(root, "rm", "-r", "-q", "--cached", "--ignore-unmatch", "--", *folders)


def _blob(root: Path, blob: str | None) -> bytes | None:
    return git.call(root, "cat-file", "blob", blob).stdout if blob else None


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _digest_of(data: bytes | None) -> str | None:
    return None if data is None else hashlib.sha256(data).hexdigest()


def _journal_file(root: Path) -> Path:
    return root / STATE / "journal.json"


def _write_journal(root: Path, journal: _Journal) -> None:
    """Write it so that it is on the disk, whole, before the first ref moves."""
    with replacing(_journal_file(root)) as temporary, temporary.open("w", encoding="utf-8") as file:
        json.dump(journal._asdict(), file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    folder = os.open(root / STATE, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
