"""What YOLOE is told of the classes of an import: texts that are there stay, a new class is told its name."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from stages.base.errors import problem
from stages.base.params import read_yaml
from stages.intake.contract.contract import groups_of_case
from stages.project.repository import git
from stages.project.yaml_edits import replaced_mapping
from stages.prompts.texts.prompt_file import PROMPTS, plain, texts_of


def new_prompts(root: Path, classes: tuple[str, ...]) -> tuple[bytes, list[str]]:
    """Return the prompts file for `classes`, and lines that say what changed in it.

    A person's texts are taken as they lie there, committed or not. Raises `UserError` when texts that Git does not have
    would go, since their class is none of the import.
    """
    found = _by_class(read_yaml(root / PROMPTS))
    kept = {name: texts for name in classes if (texts := texts_of(found.get(name)))}
    prompts = {name: plain(kept.get(name, (name,))) for name in classes}
    new = [name for name in classes if name not in kept]
    gone = [str(name) for name in found if name not in prompts]
    committed = git.content(root, "HEAD", str(PROMPTS))
    saved = found if committed == git.here(root, str(PROMPTS)) else _saved(committed)
    lost = [name for name in gone if saved.get(name) != found.get(name)]
    if lost:
        raise problem("import_prompts.unsaved", root / PROMPTS, lost=lost[0])
    edited = [name for name in kept if saved.get(name) != found[name]]
    said = [f"{PROMPTS}: what you have edited is committed with the import: {', '.join(edited)}"] if edited else []
    said += [f"prompts: dropped, since the class is gone: {', '.join(gone)}"] if gone else []
    if new:
        said.append(f"prompts: the class name itself for {', '.join(new)}; describe them better in {PROMPTS}")
    alike = [names for names in groups_of_case(classes) if any(name in new for name in names)]
    said += [
        f"prompts: {' and '.join(names)} read the same; `yoloop run` wants different ones: say them in {PROMPTS}"
        for names in alike
    ]
    text = (root / PROMPTS).read_text(encoding="utf-8-sig")
    return replaced_mapping(text, "prompts", prompts).encode(), said


def _saved(committed: bytes | None) -> Mapping[str, Any]:
    """Return the texts that Git has, by class."""
    try:
        return _by_class(yaml.safe_load(committed or b""))
    except yaml.YAMLError:  # an old version that a person has mended since
        return {}


def _by_class(values: object) -> Mapping[str, Any]:
    prompts = values.get("prompts") if isinstance(values, dict) else None
    return prompts if isinstance(prompts, dict) else {}
