"""The commands `yoloop review …`: export, import, status, open, reset, drop-auto."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from stages.project.project_folder import project

review_app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="What a person does between two iterations.")

# The words of formats/format_list.py, once more: that module loads pandas, which `yoloop --help` must not.
Tool = Literal["label-studio", "cvat", "roboflow", "coco", "voc", "yolo"]

# As of labelling/split_packet.py, which loads pandas, too.
Of = Annotated[
    Literal["pool", "val", "test"],
    typer.Option("--split", help="val or test: its sheets that wait for labels; pool: the packet."),
]
URL = Annotated[str | None, typer.Option(metavar="URL", help="A server of Label Studio, instead of files.")]


@review_app.command("export")
def review_export(
    to: Annotated[Tool, typer.Option(help="The tool, or the format that it reads.")],
    *,
    split: Of = "pool",
    out: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Where to; default: exports/TOOL-PACKET.")] = None,
    url: URL = None,
    project_name: Annotated[str | None, typer.Option("--project", metavar="P", help="The project in the tool.")] = None,
) -> None:
    """Write the packet as a tool reads it, and say what to do with it there."""
    with project() as root:
        from stages.review.packet_export import export_review

        typer.echo(export_review(root, to=to, out=out, url=url, project=project_name, say=_say, split=split))


@review_app.command("import")
def review_import(
    path: Annotated[Path | None, typer.Argument(help="What the tool exported: folder, archive or file.")] = None,
    *,
    split: Of = "pool",
    tool: Annotated[Tool | None, typer.Option("--format", help="What it is; default: found out, and said.")] = None,
    partial: Annotated[bool, typer.Option("--partial", help="Sheets that did not come back stay queued.")] = False,
    all_reviewed: Annotated[
        bool, typer.Option("--all-reviewed", help="I looked at every sheet: unchanged and empty ones, too.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Take this export's boxes for sheets that are reviewed already.")
    ] = False,
    url: URL = None,
    project_name: Annotated[str | None, typer.Option("--project", metavar="P", help="The project in the tool.")] = None,
    version: Annotated[int | None, typer.Option(min=1, metavar="N", help="Of a Roboflow project.")] = None,
) -> None:
    """Check what came back from a tool, and keep it in data/review; nothing changes when it is refused."""
    with project() as root:
        from stages.review.review_import import import_review

        typer.echo(
            import_review(
                root,
                path,
                format=tool,
                partial=partial,
                all_reviewed=all_reviewed,
                replace=replace,
                url=url,
                project=project_name,
                version=version,
                split=split,
                say=_say,
            )
        )


@review_app.command("status")
def review_status(split: Of = "pool") -> None:
    """Say which sheets of the packet are reviewed, what was changed on them, and what is next."""
    with project() as root:
        from stages.review.review_status import status_lines

        typer.echo("\n".join(status_lines(root, split)))


@review_app.command("open")
def review_open(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")] = 0,
    *,
    split: Of = "pool",
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Show it in the browser.")] = True,
) -> None:
    """Review on our own page, until the review is finished there; Ctrl+C leaves, and all that was done stays."""
    with project() as root:
        if split != "pool":
            from stages.review.labelling.label_session import label_split

            label_split(root, split, port=port, browser=browser, say=_say)
            return
        from stages.review.page_session import open_review

        open_review(root, port=port, browser=browser, say=_say)


@review_app.command("reset")
def review_reset(split: Of = "pool") -> None:
    """Put the review of the packet aside, after a wrong import for instance, and begin it anew; nothing is deleted."""
    with project() as root:
        from stages.review.review_reset import reset_review

        typer.echo(reset_review(root, split))


@review_app.command("drop-auto")
def review_drop_auto() -> None:
    """Move all sheets that `--auto` labelled, and nobody looked at, from train back to the pool."""
    with project() as root:
        from stages.review.auto_removal import drop_auto

        typer.echo(drop_auto(root))


def _say(text: str) -> None:
    typer.echo(text)
