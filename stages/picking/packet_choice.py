"""Picks what goes to review: the picker's choice, and the sheets that are drawn at random beside it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.base.boxes import BOX, area
from stages.picking.candidates import least_sure
from stages.picking.greedy_choice import FACTORS, Weights, choose, count_sizes, rarity
from stages.picking.random_arm import PICKED, RANDOM, draw_sheets
from stages.picking.reasons import reason

Ints = NDArray[np.int64]


class Rarities(NamedTuple):
    """How rare each class and each size is in train, in [0, 1]; 1 is the rarest."""

    classes: Mapping[str, float]
    sizes: Mapping[str, float]


class PickPlan(NamedTuple):
    """How much `hard` picks, and what it prefers; the section `sample` of params.yaml has the meanings."""

    budget: int
    weights: Weights
    most_per_sheet: float


class Chooser(NamedTuple):
    """A strategy as `pick` needs it.

    The first two return the candidates' factors, score, rank and reason, with `row`: where in `candidates` each stands;
    what is shown first, by rank. Pools are large, so no column of `candidates` is copied before all is settled.
    """

    # of the rows given, as the budget allows
    choose: Callable[[pd.DataFrame, Ints, np.random.Generator], pd.DataFrame]
    show: Callable[[pd.DataFrame, Ints, int, np.random.Generator], pd.DataFrame]  # that many of the rows of one sheet
    # how many sheets `choose` would take of all rows, where that is known without luck and for less
    would_take: Callable[[pd.DataFrame], int] | None = None


def pick(
    candidates: pd.DataFrame,
    *,
    pool: pd.DataFrame,
    detections: pd.DataFrame,
    classes: Sequence[str],
    bounds: Sequence[float],
    chooser: Chooser,
    plausible: float,
    random_share: float,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return the candidates with factors, score, rank, reason and arm: picked, random, or "" for what stays.

    `pool` and `detections` are the pool's rows of IMAGES and DETECTIONS. The random sheets are drawn from the whole
    pool; what is picked comes from the others. On a random sheet as many objects are shown as on some picked one. A
    random sheet on which all was found has no candidate, and shows its least sure detection.
    """
    everything = np.arange(len(candidates))
    if chooser.would_take is None:
        best = chooser.choose(candidates, everything, rng)
        picked = len(_shown_on(best, candidates))
    else:
        picked = chooser.would_take(candidates)
    by_chance = draw_sheets(pool["image_id"].tolist(), picked=picked, share=random_share, rng=rng)
    if not by_chance:
        best = chooser.choose(candidates, everything, rng) if chooser.would_take else best
        return _joined(candidates, best, [])
    drawn = candidates["image_id"].isin(by_chance)
    best = chooser.choose(candidates, np.flatnonzero(~drawn), rng)
    per_sheet = _shown_on(best, candidates).tolist() or [1]
    there = set(candidates.loc[drawn, "image_id"])  # a column of a million names takes a second to go through
    bare = [name for name in by_chance if name not in there]
    least = [
        least_sure(sheet, seen, classes, bounds, plausible=plausible)
        for sheet, seen in _sheets_of(bare, pool, detections)
    ]
    tables = pd.concat([candidates, *least], ignore_index=True) if least else candidates
    where = _rows_of(by_chance, tables["image_id"])
    random = [chooser.show(tables, where[name], int(rng.choice(per_sheet)), rng) for name in by_chance]
    return _joined(tables, best, random)


