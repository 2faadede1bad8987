"""The app `yoloop`: the commands that go round the pipeline of one iteration."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from stages.commands.reviewers import Reviewer
from stages.core.errors import problem
from stages.files.command import exit_cleanly

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Active learning for object detection: train, validate, analyze, converge, sample, review, again.",
)
data_app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="The dataset of the project.")
prompts_app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="What YOLOE is told to look for.")
demo_app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="The loop on drawn sheets, to look at.")
app.add_typer(data_app, name="data")
app.add_typer(demo_app, name="demo")
app.add_typer(prompts_app, name="prompts")

PART = "a split of SOURCE (valid), a share of its train (0.25), or a file with one image name per line"

GROUP_PATTERN = "Sheets whose names agree in the bracket (drawing set, project) share a role: '^(.+)_page'."
GROUPS = "The same from a CSV file: image name, group."

Review = Annotated[Reviewer | None, typer.Option(help="Who reviews; default: `review.by` in params.yaml.")]
AutoConfidence = Annotated[
    float | None,
    typer.Option(min=0, max=1, help="From where `auto` takes detections; default: `review.auto_confidence`."),
]


@data_app.command("import")
def data_import(
    source: Annotated[
        Path, typer.Argument(help="A YOLO folder, COCO JSON or Pascal VOC with its images. It is only read.")
    ],
    *,
    val: Annotated[str | None, typer.Option(help=f"What becomes val: {PART}.")] = None,
    test: Annotated[str | None, typer.Option(help=f"What becomes test: {PART}.")] = None,
    pool: Annotated[str | None, typer.Option(help=f"What becomes the pool: {PART}.")] = None,
    oracle: Annotated[bool, typer.Option("--oracle", help="Hold the pool's labels back, for simulation.")] = False,
    baseline: Annotated[
        str, typer.Option(help="YOLO-26 weights: a file, or a name that is downloaded.")
    ] = "yolo26n.pt",
    target: Annotated[
        str, typer.Option(help="YOLOE-26 weights: a file, a name, or yoloe-26n.yaml (random weights).")
    ] = "yoloe-26n-seg.pt",
    seed: Annotated[int, typer.Option(min=0, help="Of what is drawn from train.")] = 0,
    keep_params: Annotated[
        bool, typer.Option("--keep-params", help="Write only classes and iteration into params.yaml.")
    ] = False,
    group_pattern: Annotated[str | None, typer.Option(metavar="REGEX", help=GROUP_PATTERN)] = None,
    groups: Annotated[Path | None, typer.Option(metavar="FILE", help=GROUPS)] = None,
    regroup: Annotated[
        bool, typer.Option("--regroup", help="Mend a split that leaks: copies of val and test are left out of train.")
    ] = False,
) -> None:
    """Make a dataset iteration 0 of this project: dataset, weights, params and prompts, in one commit."""
    with _project() as root:
        from stages.commands.data import import_data
        from stages.commands.import_source import ImportOptions

        options = ImportOptions(
            val, test, pool, oracle, baseline, target, seed, keep_params, group_pattern, groups, regroup
        )
        imported = import_data(root, source, options)
        typer.echo("\n".join(imported.lines))
        for line in imported.names:
            typer.echo(line, err=True)


@data_app.command("check")
def data_check(
    source: Annotated[
        Path | None, typer.Argument(help="A dataset: YOLO folder, COCO JSON or Pascal VOC; default: the project's own.")
    ] = None,
    *,
    fix: Annotated[
        Path | None, typer.Option(metavar="TARGET", help="Write a repaired copy and a report there; SOURCE stays.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="List every finding, not a few of each kind.")] = False,
) -> None:
    """Look for everything that would spoil a training or a number; exit code 2 if there is an error."""
    with _project() as root:
        from stages.commands.data_check import check_data

        checked = check_data(root, source, fix=fix, every=every, say=_say_aside)
        typer.echo("\n".join(checked.lines))
        if checked.refused:
            raise typer.Exit(2)


@data_app.command("accept")
def data_accept(
    group_pattern: Annotated[str | None, typer.Option(metavar="REGEX", help=GROUP_PATTERN)] = None,
    groups: Annotated[Path | None, typer.Option(metavar="FILE", help=GROUPS)] = None,
) -> None:
    """Check the dataset as it was changed by hand, and make it official; no stage reads it before."""
    with _project() as root:
        from stages.commands.accept import accept

        typer.echo("\n".join(accept(root, group_pattern=group_pattern, groups=groups, say=_say_aside)))


@app.command()
def status() -> None:
    """Say in five lines where the project is and what is next."""
    with _project() as root:
        from stages.commands.status import status_lines

        typer.echo("\n".join(status_lines(root)))


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
) -> None:
    """Repeat until the verdict says stop: run the iteration, finish it, pause for the review, advance."""
    if dry_run:
        sys.dont_write_bytecode = True  # not even that
    with _project() as root:
        from stages.commands.switches import Switches, run_switched

        run_switched(root, Switches(review, auto, auto_confidence, start_iteration, dry_run, config), say=_say)


@app.command()
def finish() -> None:
    """Close the iteration that has run: commit its results, write its report, tag it iteration-N."""
    with _project() as root:
        from stages.commands.finish import finish as finish_iteration

        typer.echo(finish_iteration(root))


@app.command()
def advance(
    review: Review = None,
    auto_confidence: AutoConfidence = None,
    despite_stop: Annotated[
        str | None,
        typer.Option(metavar="REASON", help="Go on although the verdict says stop, and say why."),
    ] = None,
) -> None:
    """Take the review in and start the next iteration."""
    with _project() as root:
        from stages.commands.advance import advance as advance_iteration
        from stages.commands.switches import pick_reviewer

        reviewer = pick_reviewer(root, review, auto_confidence=auto_confidence)
        said = advance_iteration(root, reviewer=reviewer, despite_stop=despite_stop, auto_confidence=auto_confidence)
        typer.echo(said)


@app.command()
def report(
    iteration: Annotated[
        int | None, typer.Argument(metavar="[N]", min=0, help="The iteration; default: the last that has run.")
    ] = None,
    *,
    open_page: Annotated[bool, typer.Option("--open", help="Show the page in the browser.")] = False,
) -> None:
    """Make the page of an iteration (verdict, numbers, what was missed, what to review, cost), and say where it is."""
    with _project() as root:
        from stages.commands.report import make_report

        made = make_report(root, iteration)
        if made.note:
            typer.echo(made.note)
        _show(made.page.resolve().as_uri(), open_page=open_page)


@app.command()
def suspects(
    *,
    open_page: Annotated[bool, typer.Option("--open", help="Show the page in the browser.")] = False,
) -> None:
    """Make the page of the labels that look wrong, each beside what the model saw, and say where it is."""
    with _project() as root:
        from stages.commands.suspects import make_page

        _show(make_page(root).resolve().as_uri(), open_page=open_page)


@app.command()
def holdout(
    again: Annotated[
        str | None, typer.Option(metavar="REASON", help="Open test once more, and say why; it is counted.")
    ] = None,
) -> None:
    """Score the finished weights on test once, beside val, and record that it was opened."""
    with _project() as root:
        from stages.commands.holdout import holdout as open_test

        typer.echo(open_test(root, again=again))


@app.command()
def plots(
    revisions: Annotated[
        list[str] | None,
        typer.Argument(metavar="[REV]...", help="Tags, commits or experiments, drawn over each other."),
    ] = None,
    *,
    open_page: Annotated[bool, typer.Option("--open", help="Show the page in the browser.")] = False,
) -> None:
    """Draw DVC's plots on a page that needs no network, and say where it is."""
    with _project() as root:
        from stages.commands.plots import make_plots

        _show(make_plots(root, revisions or []), open_page=open_page)


