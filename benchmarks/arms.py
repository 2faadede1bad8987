"""How far the verdict on the picker can be trusted: coverage of its interval, and false alarms, on made-up reviews.

    python -m benchmarks.arms

Sheets have 4 to 30 boxes; the share of errors on a sheet is drawn from a beta distribution (so sheets differ more than
boxes drawn alone would), 9 picked sheets for each random one. 2,000 trials per row, seed 0.
"""

from itertools import product

import numpy as np
import pandas as pd

from stages.core.arms import PICKED, RANDOM, Comparison, compare

TRIALS = 2_000
CLUSTERING = 6.0  # of the beta distribution: the smaller, the more sheets differ
RATES = ((0.2, 0.2), (0.3, 0.2), (0.4, 0.1), (0.05, 0.05))  # errors per box, picked and random


def arm(rng: np.random.Generator, *, sheets: int, rate: float, name: str) -> pd.DataFrame:
    """Return made-up sheets of one arm: arm, boxes, errors."""
    boxes = rng.integers(4, 31, sheets)
    shares = rng.beta(rate * CLUSTERING, (1 - rate) * CLUSTERING, sheets)
    return pd.DataFrame({"arm": name, "boxes": boxes, "errors": rng.binomial(boxes, shares)})


def trial(rng: np.random.Generator, *, sheets: int, picked: float, random: float) -> Comparison:
    """Return the comparison of `sheets` random sheets with nine times as many picked ones."""
    parts = [
        arm(rng, sheets=9 * sheets, rate=picked, name=PICKED),
        arm(rng, sheets=sheets, rate=random, name=RANDOM),
    ]
    return compare(pd.concat(parts))


def main() -> None:
    """Print how often the interval holds the truth, and how often each verdict is given."""
    rng = np.random.default_rng(0)
    print("random sheets  picked rate  random rate     held   better    worse  median width")
    for sheets, (picked, random) in product((2, 3, 5, 10, 20), RATES):
        found = [trial(rng, sheets=sheets, picked=picked, random=random) for _ in range(TRIALS)]
        low, high = np.array([[one.low, one.high] for one in found]).T
        held, better, worse = (low <= picked - random) & (picked - random <= high), low > 0, high < 0
        shares = "".join(f"{part.mean():>9.1%}" for part in (held, better, worse))
        print(f"{sheets:>13}{picked:>13}{random:>13}{shares}{np.median(high - low):>14.2f}")


if __name__ == "__main__":
    main()
