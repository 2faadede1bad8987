"""What `-S PATH=VALUE,VALUE` stands for: every combination of values, each an experiment, and how DVC is told."""

import re
from collections.abc import Mapping, Sequence
from itertools import product
from typing import NamedTuple

import yaml

from stages.base.errors import problem
from stages.prompts.texts.prompt_file import PROMPTS

_PROMPT = f"{PROMPTS}:prompts."
# A value between quotes, which may hold commas; or what stands between two commas.
_VALUE = re.compile(r""""(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<plain>[^,]*)""")


class Setting(NamedTuple):
    """One value of a sweep: where it goes, and its text as it was typed, without quotes."""

    path: str  # train.base_lr, or data/prompts.yaml:prompts.title
    text: str

    @property
    def class_name(self) -> str | None:
        """The class whose prompt it is, None for a value of params.yaml."""
        return self.path.removeprefix(_PROMPT) if self.path.startswith(_PROMPT) else None


def combinations(asked: Sequence[str]) -> list[tuple[Setting, ...]]:
    """Return the experiments of a sweep: a setting per path, in the order in which the paths came.

    Values of params.yaml are parted at commas outside of quotes. A prompt is one text, commas and all; other texts of
    it are given by naming its path again. Raises `UserError` for what is no PATH=VALUE.
    """
    values: dict[str, list[Setting]] = {}
    for one in asked:
        path, equals, text = one.partition("=")
        if not equals or not path or not text.strip():
            raise problem("sweep_values.path_value", f"-S {one}")
        texts = [_bare(text)] if path.startswith(_PROMPT) else _parted(text)
        values.setdefault(path, []).extend(Setting(path, text) for text in texts)
    return list(product(*values.values()))


def override(setting: Setting) -> str:
    """Return a setting as DVC takes it, in the grammar of Hydra: text that could be read otherwise is quoted."""
    if setting.class_name is None and re.fullmatch(r"[\w.+-]+", setting.text):
        return f"{setting.path}={setting.text}"
    # Between quotes a backslash is one, but before a quote, or the end.
    quoted = re.sub(r"(\\*)('|$)", lambda found: found[1] * 2 + "\\'" * bool(found[2]), setting.text)
    return f"{setting.path}='{quoted}'"


def nested(settings: Sequence[Setting]) -> dict[str, object]:
    """Return the settings of params.yaml level by level, each value as YAML reads its text there."""
    found: dict[str, object] = {}
    for setting in settings:
        *parents, key = setting.path.split(".")
        node = found
        for parent in parents:
            below = node.setdefault(parent, {})
            if not isinstance(below, dict):
                raise problem("sweep_values.path_value", f"-S {setting.path}")
            node = below
        node[key] = yaml.safe_load(setting.text)
    return found


def names_of(name: str, count: int) -> list[str]:
    """Return the names of `count` experiments: NAME for one, else NAME-1, NAME-2, …"""
    return [name] if count == 1 else [f"{name}-{number}" for number in range(1, count + 1)]


def said(settings: Sequence[Setting]) -> str:
    """Return settings for a person to read."""
    return ", ".join(f"{one.path.removeprefix(f'{PROMPTS}:')} = {one.text}" for one in settings)


def taken(names: Sequence[str], known: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the first of `names` that is used, and as what; `known`: name -> what it is."""
    return next(((name, known[name]) for name in names if name in known), None)


def _parted(text: str) -> list[str]:
    values, place = [], 0
    while place <= len(text):
        found = _VALUE.match(text, place)
        if found is None or (found.end() < len(text) and text[found.end()] != ","):
            raise problem("sweep_values.path_value", f"-S {text}")
        values.append(next(value for value in found.groups() if value is not None).strip())
        place = found.end() + 1
    if not all(values):
        raise problem("sweep_values.path_value", f"-S {text}")
    return values


def _bare(text: str) -> str:
    """Return a text without the quotes around it, if it has some."""
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
    return text[1:-1] if quoted else text