@prompts_app.command("history")
def prompts_history() -> None:
    """List the prompts of every finished iteration with its F1, and what changed."""
    with _project() as root:
        from stages.commands.prompts import history_lines

        typer.echo("\n".join(history_lines(root)))


@demo_app.command("run")
def demo_run() -> None:
    """Copy the project into .demo and run the whole loop there, with the labels that were held back as reviewer."""
    with _project() as root:
        from stages.commands.demo import run_demo

        run_demo(root, say=_say)


@demo_app.command("draw")
def demo_draw(
    renew: Annotated[
        bool, typer.Option("--renew", help="Take what is drawn now as the demo, after a change of the drawing.")
    ] = False,
) -> None:
    """Draw the demo's sheets and copy its weights, with exactly the hashes that Git holds."""
    with _project() as root:
        from stages.commands.demo_data import draw_demo

        typer.echo(draw_demo(root, renew=renew))


def main() -> None:
    """Run `yoloop`; a mistake of a person ends with one line and exit code 2."""
    _run_the_projects_own_code()
    exit_cleanly(app)


def _run_the_projects_own_code() -> None:
    """Start again from the modules of the project in this folder, if yoloop is installed from another one.

    DVC runs the stages of this folder, too: a copy (the demo, an experiment) must not be driven by other code.
    """
    ours, theirs = Path(__file__).resolve().parent, Path("stages").resolve()
    if (theirs / "loop.py").is_file() and theirs != ours and __name__ != "__main__":
        os.environ.pop("PYTHONSAFEPATH", None)  # with it, Python would not look into this folder
        os.execv(sys.executable, [sys.executable, "-m", "stages.loop", *sys.argv[1:]])


@contextmanager
def _project() -> Iterator[Path]:
    """Yield the project's folder, after clearing up behind a killed command; Ctrl+C ends with 130."""
    root = Path()
    _require_project(root)
    try:
        from stages.files.experiment import return_to_branch
        from stages.files.transaction import recover

        for line in (return_to_branch(root), recover(root)):
            if line:
                typer.echo(line)
        yield root
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _require_project(root: Path) -> None:
    for name in ("params.yaml", "dvc.yaml"):
        if not (root / name).is_file():
            raise problem(
                name,
                expected="the file in this folder",
                found=f"none in {root.resolve()}",
                mend="Change to the folder of a yoloop project (a clone of the repository).",
            )


def _show(page: str, *, open_page: bool) -> None:
    typer.echo(page)
    if open_page:
        import webbrowser

        if not webbrowser.open(page):
            typer.echo("No browser was found here: open the page yourself.", err=True)


def _say_aside(text: str) -> None:
    typer.echo(text, err=True)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
