"""The blind random arm: sheets that go to review by chance, to see whether the picker is better than that."""

from collections.abc import Sequence

import numpy as np

PICKED, RANDOM = "picked", "random"  # why a sheet is in a packet; others: `stages/picking/second_looks`


def draw_sheets(pool: Sequence[str], *, picked: int, share: float, rng: np.random.Generator) -> list[str]:
    """Return the sheets of `pool` that go to review by chance, sorted.

    They are drawn from the whole pool, whatever the picker thinks of them, so that they stand for it. As many as make
    `share`, in [0, 1), of a packet with `picked` sheets of the picker: at least one, but never the whole pool.
    """
    if share == 0 or len(pool) < 2 or picked == 0:
        return []
    wanted = max(1, round(share * picked / (1 - share)))
    return sorted(rng.choice(sorted(pool), size=min(wanted, len(pool) - 1), replace=False).tolist())
