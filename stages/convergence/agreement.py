"""How far an iteration and the one before agree on the pool: F1 of the one's boxes, with the other's as the truth.

Both sides count from their own operating confidence on, so F1 is the same whichever side is the truth. It needs no
labels, and nobody chooses anything by these sheets: that models stop changing what they say of the pool is a sign of
its own that more of the same brings little (stabilizing predictions: Bloodgood and Vijay-Shanker, CoNLL 2009). Two
models may agree on what is wrong, so it stands beside F1 and decides nothing.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from stages.base.boxes import BOX
from stages.convergence.regression import KeptOutcomes, PoolBox
from stages.ruler.matching.matching import outcomes
from stages.ruler.scores.intervals import rate_estimates, units_of
from stages.wording.quantities import counted
from stages.wording.rates import rate_in

POOL_SHEETS = 100  # are compared at most: their interval is narrow enough, and what is carried stays small
_BOX_COLUMNS = ["class_id", "confidence", *BOX]


class Agreement(NamedTuple):
    """F1 of the boxes of two iterations on the sheets of the pool that both have seen, in [0, 1]."""

    since: int | None  # the iteration before; None where nothing is compared
    sheets: int  # sheets of the pool that are compared
    agreement: float | None  # None: nothing is compared, or neither drew a box
    low: float | None  # low end of its 95 % interval
    high: float | None  # high end of it
    says: str  # the same in words, "" where nothing is compared


def compared_sheets(names: Sequence[str]) -> list[str]:
    """Return which sheets of the pool are kept for the comparison, sorted: POOL_SHEETS at most.

    Those whose names have the lowest SHA-256: as good as drawn by chance, and the same ones as long as they are there.
    """
    order = sorted(names, key=lambda name: hashlib.sha256(name.encode()).digest())
    return sorted(order[:POOL_SHEETS])


def agreement_with(
    before: KeptOutcomes | None, now: KeptOutcomes, *, groups: Mapping[str, str], iou: float
) -> Agreement:
    """Return how far `now` agrees with `before`; `groups` has the group of each sheet of the pool, "" for none.

    Where the classes have changed in between, boxes of those that stayed are compared alone.
    """
    both = sorted(now.pool.keys() & before.pool.keys()) if before else []
    if before is None or not both:
        return Agreement(None, 0, None, None, None, "")
    matched = outcomes(
        detections=_table(now.pool, both, "detection_id", before.classes),
        ground_truth=_table(before.pool, both, "object_id", before.classes).drop(columns="confidence"),
        iou=iou,
        confidence=0.0,  # what lies below is not kept
    )
    counts = {
        kind: matched[matched["outcome"] == kind].groupby("image_id").size().reindex(both, fill_value=0)
        for kind in ("tp", "fp", "fn")
    }
    tp, fp, fn = (np.asarray(one, dtype=np.int64)[:, None] for one in counts.values())
    found = rate_estimates(tp=tp, fp=fp, fn=fn, unit=units_of([groups[one] for one in both]))
    value, low, high = (None if np.isnan(one[0]) else float(one[0]) for one in found["f1"])
    says = f"agreement with iteration {before.iteration} on {counted(len(both), 'sheet')} of the pool: "
    says = "" if value is None else says + rate_in(value, low, high)
    return Agreement(before.iteration, len(both), value, low, high, says)


def _table(
    pool: Mapping[str, Sequence[PoolBox]], names: Sequence[str], number: str, classes: Collection[int] | None
) -> pd.DataFrame:
    rows = [
        (name, place, *box)
        for name in names
        for place, box in enumerate(pool[name])
        if classes is None or box.class_id in classes
    ]
    types = {number: "int64", "class_id": "int64", **dict.fromkeys(["confidence", *BOX], "float64")}
    return pd.DataFrame(rows, columns=["image_id", number, *_BOX_COLUMNS]).astype(types).assign(split="pool")
