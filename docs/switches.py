"""Writes docs/switches.md: every command with its arguments and options, from what `--help` says.

python -m docs.switches         (or `make docs`)
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from docs.numbers import cell
from stages.loop import app

PAGE = Path(__file__).with_name("switches.md")
HEAD = """# Commands

Every `yoloop` command with its arguments and options. Written by `python -m docs.switches` from what `--help` says.
They are typed in the project's folder.

The stages are commands as well: `python -m stages.train`, and so on, with `--help` for what each reads and writes. The
demo has its own: `python -m demo --help`.

A mistake that you can mend is one line on stderr, and the exit code is 2: [When something goes wrong](trouble.md).
"""


def leaves(group: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the words of every command of an app with the command."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from leaves(command, (*words, name))
        else:
            yield (*words, name), command


def options_of(command: Any) -> list[str]:
    """Return the options of a command as they are typed, without `--help`."""
    found = [name for one in command.params for name in [*one.opts, *one.secondary_opts] if name.startswith("--")]
    return [name for name in found if name != "--help"]


def section(words: tuple[str, ...], command: Any) -> list[str]:
    """Return what the page says of one command."""
    context = typer.Context(command)
    records = [one.get_help_record(context) for one in command.params if one.name != "help"]
    rows = [f"| `{cell(name)}` | {cell(said)} |" for name, said in filter(None, records)]
    head = ["", "| argument or option | meaning |", "| --- | --- |"] if rows else []
    return [f"## `yoloop {' '.join(words)}`", "", *command.help.split("\n"), *head, *rows, ""]


def page() -> str:
    """Return the page."""
    parts = [line for words, command in leaves(typer.main.get_command(app)) for line in section(words, command)]
    return "\n".join([HEAD, *parts]).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
