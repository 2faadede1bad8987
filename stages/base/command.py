"""Turns a function into a command that ends with 0, or with one line on stderr and 2."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import typer

from stages.base.errors import UserError


def stage_command(name: str, run: Callable[[], None], *, reads: str, writes: str) -> Callable[[], None]:
    """Return the entry point of a stage: `python -m stages.NAME`, whose `--help` says what it reads and writes.

    The seconds that it takes go to `logs/NAME/seconds.json`: metrics carry no clock.
    """
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    summary = (run.__doc__ or "").strip()

    @app.command(help=f"{summary}\n\n\b\nReads:  {reads}\nWrites: {writes}")
    def timed() -> None:
        from stages.base.tables import write_json  # not at the top: it loads pandas, and `yoloop --help` needs none

        started = time.monotonic()
        run()
        write_json({"seconds": time.monotonic() - started}, Path("logs") / name / "seconds.json")

    return lambda: exit_cleanly(app)


def exit_cleanly(command: Callable[[], object]) -> None:
    """Call `command`; turn a `UserError` into one line on stderr and exit code 2."""
    try:
        command()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
