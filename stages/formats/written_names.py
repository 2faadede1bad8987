"""Class names as a YAML file has them written: YAML itself reads 02146 as 1126, and `no` as a truth value."""

from pathlib import Path
from typing import Any

import yaml

from stages.base.errors import problem

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
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise problem("written_names.text_utf_8", file) from error
    found = tuple(line.strip() for line in lines if line.strip())
    if len(set(found)) != len(found):
        raise problem("written_names.different_names", file, found=", ".join(found)[:80])
    return found


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
