"""`diverse`: doubtful sheets that differ from each other and from what is labelled (PPAL).

Two steps of Yang et al., "Plug and Play Active Learning for Object Detection", CVPR 2024. First a sheet's doubt: the
sum over its detections of their entropy, weighted by how difficult their class is for the detector. Then, among the
most doubtful (`POOL` times what is wanted), those are taken that are farthest from all that is taken and labelled:
similarity of two sheets is the mean over the objects of one of the largest cosine with an object of its class on the
other, weighted by doubt; an object of a class that the other sheet lacks counts as unlike.
"""

import numpy as np

from stages.picking.strategies.pool_view import Floats, Ints, Order, PoolView, nearest_cosines, summed
from stages.picking.strategies.uncertain_order import doubt

POOL = 4  # times the sheets that are wanted: PPAL's delta
FEWEST = 1e-9


def diverse_order(view: PoolView, rng: np.random.Generator) -> Order:
    """Return the most doubtful sheets in farthest-first order, then the others by doubt."""
    chance = view.calibration.chance(view.class_id, view.confidence)
    doubts = doubt(chance)
    weight = doubts * _difficulty(view, chance)[view.class_id]
    score = summed(weight, view)
    luck = rng.permutation(len(score))
    by_doubt = np.lexsort((luck, -score.round(9)))
    near = _Nearness(view, weight, by_doubt[: POOL * view.wanted])
    first = near.farthest_first(score)
    rest = by_doubt[~np.isin(by_doubt, first)]
    said = [f"{one:.1f} bits of doubt, weighted by how hard its classes are." for one in score]
    return Order(np.concatenate([first, rest]).astype(np.int64), score, tuple(said))


def _difficulty(view: PoolView, chance: Floats) -> Floats:
    """Return 1 for the class whose likely detections are the least sure, down to a half for the surest, (classes,)."""
    likely = np.bincount(view.class_id, weights=chance, minlength=view.classes)
    sure = np.bincount(view.class_id, weights=chance**2, minlength=view.classes)
    hard = np.where(likely > 0, 1 - sure / np.maximum(likely, FEWEST), 1.0)
    return np.asarray(0.5 + 0.5 * hard / max(float(hard.max()), FEWEST), dtype=np.float64)


class _Nearness:
    """How like each candidate sheet is to the nearest one that is taken or labelled."""

    def __init__(self, view: PoolView, weight: Floats, places: Ints) -> None:
        self.places = places
        at = np.full(len(view.sheets), -1)
        at[places] = np.arange(len(places))
        rows = np.flatnonzero(at[view.sheet] >= 0)
        rows = rows[np.lexsort((view.confidence[rows], view.class_id[rows], view.sheet[rows]))]
        self.at, self.class_id, self.weight = at[view.sheet[rows]], view.class_id[rows], weight[rows]
        self.features = view.features[rows].astype(np.float64)
        self.total = np.maximum(np.bincount(self.at, weights=self.weight, minlength=len(places)), FEWEST)
        self.near = self._like(view.known_class, view.known_features.astype(np.float64))

    def farthest_first(self, score: Floats) -> Ints:
        """Return the places, each the farthest from all before it and from what is labelled, weighted by its doubt."""
        left = np.ones(len(self.places), dtype=bool)
        order: list[int] = []
        while left.any():
            far = np.where(left, (1 - self.near) * score[self.places], -1.0).round(9)
            best = int(np.argmax(far))
            order.append(best)
            left[best] = False
            own = self.at == best
            self.near = np.maximum(self.near, self._like(self.class_id[own], self.features[own]))
        return np.asarray(self.places[order], dtype=np.int64)

    def _like(self, class_id: Ints, features: Floats) -> Floats:
        """Return how like each candidate sheet is to a set of objects, in [0, 1]."""
        nearest = np.zeros(len(self.class_id))
        for one in np.unique(class_id):
            own = self.class_id == one
            nearest[own] = nearest_cosines(self.features[own], features[class_id == one])
        like = np.bincount(self.at, weights=self.weight * nearest, minlength=len(self.places)) / self.total
        return np.asarray(like, dtype=np.float64)
