"""Picks what goes to review: the picker's choice, and the sheets that are drawn at random beside it."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from stages.base.boxes import BOX, area
from stages.picking.candidates import least_sure
from stages.picking.greedy_choice import Weights, choose, count_sizes, rarity
from stages.picking.random_arm import PICKED, RANDOM, draw_sheets
from stages.picking.reasons import reason


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
    """A strategy as `pick` needs it: both return candidates with factors, score, rank and reason, the best first."""

    choose: Callable[[pd.DataFrame, np.random.Generator], pd.DataFrame]  # of any sheets, as the budget allows
    show: Callable[[pd.DataFrame, int, np.random.Generator], pd.DataFrame]  # that many of one sheet


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
    first = chooser.choose(candidates, rng)
    picked = int(first.loc[first["rank"].notna(), "image_id"].nunique())
    by_chance = draw_sheets(pool["image_id"].tolist(), picked=picked, share=random_share, rng=rng)
    if not by_chance:
        return in_arm(first, PICKED)
    others = candidates[~candidates["image_id"].isin(by_chance)].reset_index(drop=True)
    best = chooser.choose(others, rng)
    per_sheet = best[best["rank"].notna()].groupby("image_id").size().tolist() or [1]
    parts = [in_arm(best, PICKED)]
    for name in by_chance:
        own = candidates[candidates["image_id"] == name].reset_index(drop=True)
        if own.empty:
            own = least_sure(pool[pool["image_id"] == name], detections, classes, bounds, plausible=plausible)
        parts.append(in_arm(chooser.show(own, int(rng.choice(per_sheet)), rng), RANDOM))
    together = pd.concat(parts, ignore_index=True)
    keys = together["arm"].map({PICKED: 0, RANDOM: 1, "": 2})
    order = np.lexsort((-together["score"], together["rank"].fillna(len(together)), keys))
    return together.iloc[order].reset_index(drop=True)


def hard_chooser(rarities: Rarities, plan: PickPlan) -> Chooser:
    """Return the strategy `hard`: objects by four factors (stages/picking/greedy_choice.py), whatever their sheet."""
    return Chooser(
        lambda candidates, rng: score(candidates, rarities=rarities, plan=plan, rng=rng),
        lambda own, count, rng: score(
            own, rarities=rarities, plan=plan._replace(most_per_sheet=1.0, budget=count), rng=rng
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


def in_arm(scored: pd.DataFrame, arm: str) -> pd.DataFrame:
    """Return `scored` with its arm; a rank is only what the picker gave."""
    shown = scored["rank"].notna()
    rank = scored["rank"].astype("Int64") if arm == PICKED else pd.Series(pd.NA, index=scored.index, dtype="Int64")
    return scored.assign(arm=np.where(shown, arm, ""), rank=rank)
