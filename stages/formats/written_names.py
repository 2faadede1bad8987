"""Names as a file has them written, one a line or in YAML: that reads 02146 as 1126, and `no` as a truth value."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import yaml

from stages.base.errors import problem

_NO_CLASS = "background"
Written = list[str] | dict[str, str]


def written_names(file: Path, key: str = "names") -> Written | None:
    """Return the texts of the list, or of the mapping, at the top-level `key`; None where it is neither, or not plain.

    The file has been read as YAML before.
    """
    node = yaml.compose(file.read_text(encoding="utf-8-sig"))
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    found = next((value for one, value in pairs if one.value == key), None)
    if isinstance(found, yaml.SequenceNode) and _plain(found.value):
        return [_text(one) for one in found.value]
    if isinstance(found, yaml.MappingNode) and _plain([one for pair in found.value for one in pair]):
        return {_text(one): _text(name) for one, name in found.value}
    return None


def listed_names(file: Path) -> tuple[str, ...]:
    """Return the names in a list, one a line; raise `UserError` for one that is there twice."""
    found = tuple(line.strip() for line in lines_in(file) if line.strip())
    if len(set(found)) != len(found):
        raise problem("written_names.different_names", file, found=", ".join(found)[:80])
    return found


def mapped_names(file: Path, used: Collection[str]) -> tuple[str, ...]:
    """Return the names in CVAT's and Datumaro's map `file` (`name:colour:parts:actions`), in its order.

    Nothing where there is no such file, or where it lacks one of the names that are `used`. What they call background
    is a class only if it is used.
    """
    lines = lines_in(file) if file.is_file() else []
    names = [line.partition(":")[0].strip() for line in lines if line.strip() and not line.startswith("#")]
    kept = tuple(dict.fromkeys(name for name in names if name and (name in used or name != _NO_CLASS)))
    return kept if set(used) <= set(kept) else ()


def lines_in(file: Path) -> list[str]:
    """Return the lines of a text that somebody else wrote; raise `UserError` where it is not in UTF-8."""
    try:
        return file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise problem("written_names.text_utf_8", file) from error


def by_id(names: Written | None) -> list[str] | None:
    """Return names in the order of their ids, which count from 0; None where they do not."""
    if not isinstance(names, dict):
        return names
    ids = {int(one): name for one, name in names.items() if one.isdecimal()}
    return [ids[number] for number in range(len(ids))] if sorted(ids) == list(range(len(names))) else None


def _plain(nodes: list[Any]) -> bool:
    return all(isinstance(one, yaml.ScalarNode) and one.tag != "tag:yaml.org,2002:null" for one in nodes)


def _text(node: Any) -> str:
    return str(node.value).strip()
