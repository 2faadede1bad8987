"""Changes values in a YAML text and leaves its comments, its order and its other lines alone.

Lists come out one item per line, as `dvc exp run -S` writes them: a run then leaves the file as it is.
"""

from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any

import yaml as pyyaml
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import CommentMark
from ruamel.yaml.representer import RoundTripRepresenter
from ruamel.yaml.scalarstring import DoubleQuotedScalarString
from ruamel.yaml.tokens import CommentToken


def edited(text: str, values: Mapping[str, Any]) -> str:
    """Return `text` with the dotted paths of `values` set; a missing key goes to the end of its mapping."""
    yaml = _round_trip()
    document = yaml.load(text) or CommentedMap()
    for path, value in values.items():
        *parents, key = path.split(".")
        node = document
        for parent in parents:
            node = node.setdefault(parent, CommentedMap())
        if isinstance(value, list | tuple):
            _set_list(node, key, value)
        else:
            node[key] = _plain(value)
    return _dump(yaml, document)


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested mappings as one, by dotted path."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return found


def replaced_mapping(text: str, key: str, values: Mapping[str, str | list[str]]) -> str:
    """Return `text` with the mapping at the top-level `key` holding exactly `values`, in their order."""
    yaml = _round_trip()
    document = yaml.load(text) or CommentedMap()
    document[key] = CommentedMap({_plain(name): _items(value) for name, value in values.items()})
    return _dump(yaml, document)


def with_item(text: str, key: str, name: str, value: str | list[str]) -> str:
    """Return `text` with `name` set in the mapping at the top-level `key`, which is made when it is not there."""
    yaml = _round_trip()
    document = yaml.load(text) or CommentedMap()
    if not isinstance(document.get(key), CommentedMap) or document[key].fa.flow_style():
        document[key] = CommentedMap(document.get(key) or {})
    document[key][name if name in document[key] else _plain(name)] = _items(value)
    return _dump(yaml, document)


def moved_keys(text: str, key: str, values: Mapping[str, Any], origins: Mapping[str, str]) -> str:
    """Return `text` with the mapping at the top-level `key` holding exactly `values`, in their order.

    `origins` names for a new key the old one that it goes on from, whose comment goes with it, and whose value stays
    as it was written where it is equal. Other comments go with the keys that they belong to.
    """
    yaml = _round_trip()
    document = yaml.load(text) or CommentedMap()
    old = document.get(key)
    there = old if isinstance(old, CommentedMap) else CommentedMap()
    moved = CommentedMap()
    for name, value in values.items():
        origin = origins.get(name)
        kept = origin in there and there[origin] == value
        moved[_plain(name)] = there[origin] if kept else _items(value)
        if origin in there.ca.items:
            moved.ca.items[name] = there.ca.items[origin]
    moved.ca.comment = there.ca.comment
    document[key] = moved
    return _dump(yaml, document)


def _set_list(node: CommentedMap, key: str, value: Sequence[Any]) -> None:
    """Set a list of one item or more; a comment behind the key and empty lines below the list stay."""
    comment, below = _comments(node, key)
    items = CommentedSeq(_plain(item) for item in value)
    node[key] = items
    node.ca.items.pop(key, None)
    if comment:
        node.ca.items[key] = [None, None, _token(f"{comment}\n"), []]
    if below:
        items.ca.items[len(value) - 1] = [_token(f"\n{below}"), None, None, None]


def _comments(node: CommentedMap, key: str) -> tuple[str, str]:
    """Return the comment behind `key` and the text under its list (ruamel hangs both on what is before)."""
    behind = next((token.value for token in node.ca.items.get(key, [])[2:3] if token), "")
    first, _, below = behind.partition("\n")
    old = node.get(key)
    if isinstance(old, CommentedSeq) and not old.fa.flow_style():
        last = old.ca.items.get(len(old) - 1, [None])[0]
        below = last.value.partition("\n")[2] if last else ""
    return first.strip(), below


def _plain(value: object) -> object:
    """Return `value`, quoted if a YAML 1.1 reader would not take it for text (`yes`, `on`, `12`)."""
    if not isinstance(value, str):
        return value
    try:
        return value if pyyaml.safe_load(value) == value else DoubleQuotedScalarString(value)
    except pyyaml.YAMLError:
        return DoubleQuotedScalarString(value)


def _items(value: str | list[str]) -> object:
    return CommentedSeq(map(_plain, value)) if isinstance(value, list) else _plain(value)


def _token(text: str) -> CommentToken:
    return CommentToken(text, CommentMark(0))


class _Representer(RoundTripRepresenter):  # type: ignore[misc]
    """Writes `null` as params.yaml does; ruamel would leave the place empty."""


_Representer.add_representer(type(None), lambda self, _: self.represent_scalar("tag:yaml.org,2002:null", "null"))


def _round_trip() -> YAML:
    yaml = YAML()
    yaml.Representer = _Representer
    yaml.width = 4096  # long lines stay lines
    yaml.preserve_quotes = True
    return yaml


def _dump(yaml: YAML, document: CommentedMap) -> str:
    out = StringIO()
    yaml.dump(document, out)
    return out.getvalue()
