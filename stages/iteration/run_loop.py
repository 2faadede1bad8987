"""`yoloop run`: iteration after iteration, until the verdict says stop."""

import sys
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from stages.base.command import outs_of
from stages.base.errors import UserError, problem
from stages.base.params import PARAMS, read_params
from stages.base.tables import read_metrics
from stages.convergence.outcome_files import supply_outcomes
from stages.convergence.regression_lines import regression_lines
from stages.intake.expectations import expectation_lines
from stages.iteration import run_lines as wording
from stages.iteration.advance import advance
from stages.iteration.finish import finish
from stages.iteration.keyboard import typed_line
from stages.iteration.loss_gate import accepted_loss
from stages.iteration.preflight import preflight
from stages.iteration.restored_files import put_back, remember, set_aside
from stages.project.location import RUNNING, locate, metrics_at, next_command
from stages.project.position import Facts, Position, position_of, state_line
from stages.project.preconditions import iteration_tag
from stages.project.process_group import ends_like_ctrl_c, run_group
from stages.project.project_lock import exclusive
from stages.project.repository import dvc, dvc_cache
from stages.project.repository.written_places import require_run_places
from stages.project.second_decision import SecondDecision, decide_again
from stages.project.settings_watch import SettingsWatch
from stages.review.kept.auto_reviewer import WARNING
from stages.review.kept.review_gate import all_reviewed, is_by_hand
from stages.review.kept.reviewers import Reviewer
from stages.review.page_session import open_review
from stages.wording.rates import f1_text

Say = Callable[[str], None]
_TO_RUN = (Position.NOT_RUN, Position.STALE, Position.OUTPUTS_MISSING)
_REVIEWED = (Position.FINISHED, Position.STOPPED)  # the latter where edited rules let the loop go on


class AdvanceOptions(NamedTuple):
    """What was typed for `advance`; None: nothing."""

    auto_confidence: float | None
    accept_regression: str | None


def run_loop(
    root: Path,
    *,
    reviewer: Reviewer,
    say: Say,
    auto_confidence: float | None = None,
    accept_regression: str | None = None,
    until: int | None = None,
) -> bool:
    """Go on from wherever the project is until the verdict says stop; `say` prints one text.

    With `until` it leaves once that iteration is finished, before its review.

    `auto_confidence` is from where the reviewer `auto` takes detections; default: params.yaml. `accept_regression` is
    why to go on with a model that lost something; without it that ends the loop before anybody reviews. Returns False
    when it left at the review, because nobody is at the keyboard. Ctrl+C anywhere prints where it stopped and how to go
    on, and raises `KeyboardInterrupt`. Raises `UserError` for what a person has to mend.
    """
    here = "before the first step"
    try:
        with ends_like_ctrl_c():
            say(wording.banner("YOLOOP: train, predict, validate, analyze, converge, sample; review; and round again"))
            if reviewer == "auto":
                say(WARNING)
            before: tuple[Position, int] | None = None
            options = AdvanceOptions(auto_confidence, accept_regression)
            while True:
                facts = locate(root)
                position = position_of(facts)
                here = f"iteration {facts.iteration} ({position.value})"
                if _is_over(root, facts, say=say):
                    return True
                if until is not None and position in _REVIEWED and facts.iteration >= until:
                    say(f"Iteration {facts.iteration} is finished: left, as --until {until} says. Go on: yoloop run")
                    return True
                if (position, facts.iteration) == before:
                    stuck = f"iteration {facts.iteration}"
                    raise problem("run_loop.get_from_step", stuck, state_line=state_line(facts))
                before = (position, facts.iteration)
                if not _step(root, facts, reviewer=reviewer, say=say, options=options):
                    return False
    except KeyboardInterrupt as stop:
        say(f"\nStopped in {str(stop) or here}. Go on with: yoloop run")
        raise


def _step(root: Path, facts: Facts, *, reviewer: Reviewer, say: Say, options: AdvanceOptions) -> bool:
    """Do the one thing that the position asks for; return False to leave."""
    position = position_of(facts)
    if position in _TO_RUN:
        run_iteration(root, facts, say=say)
    elif position is Position.COMPLETE:
        say(finish(root))
    elif position in _REVIEWED:
        return _go_round(root, facts, reviewer=reviewer, say=say, options=options)
    elif position is Position.INPUTS_MISSING and not facts.changes.absent:
        dvc.checkout(root, *(f"{path}.dvc" for path in facts.changes.missing))
    else:
        raise problem(
            "run_loop.project_can_go",
            root.resolve(),
            iteration=facts.iteration,
            state_line=state_line(facts),
            next_command=next_command(root, facts),
        )
    return True


