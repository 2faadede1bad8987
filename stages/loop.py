"""The app `yoloop`: the commands that go round the pipeline of one iteration."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from stages.audit.prompts_app import prompts_app
from stages.base.command import exit_cleanly
from stages.classes.classes_app import classes_app
from stages.intake.data_app import TRUST, data_app
from stages.project.project_folder import project
from stages.review.kept.reviewers import Reviewer
from stages.review.review_app import review_app

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Active learning for object detection: train, predict, validate, analyze, converge, sample, review, again.",
)
app.add_typer(classes_app, name="classes")
app.add_typer(data_app, name="data")
app.add_typer(prompts_app, name="prompts")
app.add_typer(review_app, name="review")

Review = Annotated[Reviewer | None, typer.Option(help="Who reviews; default: `review.by` in params.yaml.")]
AutoConfidence = Annotated[
    float | None,
    typer.Option(min=0, max=1, help="From where `auto` takes detections; default: `review.auto_confidence`."),
]
OpenPage = Annotated[bool, typer.Option("--open", help="Show the page in the browser.")]

AcceptRegression = Annotated[
    str | None,
    typer.Option(metavar="WHY", help="Go on although a class, size or group lost what was found before; say why."),
]


@app.command()
def status(
    *, as_json: Annotated[bool, typer.Option("--json", help="For programs, with keys that stay.")] = False
) -> None:
    """Say in five lines where the project is and what is next; it answers while `yoloop run` trains, too."""
    with project(reading=True, for_program=as_json) as root:
        from stages.iteration.status import status_lines, status_values

        typer.echo(json.dumps(status_values(root), ensure_ascii=False) if as_json else "\n".join(status_lines(root)))


Values = Annotated[
    list[str],
    typer.Option(
        "--set",
        "-S",
        metavar="PATH=VALUE",
        help="With commas for several; a prompt: data/prompts.yaml:prompts.CLASS=TEXT.",
    ),
]


@app.command()
def sweep(name: Annotated[str, typer.Argument(help="Of the experiments: NAME-1, NAME-2, …")], values: Values) -> None:
    """Queue an experiment for each combination of values, on this iteration; `dvc queue start` runs them."""
    with project() as root:
        from stages.sweeps.sweep_queue import queue_sweep

        typer.echo(queue_sweep(root, name, values))


@app.command()
def experiments() -> None:
    """Show what each experiment on this commit changes, and what came of it, the best F1 first."""
    with project() as root:
        from stages.sweeps.experiment_table import experiment_lines

        typer.echo("\n".join(experiment_lines(root)))


@app.command()
def adopt(name: Annotated[str, typer.Argument(help="Of an experiment that has run.")]) -> None:
    """Keep an experiment: its values and results become those of the iteration, which is finished with them."""
    with project() as root:
        from stages.sweeps.sweep_queue import adopt as keep

        typer.echo(keep(root, name))


@app.command()
def run(
    review: Review = None,
    resume: Annotated[bool, typer.Option("--resume", help="Running again is resuming; this changes nothing.")] = False,
    start_iteration: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Start over from iteration N, on a new branch.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="All but training, in a copy; nothing changes.")] = False,
    auto: Annotated[bool, typer.Option("--auto", help="As --review auto: detections become labels, unseen.")] = False,
    auto_confidence: AutoConfidence = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Values for params.yaml, which keeps them.")
    ] = None,
    accept_regression: AcceptRegression = None,
    until: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Leave when iteration N is finished, before its review.")
    ] = None,
) -> None:
    """Repeat until the verdict says stop: run the iteration, finish it, pause for the review, advance."""
    if dry_run:
        sys.dont_write_bytecode = True  # not even that
    with project() as root:
        from stages.iteration.run_switches import Switches, run_switched

        typed = Switches(review, auto, auto_confidence, start_iteration, dry_run, config, accept_regression, until)
        run_switched(root, typed, say=_say)


@app.command()
def finish() -> None:
    """Close the iteration that has run: commit its results, write its report, tag it iteration-N."""
    with project() as root:
        from stages.iteration.finish import finish as finish_iteration

        typer.echo(finish_iteration(root))


@app.command()
def advance(
    review: Review = None,
    auto_confidence: AutoConfidence = None,
    despite_stop: Annotated[
        str | None,
        typer.Option(metavar="REASON", help="Go on although the verdict says stop, and say why."),
    ] = None,
    accept_regression: AcceptRegression = None,
    *,
    partial: Annotated[bool, typer.Option("--partial", help="Sheets that are not reviewed stay in the pool.")] = False,
    accept_deletions: Annotated[
        bool, typer.Option("--accept-deletions", help="Nearly all boxes that went out are rightly gone.")
    ] = False,
) -> None:
    """Take the review in and start the next iteration."""
    with project() as root:
        from stages.iteration.advance import advance as advance_iteration
        from stages.iteration.run_switches import pick_reviewer

        reviewer = pick_reviewer(root, review, auto_confidence=auto_confidence)
        said = advance_iteration(
            root,
            reviewer=reviewer,
            despite_stop=despite_stop,
            accept_regression=accept_regression,
            auto_confidence=auto_confidence,
            partial=partial,
            accept_deletions=accept_deletions,
        )
        typer.echo(said)


@app.command()
def report(
    iteration: Annotated[
        int | None, typer.Argument(metavar="[N]", min=0, help="The iteration; default: the last that has run.")
    ] = None,
    *,
    open_page: OpenPage = False,
) -> None:
    """Make the page of an iteration (verdict, numbers, what was missed, what to review, cost), and say where it is."""
    with project() as root:
        from stages.report.iteration_report import make_report

        made = make_report(root, iteration)
        if made.note:
            typer.echo(made.note)
        _show(made.page.resolve().as_uri(), open_page=open_page)


@app.command()
def log() -> None:
    """Tell the story of the project from Git: datasets, who reviewed, F1, verdicts, prompts, cost."""
    with project(reading=True) as root:
        from stages.report.project_log import log_lines

        typer.echo("\n".join(log_lines(root)))


@app.command()
def suspects(*, open_page: OpenPage = False) -> None:
    """Make the page of the labels that look wrong, each beside what the model saw, and say where it is."""
    with project() as root:
        from stages.report.suspects_report import make_page

        _show(make_page(root).resolve().as_uri(), open_page=open_page)


@app.command()
def holdout(
    again: Annotated[
        str | None, typer.Option(metavar="REASON", help="Open test once more, and say why; it is counted.")
    ] = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Open it though the verdict is to go on, without asking.")] = False,
) -> None:
    """Score the finished weights on test once, beside val, and record that it was opened."""
    with project() as root:
        from stages.holdout.holdout import holdout as open_test

        typer.echo(open_test(root, again=again, sure=lambda text: yes or (sys.stdin.isatty() and typer.confirm(text))))


@app.command()
def simulate(
    dataset: Annotated[Path, typer.Argument(help="A folder as of `data import`, all of its sheets labelled.")],
    into: Annotated[Path, typer.Option(metavar="FOLDER", help="Where it is done; again: it goes on there.")],
    strategies: Annotated[str, typer.Option(metavar="NAMES", help="Which are replayed.")] = "earned,random,crowd",
    seeds: Annotated[
        int, typer.Option(min=1, metavar="N", help="Repetitions, each with other sheets in each role.")
    ] = 5,
    first_seed: Annotated[int, typer.Option(min=0, metavar="N", help="Of the first; others may run elsewhere.")] = 0,
    iterations: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="After iteration 0, a packet each.  [default: 3; with --yields: 0]"),
    ] = None,
    start: Annotated[int, typer.Option(min=1, metavar="N", help="Sheets in train at the start.")] = 20,
    val: Annotated[int, typer.Option(min=1, metavar="N", help="Sheets in val.")] = 30,
    test: Annotated[int, typer.Option(min=1, metavar="N", help="Sheets in test.")] = 40,
    pool: Annotated[int, typer.Option(min=0, metavar="N", help="Sheets in the pool at most; 0: all others.")] = 0,
    budget: Annotated[
        int, typer.Option(min=0, metavar="N", help="Sheets that are picked a packet; 0: a sixth of the pool.")
    ] = 0,
    params: Annotated[Path | None, typer.Option(metavar="FILE", help="Values in place of params.yaml's.")] = None,
    workers: Annotated[int, typer.Option(min=1, metavar="N", help="Cells side by side.")] = 1,
    baseline: Annotated[
        str, typer.Option(metavar="WEIGHTS", help="YOLO-26 weights, as of `data import`.")
    ] = "starter/yolo26n.pt",
    target: Annotated[
        str, typer.Option(metavar="WEIGHTS", help="YOLOE-26 weights, as of `data import`.")
    ] = "starter/yoloe-26n.pt",
    group_pattern: Annotated[
        str | None, typer.Option(metavar="REGEX", help="Groups that stay together, as of `data import`.")
    ] = None,
    *,
    yields: Annotated[bool, typer.Option("--yields", help="Only what a packet of each strategy would yield.")] = False,
    no_run: Annotated[bool, typer.Option("--no-run", help="Only write the folder, for DVC to run.")] = False,
    trust_weights: Annotated[bool, typer.Option("--trust-weights", help=TRUST)] = False,
) -> None:
    """Replay the loop on a dataset that is labelled throughout, to see what the picking strategies are worth."""
    with project() as root:
        from stages.simulation.simulate import Asked, names_in
        from stages.simulation.simulate import simulate as replay

        sizes = (start, val, test, pool, budget)
        names = names_in(strategies)
        asked = Asked(names, seeds, first_seed, iterations, *sizes, params, baseline, target, group_pattern, yields)
        asked = asked._replace(trust_weights=trust_weights)
        replay(root, dataset, into, asked, workers=workers, run=not no_run, say=_say)


@app.command()
def plots(
    revisions: Annotated[
        list[str] | None,
        typer.Argument(metavar="[REV]...", help="Tags, commits or experiments, drawn over each other."),
    ] = None,
    *,
    open_page: OpenPage = False,
) -> None:
    """Draw DVC's plots on a page that needs no network, and say where it is."""
    with project() as root:
        from stages.report.plots_page import make_plots

        _show(make_plots(root, revisions or []), open_page=open_page)


def main() -> None:
    """Run `yoloop`; a mistake of a person ends with one line and exit code 2."""
    _run_the_projects_own_code()
    exit_cleanly(lambda: app(prog_name="yoloop"))  # also where it was started with `python -m`


def _run_the_projects_own_code() -> None:
    """Start again from the modules of the project in this folder, if yoloop is installed from another one.

    DVC runs the stages of this folder, too: a copy (the demo, an experiment) must not be driven by other code.
    """
    ours, theirs = Path(__file__).resolve().parent, Path("stages").resolve()
    if (theirs / "loop.py").is_file() and theirs != ours and __name__ != "__main__":
        os.environ.pop("PYTHONSAFEPATH", None)  # with it, Python would not look into this folder
        os.execv(sys.executable, [sys.executable, "-m", "stages.loop", *sys.argv[1:]])


def _show(page: str, *, open_page: bool) -> None:
    typer.echo(page)
    if open_page:
        import webbrowser

        if not webbrowser.open(page):
            typer.echo("No browser was found here: open the page yourself.", err=True)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
