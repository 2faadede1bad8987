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
            file,
            expected=f"a prompt for each of {', '.join(classes)}",
            found=f"none for '{missing[0]}'" if missing else f"one for '{unknown[0]}', which is no class",
            mend="Write `prompts: {class name: text}`, with the names of params.yaml.",
        )
    texts = [prompts[name].strip().lower() for name in classes]
    twin = next((i for i, text in enumerate(texts) if text in texts[:i]), None)
    if twin is not None:
        raise problem(
            file,
            expected="a different prompt for every class",
            found=f"the same one for '{classes[texts.index(texts[twin])]}' and '{classes[twin]}'",
            mend="Say what tells them apart: one text cannot mean two classes.",
        )
    return {name: prompts[name].strip() for name in classes}
