"""`yoloop prompts import FILE`: takes texts from the JSON of another system into data/prompts.yaml."""

import json
from pathlib import Path
from typing import Any

from stages.base.atomic import replacing
from stages.base.errors import problem
from stages.base.params import PARAMS, read_classes
from stages.project.yaml_edits import replaced_mapping
from stages.prompts.texts.prompt_file import PROMPTS, plain, read_prompts, shown, texts_of

_NESTED, _TEXT = "callout_types", "text_prompt"


def import_prompts(root: Path, file: Path) -> list[str]:
    """Set the prompts to those of a JSON, and say what changed.

    Raises `UserError`, with nothing changed, unless it has a text for each class and for nothing else.
    """
    classes = read_classes(root / PARAMS)
    found = found_prompts(_read(file), file)
    prompts = {name: found.get(name, ()) for name in classes}
    missing = [name for name in classes if not prompts[name]]
    unknown = [name for name in found if name not in classes]
    if missing or unknown:
        wrong = f"none for '{missing[0]}'" if missing else f"one for '{unknown[0]}', which is no class"
        raise problem("prompt_import.each", file, classes=", ".join(classes), found=wrong)
    text = (root / PROMPTS).read_text(encoding="utf-8-sig")
    before = read_prompts(classes, root / PROMPTS)
    with replacing(root / PROMPTS) as temporary:
        taken = {name: plain(texts) for name, texts in prompts.items()}
        temporary.write_text(replaced_mapping(text, "prompts", taken), encoding="utf-8")
        read_prompts(classes, temporary)  # as strict as with what is written by hand
    changed = [f"{name}: '{shown(before[name])}' -> '{shown(prompts[name])}'" for name in classes]
    return [line for name, line in zip(classes, changed, strict=True) if before[name] != prompts[name]] or ["as before"]


def found_prompts(values: object, file: Path) -> dict[str, tuple[str, ...]]:
    """Return the texts by class name, flat (`{class: text}`) or as `callout_types.<class>.text_prompt`."""
    nested = values.get(_NESTED) if isinstance(values, dict) else None
    if isinstance(nested, dict):
        values = {name: one.get(_TEXT) if isinstance(one, dict) else one for name, one in nested.items()}
    if not isinstance(values, dict):
        raise problem("prompt_import.mapping", file, found=type(values).__name__)
    texts = {str(name): texts_of(value) for name, value in values.items()}
    empty = next((name for name, several in texts.items() if not several), None)
    if empty is not None:
        raise problem("prompt_import.text", file, name=empty, found=repr(values[empty])[:60])
    return texts


def _read(file: Path) -> Any:
    if not file.is_file():
        raise problem("prompt_import.file", file)
    try:
        return json.loads(file.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise problem("prompt_import.json", file, found=str(error)[:100]) from error
