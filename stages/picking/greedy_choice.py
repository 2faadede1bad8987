"""Chooses what goes to review: one score of four factors for every kind of candidate, and a greedy choice.

A factor is in [0, 1], and 1 asks for review. Three factors belong to the candidate; the fourth, spatial
diversity, falls while the choice grows, so no score ever rises. No sheet takes the whole budget.
"""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.base.boxes import BOX
from stages.ruler.sizes import SIZES, size_ids

# Half of what a candidate can get, where nothing is known: the border part and the doubt of a whole sheet.
NEUTRAL = 0.5
_BORDER = {"corner": 1.0, "edge": 0.5, "center": 0.0, "": NEUTRAL}
# Scores that differ by less are equal, and the seed decides: below it are only the last bits of sums.
_DECIMALS = 9


class Weights(NamedTuple):
    """How much each factor counts; only their proportions matter."""

    class_balance: float  # how rare its class is
    size_diversity: float  # how rare its size is
    spatial_diversity: float  # at a border, and far from what is already chosen
    uncertainty: float  # faint, oddly shaped, or nearly found

    def shares(self) -> "Weights":
        """Return the weights divided by their sum, which must be above 0."""
        return Weights(*(weight / sum(self) for weight in self))


FACTORS = list(Weights._fields)


def rarity(counts: Mapping[str, int]) -> dict[str, float]:
    """Return 1 minus the count as a share of the largest: the most frequent name gets 0, an absent one 1."""
    most = max(counts.values(), default=0)
    return {name: 1.0 - count / most if most else 1.0 for name, count in counts.items()}


def count_sizes(areas: NDArray[np.float64], bounds: Sequence[float]) -> dict[str, int]:
    """Return how many areas (n,), in px², are tiny, small, medium and large; `bounds` are the upper ones."""
    return dict(zip(SIZES, np.bincount(size_ids(areas, bounds), minlength=len(SIZES)).tolist(), strict=True))


