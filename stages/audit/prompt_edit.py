"""Sets the prompt of one class in data/prompts.yaml, with where it came from; all else of the file stays."""

from collections.abc import Sequence
from pathlib import Path

from stages.base.atomic import replacing
from stages.project.yaml_edits import with_item
from stages.prompts.texts.prompt_file import PROMPTS, plain


def set_prompt(root: Path, class_name: str, texts: Sequence[str], *, origin: str) -> None:
    """Write the texts of a class, and whose they are, into the prompts file of the project at `root`."""
    text = (root / PROMPTS).read_text(encoding="utf-8-sig")
    text = with_item(with_item(text, "prompts", class_name, plain(texts)), "origins", class_name, origin)
    with replacing(root / PROMPTS) as temporary:
        temporary.write_text(text, encoding="utf-8")
