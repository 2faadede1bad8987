"""`yoloop status`: where am I, what is next, in five lines or as values for a program."""

from pathlib import Path
from typing import Any, NamedTuple

from stages.base.params import PARAMS, read_iteration
from stages.convergence.regression_lines import lost_text
from stages.dataset.sheets.manifest import MANIFEST, ManifestRow, count_sources, read_manifest
from stages.dataset.sheets.split_folder import DATASET
from stages.firewall.roles import ROLES
from stages.holdout.openings import opened_text
from stages.holdout.openings_file import is_unopened, read_openings
from stages.project.later_settings import edits_line
from stages.project.location import (
    current_branch,
    edited_since,
    finished_iterations,
    is_imported,
    locate,
    metrics_at,
    next_command,
)
from stages.project.position import Facts, position_of, state_line
from stages.project.preconditions import UNLABELLED, iteration_tag, start_tag
from stages.project.project_lock import holder
from stages.project.repository import dvc, git
from stages.review.kept.review_params import read_review
from stages.review.ledger.ledger_lines import random_line
from stages.wording.rates import result_text

AT_WORK = "at_work"
_WAIT = "wait until it is done, or stop it there with Ctrl+C: finished stages are kept"


class Standing(NamedTuple):
    """Where a project stands: `state` is a code that stays, `words` says it to a person."""

    iteration: int
    branch: str | None
    imported: bool
    state: str  # a `Position` in small letters, or AT_WORK
    words: str
    next: str


def status_lines(root: Path) -> list[str]:
    """Return the five lines; raise `UserError` when `root` is no project."""
    now = standing(root)
    branch = f"branch {now.branch}" if now.branch else f"no branch (at {git.head(root)[:9]})"
    return [
        f"project  {root.resolve().name}: iteration {now.iteration}, {branch}",
        f"dataset  {_dataset(root, now)}",
        f"last     {_last(root)}",
        f"state    iteration {now.iteration}: {now.words}",
        f"next     {now.next}",
    ]


def standing(root: Path) -> Standing:
    """Return where the project stands; while another command is at work DVC cannot be asked, and that is the state."""
    git.require_repository(root)  # before params.yaml is read, which a merge half done has left unreadable
    reviewer = read_review(root).by
    at_work = holder(root)
    try:
        facts = None if at_work else locate(root)
    except dvc.BusyError as error:
        facts, at_work = None, str(error)
    if facts is None:
        iteration, branch = read_iteration(root / PARAMS), current_branch(root)
        return Standing(iteration, branch, is_imported(root), AT_WORK, f"at work: {at_work}", _WAIT)
    words = f"{state_line(facts)}{_edited(root, facts)}"
    step = next_command(root, facts, reviewer=reviewer, unopened=facts.finished and is_unopened(root))
    return Standing(facts.iteration, facts.branch, facts.imported, position_of(facts).name.lower(), words, step)


def status_values(root: Path) -> dict[str, Any]:
    """Return the same for programs: these keys stay as they are; null is what does not exist."""
    now, done = standing(root), finished_iterations(root)
    return {
        "project": root.resolve().name,
        "iteration": now.iteration,
        "branch": now.branch,
        "dataset": _dataset_values(root, now),
        "last": _last_values(root, done[-1]) if done else None,
        "state": now.state,
        "state_text": now.words,
        "next": now.next,
    }


def _dataset_values(root: Path, now: Standing) -> dict[str, Any] | None:
    if not now.imported:
        return None
    sheets = {role: len(rows) for role, rows in _manifests(root).items()}
    return {
        "tag": _dataset_tag(root, now.iteration),
        "sheets": sheets or None,
        "test_openings": len(read_openings(root)),
    }


def _last_values(root: Path, iteration: int) -> dict[str, Any]:
    tag = iteration_tag(root, iteration)
    validate, converge = metrics_at(root, tag, "validate"), metrics_at(root, tag, "converge")
    numbers = {key: validate.get(key) for key in ("f1", "f1_low", "f1_high", "precision", "recall")}
    said = {key: converge.get(key) for key in ("verdict", "rule", "reason")}
    return {"iteration": iteration, "tag": tag, **numbers, **said, "lost": bool(lost_text(converge))}


def _dataset(root: Path, now: Standing) -> str:
    if not now.imported:
        return "none"
    name = _dataset_tag(root, now.iteration) or "untagged"
    manifests = _manifests(root)
    if not manifests:
        return f"{name}, not in the workspace"
    counts = [f"{role} {len(rows)}" for role, rows in manifests.items()]
    unseen = count_sources(manifests["train"]).get("auto", 0)
    marked = f"; {unseen} of its sheets labelled by --auto" if unseen else ""
    said = opened_text(len(read_openings(root)))
    opened = f"; {said}" if said else ""
    return f"{name}: {', '.join(counts)} sheets; {_boxes(root / DATASET / 'train')} boxes in train{marked}{opened}"


def _dataset_tag(root: Path, iteration: int) -> str | None:
    return next(
        (one for one in (start_tag(root, iteration), UNLABELLED) if git.resolve(root, f"refs/tags/{one}")), None
    )


def _manifests(root: Path) -> dict[str, list[ManifestRow]]:
    """Return the lists of all roles; none where one is not in the workspace."""
    files = {role: root / DATASET / role / MANIFEST for role in ROLES}
    return {role: read_manifest(file) for role, file in files.items()} if all(map(Path.is_file, files.values())) else {}


def _edited(root: Path, facts: Facts) -> str:
    """Return what was edited under the review of a finished iteration, to stand behind its state."""
    # What was decided again here has run: nothing of it is for later.
    edited = edited_since(root, facts.iteration) if facts.finished and not facts.decided_here else []
    return f"; {edits_line(edited, facts.iteration)}" if edited else ""


def _boxes(split: Path) -> int:
    """Return how many label rows a split has; what is in them is for the stages to judge."""
    files = sorted((split / "labels").glob("*.txt"))
    return sum(bool(line.strip()) for file in files for line in file.read_bytes().splitlines())


def _last(root: Path) -> str:
    done = finished_iterations(root)
    if not done:
        return "no iteration is finished"
    tag = iteration_tag(root, done[-1])
    verdict = metrics_at(root, tag, "converge")
    said = f"{verdict.get('verdict', 'no verdict')} ({verdict.get('reason', 'no reason')})"
    lost = lost_text(verdict)
    said += f"; LOST since iteration {verdict['regression']['since']}: {lost}" if lost else ""
    random = random_line(metrics_at(root, tag, "review"))
    review = f"; the review before it: {random[0].lower()}{random[1:]}" if random else ""
    return f"{tag}: {result_text(metrics_at(root, tag, 'validate'))}{review}; verdict: {said}"
