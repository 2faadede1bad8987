"""Reads `data/prompts.yaml`: what YOLOE is told to look for, one text per class."""

from collections.abc import Sequence
from pathlib import Path

from stages.base.errors import problem
from stages.base.params import read_yaml

PROMPTS = Path("data/prompts.yaml")


def read_prompts(classes: Sequence[str], file: Path = PROMPTS) -> dict[str, str]:
    """Return the prompt of every class, in class order.

    Raises `UserError` when a class has none, when a prompt belongs to no class (a spelling mistake), and when two
    classes have the same one.
    """
    found = read_yaml(file).get("prompts")
    prompts = found if isinstance(found, dict) else {}
    missing = [name for name in classes if not isinstance(prompts.get(name), str) or not prompts[name].strip()]
    unknown = [str(name) for name in prompts if name not in classes]
    if missing or unknown:
        raise problem(
            "prompt_file.prompt_each",
            file,
            classes=", ".join(classes),
            found=f"none for '{missing[0]}'" if missing else f"one for '{unknown[0]}', which is no class",
        )
    texts = [prompts[name].strip().lower() for name in classes]
    twin = next((i for i, text in enumerate(texts) if text in texts[:i]), None)
    if twin is not None:
        raise problem(
            "prompt_file.different_prompt_every",
            file,
            classes=classes[texts.index(texts[twin])],
            classes_2=classes[twin],
        )
    return {name: prompts[name].strip() for name in classes}
