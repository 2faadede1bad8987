"""`yoloop log`: the story of a project from Git alone, so that any clone tells the same, without data or cache."""

import csv
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

from stages.base.errors import problem
from stages.convergence.history.history_file import CARRIED
from stages.holdout.openings import Row, rates_text
from stages.holdout.openings_file import TAG, read_openings
from stages.project.later_settings import edits
from stages.project.location import finished_iterations, metrics_at, params_as_run
from stages.project.preconditions import iteration_tag, start_tag
from stages.project.repository import git
from stages.report.prompt_history import changes, prompts_at
from stages.review.ledger.ledger_lines import cost_text, outcome_line, where
from stages.wording.quantities import counted
from stages.wording.rates import gain_in, result_text

_INDENT = 14


class Chapter(NamedTuple):
    """A finished iteration, as its tags tell of it."""

    iteration: int
    dataset: str  # its tag
    started: str  # day of the commit that the iteration started from, and whose it is
    metrics: Mapping[str, Mapping[str, Any]]  # validate, converge, review: by stage
    prompts: Mapping[str, str]  # class name: its texts
    params: Mapping[str, Any]
    after: Sequence[str] = ()  # what was done with it once it was finished: test opened, gone on against advice


def log_lines(root: Path) -> list[str]:
    """Return a few lines per finished iteration, and what all reviews cost; raise `UserError` when none is finished."""
    git.require_repository(root)
    git.head(root)
    numbers = finished_iterations(root)
    if not numbers:
        raise problem("project_log.finished_iteration", "git tags")
    reasons, openings = _reasons(root), read_openings(root)
    commits = {number: git.resolve(root, iteration_tag(root, number)) for number in numbers}
    chapters = [
        _chapter(
            root,
            number,
            after=[*(opening_line(row) for row in openings if row["commit"] == commit), *reasons.get(str(number), [])],
        )
        for number, commit in commits.items()
    ]
    pairs = zip([None, *chapters], chapters, strict=False)
    lines = [line for before, now in pairs for line in chapter_lines(before, now)]
    elsewhere = [row for row in openings if row["commit"] not in commits.values()]
    return [*lines, *_elsewhere(elsewhere), *_total(chapters[-1].metrics["review"])]


def chapter_lines(before: Chapter | None, now: Chapter) -> list[str]:
    """Return what happened in an iteration: dataset, review, what was changed, F1, verdict, and what followed."""
    settings = edits(before.params, now.params) if before else []
    told = changes(before.prompts, now.prompts) if before else []
    said = [
        f"{now.dataset}, {now.started}: {_dataset(now.metrics['validate'])}",
        *_review(now.metrics["review"]),
        *([f"params: {', '.join(settings)}"] if settings else []),
        *(f"prompt {change}" for change in told),
        f"{result_text(now.metrics['validate'])}{_gain(now.metrics['converge'], before)}",
        *_verdict(now.metrics["converge"]),
        *now.after,
    ]
    head = f"iteration {now.iteration}"
    return [f"{head if place == 0 else '':<{_INDENT}}{line}" for place, line in enumerate(said)]


def opening_line(row: Row) -> str:
    """Return when test was opened, what came out, and why where it was not the first time."""
    again = f"; again: {row['reason']}" if row["reason"] else ""
    return f"test opened ({TAG}{row['opening']}, {row['date']}): {rates_text(row, 'test')}{again}"


def reason_lines(row: Mapping[str, str]) -> list[str]:
    """Return why somebody went on with the iteration of a row of the history, against a verdict or with a loss."""
    said = (
        ("despite_stop", "went on despite the stop"),
        ("accepted_regression", "went on although something was lost"),
    )
    return [f"{what}: {row[name]}" for name, what in said if row.get(name)]


def _reasons(root: Path) -> dict[str, list[str]]:
    """Return the lines of `reason_lines` by iteration, from the history that was carried over last."""
    text = (git.content(root, "HEAD", str(CARRIED)) or b"").decode(errors="replace")
    return {str(row.get("iteration")): reason_lines(row) for row in csv.DictReader(StringIO(text, newline=""))}


def _chapter(root: Path, number: int, *, after: Sequence[str]) -> Chapter:
    tag, dataset = iteration_tag(root, number), start_tag(root, number)
    start = dataset if git.resolve(root, f"refs/tags/{dataset}") else tag
    return Chapter(
        number,
        dataset,
        git.run(root, "log", "-1", "--format=%as by %an", start).strip(),
        {stage: metrics_at(root, tag, stage) for stage in ("validate", "converge", "review")},
        prompts_at(root, tag),
        params_as_run(root, number),
        after,
    )


def _dataset(validate: Mapping[str, Any]) -> str:
    splits: Sequence[Mapping[str, Any]] = sorted(validate.get("splits", []), key=lambda one: one["split"] != "train")
    return ", ".join(f"{one['split']} {counted(one['images'], 'sheet')}" for one in splits) or "not counted"


def _review(review: Mapping[str, Any]) -> list[str]:
    """Return who reviewed what before the iteration, at what cost; nothing where there was no review."""
    unseen = (review.get("auto") or {}).get("sheets")
    if unseen:
        return [f"{counted(unseen, 'sheet')} labelled by --auto, which nobody looked at"]
    if not review.get("source"):
        return []
    sheets = (
        f"{review['sheets']} of {counted(review['packet_sheets'], 'sheet')} reviewed {where(str(review['source']))}"
    )
    return [f"{sheets}: {outcome_line(review)}; {cost_text(review) or 'the tool kept no time'}"]


def _gain(converge: Mapping[str, Any], before: Chapter | None) -> str:
    """Return what F1 gained since the iteration before, "" for the first one."""
    gains = converge.get("gains", [])
    one = next((gain for gain in gains if before and gain["since"] == before.iteration), None)
    if one is None:
        return ""
    return "; another ruler" if one["other_ruler"] else f"; {gain_in(one['gain'], one['low'], one['high'])}"


def _verdict(converge: Mapping[str, Any]) -> list[str]:
    return [f"{converge['verdict']}: {converge.get('reason')}"] if converge.get("verdict") else []


def _elsewhere(openings: Sequence[Row]) -> list[str]:
    """Return the openings of test with an iteration that this line of work does not hold: they count here, too."""
    return [f"{'elsewhere':<{_INDENT}}iteration {row['iteration']}: {opening_line(row)}" for row in openings]


def _total(review: Mapping[str, Any]) -> list[str]:
    minutes = review.get("minutes_so_far")
    return [f"{'all reviews':<{_INDENT}}about {counted(max(round(minutes), 1), 'minute')}"] if minutes else []
