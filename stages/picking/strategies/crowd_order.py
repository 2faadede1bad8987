"""`crowd`: the sheets with most boxes first. A control: a strategy that does not beat it only counts boxes."""

import numpy as np

from stages.picking.strategies.pool_view import Order, PoolView, by_score, summed


def crowd_order(view: PoolView, rng: np.random.Generator) -> Order:
    """Return the sheets by how many pre-labels they would have."""
    boxes = summed((view.confidence >= view.prelabel).astype(float), view)
    return by_score(boxes, [f"{int(count)} boxes were seen on it." for count in boxes], rng)
