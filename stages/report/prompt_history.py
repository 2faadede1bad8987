"""`yoloop prompts history`: what YOLOE was told in each iteration, by whose words, and what that came to."""

import io
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import yaml

from stages.base.errors import problem
from stages.project.location import finished_iterations, metrics_at
from stages.project.preconditions import iteration_tag
from stages.project.repository import git
from stages.prompts.texts.prompt_file import PROMPTS, shown, texts_of
from stages.wording.rates import rate

_CLASSES = "plots/converge/classes.csv"
_SUGGESTIONS = "metrics/prompt_suggestions.json"
_ORIGIN = re.compile(r"suggestion (\d+) of iteration (\d+)")


class ToldIteration(NamedTuple):
    """What a finished iteration was told, and what came of it."""

    prompts: Mapping[str, str]  # class name: its texts on one line
    origins: Mapping[str, str]  # class name: who its prompt came from; a person, where there is none
    f1: float | None
    class_f1: Mapping[str, float | None]
    ruler: str  # id
    suggestions: Mapping[str, Any]  # its own, for the next one


def history_lines(root: Path) -> list[str]:
    """Return a row per finished iteration, its number, F1 on val and its prompts, and a line per changed prompt.

    Raises `UserError` when no iteration is finished.
    """
    git.require_repository(root)
    git.head(root)
    numbers = finished_iterations(root)
    told = {number: _told(root, iteration_tag(root, number), number) for number in numbers}
    if not told:
        raise problem("prompt_history.finished_iteration", "git tags")
    rows = ["iteration     F1  prompts"]
    before: ToldIteration | None = None
    for iteration, now in told.items():
        changed = changes(before.prompts, now.prompts) if before else []
        first = "as before" if before and not changed else "; ".join(changed) if changed else _all(now.prompts)
        rows.append(f"{iteration:>9}  {rate(now.f1):>5}  {first}")
        if before:
            rows += [f"{'':>18}{line}" for line in effects(before, now, told)]
        before = now
    return rows


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Return what changed, per class: + new, - gone, * with another text."""
    new = [f'+ {name}: "{after[name]}"' for name in after if name not in before]
    gone = [f"- {name}" for name in before if name not in after]
    both = [name for name in after if name in before and before[name] != after[name]]
    return [*(f'* {name}: "{before[name]}" -> "{after[name]}"' for name in both), *new, *gone]


def effects(before: ToldIteration, now: ToldIteration, told: Mapping[int, ToldIteration]) -> list[str]:
    """Return a line per class with another text: whose it is, what was expected of it, and F1 before and after.

    The training in between had more labels as well: F1 says what both did together.
    """
    changed = [name for name in now.prompts if name in before.prompts and before.prompts[name] != now.prompts[name]]
    return [_effect(name, before, now, told) for name in changed]


def _effect(name: str, before: ToldIteration, now: ToldIteration, told: Mapping[int, ToldIteration]) -> str:
    origin = now.origins.get(name, "") if now.origins.get(name) != before.origins.get(name) else ""
    same = before.ruler == now.ruler
    came = f"F1 {rate(before.class_f1.get(name))} -> {rate(now.class_f1.get(name))}" if same else "another ruler since"
    expected = _expected(name, origin, told)
    return f"{name}: {origin or 'by hand'}; {f'{expected}; ' if expected else ''}{came}"


def _expected(name: str, origin: str, told: Mapping[int, ToldIteration]) -> str:
    """Return what was said when the candidate that `origin` names was proposed, or ""."""
    match = _ORIGIN.fullmatch(origin)
    asked = told.get(int(match[2])) if match else None
    if match is None or asked is None:
        return ""
    row: dict[str, Any] = next(
        (one for one in asked.suggestions.get("suggestions", []) if one["class_name"] == name), {}
    )
    return next((str(one["says"]) for one in row.get("candidates", []) if one["number"] == int(match[1])), "")


def _all(prompts: Mapping[str, str]) -> str:
    return "; ".join(f'{name}: "{text}"' for name, text in prompts.items())


def prompts_at(root: Path, rev: str) -> dict[str, str]:
    """Return each class with its texts on one line, as the commit `rev` has them."""
    return _texts(_values(root, rev))


def _values(root: Path, rev: str) -> dict[str, Any]:
    return yaml.safe_load(git.content(root, rev, str(PROMPTS)) or b"") or {}


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): shown(texts_of(texts)) for name, texts in (values.get("prompts") or {}).items()}


def _told(root: Path, rev: str, iteration: int) -> ToldIteration:
    values = _values(root, rev)
    metrics, suggestions = metrics_at(root, rev, "validate"), git.content(root, rev, _SUGGESTIONS)
    return ToldIteration(
        _texts(values),
        {str(name): str(text) for name, text in (values.get("origins") or {}).items()},
        metrics.get("f1"),
        _class_f1(git.content(root, rev, _CLASSES), iteration),
        str(metrics.get("ruler")),
        json.loads(suggestions) if suggestions else {},
    )


def _class_f1(data: bytes | None, iteration: int) -> dict[str, float | None]:
    if not data:
        return {}
    rows = pd.read_csv(io.BytesIO(data))
    own = rows[rows["iteration"] == iteration]
    return {
        str(name): None if pd.isna(f1) else float(f1) for name, f1 in zip(own["class_name"], own["f1"], strict=True)
    }
