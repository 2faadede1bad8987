"""`coverage`: for a cold start. Classes that are rare among the labels first, typical objects of each first.

With few labels a detector's doubt says little; what helps then is to see what there is (TypiClust, Hacohen et al.,
ICML 2022). Classes take turns: always the one with the fewest labelled and chosen objects for its place. It takes the
sheet of its most typical object: the one whose features are nearest to the other detections of its class, less what
labelled or chosen objects are as near to it. A class of which nothing is seen has no object to take; the random arm is
its chance.
"""

import numpy as np

from stages.picking.strategies.pool_view import Floats, Ints, Order, PoolView, nearest_cosines

MOST = 2000  # detections per class that are compared with each other, the likeliest
TURNS = 8  # times `PoolView.wanted`: what comes later stands in an order of chance


def coverage_order(view: PoolView, rng: np.random.Generator) -> Order:
    """Return the sheets as classes take turns to choose them."""
    pools = {class_id: _Objects(view, class_id) for class_id in range(view.classes)}
    count = np.bincount(view.known_class, minlength=view.classes).astype(float)
    taken = np.zeros(len(view.sheets), dtype=bool)
    said = ["It was drawn by chance."] * len(view.sheets)
    order: list[int] = []
    while len(order) < min(TURNS * view.wanted, len(view.sheets)):
        turns = (pools[class_id].best(taken) for class_id in np.argsort(count, kind="stable").tolist())
        place = next((one for one in turns if one is not None), None)
        if place is None:
            break
        order.append(place)
        taken[place] = True
        said[place] = "It holds what is typical of a class with few labels."
        own = view.class_id[view.sheet == place]
        likely = view.calibration.chance(own, view.confidence[view.sheet == place])
        count += np.bincount(own, weights=likely, minlength=view.classes)
        for one in pools.values():
            one.cover(place)
    rest = rng.permutation(np.flatnonzero(~taken))
    places = np.concatenate([np.array(order, dtype=np.int64), rest])
    score = np.empty(len(places))
    score[places] = np.linspace(1, 0, len(places)) if len(places) > 1 else 1.0
    return Order(places, score, tuple(said))


class _Objects:
    """The detections of a class: how typical each is, and how near the nearest labelled or chosen object is."""

    def __init__(self, view: PoolView, class_id: int) -> None:
        own = np.flatnonzero(view.class_id == class_id)
        chance = view.calibration.chance(view.class_id[own], view.confidence[own])
        # By what a detection is, not by where it stands: permuted rows must give the same choice.
        kept = np.lexsort((view.sheet[own], -chance))[:MOST]
        self.sheet: Ints = view.sheet[own][kept]
        self.features = view.features[own][kept].astype(np.float64)
        near = np.clip(self.features @ self.features.T, 0.0, 1.0) @ chance[kept]
        self.typical: Floats = near / max(float(near.max()), 1e-9) if len(near) else near
        known = view.known_features[view.known_class == class_id].astype(np.float64)
        self.covered = nearest_cosines(self.features, known)

    def best(self, taken: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> int | None:
        """Return the sheet of the most typical object that nothing labelled or chosen stands for."""
        score = np.where(taken[self.sheet], -np.inf, self.typical - self.covered)
        return int(self.sheet[np.argmax(score.round(9))]) if len(score) and np.isfinite(score.max()) else None

    def cover(self, place: int) -> None:
        """Take note that the objects on the sheet at `place` have been chosen."""
        self.covered = np.maximum(self.covered, nearest_cosines(self.features, self.features[self.sheet == place]))
