"""`yoloop prompts history`: what YOLOE was told in each iteration, and what that came to."""

from pathlib import Path

import yaml

from stages.base.errors import problem
from stages.project.location import finished_iterations, metrics_at
from stages.project.preconditions import iteration_tag
from stages.project.repository import git
from stages.prompts.texts.prompt_file import PROMPTS, shown, texts_of
from stages.wording.rates import rate


def history_lines(root: Path) -> list[str]:
    """Return one row per finished iteration: its number, F1 on val, and the prompts that changed.

    Raises `UserError` when no iteration is finished.
    """
    git.require_repository(root)
    git.head(root)
    rows = ["iteration     F1  prompts"]
    before: dict[str, str] = {}
    for iteration in finished_iterations(root):
        tag = iteration_tag(root, iteration)
        prompts = _prompts_at(root, tag)
        f1 = metrics_at(root, tag, "validate").get("f1")
        said = "; ".join(changes(before, prompts)) if len(rows) > 1 else _all(prompts)
        rows.append(f"{iteration:>9}  {rate(f1):>5}  {said or 'as before'}")
        before = prompts
    if len(rows) == 1:
        raise problem("prompt_history.finished_iteration", "git tags")
    return rows


def changes(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Return what changed, per class: + new, - gone, * with another text."""
    new = [f'+ {name}: "{after[name]}"' for name in after if name not in before]
    gone = [f"- {name}" for name in before if name not in after]
    both = [name for name in after if name in before and before[name] != after[name]]
    return [*(f'* {name}: "{before[name]}" -> "{after[name]}"' for name in both), *new, *gone]


def _all(prompts: dict[str, str]) -> str:
    return "; ".join(f'{name}: "{text}"' for name, text in prompts.items())


def _prompts_at(root: Path, rev: str) -> dict[str, str]:
    data = git.content(root, rev, str(PROMPTS))
    values = yaml.safe_load(data) if data else {}
    return {str(name): shown(texts_of(texts)) for name, texts in (values.get("prompts") or {}).items()}
