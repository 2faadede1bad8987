"""What `finish` and `advance` must know before they change anything: what is finished, and what is stale."""

from collections.abc import Iterable
from pathlib import Path

from stages.base.errors import UserError, problem
from stages.dataset.sheets.manifest import ACCEPT
from stages.dataset.sheets.split_folder import DATASET
from stages.project.later_settings import without_later
from stages.project.lines_of_work import prefix, read_lines
from stages.project.repository import dvc, dvc_cache, git
from stages.prompts.texts.prompt_file import PROMPTS
from stages.wording.quantities import some

# What an iteration writes and reads that Git keeps; a person's other files are never committed for them.
RESULTS = ("dvc.lock", "metrics", "plots", "data/*.dvc", "models/*.dvc")
HISTORY = Path("plots/converge/history.csv")  # rows 0..N: written by `converge`, carried over by `advance`
SETTINGS = ("params.yaml", str(PROMPTS))
WITHOUT_DATA = "yoloop data import SOURCE (your sheets), or make demo (drawn ones)"  # next in a clone of the demo
UNLABELLED = "dataset-unlabelled"  # tag of an import without labels; dataset-v0 is the commit that labels val
DEMO = Path("data/demo.md")  # a project with this file holds the demo, which makes room for a person's own sheets


def iteration_tag(root: Path, iteration: int) -> str:
    """Return the tag of a finished iteration, on the line that is checked out: `again-1/iteration-2`."""
    return f"{prefix(read_lines(root), iteration)}iteration-{iteration}"


def dataset_tag(root: Path, iteration: int) -> str:
    """Return the tag of the commit that an iteration starts from, on the line that is checked out."""
    return f"{prefix(read_lines(root), iteration)}dataset-v{iteration}"


def start_tag(root: Path, iteration: int) -> str:
    """Return the tag of the last start of an iteration in our history: `dataset-v2`, or `dataset-v2.1` and so on once
    its classes were changed."""
    tag = dataset_tag(root, iteration)
    listed = git.run(root, "tag", "--merged", "HEAD", "-l", f"{tag}.*").split()
    return max(_changes_of(tag, listed), default=(0, tag))[1]


def next_dataset_tag(root: Path, iteration: int) -> str:
    """Return the tag that the next change of the classes at the start of an iteration gets."""
    tag = dataset_tag(root, iteration)
    listed = git.run(root, "tag", "-l", f"{tag}.*").split()
    return f"{tag}.{max(_changes_of(tag, listed), default=(0, tag))[0] + 1}"


def _changes_of(tag: str, listed: Iterable[str]) -> list[tuple[int, str]]:
    return [(int(rest), one) for one in listed if (rest := one.removeprefix(f"{tag}.")).isdecimal()]


def holds_demo(root: Path, rev: str = "HEAD") -> bool:
    """Say whether the project at `rev` holds the demo."""
    return git.content(root, rev, str(DEMO)) is not None


def report_file(iteration: int) -> str:
    """Return the path of an iteration's report: its numbers, from which its page is made."""
    return f"metrics/reports/iteration_{iteration:02d}.json"


def require_repository(root: Path) -> None:
    """Raise `UserError` unless `root` holds a Git and DVC project with a commit, on a branch."""
    git.require_repository(root)
    git.require_committer(root)
    dvc.require_repository(root)
    git.head(root)
    git.branch(root)


def is_finished(root: Path, iteration: int) -> bool:
    """Say whether the tag of `iteration` lies in our history; raise `UserError` when it lies elsewhere."""
    tag = iteration_tag(root, iteration)
    sha = git.resolve(root, f"refs/tags/{tag}")
    if sha is None:
        return False
    if not git.is_ancestor(root, sha, "HEAD"):
        raise problem("preconditions.commit_history_branch", f"tag {tag}", tag=tag)
    return True


def require_finished(root: Path, iteration: int) -> None:
    """Raise `UserError` unless `iteration` was finished on this branch."""
    if not is_finished(root, iteration):
        raise problem(
            "preconditions.finished_iteration_tag",
            f"iteration {iteration}",
            iteration_tag=iteration_tag(root, iteration),
        )


