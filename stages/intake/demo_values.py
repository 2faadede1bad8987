"""The values that the demo has in the place of a person's: `demo/params.yaml`, taken into params.yaml and out again."""

from pathlib import Path
from typing import Any

import yaml

from stages.base.params import PARAMS, read_yaml
from stages.project.repository import git
from stages.project.yaml_edits import edited, flat

DEMO_PARAMS = Path("demo/params.yaml")


def demo_values(root: Path) -> dict[str, Any]:
    """Return what the demo changes in params.yaml, by dotted path; nothing in a project without a demo."""
    return flat(read_yaml(root / DEMO_PARAMS)) if (root / DEMO_PARAMS).is_file() else {}


def params_at(root: Path, rev: str = "HEAD") -> str:
    """Return the text of params.yaml at a commit; empty when it is not there."""
    return (git.content(root, rev, str(PARAMS)) or b"").decode("utf-8-sig", errors="replace")


def drawn_params(root: Path) -> str:
    """Return params.yaml of HEAD with the demo's values, as `python -m demo draw` leaves it."""
    text = params_at(root)
    return edited(text, demo_values(root)) if _values(text) else text


def is_drawn(root: Path) -> bool:
    """Say whether params.yaml differs from HEAD by the demo's values, and by nothing else."""
    return bool(git.changed(root, [str(PARAMS)])) and (root / PARAMS).read_bytes() == drawn_params(root).encode()


def values_before_demo(root: Path, *, has_run: bool) -> dict[str, Any]:
    """Return what stood before the demo's values in params.yaml of HEAD, for each of them that stands there now.

    `has_run`: iterations of the demo are in this project. Where none is, a person may have chosen some of these values:
    only all of them together are the demo's.
    """
    now, demo = _values(params_at(root)), demo_values(root)
    held = [key for key in demo if now.get(key) == demo[key]]
    if not (has_run or len(held) == len(demo)):
        return {}
    commits = git.run(root, "log", "--format=%H", "--", str(PARAMS)).split()  # the newest first
    versions = [_values(params_at(root, commit)) for commit in commits]
    before = {key: [old[key] for old in versions if old.get(key, demo[key]) != demo[key]] for key in held}
    return {key: values[0] for key, values in before.items() if values}


def _values(text: str) -> dict[str, Any]:
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError:  # an old version that a person has mended since
        return {}
    return flat(values) if isinstance(values, dict) else {}
