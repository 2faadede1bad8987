"""How far the verdict on the picker can be trusted: coverage of its interval, and false alarms, on made-up reviews.

    python -m benchmarks.arms

Sheets have 4 to 30 boxes; the share of errors on a sheet is drawn from a beta distribution, so sheets differ more than
boxes drawn alone would: `alike` hardly, `uneven` as the demo's sheets do, `skewed` so that most sheets are clean and a
few are bad. 9 picked sheets for each random one, in one packet, seed 0. Where both rates are equal, `better` is how
often the verdict is wrong.

Three more tables. Packets that differ: in size, in their share of random sheets, and in errors per box, which fall from
one iteration to the next; `pooled` is what comes out with all sheets in one pot. Asking after each of ten reviews. And
whether as many sheets more as the verdict forecasts do tell.
"""

from itertools import product
from typing import Annotated, NamedTuple

import numpy as np
import typer

from stages.picking.picker_verdict import Comparison, between, sheets_to_tell, verdict
from stages.ruler.pairing.pairs import Floats

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


class Packet(NamedTuple):
    """One iteration: sheets of each arm, and how many errors per box chance would find."""

    picked: int
    random: int
    rate: float


PLANS = {
    "shrinking": (Packet(40, 2, 0.4), Packet(20, 4, 0.25), Packet(10, 5, 0.1)),
    "growing": (Packet(10, 5, 0.4), Packet(20, 4, 0.25), Packet(40, 2, 0.1)),
    "1 random each": (Packet(18, 1, 0.4), Packet(9, 1, 0.3), Packet(9, 1, 0.2), Packet(5, 1, 0.1)),
    "ten, 1 or 2 random": tuple(Packet(9 * (1 + i % 2), 1 + i % 2, 0.4 - 0.035 * i) for i in range(10)),
}
GAINS = (0.0, 0.2)


def draw(rng: np.random.Generator, *, sheets: int, rate: float, kind: str, iteration: int = 0) -> Floats:
    """Return made-up sheets of one arm, (sheets, 3): iteration, errors and boxes."""
    boxes = rng.integers(4, 31, sheets)
    shares = rng.beta(rate * CLUSTERING[kind], (1 - rate) * CLUSTERING[kind], sheets)
    return np.stack([np.full(sheets, iteration), rng.binomial(boxes, shares), boxes], axis=1).astype(float)


def packets(
    rng: np.random.Generator, plan: tuple[Packet, ...], *, gain: float, kinds: tuple[str, str]
) -> tuple[Floats, Floats]:
    """Return picked and random sheets of all packets of a plan; the picker finds `gain` errors per box more."""
    picked, random = (
        [
            draw(rng, sheets=sheets, rate=rate, kind=kind, iteration=i)
            for i, one in enumerate(plan)
            for sheets, rate in [(one.picked, one.rate + gain) if is_picked else (one.random, one.rate)]
        ]
        for kind, is_picked in zip(kinds, (True, False), strict=True)
    )
    return np.vstack(picked), np.vstack(random)


def arms(rng: np.random.Generator, truth: Truth, *, sheets: int, iteration: int = 0) -> tuple[Floats, Floats]:
    """Return picked and random sheets of one packet, of the latter `sheets`."""
    return (
        draw(rng, sheets=PER_RANDOM * sheets, rate=truth.picked, kind=truth.picked_kind, iteration=iteration),
        draw(rng, sheets=sheets, rate=truth.random, kind=truth.random_kind, iteration=iteration),
    )


def trial(rng: np.random.Generator, truth: Truth, *, sheets: int) -> Comparison:
    """Return the comparison of `sheets` random sheets with the picked ones."""
    picked, random = arms(rng, truth, sheets=sheets)
    return between(picked=picked, random=random)


def said(found: Comparison) -> str:
    """Return which of its verdicts is given: better, not better, or not known."""
    words = verdict(found)
    return next((one for one in ("not better", "better") if words.startswith(f"The picker is {one} than")), "not known")


def shares_of_verdicts(found: list[Comparison]) -> str:
    """Return how often each verdict is given, as three columns."""
    words = np.array([said(one) for one in found])
    columns = (("better", 8), ("not better", 12), ("not known", 11))
    return "".join(f"{(words == one).mean():>{wide}.1%}" for one, wide in columns)


def held(found: list[Comparison], gain: float) -> tuple[float, float]:
    """Return how often the interval holds `gain`, and its median width; without an interval everything may be."""
    low, high = np.array([[-1 if one.low is None else one.low, 1 if one.high is None else one.high] for one in found]).T
    return float(((low <= gain) & (gain <= high)).mean()), float(np.median(high - low))