def require_as_tagged(root: Path, iteration: int) -> None:
    """Raise `UserError` when the results here are not those that the iteration was finished with."""
    tag = iteration_tag(root, iteration)
    changed = git.changed(root, RESULTS)
    if not changed and git.content(root, tag, "dvc.lock") != git.content(root, "HEAD", "dvc.lock"):
        changed = ["dvc.lock"]
    if changed:
        raise problem("preconditions.results_iteration_was", changed[0], iteration=iteration, tag=tag)


def require_clean(root: Path, *, iteration: int, finished: bool) -> None:
    """Raise `UserError`, with the first stage and what changed there, unless DVC has nothing to do.

    `finished`: prompts and params that are edited during the review belong to the next iteration: passed over.
    """
    if not (root / "dvc.lock").is_file():
        raise problem("preconditions.iteration_have_run", root / "dvc.lock", iteration=iteration)
    found = dvc.status(root)
    # A changed input comes before the stages that it makes stale.
    for name, entries in sorted(found.items(), key=lambda item: not item[0].endswith(".dvc")):
        left = without_later(entries) if finished else entries
        changes = [change for entry in left for change in _changes(entry)]
        if altered := dvc.outs_in("modified", {} if name.endswith(".dvc") else {name: left}):
            files = some(dvc_cache.altered_files(root, altered))
            raise problem("preconditions.outputs_as_written", f"stage {name}", iteration=iteration, files=files)
        if changes:
            raise _stale(root, name, changes, iteration, finished=finished)


def _changes(entry: object) -> list[str]:
    """Return what one entry of `dvc status` says, each change as a few words."""
    if not isinstance(entry, dict):
        return [str(entry)]
    return [_words(path, state) for kind in entry.values() for path, state in kind.items()]


def _words(path: str, state: object) -> str:
    if isinstance(state, dict):
        return ", ".join(f"{path} {key} {what}" for key, what in state.items())
    return f"{path} {state}"


def _stale(root: Path, name: str, changes: list[str], iteration: int, *, finished: bool) -> UserError:
    more = f" and {len(changes) - 1} more" if len(changes) > 1 else ""
    where = name if name.endswith(".dvc") else f"stage {name}"
    return problem(
        "preconditions.results_iteration_up",
        where,
        iteration=iteration,
        changes=changes[0],
        more=more,
        mend=_mend(root, name, changes, iteration, finished=finished),
    )


def _bring(root: Path, name: str) -> str:
    """Return how what the .dvc file `name` stands for comes back into the cache."""
    if (root / name.removesuffix(".dvc")).exists():
        return f"Put what lies here back into it: dvc commit {name}"
    if holds_demo(root):
        return f"Next: {WITHOUT_DATA}"
    if dvc.has_remote(root):
        return f"Bring it from a remote: dvc pull {name}"
    return "No remote is set up (dvc remote list): copy .dvc/cache from a clone that has it, then: dvc checkout"


def _mend(root: Path, name: str, changes: list[str], iteration: int, *, finished: bool) -> str:
    if name.endswith(".dvc"):
        if not changes[0].endswith(" not in cache"):
            if not changes[0].endswith(" modified"):
                return f"Put it back: dvc checkout {name}"
            keep = "copy what you changed elsewhere first" if finished else ACCEPT
            return f"Put it back: dvc checkout --force {name}" + (f"; {keep}" if name == f"{DATASET}.dvc" else "")
        return _bring(root, name)
    if finished and all(change.startswith(("params.yaml ", "stages/")) for change in changes):
        # Edited in the pause for the review: running this iteration again is seldom what was meant.
        return (
            "If it is meant for the next iteration: git stash && yoloop advance && git stash pop. "
            f"If for this one: git tag -d {iteration_tag(root, iteration)} && dvc repro && yoloop finish"
        )
    return "Run `dvc repro`."
