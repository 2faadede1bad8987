"""The switches of `yoloop run`: which go together, and in which order they act."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from stages.base.errors import problem
from stages.iteration.dry_run import dry_run
from stages.iteration.new_line import start_over
from stages.iteration.overrides import read_overrides, write_overrides
from stages.iteration.preflight import preflight
from stages.iteration.run_loop import run_loop
from stages.project.later_settings import edits_line
from stages.project.location import edited_since, locate
from stages.project.position import Position, position_of
from stages.project.project_lock import exclusive
from stages.review.kept.review_params import read_review
from stages.review.kept.reviewers import Reviewer

Say = Callable[[str], None]
# Where a value that is written into params.yaml counts: for this iteration or, once that is finished, for the next.
# Elsewhere the loop refuses to run, with its own line.
_TAKES_VALUES = (
    Position.NOT_RUN,
    Position.STALE,
    Position.OUTPUTS_MISSING,
    Position.INPUTS_MISSING,
    Position.COMPLETE,
    Position.FINISHED,
    Position.USED_UP,
    Position.STOPPED,
)


class Switches(NamedTuple):
    """What was typed behind `yoloop run`; None and False stand for what was not."""

    review: Reviewer | None = None
    auto: bool = False
    auto_confidence: float | None = None
    start_iteration: int | None = None
    dry_run: bool = False
    config: Path | None = None
    accept_regression: str | None = None
    until: int | None = None


def run_switched(root: Path, switches: Switches, *, say: Say) -> None:
    """Check the switches, start over and write the config if that was asked for, and run the loop or try it.

    Raises `UserError`, with nothing changed, for switches that do not go together or cannot be followed now.
    """
    _require_fitting(switches)
    overrides = read_overrides(switches.config, root) if switches.config else {}
    if switches.dry_run:
        dry_run(root, overrides=overrides, say=say)
        return
    review: Reviewer | None = "auto" if switches.auto else switches.review
    pick_reviewer(root, review, auto_confidence=switches.auto_confidence)  # a refusal comes before any change
    if switches.start_iteration is not None:
        say(start_over(root, switches.start_iteration))
    if switches.config:
        _configure(root, switches.config, say=say)
    reviewer = pick_reviewer(root, review, auto_confidence=switches.auto_confidence)  # of params.yaml as it is now
    run_loop(
        root,
        reviewer=reviewer,
        say=say,
        auto_confidence=switches.auto_confidence,
        accept_regression=switches.accept_regression,
        until=switches.until,
    )


def pick_reviewer(root: Path, review: Reviewer | None, *, auto_confidence: float | None) -> Reviewer:
    """Return who reviews: `review`, or what params.yaml says; refuse a confidence that nobody would use."""
    reviewer: Reviewer = review or read_review(root).by
    if auto_confidence is not None and reviewer != "auto":
        raise problem("run_switches.reviewer_auto", "--auto-confidence", reviewer=reviewer)
    return reviewer


def _require_fitting(switches: Switches) -> None:
    given = {
        "--review": switches.review is not None,
        "--auto": switches.auto,
        "--auto-confidence": switches.auto_confidence is not None,
        "--start-iteration": switches.start_iteration is not None,
        "--accept-regression": switches.accept_regression is not None,
        "--until": switches.until is not None,
    }
    if switches.auto and switches.review not in (None, "auto"):
        raise problem("run_switches.reviewer", "--auto", review=switches.review)
    besides = [name for name, is_given in given.items() if is_given]
    if switches.dry_run and besides:
        raise problem("run_switches.nothing_beside_but", "--dry-run", found=besides[0])


def _configure(root: Path, file: Path, *, say: Say) -> None:
    """Write what differs into params.yaml, and say from when on it counts."""
    overrides = read_overrides(file, root)
    if not overrides:
        return
    facts = locate(root)
    if position_of(facts) in _TAKES_VALUES:
        preflight(root, facts.all_stages)
        with exclusive(root):
            say(write_overrides(root, overrides))
        edited = edited_since(root, facts.iteration) if facts.finished else []
        if edited:
            say(f"{edits_line(edited, facts.iteration)}.")
