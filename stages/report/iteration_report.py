"""`yoloop report`: the page of an iteration, and the text for a pull request, from its report and its results."""

from pathlib import Path
from typing import Any, NamedTuple

from stages.base.atomic import replacing
from stages.base.errors import UserError, problem
from stages.base.params import PARAMS, read_classes, read_iteration, read_params
from stages.base.tables import read_json, read_metrics
from stages.convergence.history.history_file import read_history
from stages.convergence.score_files import SCORES, read_rows
from stages.dataset.sheets.manifest import MANIFEST, count_sources, read_manifest
from stages.dataset.sheets.split_folder import DATASET
from stages.holdout.openings_file import read_openings
from stages.project.location import finished_iterations
from stages.project.preconditions import HISTORY, iteration_tag, report_file, require_clean, start_tag
from stages.project.repository import dvc, git
from stages.prompts.texts.prompt_file import PROMPTS, Prompts, read_prompts, shown
from stages.report.finished_files import iteration_view
from stages.report.page_pictures import make_pictures
from stages.report.pages.iteration_page import Page
from stages.report.pages.pull_request import iteration_markdown
from stages.report.pages.rendering import iteration_html
from stages.report.stage_clocks import keep_seconds, kept_seconds
from stages.report.suspects_report import PAGES, suspects_file
from stages.review.ledger.ledger_files import METRICS

SUGGESTIONS = Path("metrics/prompt_suggestions.json")
_STAGES = ("validate", "train", "analyze", "sample")
# Small tables whose rows go into the report, so that the page of a finished iteration needs no cache.
_TABLES = (SCORES, Path("data/validate/ledger.csv"), Path("data/validate/errors.csv"), Path("data/analyze/counts.csv"))


class Made(NamedTuple):
    """A page that was written, and why it has no pictures, or ""."""

    page: Path
    note: str


def make_report(root: Path, number: int | None = None) -> Made:
    """Write the page of iteration `number`, by default of the last one that has run.

    Raises `UserError` when that iteration is neither finished nor complete in the workspace.
    """
    git.require_repository(root)
    dvc.require_repository(root)
    git.head(root)
    done, here = finished_iterations(root), read_iteration(root / PARAMS)
    chosen = _default(root, done, here) if number is None else number
    if chosen in done:
        return _page_of_finished(root, chosen)
    if chosen != here:
        raise problem(
            "iteration_report.iteration_has_run",
            "yoloop report",
            value=", ".join(map(str, done)) or "none yet",
            found=str(chosen),
        )
    require_clean(root, iteration=here, finished=False)
    return write_page(root, build_report(root, here), commit=None)


def build_report(root: Path, iteration: int) -> dict[str, Any]:
    """Return every number of the iteration in the workspace; it holds no clock, so equal results give equal bytes."""
    metrics = {name: read_metrics(root / f"metrics/{name}.json") for name in _STAGES}
    tag = start_tag(root, iteration)
    return {
        "iteration": iteration,
        "start": git.head(root),
        "dataset": tag if git.resolve(root, f"refs/tags/{tag}") else "a dataset without a tag",
        "labels": count_sources(read_manifest(root / DATASET / "train" / MANIFEST)),
        "verdict": read_metrics(root / "metrics/converge.json"),
        **metrics,
        "review": _review(root),
        "tables": {file.stem: read_rows(root / file) for file in _TABLES},
        "params": read_params(root / PARAMS),
        "prompts": {name: shown(texts) for name, texts in _prompts(root).items()},
    }


def _prompts(root: Path) -> Prompts:
    return read_prompts(read_classes(root / PARAMS), root / PROMPTS)


def _review(root: Path) -> dict[str, Any]:
    """Return the review that the iteration started with; a project from before there was a ledger has none."""
    return read_metrics(root / METRICS) if (root / METRICS).is_file() else {}


def write_page(root: Path, report: dict[str, Any], *, commit: str | None) -> Made:
    """Write the page of the iteration in the workspace; `commit` is the one that it was finished as."""
    keep_seconds(root, report["iteration"], since=_started(root, report["iteration"]))
    return _write(root, root, report, commit=commit, lacking="The pictures are not in the workspace: dvc checkout")


def _page_of_finished(root: Path, iteration: int) -> Made:
    tag = iteration_tag(root, iteration)
    texts = (report_file(iteration), str(HISTORY), str(SUGGESTIONS))
    lacking = (
        "The pictures of this iteration are not in DVC's cache here. From a remote: "
        f"dvc fetch --all-tags && yoloop report {iteration}"
    )
    with iteration_view(root, tag, texts) as view:
        report = read_json(view / texts[0])
        return _write(root, view, report, commit=git.resolve(root, tag), lacking=lacking)


def _write(root: Path, view: Path, report: dict[str, Any], *, commit: str | None, lacking: str) -> Made:
    """Write the page of the iteration that the folder `view` shows into the project at `root`."""
    number, params = report["iteration"], report["params"]
    earlier = {step: page_file(step) for step in range(number)}
    suspects = suspects_file(number)
    page = Page(
        report=report,
        history=read_history(view / HISTORY, params["classes"]),
        commit=commit,
        suggestions=read_json(view / SUGGESTIONS).get("suggestions", []),
        pictures=make_pictures(view, params["classes"], padding=params["analyze"]["crop_padding"], lacking=lacking),
        seconds={step: taken for step, taken in kept_seconds(root).items() if step <= number},
        pages={step: file.name for step, file in earlier.items() if (root / file).is_file()},
        openings=read_openings(root),
        suspects=suspects.name if (root / suspects).is_file() else None,
    )
    file = root / page_file(number)
    for place, text in ((file, iteration_html(page)), (file.with_suffix(".md"), iteration_markdown(page))):
        with replacing(place) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return Made(file, page.pictures.note)


def page_file(iteration: int) -> Path:
    """Return where the page of an iteration lies."""
    return PAGES / f"iteration_{iteration:02d}.html"


def _default(root: Path, done: list[int], here: int) -> int:
    """Return the iteration in the workspace if it has run, else the last finished one."""
    if here in done:
        return here
    try:
        require_clean(root, iteration=here, finished=False)
    except UserError:
        if not done:
            raise
        return done[-1]
    return here


def _started(root: Path, iteration: int) -> float:
    """Return when the iteration began, as Unix time; without its tag, that of HEAD."""
    tag = start_tag(root, iteration)
    rev = f"refs/tags/{tag}" if git.resolve(root, f"refs/tags/{tag}") else "HEAD"
    return float(git.run(root, "log", "-1", "--format=%ct", rev))
