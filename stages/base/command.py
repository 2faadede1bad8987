"""Turns a function into a command that ends with 0, or with one line on stderr and 2."""

import errno
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import Any, NoReturn

import typer

from stages.base.atomic import is_temporary
from stages.base.errors import UserError, problem
from stages.base.stage_inputs import first_change, states_of
from stages.base.writable import require_writable

_PROJECT = Path(__file__).parents[2]  # that these modules are of


def stage_command(name: str, run: Callable[[], None]) -> Callable[[], None]:
    """Return the entry point of a stage: `python -m stages.NAME`, whose `--help` says what it reads and writes.

    The seconds that it takes go to `logs/NAME/seconds.json`: metrics carry no clock. It fails when a value or a file
    that it depends on was edited while it ran: DVC would keep its results under what lies there at the end.
    """
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

    @app.command(help=_help(name, run) if "--help" in sys.argv else None)
    def timed() -> None:
        from stages.base.tables import write_json  # not at the top: it loads pandas, and `yoloop --help` needs none

        require_writable(Path(path).parent for path in outs_of(name))
        started, told, files = time.monotonic(), settings_of(name), files_of(name)
        states = states_of(files)
        run()
        _require_same(name, told, settings_of(name))
        if change := first_change(states, files):
            raise problem("command.files_as_begun", change.path, name=name, how=change.how)
        with suppress(OSError):  # a clock that cannot be written is worth no training
            write_json({"seconds": time.monotonic() - started}, Path("logs") / name / "seconds.json")

    return lambda: exit_cleanly(app)


def _help(name: str, run: Callable[[], None]) -> str:
    """Return the stage's summary and what dvc.yaml says that it reads and writes; its code is not listed."""
    stage = _stage(name, _PROJECT)
    deps = [dep for dep in stage["deps"] if not dep.startswith("stages/")]
    said = {"Reads": deps, "Params": names_in(stage["params"]), "Writes": [*outs_of(name, _PROJECT), f"logs/{name}"]}
    lists = "\n\n".join(f"\b\n{title}:\n  " + "\n  ".join(lines) for title, lines in said.items())
    return f"{(run.__doc__ or '').strip()}\n\n{lists}"


def settings_of(name: str, root: Path = Path()) -> dict[tuple[str, str], Any]:
    """Return the values that DVC keeps the results of the stage `name` under: (file, key) -> value as it is now.

    A file that is none, or no YAML at the moment, has no values. Outside a project there are none.
    """
    keys = [
        (file, key)
        for entry in _stage(name, root).get("params", [])
        for file, keys in (entry.items() if isinstance(entry, dict) else [("params.yaml", [entry])])
        for key in keys
    ]
    files = {file: _yaml(root / file) for file, _ in keys}
    return {(file, key): _at(files[file], key) for file, key in keys}


def files_of(name: str, root: Path = Path()) -> list[str]:
    """Return the files and folders that DVC keeps the results of the stage `name` under; none outside a project."""
    return names_in(_stage(name, root).get("deps", []))


def outs_of(name: str, root: Path = Path()) -> list[str]:
    """Return the files and folders that the stage `name` writes, as dvc.yaml says; none outside a project."""
    stage = _stage(name, root)
    return [path for kind in ("outs", "metrics", "plots") for path in names_in(stage.get(kind, []))]


def _stage(name: str, root: Path) -> dict[str, Any]:
    graph = _yaml(root / "dvc.yaml")
    return graph["stages"][name] if graph and name in graph.get("stages", {}) else {}


def _yaml(file: Path) -> Any:
    import yaml  # `yoloop --help` needs none

    try:
        # The parser in C where there is one: a tenth of the time, of which each step asks several times.
        return yaml.load(file.read_text(encoding="utf-8-sig"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, ValueError, yaml.YAMLError):
        return None


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
        if refused := refused_by_system(error):
            _fail(refused)
        raise


def refused_by_system(error: OSError) -> UserError | None:
    """Return what a person reads of a disk that takes nothing, and of what may not be touched; None for another error.

    A file that is still being written has a name that says nothing: its folder is named.
    """
    place = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else Path.cwd()
    place = place.parent if is_temporary(place) else place
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return problem("command.disk_full", place, found=error.strerror)
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return problem("command.not_allowed", place, found=error.strerror)
    return None


def _fail(error: UserError) -> NoReturn:
    print(f"error: {error}", file=sys.stderr)
    sys.exit(2)
