"""`python -m demo`: the loop on drawn sheets, and what keeps the repository in the state of its iteration 0."""

from typing import Annotated

import typer

from stages.base.command import exit_cleanly
from stages.project.project_folder import project
from stages.review.kept.reviewers import Reviewer

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="The loop on drawn sheets, to look at.",
)


@app.command()
def run(
    review: Annotated[
        Reviewer, typer.Option(help="Who reviews: the labels that were held back, or you on the page.")
    ] = "oracle",
) -> None:
    """Copy the project into .demo and run the whole loop there."""
    with project() as root:
        from demo.demo_run import run_demo

        run_demo(root, reviewer=review, say=typer.echo)


@app.command()
def draw(
    renew: Annotated[
        bool, typer.Option("--renew", help="Take what is drawn now as the demo, after a change of the drawing.")
    ] = False,
) -> None:
    """Draw the demo's sheets and copy its weights, with exactly the hashes that Git holds; take its values."""
    with project() as root:
        from demo.demo_data import draw_demo

        typer.echo(draw_demo(root, renew=renew))


@app.command()
def lock() -> None:
    """Run the demo's iteration 0 again, in a copy, after a change of code, and take over what Git keeps of it."""
    with project() as root:
        from demo.demo_lock import lock_demo

        typer.echo(lock_demo(root))


if __name__ == "__main__":
    exit_cleanly(app)
