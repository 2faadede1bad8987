"""Deals the sheets of a labelled dataset into roles, anew for every seed."""

from collections.abc import Mapping, Sequence

import numpy as np

from stages.firewall.roles import ROLES


def deal(
    units: Sequence[tuple[str, ...]], sizes: Mapping[str, int], rng: np.random.Generator
) -> dict[str, tuple[str, ...]]:
    """Return the names of each role, sorted; what is left over has none.

    `units` are names that must stay together (copies, groups), `sizes` the sheets that train, val, test and pool get.
    Units come in random order, and each goes to the first of these roles that has room for it: no look at the labels,
    so that starting sheets are as good or as bad as a person's, and seeds are independent. Raises `ValueError` with the
    name of a role that stays empty.
    """
    left = {role: sizes[role] for role in ("train", "val", "test", "pool")}
    names: dict[str, list[str]] = {role: [] for role in ROLES}
    for at in rng.permutation(len(units)).tolist():
        role = next((role for role, room in left.items() if room >= len(units[at])), None)
        if role is not None:
            left[role] -= len(units[at])
            names[role] += units[at]
    empty = next((role for role in left if not names[role]), None)
    if empty is not None:
        raise ValueError(empty)
    return {role: tuple(sorted(found)) for role, found in names.items()}
