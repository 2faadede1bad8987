"""The values that the demo has in the place of a person's: `demo/params.yaml`, taken into params.yaml and out again."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from stages.base.params import PARAMS, read_yaml
from stages.project.later_settings import edits
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


def holds_edits(root: Path) -> bool:
    """Say whether params.yaml holds values of a person's that Git does not have, and that an import can take along.

    Not so where a key of HEAD is gone, or where most of the demo's values are new: then the demo was drawn, and which
    of the values are the person's is not to be told.
    """
    if is_drawn(root) or not git.changed(root, [str(PARAMS)]):
        return False
    old, now = _values(params_at(root)), _values((root / PARAMS).read_text(encoding="utf-8-sig", errors="replace"))
    demo = {key: value for key, value in demo_values(root).items() if old.get(key) != value}
    taken = [key for key, value in demo.items() if now.get(key) == value]
    return old.keys() <= now.keys() and 2 * len(taken) <= len(demo)


def own_params(root: Path) -> str:
    """Return the text of params.yaml that an import starts from: a person's, committed or not."""
    return (root / PARAMS).read_text(encoding="utf-8-sig") if holds_edits(root) else params_at(root)


def own_values_line(root: Path) -> list[str]:
    """Return a line with the values of params.yaml that are not in Git yet, and go in with an import."""
    if not holds_edits(root):
        return []
    new = edits(_values(params_at(root)), _values(own_params(root)))
    return [f"{PARAMS}: what you have edited is committed with the import: {', '.join(new)}"] if new else []


def values_before_demo(root: Path, *, has_run: bool) -> dict[str, Any]:
    """Return what stood before the demo's values in params.yaml of HEAD, for each of them that stands there now.

    `has_run`: iterations of the demo are in this project. Where none is, a person may have chosen some of these values:
    only all of them together are the demo's.
    """
    now, demo = _values(params_at(root)), demo_values(root)
    own = _values(own_params(root))
    held = [key for key in demo if now.get(key) == demo[key] == own.get(key)]
    if not (has_run or len(held) == len(demo)):
        return {}
    commits = git.run(root, "log", "--format=%H", "--", str(PARAMS)).split()  # the newest first
    versions = [_values(params_at(root, commit)) for commit in commits]
    before = {key: [old[key] for old in versions if old.get(key, demo[key]) != demo[key]] for key in held}
    return {key: values[0] for key, values in before.items() if values}


def tile_before(root: Path, imports: Iterable[str]) -> dict[str, int | None]:
    """Return the `tile` of before the commits `imports` where they have set it: it goes when they are replaced."""
    now = _values(own_params(root)).get("tile")
    for commit in imports:
        before, then = (_values(params_at(root, rev)).get("tile") for rev in (f"{commit}^", commit))
        if before != then == now:
            return {"tile": before}
    return {}


def _values(text: str) -> dict[str, Any]:
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError:  # an old version that a person has mended since
        return {}
    return flat(values) if isinstance(values, dict) else {}