def _sheets_of(
    names: Sequence[str], pool: pd.DataFrame, detections: pd.DataFrame
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Yield the row of each of the sheets `names` in `pool`, and its rows of `detections`."""
    found = (dict(list(one[one["image_id"].isin(names)].groupby("image_id"))) for one in (pool, detections))
    sheets, seen = found
    return ((sheets[name], seen.get(name, detections[:0])) for name in names)


def _rows_of(names: Sequence[str], image_id: pd.Series) -> dict[str, Ints]:
    """Return where the rows of each of the sheets `names` stand in a column, rising."""
    rows = np.flatnonzero(image_id.isin(names))
    parts = pd.Series(rows).groupby(image_id.iloc[rows].to_numpy())
    return {str(name): part.to_numpy(np.int64) for name, part in parts}


def hard_chooser(rarities: Rarities, plan: PickPlan) -> Chooser:
    """Return the strategy `hard`: objects by four factors (stages/picking/greedy_choice.py), whatever their sheet."""

    def scored(candidates: pd.DataFrame, rows: Ints, plan: PickPlan, rng: np.random.Generator) -> pd.DataFrame:
        own = candidates.iloc[rows].assign(row=rows).reset_index(drop=True)
        return score(own, rarities=rarities, plan=plan, rng=rng)[["row", *FACTORS, "score", "rank", "reason"]]

    return Chooser(
        lambda candidates, rows, rng: scored(candidates, rows, plan, rng),
        lambda candidates, own, count, rng: scored(
            candidates, own, plan._replace(most_per_sheet=1.0, budget=count), rng
        ),
    )


def score(candidates: pd.DataFrame, *, rarities: Rarities, plan: PickPlan, rng: np.random.Generator) -> pd.DataFrame:
    """Return the candidates with factors, score, rank and reason, as `hard` has them."""
    ranked = choose(
        candidates,
        class_rarity=rarities.classes,
        size_rarity=rarities.sizes,
        weights=plan.weights,
        budget=plan.budget,
        most_per_sheet=plan.most_per_sheet,
        rng=rng,
    )
    reasons = [reason(row.to_dict(), plan.weights) for _, row in ranked.iterrows()]
    return ranked.assign(reason=pd.Series(reasons, dtype="str"))


def rarities_of(train: pd.DataFrame, *, classes: Sequence[str], bounds: Sequence[float]) -> Rarities:
    """Return how rare each class and each size is in `train`, that split's ground truth."""
    per_class = np.bincount(train["class_id"], minlength=len(classes))
    return Rarities(
        rarity(dict(zip(classes, per_class.tolist(), strict=True))),
        rarity(count_sizes(area(train[BOX].to_numpy(float)), bounds)),
    )


def shown_as(arm: str, candidates: pd.DataFrame, ranked: pd.DataFrame) -> pd.DataFrame:
    """Return of `candidates` those that `ranked`, what a chooser made of them, shows: in `arm`, without a rank."""
    shown = ranked[ranked["rank"].notna()].reset_index(drop=True)
    known = candidates.iloc[shown["row"]].reset_index(drop=True)
    said = shown.drop(columns="row").assign(rank=pd.array([pd.NA] * len(shown), dtype="Int64"), arm=arm)
    return pd.concat([known, said], axis=1)


def _shown_on(ranked: pd.DataFrame, candidates: pd.DataFrame) -> "pd.Series[int]":
    """Return how many objects are shown of each sheet of which some are."""
    shown = ranked.loc[ranked["rank"].notna(), "row"]
    return candidates["image_id"].iloc[shown].value_counts().sort_index()


def _joined(candidates: pd.DataFrame, best: pd.DataFrame, random: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the candidates with what is said of them and their arm; a rank is only what the picker gave.

    First what is picked, then what is shown by chance by falling score, then the rest as it comes: sorting a whole pool
    takes longer than choosing from it.
    """
    picked = int(best["rank"].notna().sum())
    none = best.iloc[:0]
    shown = pd.concat([none, *(part[part["rank"].notna()] for part in random)], ignore_index=True)
    shown = shown.assign(rank=pd.array([pd.NA] * len(shown), dtype="Int64"))
    rest = [part[part["rank"].isna()] for part in random]
    by_score = shown.iloc[np.argsort(-shown["score"].to_numpy(float), kind="stable")]
    scored = pd.concat([best.iloc[:picked], by_score, best.iloc[picked:], *rest], ignore_index=True)
    arm = np.repeat([0, 1, 2], [picked, len(shown), len(scored) - picked - len(shown)])
    known = candidates.iloc[scored["row"]].reset_index(drop=True)
    arms = pd.array([PICKED, RANDOM, ""], dtype="str").take(arm)
    return pd.concat([known, scored.drop(columns="row")], axis=1).assign(arm=arms)
