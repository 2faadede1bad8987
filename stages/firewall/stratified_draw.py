"""Draws units of sheets into parts of given sizes, so that each part gets its share of every class."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

REST = -1  # the part that nothing is drawn into: what stays


def draw_units(
    sizes: NDArray[np.int64], boxes: NDArray[np.int64], targets: Sequence[int], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return the part that each unit goes to, (n,): an index of `targets`, or REST.

    `sizes` (n,): sheets of a unit; `boxes` (n, classes): its boxes; `targets`: the sheets that each part should get,
    the rest being what is left of their sum. Greedy: the class with the fewest boxes first, its largest units first,
    each to the part that lacks the largest share of what it should get of that class; units without boxes come last.
    A part is never filled beyond its target while another has room, and none is left empty while the rest has more
    than one unit.
    """
    room = np.array([*targets, sizes.sum() - sum(targets)], dtype=np.float64)
    wants = room[:, None] / max(1, sizes.sum()) * boxes.sum(axis=0)[None, :]  # (parts, classes)
    all_room, all_wants = np.maximum(room, 1), np.where(wants > 0, wants, 1)
    part = np.full(len(sizes), len(targets))
    open_units = list(rng.permutation(len(sizes)))
    while open_units:
        chosen, key = _next_units(open_units, boxes)
        for unit in chosen:
            fits = np.flatnonzero(room >= sizes[unit])
            among = fits if len(fits) else np.flatnonzero(room == room.max())
            need = (room / all_room if key is None else wants[:, key] / all_wants[:, key])[among]
            best = int(among[np.lexsort((-room[among], -need))[0]])
            part[unit] = best
            room[best] -= sizes[unit]
            wants[best] -= boxes[unit]
        done = set(chosen)
        open_units = [unit for unit in open_units if unit not in done]
    return np.where(_without_empty(part, sizes, len(targets)) == len(targets), REST, part)


def _next_units(open_units: Sequence[int], boxes: NDArray[np.int64]) -> tuple[list[int], int | None]:
    """Return the units with the rarest class that is left, those with most boxes first, and that class."""
    left = boxes[open_units].sum(axis=0) if boxes.shape[1] else np.zeros(0)
    if not left.any():
        return list(open_units), None
    key = int(np.where(left > 0, left, np.inf).argmin())
    having = [unit for unit in open_units if boxes[unit, key] > 0]
    return sorted(having, key=lambda unit: -int(boxes[unit, key])), key


def _without_empty(part: NDArray[np.int64], sizes: NDArray[np.int64], rest: int) -> NDArray[np.int64]:
    """Move the smallest unit of the rest into each part that got none; changes `part`, and returns it."""
    for empty in sorted(set(range(rest)) - set(part.tolist())):
        spare = np.flatnonzero(part == rest)
        if len(spare) > 1:
            part[spare[int(sizes[spare].argmin())]] = empty
    return part