def run_iteration(root: Path, facts: Facts, *, say: Say) -> None:
    """Run the iteration; raise `UserError` with the failing stage's own line.

    By `dvc repro`, which leaves HEAD, the index and what a person typed alone. `dvc exp run` would lay uncommitted
    files aside, where a kill loses them, and leave the branch, so that a commit made meanwhile is on none: the
    experiment iter-N is made by `finish`.
    """
    preflight(root, facts.all_stages)
    cache = dvc_cache.cache_folder(root)
    require_run_places(root, [out for stage in facts.all_stages for out in outs_of(stage, root)], cache)
    n = facts.iteration
    say(wording.banner(f"ITERATION {n}", wording.plan_line(n, read_params(root / PARAMS))))
    tail: deque[str] = deque(maxlen=500)
    watch = SettingsWatch(root)

    def show(line: str) -> None:
        tail.append(line)
        if step := wording.begun_step(line):
            watch.begins(step)
        elif edited := watch.line():
            say(edited)
        text = wording.translated(line, facts.all_stages)
        if text is not None:
            sys.stdout.write(text)
            sys.stdout.flush()

    _say_all(expectation_lines(root), say)
    with exclusive(root) as held:
        supply_outcomes(root)
        dvc_cache.drop_unfinished_runs(cache)
        if facts.changes.gone:
            with suppress(UserError):  # what the cache no longer has, the stages make again
                dvc.checkout(root, *facts.changes.gone)
        _say_all(set_aside(root, facts.changes.altered, cache), say)
        (root / RUNNING).touch()
        before = remember(root)
        command = [sys.executable, "-m", "dvc", "repro"]
        try:
            code = run_group(command, cwd=root, env=dvc.environment(root), on_text=show, inherited=held)
        except KeyboardInterrupt:
            step = wording.last_step(tail, facts.all_stages) or "before the first step"
            put_back(root, before)
            raise KeyboardInterrupt(f"iteration {n} ({step})") from None
        if code != 0:
            put_back(root, before)
        else:
            (root / RUNNING).unlink()
    if code != 0:
        killed = f"dvc repro was killed (signal {-code}), as the system does when memory runs out."
        line = wording.complaint(tail) or (killed if code < 0 else f"dvc repro ended with exit code {code}.")
        line = str(dvc.refused_by_disk(line) or line)
        raise UserError(f"{line} Nothing is lost: finished stages are kept; then go on with `yoloop run`.")
    results = wording.result_lines(*(read_metrics(root / f"metrics/{name}.json") for name in ("converge", "sample")))
    _say_all(wording.not_said(results, tail), say)  # a stage that was not run again said nothing


def _say_all(lines: Iterable[str], say: Say) -> None:
    for line in lines:
        say(line)


def _go_round(root: Path, facts: Facts, *, reviewer: Reviewer, say: Say, options: AdvanceOptions) -> bool:
    """Review and advance; a person is asked until the review is good. Return False when nobody is there.

    Raises `UserError` for a loss that nobody accepted, before anybody reviews for nothing.
    """
    accepted = accepted_loss(root, options.accept_regression)
    if not is_by_hand(reviewer):
        say(advance(root, reviewer=reviewer, **options._asdict()))
        return True
    sample = metrics_at(root, iteration_tag(root, facts.iteration), "sample")
    lost = regression_lines(metrics_at(root, iteration_tag(root, facts.iteration), "converge"))[1:]
    done = all_reviewed(root)
    if done and not sys.stdin.isatty():
        say(advance(root, reviewer=reviewer, accept_regression=accepted))
        return True
    lost = [*lost, "All sheets of the packet are reviewed: go on with the last step."] if done else lost
    say(wording.pause_block(facts.iteration, sample, page=reviewer == "page", notes=lost))
    if reviewer == "page":
        if not open_review(root, port=0, browser=True, say=say):
            raise KeyboardInterrupt(f"iteration {facts.iteration} (the review)")
        say(advance(root, reviewer=reviewer, accept_regression=accepted))
        return True
    return _ask(root, reviewer, say=say, accepted=accepted)


def _ask(root: Path, reviewer: Reviewer, *, say: Say, accepted: str) -> bool:
    """Wait at the keyboard until the review is there; return False when nobody is."""
    while sys.stdin.isatty():
        try:
            answer = typed_line()
        except EOFError:
            break
        try:
            if answer.strip().lower() == "o" and not open_review(root, port=0, browser=True, say=say):
                continue
            say(advance(root, reviewer=reviewer, accept_regression=accepted))
        except UserError as error:
            say(f"error: {error}\nENTER tries again, o and ENTER opens the page, Ctrl+C leaves.")
        else:
            return True
    say("Nobody is at the keyboard: stopped at the review. Go on with: yoloop run")
    return False


def _is_over(root: Path, facts: Facts, *, say: Say) -> bool:
    """Say whether the loop has come to its end, and say it; by stop rules that were edited it is decided again."""
    position = position_of(facts)
    if position not in (Position.STOPPED, Position.USED_UP):
        return False
    again = decide_again(root, facts.iteration) if position is Position.STOPPED else None
    if again:
        say(f"[CONVERGENCE] decided again with {again.edits}: {again.verdict}. {again.reason}")
    if again and again.verdict != "stop" and facts.packet != 0:
        return False
    say(_end(root, facts, again))
    return True


def _end(root: Path, facts: Facts, again: SecondDecision | None) -> str:
    tag = iteration_tag(root, facts.iteration)
    f1 = f1_text(metrics_at(root, tag, "validate"))
    verdict = again.verdict if again else facts.verdict
    reason = again.reason if again else str(metrics_at(root, tag, "converge").get("reason"))
    if verdict != "stop":
        reason = f"the pool has nothing left to review (the verdict was: {verdict}, {reason})"
    return wording.end_banner(facts.iteration, f1=f1, reason=reason)
