"""`yoloop finish`: closes an iteration, with one commit, one tag and one report."""

from pathlib import Path
from typing import Any

from stages.commands.checks import (
    HISTORY,
    RESULTS,
    SETTINGS,
    dataset_tag,
    is_finished,
    iteration_tag,
    report_stem,
    require_clean,
    require_repository,
)
from stages.core.errors import problem
from stages.core.report import report_html
from stages.files import git
from stages.files.commits import Commit
from stages.files.history import read_history
from stages.files.lock import exclusive
from stages.files.params import PARAMS, read_classes, read_iteration, read_params
from stages.files.prompts import PROMPTS, read_prompts
from stages.files.tables import json_text, read_json
from stages.files.transaction import transact


def finish(root: Path = Path()) -> str:
    """Commit the results of the iteration that has run, tag it, write its report; return what to print.

    A finished iteration is left as it is. Raises `UserError`, with nothing changed, unless DVC has nothing to do.
    """
    require_repository(root)
    with exclusive(root):
        iteration = read_iteration(root / PARAMS)
        if is_finished(root, iteration):
            return _again(root, iteration)
        require_clean(root, iteration=iteration, prompts_may_differ=False)
        report = _report(root, iteration)
        files: dict[str, bytes | None] = {
            path: _bytes(root / path) for path in git.changed(root, [*RESULTS, *SETTINGS])
        }
        history = read_history(root / HISTORY, read_classes(root / PARAMS))
        files[f"{report_stem(iteration)}.json"] = json_text(report).encode()
        files[f"{report_stem(iteration)}.html"] = report_html(report, history).encode()
        message = f"Finish iteration {iteration}: {_score(report)}, {report['verdict']['verdict']}"
        commits = [Commit(message, files)]
        transact(root, name="yoloop finish", commits=commits, tags={iteration_tag(root, iteration): 0})
        return _said(root, iteration, report)


def _again(root: Path, iteration: int) -> str:
    """Say that the iteration is finished already; raise `UserError` when its results have changed since."""
    tag = iteration_tag(root, iteration)
    require_clean(root, iteration=iteration, prompts_may_differ=True)
    if git.content(root, tag, "dvc.lock") != _bytes(root / "dvc.lock"):
        raise problem(
            f"tag {tag}",
            expected="the results that lie here",
            found="other ones, which the iteration was finished with",
            mend=f"Put those back: git checkout {tag} -- dvc.lock metrics plots params.yaml && dvc checkout; "
            f"or finish it with the new ones: git tag -d {tag} && yoloop finish",
        )
    verdict = read_json(root / "metrics/converge.json")["verdict"]
    return f"Iteration {iteration} is finished already (tag {tag}). {_next_step(verdict)}"


def _report(root: Path, iteration: int) -> dict[str, Any]:
    """Return every number of the iteration; it holds no clock, so finishing twice gives the same bytes."""
    metrics = {name: read_json(root / f"metrics/{name}.json") for name in ("validate", "train", "analyze", "sample")}
    tag = dataset_tag(root, iteration)
    return {
        "iteration": iteration,
        "start": git.head(root),
        "dataset": tag if git.resolve(root, f"refs/tags/{tag}") else "a dataset without a tag",
        "verdict": read_json(root / "metrics/converge.json"),
        **metrics,
        "params": read_params(root / PARAMS),
        "prompts": read_prompts(read_classes(root / PARAMS), root / PROMPTS),
    }


def _said(root: Path, iteration: int, report: dict[str, Any]) -> str:
    verdict = report["verdict"]
    lines = [
        f"Iteration {iteration} is finished: {_score(report)}. Tag {iteration_tag(root, iteration)}, "
        f"report {report_stem(iteration)}.html",
        f"Verdict: {verdict['verdict']}. {verdict['reason']}",
    ]
    left = git.changed(root, ["dvc.yaml", "stages"])
    if left:
        lines.append(f"Not committed, so the tag does not hold it: {', '.join(left)}")
    return "\n".join([*lines, _next_step(verdict["verdict"])])


def _next_step(verdict: str) -> str:
    if verdict == "stop":
        return "The loop ends here; to go on all the same: yoloop advance --despite-stop REASON"
    return "Next: review the sheets in data/sample/packet, then `yoloop advance`."


def _score(report: dict[str, Any]) -> str:
    f1 = report["validate"]["val"]["f1"]
    return "F1 undefined" if f1 is None else f"F1 {f1:.3f}"


def _bytes(file: Path) -> bytes | None:
    return file.read_bytes() if file.is_file() else None
