"""Reads `data/prompts.yaml`: what YOLOE is told to look for, one text or several per class."""

from collections.abc import Mapping, Sequence
from itertools import chain, combinations
from pathlib import Path
from typing import Any

from stages.base.errors import problem
from stages.base.params import read_yaml
from stages.prompts.texts.examples import example_of, is_example

PROMPTS = Path("data/prompts.yaml")
Prompts = Mapping[str, tuple[str, ...]]  # class name: its texts, at least one; their vectors are averaged


def read_prompts(classes: Sequence[str], file: Path = PROMPTS, *, twins: bool = False) -> dict[str, tuple[str, ...]]:
    """Return the texts of every class, in class order; raise `UserError` as `checked_prompts` does."""
    found = read_yaml(file).get("prompts")
    return checked_prompts(found if isinstance(found, dict) else {}, classes, file, twins=twins)


def checked_prompts(
    given: Mapping[Any, Any], classes: Sequence[str], file: Path, *, twins: bool = False
) -> dict[str, tuple[str, ...]]:
    """Return the texts that `given`, read from `file`, has for every class, in class order.

    Raises `UserError` when a class has none, when a prompt belongs to no class (a spelling mistake), when a text stands
    twice (unless `twins` may), and for an example that cannot be read.
    """
    prompts = {name: texts_of(given.get(name)) for name in classes}
    missing = [name for name in classes if not prompts[name]]
    unknown = [str(name) for name in given if name not in classes]
    if missing or unknown:
        raise problem(
            "prompt_file.prompt_each",
            file,
            classes=", ".join(classes),
            found=f"none for '{missing[0]}'" if missing else f"one for '{unknown[0]}', which is no class",
        )
    if not twins:
        _check_twins(prompts, file)
    unread = next((text for text in chain(*prompts.values()) if is_example(text) and example_of(text) is None), None)
    if unread is not None:
        raise problem("prompt_file.example", file, text=unread)
    return prompts


def texts_of(value: object) -> tuple[str, ...]:
    """Return the texts that stand for one class, without blanks around them; none when `value` is anything else."""
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) and text.strip() for text in texts):
        return ()
    return tuple(text.strip() for text in texts)


def plain(texts: Sequence[str]) -> str | list[str]:
    """Return the texts of a class as the file has them: one is no list."""
    return texts[0] if len(texts) == 1 else list(texts)


def shown(texts: Sequence[str]) -> str:
    """Return the texts of a class on one line, for a person."""
    return " | ".join(texts)


def _check_twins(prompts: Prompts, file: Path) -> None:
    lines = [(name, text.casefold()) for name, texts in prompts.items() for text in texts]
    for (one, text), (other, same) in combinations(lines, 2):
        if text == same and one != other:
            raise problem("prompt_file.different_prompt_every", file, one=one, other=other)
        if text == same:
            raise problem("prompt_file.text_twice", file, one=one)