def coverage(rng: np.random.Generator, trials: int) -> None:
    """Print how often the interval holds the truth, and how often each verdict is given."""
    print("random sheets  errors per box  sheets are          held  better  not better  not known  median width")
    for truth, sheets in product(TRUTHS, SHEETS):
        found = [trial(rng, truth, sheets=sheets) for _ in range(trials)]
        share, width = held(found, truth.gain)
        print(
            f"{sheets:>13}{f'{truth.picked:.2f}, {truth.random:.2f}':>16}  "
            f"{f'{truth.picked_kind}, {truth.random_kind}':<16}{share:>8.1%}{shares_of_verdicts(found)}{width:>14.2f}"
        )


def unequal(rng: np.random.Generator, trials: int) -> None:
    """Print the same for packets that differ, compared within iterations and with all sheets in one pot."""
    print(
        "\npackets             gain  sheets are        compared    mean gain    held  better  not better  not known"
        "  median width"
    )
    for (name, plan), gain, kinds in product(PLANS.items(), GAINS, KINDS):
        drawn = [packets(rng, plan, gain=gain, kinds=kinds) for _ in range(trials)]
        for way, keeps in (("pooled", [0, 1, 1]), ("within", [1, 1, 1])):
            found = [between(picked=picked * keeps, random=random * keeps) for picked, random in drawn]
            share, width = held(found, gain)
            mean = np.mean([one.gain for one in found])
            print(
                f"{name:<20}{gain:>4.1f}  {', '.join(kinds):<18}{way:<10}{mean:>+11.3f}{share:>8.1%}"
                f"{shares_of_verdicts(found)}{width:>14.2f}"
            )


def peeking(rng: np.random.Generator, trials: int) -> None:
    """Print how often a picker that is not better is ever called so in ten reviews, each with 1 or 2 random sheets."""
    print("\nsheets per review  errors per box  sheets are        ever 'better' in ten reviews")
    for truth, sheets in product([one for one in TRUTHS if one.gain == 0], (1, 2)):
        ever = []
        for _ in range(trials):
            reviews = [arms(rng, truth, sheets=sheets, iteration=i) for i in range(REVIEWS)]
            picked, random = (np.vstack(arm) for arm in zip(*reviews, strict=True))
            looks = (between(picked=picked[picked[:, 0] < k], random=random[random[:, 0] < k]) for k in range(1, 11))
            ever.append(any(said(one) == "better" for one in looks))
        kinds = f"{truth.picked_kind}, {truth.random_kind}"
        print(f"{sheets:>17}{f'{truth.picked:.2f}, {truth.random:.2f}':>16}  {kinds:<16}{np.mean(ever):>12.1%}")


def forecast(rng: np.random.Generator, trials: int) -> None:
    """Print how often as many sheets more as the verdict forecasts show that the picker is better."""
    print("\nrandom sheets  errors per box  sheets are        a forecast  median of it  it tells")
    for truth, sheets in product([one for one in TRUTHS if one.gain > 0], (3, 5, 10)):
        asked, told = [], []
        for _ in range(trials):
            picked, random = arms(rng, truth, sheets=sheets)
            more = sheets_to_tell(between(picked=picked, random=random))
            if more:
                later = arms(rng, truth, sheets=more, iteration=1)
                both = between(picked=np.vstack([picked, later[0]]), random=np.vstack([random, later[1]]))
                asked.append(more)
                told.append(said(both) == "better")
        kinds = f"{truth.picked_kind}, {truth.random_kind}"
        middle, share = (np.median(asked), np.mean(told)) if asked else (np.nan, np.nan)
        print(
            f"{sheets:>13}{f'{truth.picked:.2f}, {truth.random:.2f}':>16}  {kinds:<16}{len(asked) / trials:>12.1%}"
            f"{middle:>14.0f}{share:>10.1%}"
        )


TABLES = {"coverage": coverage, "unequal": unequal, "peeking": peeking, "forecast": forecast}


def main(
    trials: Annotated[int, typer.Option(min=1, help="Per row.")] = 2_000,
    only: Annotated[str, typer.Option(help=f"Of the tables {', '.join(TABLES)}.")] = ",".join(TABLES),
) -> None:
    """Print the four tables, each from seed 0."""
    for name in only.split(","):
        TABLES[name](np.random.default_rng(0), trials)


if __name__ == "__main__":
    typer.run(main)
