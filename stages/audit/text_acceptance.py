"""`yoloop prompts accept CLASS K`: takes a text that `analyze` proposed and measured into data/prompts.yaml."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stages.audit.prompt_edit import set_prompt
from stages.base.errors import problem
from stages.base.params import PARAMS, read_classes, read_iteration
from stages.base.tables import read_json
from stages.project.project_lock import exclusive
from stages.prompts.texts.prompt_file import PROMPTS, read_prompts, shown, texts_of

_NO_BETTER = "With these weights it finds no more than the present text: they were trained with that one."
SUGGESTIONS = Path("metrics/prompt_suggestions.json")


def accept(root: Path, class_name: str, number: int) -> list[str]:
    """Set the prompt of a class to its candidate `number`, from 1, and say what that means.

    Raises `UserError`, with nothing changed, for a class without that candidate, and when the prompt is no longer the
    one that the candidates were compared with.
    """
    with exclusive(root):
        classes, file = read_classes(root / PARAMS), root / SUGGESTIONS
        if not file.is_file():
            raise problem("text_acceptance.suggestions", SUGGESTIONS)
        row: dict[str, Any] = next(
            (one for one in read_json(file)["suggestions"] if one["class_name"] == class_name), {}
        )
        chosen = next((one for one in row.get("candidates", []) if one["number"] == number), None)
        if chosen is None:
            raise problem(
                "text_acceptance.candidate", SUGGESTIONS, there=_there(row, classes), number=number, name=class_name
            )
        now, then = read_prompts(classes, root / PROMPTS)[class_name], texts_of(row["prompt"])
        if now != then:
            raise problem("text_acceptance.same_prompt", PROMPTS, then=shown(then), now=shown(now))
        origin = f"suggestion {number} of iteration {read_iteration(root / PARAMS)}"
        texts = texts_of(chosen["texts"])
        set_prompt(root, class_name, texts, origin=origin)
    return [
        f"{class_name}: '{shown(now)}' -> '{shown(texts)}' ({origin})",
        chosen["says"],
        *([_NO_BETTER] if (chosen["f1"]["value"] or 0.0) <= 0 else []),
        "It is told from the next training on; yoloop prompts history will say what it did.",
    ]


def _there(row: Mapping[str, Any], classes: tuple[str, ...]) -> str:
    """Return in words which candidates a class has."""
    last = len(row.get("candidates", []))
    if not last:
        return f"a class with candidates (of {', '.join(classes)})"
    return f"a number from 1 to {last}"
