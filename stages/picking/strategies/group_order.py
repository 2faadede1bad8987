"""`by_group`: by chance, but drawing sets take turns, so that a large set does not fill the packet."""

import numpy as np

from stages.picking.strategies.pool_view import Order, PoolView, by_score


def group_order(view: PoolView, rng: np.random.Generator) -> Order:
    """Return the sheets so that the first of each group come first, then the second of each; all by chance."""
    luck = rng.permutation(len(view.sheets))
    turn = np.zeros(len(view.sheets))
    for name in np.unique(view.groups):
        own = np.flatnonzero(view.groups == name)
        # Sheets of no known group are a group each.
        turn[own[np.argsort(luck[own])]] = 0 if name == "" else np.arange(len(own))
    said = [f"It stands for drawing set {name}." if name else "It was drawn by chance." for name in view.groups]
    return by_score(-turn, said, rng)
