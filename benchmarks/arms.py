"""How far the verdict on the picker can be trusted: coverage of its interval, and false alarms, on made-up reviews.

    python -m benchmarks.arms

Sheets have 4 to 30 boxes; the share of errors on a sheet is drawn from a beta distribution, so sheets differ more than
boxes drawn alone would: `alike` hardly, `uneven` as the demo's sheets do, `skewed` so that most sheets are clean and a
few are bad. 9 picked sheets for each random one, 2,000 trials per row, seed 0. Where both rates are equal, `better` is
how often the verdict is wrong. Two more tables: whoever asks after each of ten reviews asks ten times; and whether as
many sheets more as the verdict forecasts do tell.
"""

from itertools import product
from typing import NamedTuple

import numpy as np

from stages.picking.picker_verdict import Comparison, between, sheets_to_tell, verdict
from stages.ruler.scores.intervals import Floats

TRIALS = 2_000
SHEETS = (2, 3, 5, 10, 20)  # random ones
PER_RANDOM = 9  # picked sheets for each of them
CLUSTERING = {"alike": 30.0, "uneven": 6.0, "skewed": 1.0}  # of the beta distribution
REVIEWS = 10


class Truth(NamedTuple):
    """What the made-up sheets are drawn from: errors per box, and how unevenly they lie, of both arms."""

    picked: float
    random: float
    picked_kind: str
    random_kind: str

    @property
    def gain(self) -> float:
        """The true difference."""
        return self.picked - self.random


KINDS = (("uneven", "uneven"), ("skewed", "skewed"), ("alike", "skewed"))
RATES = ((0.2, 0.2), (0.05, 0.05), (0.4, 0.2), (0.4, 0.1))
TRUTHS = tuple(Truth(*rates, *kinds) for rates, kinds in product(RATES, KINDS))


def draw(rng: np.random.Generator, *, sheets: int, rate: float, kind: str) -> Floats:
    """Return made-up sheets of one arm, (sheets, 2): errors and boxes."""
    boxes = rng.integers(4, 31, sheets)
    shares = rng.beta(rate * CLUSTERING[kind], (1 - rate) * CLUSTERING[kind], sheets)
    return np.stack([rng.binomial(boxes, shares), boxes], axis=1).astype(float)


def arms(rng: np.random.Generator, truth: Truth, *, sheets: int) -> tuple[Floats, Floats]:
    """Return picked and random sheets, of the latter `sheets`."""
    picked = draw(rng, sheets=PER_RANDOM * sheets, rate=truth.picked, kind=truth.picked_kind)
    return picked, draw(rng, sheets=sheets, rate=truth.random, kind=truth.random_kind)


def trial(rng: np.random.Generator, truth: Truth, *, sheets: int) -> Comparison:
    """Return the comparison of `sheets` random sheets with the picked ones."""
    picked, random = arms(rng, truth, sheets=sheets)
    return between(picked=picked, random=random)


def said(found: Comparison) -> str:
    """Return which of its verdicts is given: better, not better, or not known."""
    words = verdict(found)
    return next((one for one in ("not better", "better") if words.startswith(f"The picker is {one} than")), "not known")


def coverage(rng: np.random.Generator) -> None:
    """Print how often the interval holds the truth, and how often each verdict is given."""
    print("random sheets  errors per box  sheets are          held  better  not better  not known  median width")
    for truth, sheets in product(TRUTHS, SHEETS):
        found = [trial(rng, truth, sheets=sheets) for _ in range(TRIALS)]
        low, high = np.array([[one.low, one.high] for one in found], dtype=float).T
        words = np.array([said(one) for one in found])
        held = ((low <= truth.gain) & (truth.gain <= high)).mean()
        shares = "".join(
            f"{(words == one).mean():>{wide}.1%}"
            for one, wide in (("better", 8), ("not better", 12), ("not known", 11))
        )
        kinds = f"{truth.picked_kind}, {truth.random_kind}"
        print(
            f"{sheets:>13}{f'{truth.picked:.2f}, {truth.random:.2f}':>16}  {kinds:<16}{held:>8.1%}{shares}"
            f"{np.median(high - low):>14.2f}"
        )


def peeking(rng: np.random.Generator) -> None:
    """Print how often a picker that is not better is ever called so in ten reviews, each with 1 or 2 random sheets."""
    print("\nsheets per review  errors per box  sheets are        ever 'better' in ten reviews")
    for truth, sheets in product([one for one in TRUTHS if one.gain == 0], (1, 2)):
        ever = []
        for _ in range(TRIALS):
            picked, random = arms(rng, truth, sheets=REVIEWS * sheets)
            looks = (
                between(picked=picked[: PER_RANDOM * sheets * k], random=random[: sheets * k])
                for k in range(1, REVIEWS + 1)
            )
            ever.append(any(said(one) == "better" for one in looks))
        kinds = f"{truth.picked_kind}, {truth.random_kind}"
        print(f"{sheets:>17}{f'{truth.picked:.2f}, {truth.random:.2f}':>16}  {kinds:<16}{np.mean(ever):>12.1%}")


def forecast(rng: np.random.Generator) -> None:
    """Print how often as many sheets more as the verdict forecasts show that the picker is better."""
    print("\nrandom sheets  errors per box  sheets are        a forecast  median of it  it tells")
    for truth, sheets in product([one for one in TRUTHS if one.gain > 0], (3, 5, 10)):
        asked, told = [], []
        for _ in range(TRIALS):
            picked, random = arms(rng, truth, sheets=sheets)
            more = sheets_to_tell(between(picked=picked, random=random))
            if more:
                later = arms(rng, truth, sheets=more)
                both = between(picked=np.vstack([picked, later[0]]), random=np.vstack([random, later[1]]))
                asked.append(more)
                told.append(said(both) == "better")
        kinds = f"{truth.picked_kind}, {truth.random_kind}"
        print(
            f"{sheets:>13}{f'{truth.picked:.2f}, {truth.random:.2f}':>16}  {kinds:<16}{len(asked) / TRIALS:>12.1%}"
            f"{np.median(asked):>14.0f}{np.mean(told):>10.1%}"
        )


def main() -> None:
    """Print the three tables."""
    rng = np.random.default_rng(0)
    coverage(rng)
    peeking(rng)
    forecast(rng)


if __name__ == "__main__":
    main()
