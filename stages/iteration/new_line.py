"""`yoloop run --start-iteration N`: iteration N begins again on a new line, and the old line stays as it is."""

import re
from contextlib import suppress
from fnmatch import fnmatch
from itertools import count
from pathlib import Path

from stages.base.errors import UserError, problem
from stages.convergence.outcome_files import PARENT_OUTCOMES, outcomes_text
from stages.project.lines_of_work import LINES, Line, lines_text, read_lines
from stages.project.position import read_changes
from stages.project.preconditions import RESULTS, SETTINGS, dataset_tag, start_tag
from stages.project.project_lock import exclusive
from stages.project.repository import dvc, git
from stages.project.repository.commits import build_from, entries_at
from stages.project.repository.dvc_cache import lacks
from stages.project.repository.transaction import switch

_STATE = (*RESULTS, *SETTINGS)  # what makes up a state of the loop; everything else is the program and the person's


def start_over(root: Path, iteration: int) -> str:
    """Go back to the start of `iteration` on a new branch whose tags have its name; return what to print.

    Data, weights, params.yaml, prompts and results are those of the tag; code and settings of the repository stay as
    they are now. Where the branch stands at that start already, nothing is done. Raises `UserError`, with nothing
    changed, for an iteration that was never started, uncommitted changes, and data that the cache does not have.
    """
    git.require_author(root)
    dvc.require_repository(root)
    head = git.head(root)
    with exclusive(root):
        tag = start_tag(root, iteration)
        base = git.resolve(root, f"refs/tags/{tag}")
        if base is None:
            raise _never_started(root, iteration)
        if base == head and git.attached(root):
            return f"This branch stands at the start of iteration {iteration} ({tag}): going on from here."
        _require_nothing_to_lose(root)
        _require_cached(root, tag)
        name = _free_name(root)
        commit = _first_commit(root, base, Line(name, iteration), tag)
        switch(
            root,
            name=f"yoloop run --start-iteration {iteration}",
            commit=commit,
            branch=name,
            tags=[f"{name}/dataset-v{iteration}"],
        )
        with suppress(UserError):  # results that the cache no longer has, the stages make again
            dvc.checkout(root)
    return (
        f"Started over from {tag}: branch {name}, and its tags are {name}/dataset-v{iteration}, "
        f"{name}/iteration-{iteration} and so on. Everything before stays under its own branch and tags."
    )


def _first_commit(root: Path, base: str, line: Line, tag: str) -> str:
    """Write the commit that a line begins with: the state at `base`, with the program of today."""
    kept = {path: entry for path, entry in entries_at(root, "HEAD").items() if not _is_state(path)}
    state = {path: entry for path, entry in entries_at(root, base).items() if _is_state(path)}
    text = lines_text([*read_lines(root, base), line])
    message = f"Start over from {tag} as {line.name}"
    files = {str(LINES): text.encode()}
    if str(PARENT_OUTCOMES) not in state:  # an iteration that was started before there was such a file
        files[str(PARENT_OUTCOMES)] = outcomes_text(None).encode()
    return build_from(root, {**kept, **state}, files=files, parent=base, message=message)


def _is_state(path: str) -> bool:
    return any(fnmatch(path, pattern) or path.startswith(f"{pattern}/") for pattern in _STATE)


def _never_started(root: Path, iteration: int) -> UserError:
    found = (re.search(r"dataset-v(\d+)$", tag) for tag in git.run(root, "tag", "-l").split())
    numbers = sorted({int(match[1]) for match in found if match})
    there = [str(number) for number in numbers if git.resolve(root, f"refs/tags/{dataset_tag(root, number)}")]
    return problem(
        "new_line.iteration_has_started",
        f"--start-iteration {iteration}",
        dataset_tag=dataset_tag(root, iteration),
        found=f"only {', '.join(there)}" if there else "none",
        mend="Choose one of these." if there else "Import a dataset first: yoloop data import SOURCE",
    )


def _require_nothing_to_lose(root: Path) -> None:
    """Raise `UserError` for anything that is neither in Git nor in DVC: going elsewhere would overwrite it."""
    tracked = git.run(root, "diff", "--name-only", "-z", "--no-renames", "HEAD").split("\0")
    changed = sorted({path for path in [*tracked, *git.changed(root, _STATE)] if path})
    if changed:
        raise problem(
            "new_line.uncommitted_changes", changed[0], number_of_changed=len(changed), value="s" * (len(changed) > 1)
        )
    modified = read_changes(dvc.status(root)).modified
    if modified:
        raise problem("new_line.content_dvc_file", modified[0], modified=modified[0])


def _require_cached(root: Path, tag: str) -> None:
    """Raise `UserError` when what would be checked out is not in the cache; what stays as it is need not be there."""
    now = entries_at(root, "HEAD")
    changed = [path for path, entry in entries_at(root, tag).items() if now.get(path) != entry]
    names = [path for path in changed if _is_state(path) and path.endswith(".dvc")]
    pointers = {name: git.content(root, tag, name) or b"" for name in names}
    missing = lacks(root, pointers)
    if missing:
        raise problem("new_line.content_dvc_cache", f"{missing[0]} of {tag}")


def _free_name(root: Path) -> str:
    """Return `again-N` with the first N that no branch, here or on a remote, and no tag has."""
    refs = git.run(root, "for-each-ref", "--format=%(refname)", "refs/heads", "refs/remotes", "refs/tags").split()
    parts = {part for ref in refs for part in ref.split("/")}
    return next(name for number in count(1) if (name := f"again-{number}") not in parts)
