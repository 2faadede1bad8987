"""`yoloop finish`: closes an iteration, with one commit, one tag, one report and one page."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stages.base.command import refused_by_system
from stages.base.errors import UserError, problem
from stages.base.params import PARAMS, read_iteration
from stages.base.tables import json_text, read_metrics
from stages.convergence.regression_lines import regression_lines
from stages.holdout.openings_file import is_unopened
from stages.iteration.loss_gate import accepting
from stages.project.later_settings import RULES, differs_in_decision
from stages.project.location import RUNNING, edited_rules, edited_since
from stages.project.preconditions import (
    RESULTS,
    SETTINGS,
    is_finished,
    iteration_tag,
    report_file,
    require_clean,
    require_repository,
)
from stages.project.project_lock import exclusive
from stages.project.repository import git
from stages.project.repository.commits import Commit
from stages.project.repository.transaction import transact
from stages.report.iteration_report import build_report, write_page
from stages.wording.rates import f1_text


def finish(root: Path = Path()) -> str:
    """Commit the results of the iteration that has run with its report, tag it, write its page; return what to print.

    The commit is also the DVC experiment iter-N on the commit that the iteration began from.

    A finished iteration is left as it is, unless it was only decided again here, by stop rules that were edited: then
    its tag moves. Raises `UserError`, with nothing changed, unless DVC has nothing to do.
    """
    require_repository(root)
    with exclusive(root):
        iteration = read_iteration(root / PARAMS)
        finished = is_finished(root, iteration)
        if finished and not _decided_again(root, iteration):
            return _again(root, iteration)
        require_clean(root, iteration=iteration, finished=False)
        (root / RUNNING).unlink(missing_ok=True)  # of a run that was stopped behind its last stage
        report = build_report(root, iteration)
        found = {path: git.here(root, path) for path in git.changed(root, [*RESULTS, *SETTINGS])}
        files = {**found, report_file(iteration): json_text(report).encode()}
        what = f"{'Decide again on' if finished else 'Finish'} iteration {iteration}"
        message = f"{what}: {_score(report)}, {report['verdict']['verdict']}"
        commits, tag = [Commit(message, files)], iteration_tag(root, iteration)
        commit = transact(
            root,
            name="yoloop finish",
            commits=commits,
            tags={tag: 0},
            renamed_tags={tag: None} if finished else {},
            read=found,
            experiment=None if finished else f"iter-{iteration}",
        )
        return "\n".join([*_said(root, iteration, report), _page_line(root, report, commit)])


def _decided_again(root: Path, iteration: int) -> bool:
    """Say whether only the verdict differs from what `iteration` was finished with.

    Raises `UserError` where other values were edited, too: the tag would say that the iteration ran with them.
    """
    before = git.content(root, iteration_tag(root, iteration), "dvc.lock")
    if not differs_in_decision(before, git.here(root, "dvc.lock")):
        return False
    others = [one for one in edited_since(root, iteration) if not one.startswith(f"{RULES}.")]
    if others:
        raise problem("finish.other_edits", root / PARAMS, rules=RULES, others=", ".join(others))
    return True


def _again(root: Path, iteration: int) -> str:
    """Say that the iteration is finished already; raise `UserError` when its results have changed since."""
    tag = iteration_tag(root, iteration)
    require_clean(root, iteration=iteration, finished=True)
    if git.content(root, tag, "dvc.lock") != git.here(root, "dvc.lock"):
        raise problem("finish.results_lie_here", f"tag {tag}", tag=tag)
    verdict = read_metrics(root / "metrics/converge.json")
    packet = read_metrics(root / "metrics/sample.json")["packet_sheets"]
    step = _next_step(verdict, packet, unopened=is_unopened(root))
    if verdict["verdict"] == "stop" and edited_rules(root, iteration):
        step = "Its stop rules were edited since. To decide again by them: yoloop run."
    return f"Iteration {iteration} is finished already (tag {tag}). {step} Its page: yoloop report"


def _page_line(root: Path, report: dict[str, Any], commit: str) -> str:
    """Write the page and say where it is; by now the iteration is finished, whatever happens to a picture."""
    try:
        made = write_page(root, report, commit=commit)
    except (UserError, OSError) as error:
        why = (refused_by_system(error) or error) if isinstance(error, OSError) else error
        return f"The page could not be made; try again with `yoloop report`. {why}"
    return f"Page to open: {made.page.relative_to(root)}"


def _said(root: Path, iteration: int, report: dict[str, Any]) -> list[str]:
    verdict = report["verdict"]
    lines = [
        f"Iteration {iteration} is finished: {_score(report)}. Tag {iteration_tag(root, iteration)}, "
        f"report {report_file(iteration)}",
        f"Verdict: {verdict['verdict']}. {verdict['reason']}",
        *regression_lines(verdict),
    ]
    left = git.changed(root, ["dvc.yaml", "stages"])
    if left:
        lines.append(f"Not committed, so the tag does not hold it: {', '.join(left)}")
    return [*lines, _next_step(verdict, report["sample"]["packet_sheets"], unopened=is_unopened(root))]


def _next_step(verdict: Mapping[str, Any], packet_sheets: int, *, unopened: bool) -> str:
    more = accepting(verdict)
    if verdict["verdict"] == "stop":
        scored = ". Next: yoloop holdout, which scores test, once" if unopened else ""
        return f"The loop ends here{scored}; to go on all the same: yoloop advance --despite-stop REASON{more}"
    if packet_sheets == 0:
        return "Nothing was picked for review, so there is nothing to go on with."
    if more:
        return f"Next: look at what was lost; to go on all the same, review the packet, then: yoloop advance{more}"
    return "Next: review the packet (`yoloop review open`, or export and import), then `yoloop advance`."


def _score(report: dict[str, Any]) -> str:
    validate = report["validate"]
    return "F1 undefined" if validate["f1"] is None else f"F1 {f1_text(validate)}"