def choose(
    candidates: pd.DataFrame,
    *,
    class_rarity: Mapping[str, float],
    size_rarity: Mapping[str, float],
    weights: Weights,
    budget: int,
    most_per_sheet: float,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return `candidates` with their factors, score and rank, the chosen ones first.

    `candidates` is what `pool_candidates` returns plus class_name; at most `budget` of them get a rank, from
    1. A sheet that has its share of the budget (`most_per_sheet`) waits until all others have theirs. The score
    of a chosen one is that of its moment; of another one, that after the last choice. `rng` settles ties.
    """
    shares = weights.shares()
    fixed = _fixed_factors(candidates, class_rarity, size_rarity)
    border = np.array([_BORDER[position] for position in candidates["position"]], dtype=np.float64)
    centers, sheets = _centers(candidates), candidates["image_id"].to_numpy()
    novelty, luck = np.ones(len(candidates)), rng.permutation(len(candidates))
    group, most = _groups(candidates), ceil(most_per_sheet * budget)
    picks: list[int] = []
    spatial = (border + novelty) / 2
    score = _score(fixed, spatial, shares)
    for _ in range(min(budget, len(candidates))):
        pick = _best(score, luck, _open(group, picks, most=most))
        picks.append(pick)
        novelty = np.minimum(novelty, np.where(sheets == sheets[pick], _distances(centers, pick), 1.0))
        # What is chosen keeps the numbers that it was chosen for.
        new = np.setdiff1d(np.arange(len(candidates)), picks)
        spatial[new] = (border[new] + novelty[new]) / 2
        score[new] = _score(fixed[new], spatial[new], shares)
    return _ranked(candidates, fixed, spatial, score, picks)


def _fixed_factors(
    candidates: pd.DataFrame, class_rarity: Mapping[str, float], size_rarity: Mapping[str, float]
) -> NDArray[np.float64]:
    """Return class balance, size diversity and uncertainty, (n, 3)."""
    by_class = _looked_up(candidates["class_name"], class_rarity)
    by_size = _looked_up(candidates["size"], size_rarity)
    return np.column_stack([by_class, by_size, _uncertainty(candidates)])


def _looked_up(names: pd.Series, values: Mapping[str, float]) -> NDArray[np.float64]:
    """Return the value of each name; where there is none (a whole sheet), the mean over all names."""
    unknown = float(np.mean(list(values.values()))) if values else NEUTRAL
    return np.array([values.get(name, unknown) for name in names], dtype=np.float64)


def _uncertainty(candidates: pd.DataFrame) -> NDArray[np.float64]:
    """Return the mean of three signs: faint, oddly shaped, and the detector's own doubt.

    The doubt of a miss is whether the detector nearly found it. That of a detection is how close its confidence
    is to 0.5, where the network, trained to give a probability, holds right and wrong for equally likely; there
    the other signs count only as far as the doubt goes, since a faint box of little confidence is blank paper.
    """
    faint, odd = (candidates[name].to_numpy(float) for name in ("low_contrast", "unusual_aspect"))
    nearly = candidates["near_miss"].notna().to_numpy(float)
    unsure = 1 - np.abs(2 * candidates["confidence"].to_numpy(float, na_value=NEUTRAL) - 1)
    kind = candidates["kind"].to_numpy()
    known = [(faint + odd + nearly) / 3, unsure * (1 + faint + odd) / 3]
    return np.select([kind == "missed", kind == "uncertain"], known, NEUTRAL)


def _centers(candidates: pd.DataFrame) -> NDArray[np.float64]:
    """Return the centres, (n, 2), in fractions of their sheet."""
    boxes, sheets = candidates[BOX].to_numpy(float), candidates[["width", "height"]].to_numpy(float)
    return np.asarray((boxes[:, :2] + boxes[:, 2:]) / 2 / sheets, dtype=np.float64)


def _distances(centers: NDArray[np.float64], pick: int) -> NDArray[np.float64]:
    """Return the distances, (n,), of all centres to that of `pick`; 1 is the diagonal of a sheet."""
    distances = np.linalg.norm(centers - centers[pick], axis=1) / np.sqrt(2)
    return np.asarray(np.minimum(distances, 1.0), dtype=np.float64)


def _score(fixed: NDArray[np.float64], spatial: NDArray[np.float64], shares: Weights) -> NDArray[np.float64]:
    total = (
        shares.class_balance * fixed[:, 0]
        + shares.size_diversity * fixed[:, 1]
        + shares.spatial_diversity * spatial
        + shares.uncertainty * fixed[:, 2]
    )
    return np.asarray(np.clip(total, 0.0, 1.0).round(_DECIMALS), dtype=np.float64)


def _groups(candidates: pd.DataFrame) -> NDArray[np.int64]:
    """Return a number per candidate, (n,): that of its sheet, and one for all whole sheets."""
    unseen = candidates["kind"].to_numpy() == "nothing_seen"
    names = np.where(unseen, "", candidates["image_id"].to_numpy()).astype(str)  # no sheet is called ""
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def _open(group: NDArray[np.int64], picks: list[int], *, most: int) -> NDArray[np.bool_]:
    """Return what may be chosen next, (n,): of groups that have fewer than `most` picks, or else anything left."""
    left = np.ones(len(group), dtype=bool)
    left[picks] = False
    full = np.bincount(group[picks], minlength=len(group)) >= most
    fair = left & ~full[group]
    return fair if fair.any() else left


def _best(score: NDArray[np.float64], luck: NDArray[np.int64], allowed: NDArray[np.bool_]) -> int:
    """Return the place of the highest score among what is `allowed`; among equals, of the luckiest."""
    return int(np.lexsort((luck, -np.where(allowed, score, -1.0)))[0])


def _ranked(
    candidates: pd.DataFrame,
    fixed: NDArray[np.float64],
    spatial: NDArray[np.float64],
    score: NDArray[np.float64],
    picks: list[int],
) -> pd.DataFrame:
    rank = pd.Series(pd.NA, index=candidates.index, dtype="Int64")
    rank.iloc[picks] = range(1, len(picks) + 1)
    columns = dict(zip(FACTORS, (fixed[:, 0], fixed[:, 1], spatial, fixed[:, 2]), strict=True))
    scored = candidates.assign(**columns, score=score, rank=rank)
    return scored.sort_values(["rank", "score"], ascending=[True, False], kind="stable", ignore_index=True)
