"""Gives every image of a source one role: train, val, test or pool."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

ROLES = ("train", "val", "test", "pool")


class Part(NamedTuple):
    """What becomes a role: a whole split of the source, a share of its train in (0, 1), or images by name."""

    split: str | None = None
    share: float | None = None
    names: frozenset[str] = frozenset()


class Assignment(NamedTuple):
    """Names per role, sorted, each name in one role; `unused` are the names per split that have none."""

    roles: dict[str, tuple[str, ...]]
    unused: dict[str, tuple[str, ...]]


def assign(splits: Mapping[str, Sequence[str]], wanted: Mapping[str, Part], rng: np.random.Generator) -> Assignment:
    """Return which names of `splits` become train, val, test and pool.

    `wanted` says it for val, test and pool; a role that is not in it takes the source's split of that name,
    unless another role takes that. Train is what `wanted` leaves of the source's train. Shares are of the
    source's whole train, at least one image, drawn after images were taken by name. Raises `ValueError`
    with a short sentence when two roles want one image, or nothing would be left in train.
    """
    parts = _with_defaults(splits, wanted)
    roles = {role: set(part.names) | set(splits.get(part.split or "", ())) for role, part in parts.items()}
    _refuse_overlap(roles)
    left = set(splits.get("train", ())).difference(*roles.values())
    order = list(rng.permutation(np.array(sorted(left), dtype=object)))
    for role, part in parts.items():
        if part.share is not None:
            count = max(1, round(part.share * len(splits.get("train", ()))))
            roles[role], order = set(order[:count]), order[count:]
    if not order:
        raise ValueError("no image is left in train")
    roles["train"] = set(order)
    used = set().union(*roles.values())
    unused = {name: tuple(sorted(set(names) - used)) for name, names in splits.items() if set(names) - used}
    return Assignment({role: tuple(sorted(roles[role])) for role in ROLES}, unused)


def _with_defaults(splits: Mapping[str, Sequence[str]], wanted: Mapping[str, Part]) -> dict[str, Part]:
    taken = {part.split for part in wanted.values()}
    defaults = {role: Part(split=role) for role in ROLES[1:] if role in splits and role not in taken}
    return {role: wanted.get(role, defaults.get(role, Part())) for role in ROLES[1:]}


def _refuse_overlap(roles: Mapping[str, set[str]]) -> None:
    seen: dict[str, str] = {}
    for role, names in roles.items():
        for name in sorted(names):
            if name in seen:
                raise ValueError(f"{name} would be in {seen[name]} and in {role}")
            seen[name] = role
