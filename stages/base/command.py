"""Turns a function into a command that ends with 0, or with one line on stderr and 2."""

import errno
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from io import TextIOWrapper
from pathlib import Path
from typing import Any, NoReturn

import typer

from stages.base.errors import UserError, problem

_GRAPH = Path(__file__).parents[2] / "dvc.yaml"  # of the project that these modules are of


def stage_command(name: str, run: Callable[[], None]) -> Callable[[], None]:
    """Return the entry point of a stage: `python -m stages.NAME`, whose `--help` says what it reads and writes.

    The seconds that it takes go to `logs/NAME/seconds.json`: metrics carry no clock. It fails when a value that it
    depends on was edited while it ran: DVC would keep its results under the value that stands there at the end.
    """
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

    @app.command(help=_help(name, run) if "--help" in sys.argv else None)
    def timed() -> None:
        from stages.base.tables import write_json  # not at the top: it loads pandas, and `yoloop --help` needs none

        started, told = time.monotonic(), settings_of(name)
        run()
        _require_same(name, told, settings_of(name))
        write_json({"seconds": time.monotonic() - started}, Path("logs") / name / "seconds.json")

    return lambda: exit_cleanly(app)


def _help(name: str, run: Callable[[], None]) -> str:
    """Return the stage's summary and what dvc.yaml says that it reads and writes; its code is not listed."""
    import yaml  # `yoloop --help` needs none

    stage = yaml.safe_load(_GRAPH.read_text(encoding="utf-8"))["stages"][name]
    deps = [dep for dep in stage["deps"] if not dep.startswith("stages/")]
    outs = [path for kind in ("outs", "metrics", "plots") for path in names_in(stage.get(kind, []))]
    said = {"Reads": deps, "Params": names_in(stage["params"]), "Writes": [*outs, f"logs/{name}"]}
    lists = "\n\n".join(f"\b\n{title}:\n  " + "\n  ".join(lines) for title, lines in said.items())
    return f"{(run.__doc__ or '').strip()}\n\n{lists}"


def settings_of(name: str, root: Path = Path()) -> dict[tuple[str, str], Any]:
    """Return the values that DVC keeps the results of the stage `name` under: (file, key) -> value as it is now.

    A file that is none, or no YAML at the moment, has no values. Outside a project there are none.
    """
    import yaml

    def read(file: Path) -> Any:
        try:
            return yaml.safe_load(file.read_text(encoding="utf-8-sig"))
        except (OSError, ValueError, yaml.YAMLError):
            return None

    graph = read(root / "dvc.yaml")
    entries = graph["stages"][name].get("params", []) if graph and name in graph.get("stages", {}) else []
    keys = [
        (file, key)
        for entry in entries
        for file, keys in (entry.items() if isinstance(entry, dict) else [("params.yaml", [entry])])
        for key in keys
    ]
    files = {file: read(root / file) for file, _ in keys}
    return {(file, key): _at(files[file], key) for file, key in keys}


def _at(value: Any, key: str) -> Any:
    for part in key.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _require_same(name: str, told: Mapping[tuple[str, str], Any], now: Mapping[tuple[str, str], Any]) -> None:
    for place, value in told.items():
        if now.get(place) != value:
            raise problem("command.settings_as_begun", place[0], name=name, key=place[1])


def names_in(entries: Iterable[Any]) -> list[str]:
    """Return the paths or keys that a list of dvc.yaml names, with options or without."""
    return [one if isinstance(one, str) else str(next(iter(one))) for one in entries]


def exit_cleanly(command: Callable[[], object]) -> None:
    """Call `command`; turn a `UserError`, or a disk that takes nothing, into one line on stderr and exit code 2."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file's name may be no UTF-8
    try:
        command()
    except UserError as error:
        _fail(error)
    except OSError as error:
        place = error.filename or Path.cwd()
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            _fail(problem("command.disk_full", place, found=error.strerror))
        if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
            _fail(problem("command.not_allowed", place, found=error.strerror))
        raise


def _fail(error: UserError) -> NoReturn:
    print(f"error: {error}", file=sys.stderr)
    sys.exit(2)
