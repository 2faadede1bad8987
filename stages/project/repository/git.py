"""Asks Git, and turns what a person has to mend into one line."""

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from stages.base.errors import UserError, problem


def run(root: Path, *args: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> str:
    """Return what `git ARGS` prints in `root`; raise `UserError` with Git's own line when it fails."""
    done = call(root, *args, stdin=stdin, env=env)
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or [f"exit code {done.returncode}"]
        # The first line names the cause, where the last one says only what did not come of it.
        raise UserError(f"git {args[0]}: {next((line for line in lines if _CLOSED in line), lines[-1])}")
    return os.fsdecode(done.stdout)  # a file's name may be no UTF-8


_CLOSED = "insufficient permission"


def call(
    root: Path, *args: str, stdin: bytes = b"", env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run `git ARGS` in `root` and return how it ended; it never asks anything."""
    clean = {key: value for key, value in os.environ.items() if key not in _HOOK_VARIABLES}
    return subprocess.run(
        ["git", *args],
        cwd=root,
        input=stdin,
        capture_output=True,
        check=False,
        env={**clean, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", **(env or {})},
    )


# Set inside Git hooks; they would send us to another index.
_HOOK_VARIABLES = ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "GIT_PREFIX")


def require_repository(root: Path) -> None:
    """Raise `UserError` unless `root` is the top folder of a Git repository, with no merge or the like half done."""
    done = call(root, "rev-parse", "--show-prefix")
    if b"dubious ownership" in done.stderr:
        raise problem("git.of_another", root.resolve(), folder=shlex.quote(str(root.resolve())))
    if done.returncode != 0:
        raise problem("git.git_repository", root.resolve())
    if done.stdout.strip():
        raise problem("git.top_folder_git", root.resolve())
    for name, what in _HALF_DONE.items():
        if internal_path(root, name).exists():
            found = run(root, "diff", "--name-only", "--diff-filter=U").split()
            conflicts = f"conflicts in {', '.join(found)}" if found else "no conflict is left"
            raise problem("git.half_done", root.resolve(), what=what, conflicts=conflicts)


_HALF_DONE = {
    "MERGE_HEAD": "merge",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
}


def require_committer(root: Path) -> None:
    """Raise `UserError` unless Git knows who commits."""
    if call(root, "var", "GIT_COMMITTER_IDENT").returncode != 0:
        raise problem("git.your_name_email", "git")


def head(root: Path) -> str:
    """Return the commit that is checked out; raise `UserError` when there is none yet."""
    sha = resolve(root, "HEAD")
    if sha is None:
        raise problem("git.first_commit", root.resolve())
    return sha


def branch(root: Path) -> str:
    """Return the full name of the branch that is checked out; raise `UserError` when HEAD is on none."""
    name = attached(root)
    if name is None:
        raise problem("git.branch", "HEAD")
    return name


def attached(root: Path) -> str | None:
    """Return the full name of the branch that is checked out, or None when HEAD is on none."""
    done = call(root, "symbolic-ref", "-q", "HEAD")
    return done.stdout.decode().strip() if done.returncode == 0 else None


def resolve(root: Path, rev: str) -> str | None:
    """Return the commit that `rev` (a ref, a tag, a hash) stands for, or None."""
    done = call(root, "rev-parse", "-q", "--verify", f"{rev}^{{commit}}")
    return done.stdout.decode().strip() if done.returncode == 0 else None


def ref_value(root: Path, ref: str) -> str | None:
    """Return the object that `ref` (full name) holds, or None; of an annotated tag, the tag itself."""
    done = call(root, "rev-parse", "-q", "--verify", ref)
    return done.stdout.decode().strip() if done.returncode == 0 else None


def is_ancestor(root: Path, old: str, new: str) -> bool:
    """Say whether commit `old` is `new` or lies in its history."""
    return call(root, "merge-base", "--is-ancestor", old, new).returncode == 0


def content(root: Path, rev: str, path: str) -> bytes | None:
    """Return the bytes of the file `path` at `rev`, or None when it is not there."""
    done = call(root, "cat-file", "blob", f"{rev}:{path}")
    return done.stdout if done.returncode == 0 else None


def here(root: Path, path: str) -> bytes | None:
    """Return the bytes of the file `path` as it lies in the workspace, or None when it is not there."""
    return (root / path).read_bytes() if (root / path).is_file() else None


def changed(root: Path, paths: Sequence[str] = ()) -> list[str]:
    """Return the files under `paths` (all if empty) that differ from HEAD or are new, and not ignored.

    What our own files are called is not ignored by what a person ignores everywhere, such as `*.csv`: a tag would lack
    them.
    """
    lines = run(root, "status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--", *paths)
    # Only what the project's own .gitignore names is passed over here.
    new = run(root, "ls-files", "--others", "--exclude-per-directory=.gitignore", "-z", "--", *paths).split("\0")
    found = {entry[3:] for entry in lines.split("\0") if entry}
    return sorted(found | {path for path in new if path.endswith(_OURS)})


_OURS = (".csv", ".json", ".dvc", ".lock", ".yaml")


def internal_path(root: Path, name: str) -> Path:
    """Return where Git keeps `name` (a ref, `index`, ...) of this checkout."""
    return (root / run(root, "rev-parse", "--git-path", name).strip()).resolve()
