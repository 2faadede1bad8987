"""Turns a function into a command that ends with 0, or with one line on stderr and 2."""

import sys
from collections.abc import Callable

import typer

from stages.core.errors import UserError


def stage_command(run: Callable[[], None], *, reads: str, writes: str) -> Callable[[], None]:
    """Return the entry point of a stage: `python -m stages.NAME`, whose `--help` says what it reads and writes."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    summary = (run.__doc__ or "").strip()
    app.command(help=f"{summary}\n\n\b\nReads:  {reads}\nWrites: {writes}")(run)
    return lambda: exit_cleanly(app)


def exit_cleanly(command: Callable[[], object]) -> None:
    """Call `command`; turn a `UserError` into one line on stderr and exit code 2."""
    try:
        command()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
