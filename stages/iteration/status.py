"""`yoloop status`: where am I, what is next, in five lines."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stages.convergence.regression_lines import lost_text
from stages.dataset.sheets.manifest import MANIFEST, count_sources, read_manifest
from stages.dataset.sheets.split_folder import DATASET
from stages.firewall.roles import ROLES
from stages.holdout.openings import opened_text
from stages.holdout.openings_file import read_openings
from stages.project.later_settings import edits_line
from stages.project.location import edited_since, finished_iterations, locate, metrics_at, next_command
from stages.project.position import Facts, state_line
from stages.project.preconditions import UNLABELLED, iteration_tag, start_tag
from stages.project.repository import git
from stages.review.kept.review_params import read_review
from stages.review.ledger.ledger_lines import random_line
from stages.wording.rates import rate, rate_in


def status_lines(root: Path) -> list[str]:
    """Return the five lines; raise `UserError` when `root` is no project."""
    facts = locate(root)
    reviewer = read_review(root).by
    branch = f"branch {facts.branch}" if facts.branch else f"no branch (at {git.head(root)[:9]})"
    return [
        f"project  {root.resolve().name}: iteration {facts.iteration}, {branch}",
        f"dataset  {_dataset(root, facts)}",
        f"last     {_last(root)}",
        f"state    iteration {facts.iteration}: {state_line(facts)}{_edited(root, facts)}",
        f"next     {next_command(root, facts, reviewer=reviewer)}",
    ]


def result_text(validate: Mapping[str, Any]) -> str:
    """Return F1 with its 95 % interval, P and R on val of one iteration's metrics; what is undefined is a dash."""
    rest = (("P", "precision"), ("R", "recall"))
    return ", ".join([f"F1 {f1_text(validate)}", *(f"{short} {rate(validate.get(key))}" for short, key in rest)])


def f1_text(validate: Mapping[str, Any]) -> str:
    """Return F1 on val with its 95 % interval: `0.864 (0.82 to 0.90)`."""
    return rate_in(validate.get("f1"), validate.get("f1_low"), validate.get("f1_high"))


def _dataset(root: Path, facts: Facts) -> str:
    if not facts.imported:
        return "none"
    tag = start_tag(root, facts.iteration)
    name = next((one for one in (tag, UNLABELLED) if git.resolve(root, f"refs/tags/{one}")), "untagged")
    folder = root / DATASET
    if not all((folder / role / MANIFEST).is_file() for role in ROLES):
        return f"{name}, not in the workspace"
    manifests = {role: read_manifest(folder / role / MANIFEST) for role in ROLES}
    counts = [f"{role} {len(rows)}" for role, rows in manifests.items()]
    unseen = count_sources(manifests["train"]).get("auto", 0)
    marked = f"; {unseen} of its sheets labelled by --auto" if unseen else ""
    said = opened_text(len(read_openings(root)))
    opened = f"; {said}" if said else ""
    return f"{name}: {', '.join(counts)} sheets; {_boxes(folder / 'train')} boxes in train{marked}{opened}"


def _edited(root: Path, facts: Facts) -> str:
    """Return what was edited under the review of a finished iteration, to stand behind its state."""
    edited = edited_since(root, facts.iteration) if facts.finished else []
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
