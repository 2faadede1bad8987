"""What a person edits while a finished iteration waits for its review: it counts from the next iteration on.

What the finished one ran with stands in dvc.lock and at its tag, so nothing is lost, and nothing is to be run again.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from stages.project.yaml_edits import flat

_PARAMS, _PROMPTS = "params.yaml", "data/prompts.yaml"
RULES = "converge"  # the section of the stop rules, and the step that decides by them
_HELD = ("iteration", "classes")  # `yoloop advance` and `yoloop classes` change these, and nobody by hand


def is_for_next(path: str, key: str) -> bool:
    """Say whether the value `key` of the file `path` is one that may change under a review."""
    return path == _PROMPTS or (path == _PARAMS and key.partition(".")[0] not in _HELD)


def without_later(entry: Iterable[Any]) -> list[Any]:
    """Return one entry of `dvc status` without what may change under a review, and without what is then empty.

    A stage or a .dvc file has parts: words, or mappings of a kind of change to paths, and of a params file to keys.
    """
    parts = [part if not isinstance(part, dict) else _kept(part) for part in entry]
    return [part for part in parts if part]


def _kept(part: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    kinds = {
        kind: {path: kept for path, how in paths.items() if (kept := _kept_keys(path, how))}
        for kind, paths in part.items()
    }
    return {kind: paths for kind, paths in kinds.items() if paths}


def _kept_keys(path: str, how: Any) -> Any:
    """Return the changed keys of a params file that count; anything else as it is."""
    if not isinstance(how, dict):
        return how
    return {key: what for key, what in how.items() if not is_for_next(path, key)}


def edits(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return what differs between two contents of params.yaml, each as `train.epochs 8 -> 4`."""
    old, new = ({key: value for key, value in flat(one).items() if is_for_next(_PARAMS, key)} for one in (before, now))
    keys = [key for key in {**old, **new} if old.get(key, _PARAMS) != new.get(key, _PARAMS)]
    return [f"{key} {_shown(old, key)} -> {_shown(new, key)}" for key in keys]


def edits_line(edited: list[str], iteration: int) -> str:
    """Return what happens with values that were edited since `iteration` has run."""
    return (
        f"{_PARAMS} was edited since iteration {iteration} ran: {', '.join(edited)}. That counts from iteration "
        f"{iteration + 1} on; what ran stands in dvc.lock"
    )


def differs_in_decision(before: bytes | None, now: bytes | None) -> bool:
    """Say whether two contents of dvc.lock are of one run, decided by other stop rules: all but the last is equal."""
    old, new = (_without_rules(one) for one in (before, now))
    return before != now and old is not None and old == new


def _without_rules(lock: bytes | None) -> Any:
    """Return a dvc.lock without the stop rules, and without what is made of them."""
    graph = yaml.safe_load(lock) if lock else None
    step = ((graph or {}).get("stages") or {}).get(RULES)
    if not step:
        return None
    step.pop("outs", None)
    step.get("params", {}).get(_PARAMS, {}).pop(RULES, None)
    return graph


def _shown(values: Mapping[str, Any], key: str) -> str:
    return str(values[key]) if key in values else "(none)"
