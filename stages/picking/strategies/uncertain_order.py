"""`uncertain`: the sheets whose most doubtful detections are the most doubtful.

Doubt is the entropy of the calibrated chance to be right, in bits. A sheet counts with the mean of its `TOP` most
doubtful detections, shrunk towards the pool's mean as if it had `PRIOR` more of that: one doubtful box is not a sheet
that teaches much, and a crowd of sure ones is none either.
"""

import numpy as np

from stages.picking.strategies.pool_view import Floats, Order, PoolView, by_score

TOP = 5  # detections of a sheet
PRIOR = 2.0  # detections of mean doubt


def uncertain_order(view: PoolView, rng: np.random.Generator) -> Order:
    """Return the sheets by the shrunk mean doubt of their most doubtful detections."""
    doubts = doubt(view.calibration.chance(view.class_id, view.confidence))
    order = np.lexsort((-doubts, view.sheet))
    first = np.searchsorted(view.sheet[order], view.sheet[order])  # where the rows of its sheet begin
    top = order[np.arange(len(order)) - first < TOP]
    total = np.bincount(view.sheet[top], weights=doubts[top], minlength=len(view.sheets))
    count = np.bincount(view.sheet[top], minlength=len(view.sheets))
    mean = float(np.sort(doubts).mean()) if len(doubts) else 0.0
    score = (total + PRIOR * mean) / (count + PRIOR)
    return by_score(score, [f"Its most doubtful boxes hold {one:.2f} bits of doubt." for one in score], rng)


def doubt(chance: Floats) -> Floats:
    """Return the entropy of being right or wrong, in bits: 1 at a chance of a half, 0 for what is certain."""
    inside = np.clip(chance, 1e-12, 1 - 1e-12)
    return np.asarray(-(inside * np.log2(inside) + (1 - inside) * np.log2(1 - inside)), dtype=np.float64)
