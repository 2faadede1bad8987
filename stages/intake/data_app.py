"""The commands `yoloop data …`: import, check, accept."""

import os
from pathlib import Path
from typing import Annotated

import typer

from stages.project.project_folder import project

data_app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="The dataset of the project.")

PART = "a split of SOURCE (valid), a share of its train (0.25), or a file with one image name per line"

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")  # how many each library starts

GROUP_PATTERN = "Sheets whose names agree in the bracket (drawing set, project) share a role: '^(.+)_page'."
CLASSES = "Pictures that nobody has labelled: names of the classes, with commas between them."
LEAST_WINDOW = 128  # px: the least `tile`
WINDOWS = "Cut larger sheets of the pool into windows of this side, which are reviewed one by one; sets tile as well."
ONE_OF_EACH = "Of copies of one sheet take one: of val, else of test, else of train; the one with the most boxes."
TRUST = "Open weights that hold code of others, which runs then."
GROUPS = "The same from a CSV file: image name, group."


@data_app.command("import")
def data_import(
    source: Annotated[
        Path, typer.Argument(help="A YOLO folder, COCO JSON or Pascal VOC with its images. It is only read.")
    ],
    *,
    classes: Annotated[str | None, typer.Option(metavar="NAMES", help=CLASSES)] = None,
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
    one_of_each: Annotated[bool, typer.Option("--one-of-each", help=ONE_OF_EACH)] = False,
    pool_windows: Annotated[int | None, typer.Option(metavar="PX", min=LEAST_WINDOW, help=WINDOWS)] = None,
    again: Annotated[bool, typer.Option("--again", help="Replace an import from which nothing was made yet.")] = False,
    trust_weights: Annotated[bool, typer.Option("--trust-weights", help=TRUST)] = False,
) -> None:
    """Make a dataset iteration 0 of this project: dataset, weights, params and prompts, in one commit."""
    _in_one_thread()
    with project() as root:
        from stages.intake.dataset_import import import_data
        from stages.intake.import_source import ImportOptions, class_list

        options = ImportOptions(
            val,
            test,
            pool,
            oracle,
            baseline,
            target,
            seed,
            keep_params,
            group_pattern,
            groups,
            regroup,
            one_of_each,
            pool_windows,
            trust_weights,
            classes=None if classes is None else class_list(classes),
        )
        imported = import_data(root, source, options, again=again, say=_say_aside)
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
    one_of_each: Annotated[bool, typer.Option("--one-of-each", help=f"With --fix: {ONE_OF_EACH}")] = False,
    every: Annotated[bool, typer.Option("--all", help="List every finding, not a few of each kind.")] = False,
    classes: Annotated[str | None, typer.Option(metavar="NAMES", help=CLASSES)] = None,
) -> None:
    """Look for everything that would spoil a training or a number; exit code 2 if there is an error."""
    _in_one_thread()
    with project() as root:
        from stages.intake.dataset_check import check_data
        from stages.intake.import_source import class_list

        names = None if classes is None else class_list(classes)
        checked = check_data(root, source, fix=fix, one_of_each=one_of_each, every=every, classes=names, say=_say_aside)
        typer.echo("\n".join(checked.lines))
        if checked.refused:
            raise typer.Exit(2)


@data_app.command("accept")
def data_accept(
    group_pattern: Annotated[str | None, typer.Option(metavar="REGEX", help=GROUP_PATTERN)] = None,
    groups: Annotated[Path | None, typer.Option(metavar="FILE", help=GROUPS)] = None,
) -> None:
    """Check the dataset as it was changed by hand, and make it official; no stage reads it before."""
    _in_one_thread()
    with project() as root:
        from stages.intake.acceptance import accept

        typer.echo("\n".join(accept(root, group_pattern=group_pattern, groups=groups, say=_say_aside)))


def _in_one_thread() -> None:
    """Let NumPy and OpenCV, which are not loaded yet, use one thread each, unless the person has said how many.

    Squares of 256 px are too small to share: the other threads would wait for the next one at full load.
    """
    for name in THREADS:
        os.environ.setdefault(name, "1")


def _say_aside(text: str) -> None:
    typer.echo(text, err=True)
