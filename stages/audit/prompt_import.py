"""`yoloop prompts import FILE`: takes texts from the JSON of another system into data/prompts.yaml."""

import json
from pathlib import Path
from typing import Any

from stages.base.atomic import replacing
from stages.base.errors import problem
from stages.base.params import PARAMS, read_classes
from stages.project.project_lock import exclusive
from stages.project.yaml_edits import replaced_mapping
from stages.prompts.texts.prompt_file import PROMPTS, checked_prompts, plain, read_prompts, shown, texts_of

_NESTED, _TEXT = "callout_types", "text_prompt"


def import_prompts(root: Path, file: Path) -> list[str]:
    """Set the prompts to those of a JSON, and say what changed.

    Raises `UserError`, with nothing changed, unless it has a text for each class and for nothing else.
    """
    with exclusive(root):
        classes = read_classes(root / PARAMS)
        prompts = checked_prompts(found_prompts(_read(file), file), classes, file)
        text = (root / PROMPTS).read_text(encoding="utf-8-sig")
        before = read_prompts(classes, root / PROMPTS)
        taken = {name: plain(texts) for name, texts in prompts.items()}
        with replacing(root / PROMPTS) as temporary:
            temporary.write_text(replaced_mapping(text, "prompts", taken), encoding="utf-8")
    changed = [f"{name}: '{shown(before[name])}' -> '{shown(prompts[name])}'" for name in classes]
    return [line for name, line in zip(classes, changed, strict=True) if before[name] != prompts[name]] or ["as before"]


def found_prompts(values: Any, file: Path) -> dict[Any, Any]:
    """Return what stands for each class, flat (`{class: text}`) or as `callout_types.<class>.text_prompt`."""
    nested = values.get(_NESTED) if isinstance(values, dict) else None
    if isinstance(nested, dict):
        values = {name: one.get(_TEXT) if isinstance(one, dict) else one for name, one in nested.items()}
    if not isinstance(values, dict):
        raise problem("prompt_import.mapping", file, found=type(values).__name__)
    empty = next((name for name, value in values.items() if not texts_of(value)), None)
    if empty is not None:
        raise problem("prompt_import.text", file, name=empty, found=repr(values[empty])[:60])
    return values


def _read(file: Path) -> Any:
    if not file.is_file():
        raise problem("prompt_import.file", file)
    try:
        return json.loads(file.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise problem("prompt_import.json", file, found=str(error)[:100]) from error
