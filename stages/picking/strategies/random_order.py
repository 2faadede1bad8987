"""`random`: every sheet has the same chance. What every other strategy is measured against."""

import numpy as np

from stages.picking.strategies.pool_view import Order, PoolView, by_score


def random_order(view: PoolView, rng: np.random.Generator) -> Order:
    """Return the sheets in an order of chance."""
    return by_score(np.zeros(len(view.sheets)), ["It was drawn by chance."] * len(view.sheets), rng)
