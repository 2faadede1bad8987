"""The commands `yoloop classes …`: add, rename, merge, split, remove."""

from typing import Annotated

import typer

from stages.project.project_folder import project

classes_app = typer.Typer(
    rich_markup_mode=None, no_args_is_help=True, help="The classes, between two iterations: labels, weights and all."
)

Texts = Annotated[
    list[str] | None, typer.Option("--prompt", metavar="TEXT", help="What YOLOE is told; may be given several times.")
]


@classes_app.command("add")
def classes_add(
    name: Annotated[str, typer.Argument(help="The new class; its class_id is the next one.")], *, prompt: Texts = None
) -> None:
    """Add a class at the end of the list; nothing is labelled as it yet."""
    with project() as root:
        from stages.classes.class_change import added
        from stages.classes.class_migration import change_classes

        typer.echo(change_classes(root, lambda classes, prompts: added(classes, prompts, name, prompt or ())))


@classes_app.command("rename")
def classes_rename(
    old: Annotated[str, typer.Argument(help="The class.")], new: Annotated[str, typer.Argument(help="Its new name.")]
) -> None:
    """Call a class otherwise; its prompt, its weights and all its numbers stay."""
    with project() as root:
        from stages.classes.class_change import renamed
        from stages.classes.class_migration import change_classes

        typer.echo(change_classes(root, lambda classes, prompts: renamed(classes, prompts, old, new)))


@classes_app.command("merge")
def classes_merge(
    names: Annotated[list[str], typer.Argument(help="The classes, two or more.")],
    into: Annotated[str, typer.Option(metavar="NAME", help="What they become: one of them, or a new name.")],
    *,
    prompt: Texts = None,
) -> None:
    """Make several classes one, told by the texts of all of them, or by --prompt."""
    with project() as root:
        from stages.classes.class_change import merged
        from stages.classes.class_migration import change_classes

        typer.echo(change_classes(root, lambda classes, prompts: merged(classes, prompts, names, into, prompt or ())))


@classes_app.command("split")
def classes_split(
    name: Annotated[str, typer.Argument(help="The class.")],
    into: Annotated[
        list[str], typer.Option(metavar="NAME", help="A class of it, twice or more; the first gets all boxes.")
    ],
) -> None:
    """Make a class several; every box becomes the first of them until somebody has looked at it."""
    with project() as root:
        from stages.classes.class_change import split_up
        from stages.classes.class_migration import change_classes

        typer.echo(change_classes(root, lambda classes, prompts: split_up(classes, prompts, name, into)))


@classes_app.command("remove")
def classes_remove(name: Annotated[str, typer.Argument(help="The class, which has no box anywhere.")]) -> None:
    """Take out a class that nothing is labelled as; one with boxes can be merged into another."""
    with project() as root:
        from stages.classes.class_migration import remove_class

        typer.echo(remove_class(root, name))
