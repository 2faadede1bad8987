"""Brings data/prompts.yaml to another list of classes: texts, and whatever else is kept there by class."""

from collections.abc import Mapping
from typing import Any

from stages.classes.class_change import ClassChange
from stages.project.yaml_edits import moved_keys
from stages.prompts.texts.prompt_file import plain


def migrated_prompts(text: str, values: Mapping[str, Any], change: ClassChange) -> str:
    """Return `text`, the prompts file, for the classes of `change`; `values` is what it holds.

    Other mappings in it (notes and the like) are taken for ones by class where they have a key that is one: a key goes
    on with what became of its class, and those of merged classes are put together.
    """
    origins: dict[str, str] = {}
    for old in change.old:
        if old in change.becomes:
            origins.setdefault(change.becomes[old], old)
    done = moved_keys(text, "prompts", {name: plain(texts) for name, texts in change.prompts.items()}, origins)
    for key, held in values.items():
        if key != "prompts" and isinstance(held, dict) and set(held) & set(change.old):
            done = moved_keys(done, key, _by_class(held, change), {**{one: one for one in held}, **origins})
    return done


def _by_class(held: Mapping[Any, Any], change: ClassChange) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for key, value in held.items():
        if key in change.old and key not in change.becomes:
            continue
        name = change.becomes.get(key, key)
        found[name] = _together(found[name], value) if name in found else value
    return found


def _together(one: Any, other: Any) -> Any:
    """Return two values as one: texts behind each other, lists as well; of anything else the first stays."""
    if isinstance(one, str) and isinstance(other, str):
        return f"{one}; {other}"
    return [*one, *other] if isinstance(one, list) and isinstance(other, list) else one
