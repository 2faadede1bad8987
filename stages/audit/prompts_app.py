"""The commands `yoloop prompts`."""

from pathlib import Path
from typing import Annotated

import typer

from stages.project.project_folder import project

prompts_app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="What YOLOE is told to look for.")


@prompts_app.command("audit")
def prompts_audit(
    weights: Annotated[Path, typer.Option(help="The checkpoint; also one of others.")] = Path("models/best.pt"),
) -> None:
    """Say what data/prompts.yaml does to a checkpoint: what changes, and F1 per class on val before and after."""
    with project() as root:
        from stages.audit.prompt_audit import audit_lines

        for line in audit_lines(root, weights):
            typer.echo(line)


@prompts_app.command("accept")
def prompts_accept(
    class_name: Annotated[str, typer.Argument(metavar="CLASS")],
    number: Annotated[int, typer.Argument(metavar="K", min=1, help="Of the texts that were tried, as on the page.")],
) -> None:
    """Take a text that was tried for a class into data/prompts.yaml."""
    with project() as root:
        from stages.audit.text_acceptance import accept

        typer.echo("\n".join(accept(root, class_name, number)))


@prompts_app.command("examples")
def prompts_examples(
    class_name: Annotated[str, typer.Argument(metavar="CLASS")],
    boxes: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SHEET#ROW]...", help="Boxes of train, by the row of the label file; else up to five."),
    ] = None,
    *,
    only: Annotated[bool, typer.Option("--only", help="In place of the texts that the class has.")] = False,
) -> None:
    """Show boxes of a class where words fail: their average stands beside the texts, or in their place."""
    with project() as root:
        from stages.audit.example_choice import show_examples

        typer.echo("\n".join(show_examples(root, class_name, boxes or [], only=only)))


@prompts_app.command("import")
def prompts_import(
    file: Annotated[Path, typer.Argument(help="JSON, flat or with callout_types.CLASS.text_prompt.")],
) -> None:
    """Take the texts of all classes from a JSON into data/prompts.yaml."""
    with project() as root:
        from stages.audit.prompt_import import import_prompts

        typer.echo("\n".join(import_prompts(root, file)))


@prompts_app.command("history")
def prompts_history() -> None:
    """List the prompts of every finished iteration with its F1, what changed, by whose words, and what it did."""
    with project() as root:
        from stages.report.prompt_history import history_lines

        typer.echo("\n".join(history_lines(root)))
