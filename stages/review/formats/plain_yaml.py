"""Reads YAML that somebody else wrote: nothing in it can grow, nest without end, or stop the reader."""

from pathlib import Path
from typing import Any

import yaml

from stages.base.errors import problem
from stages.base.params import read_yaml

_MOST = 1 << 20  # bytes: a description of a dataset has a few lines
_DEEPEST = 50
_MEND = "Export it again, or write names: [class 0, class 1, ...] there."


def read_plain(file: Path) -> dict[str, Any]:
    """Return the mapping in `file`; raise `UserError` for none, and for what only does harm in a list of names."""
    if file.is_file() and file.stat().st_size > _MOST:
        raise problem("plain_yaml.description_dataset", file, found=f"{file.stat().st_size >> 20} MB", mend=_MEND)
    _require_plain(file)
    try:
        return read_yaml(file)
    except ValueError as error:  # such as a date in month 13
        raise problem("plain_yaml.valid_yaml", file, found=str(error), mend=_MEND) from error


def _require_plain(file: Path) -> None:
    """Raise `UserError` for an alias (a few of them unfold to gigabytes), and for lists in lists in lists."""
    depth = 0
    try:
        for event in yaml.parse(file.read_bytes()):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if isinstance(event, yaml.AliasEvent) or depth > _DEEPEST:
                found = (
                    f"the alias *{event.anchor}" if isinstance(event, yaml.AliasEvent) else "lists in lists in lists"
                )
                line = event.start_mark.line + 1 if event.start_mark else 1
                raise problem("plain_yaml.plain_keys_values", f"{file}:{line}", found=found, mend=_MEND)
    except (OSError, ValueError, yaml.YAMLError):
        return  # no file, or no YAML: `read_yaml` says so
