"""How often a model that lost nothing is said to have lost something, and how often a real loss is seen.

Val is made up: sheets with boxes of two classes and three sizes, in groups or none. Two models find each box with a
chance that differs from sheet to sheet; the second one finds those of one class less often by `drop`. Each pair is
compared by the code that `converge` calls. `said`: the share of pairs for which any part has lost; `own`: for which
the interval of any part alone lies below 0, without the correction for many parts; `seen`: for which the class has
lost that did. Without a drop `said` is to stay at about 2.5 % or below. Minutes on one core; equal seeds give equal
tables.

    python -m benchmarks.regressions
"""

from collections.abc import Sequence
from typing import Annotated, NamedTuple

import numpy as np
import pandas as pd
import typer

from stages.convergence.regression import KeptOutcomes, LabelledVal, PartChange, SheetOutcome, compare
from stages.ruler.val_notes import FEW_BOXES

CLASSES = ("stable", "dropped")
KINDS = (("stable", "tiny"), ("stable", "small"), ("dropped", "small"), ("dropped", "large"))
EASY = (6.0, 2.0)  # the chance of a sheet's boxes is drawn from this beta distribution: 0.75 in the middle
ALARMS = 0.2  # false alarms per sheet and class


class Shape(NamedTuple):
    """How large val is."""

    sheets: int
    boxes: int  # per sheet, in the middle
    groups: int  # 0: none


SHAPES = (Shape(20, 4, 0), Shape(60, 3, 0), Shape(60, 4, 6), Shape(100, 10, 5))
DROPS = (0.0, 0.1, 0.2)


def main(trials: Annotated[int, typer.Option(min=1, help="Pairs of models per line.")] = 500, seed: int = 0) -> None:
    """Print a line per size of val and per drop."""
    rng = np.random.default_rng(seed)
    print("sheets  boxes groups   drop   said%    own%   seen%", flush=True)
    for shape in SHAPES:
        val = made_up(shape, rng)
        for drop in DROPS:
            found = [pair(val, drop, rng) for _ in range(trials)]
            said = [any(part.significant for part in parts) for parts in found]
            alone = [any(map(_alone, parts)) for parts in found]
            seen = [any(part.significant for part in parts if part.name == "dropped") for parts in found]
            shares = "".join(f"{100 * np.mean(one):8.1f}" for one in (said, alone, seen))
            print(f"{shape.sheets:6} {len(val.boxes):6} {shape.groups:6} {drop:6.2f}{shares}", flush=True)


def made_up(shape: Shape, rng: np.random.Generator) -> LabelledVal:
    """Return the labels of a val of that size."""
    names = [f"s{place:03d}" for place in range(shape.sheets)]
    groups = [f"g{place % shape.groups}" if shape.groups else "" for place in range(shape.sheets)]
    rows = [
        (name, number, *KINDS[int(rng.integers(len(KINDS)))])
        for name in names
        for number in range(int(rng.integers(1, 2 * shape.boxes)))
    ]
    boxes = pd.DataFrame(rows, columns=["image_id", "object_id", "class_name", "size"])
    return LabelledVal(pd.DataFrame({"image_id": names, "group": groups}), boxes, CLASSES)


def pair(val: LabelledVal, drop: float, rng: np.random.Generator) -> Sequence[PartChange]:
    """Return how the second of two models fares, which finds the boxes of one class less often by `drop`."""
    easy = dict(zip(val.sheets["image_id"], rng.beta(*EASY, len(val.sheets)), strict=True))
    chance = val.boxes["image_id"].map(easy).to_numpy()
    less = np.where(val.boxes["class_name"] == "dropped", drop, 0.0)
    before, now = (_model(val, step, chance - step * less, rng) for step in (0, 1))
    return compare(now, before, val).parts


def _model(val: LabelledVal, iteration: int, chance: np.ndarray, rng: np.random.Generator) -> KeptOutcomes:
    hits = val.boxes[rng.random(len(chance)) < chance]
    found = {str(name): tuple(map(int, part)) for name, part in hits.groupby("image_id")["object_id"]}
    sheets = {
        name: SheetOutcome(found.get(name, ()), tuple(map(int, rng.poisson(ALARMS, len(CLASSES)))))
        for name in val.sheets["image_id"]
    }
    return KeptOutcomes(iteration, "made up", sheets)


def _alone(part: PartChange) -> bool:
    return part.boxes >= FEW_BOXES and part.change_high is not None and part.change_high < 0


if __name__ == "__main__":
    typer.run(main)
