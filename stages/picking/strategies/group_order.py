"""`by_group`: by chance, but drawing sets take turns, so that a large set does not fill the packet."""

import numpy as np

from stages.picking.strategies.pool_view import Order, PoolView, by_score


def group_order(view: PoolView, rng: np.random.Generator) -> Order:
    """Return the sheets so that the first of each group come first, then the second of each; all by chance."""
    luck = rng.permutation(len(view.sheets))
    group = np.unique(view.groups, return_inverse=True)[1]
    order = np.lexsort((luck, group))
    first = np.searchsorted(group[order], group[order])  # where the sheets of its group begin
    turn = np.zeros(len(view.sheets))
    turn[order] = np.arange(len(order)) - first
    turn[view.groups == ""] = 0  # sheets of no known group are a group each
    said = [f"It stands for drawing set {name}." if name else "It was drawn by chance." for name in view.groups]
    return by_score(-turn, said, rng)
