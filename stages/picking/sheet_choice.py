"""Fills a packet with sheets in the order of a strategy, and shows on each what is most likely wrong."""

from collections.abc import Callable, Iterator, Mapping
from math import ceil
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.picking.greedy_choice import FACTORS
from stages.picking.packet_choice import Chooser
from stages.picking.reasons import odds
from stages.picking.strategies.earned_order import Expected
from stages.picking.strategies.pool_view import Floats, Order, PoolView

Unit = Literal["objects", "sheets", "boxes", "minutes"]
SURE = 1.96  # standard deviations of a 95 % interval
_SHOWN = 5  # objects of a sheet that the packet points at, where the budget does not count objects
_USUAL = {"sheets": 1.0, "boxes": 10.0, "minutes": 1.5}  # what a sheet takes of a budget, about
SHARED = 0.3  # of the errors of a packet: what its sheets have in common and no sum over boxes knows


class SheetPlan(NamedTuple):
    """How much is picked; the section `sample` of params.yaml has the meanings."""

    budget: float
    unit: Unit
    most_per_sheet: float

    def wanted(self) -> int:
        """Return how many sheets about go to review, where a strategy looks at the choice as a whole."""
        per_sheet = {"objects": max(self.budget * self.most_per_sheet, 1.0), **_USUAL}
        return ceil(self.budget / per_sheet[self.unit])


class Forecast(NamedTuple):
    """What the reviewer of some sheets is expected to mend, with a 95 % interval, and how long it takes."""

    errors: float
    low: float
    high: float
    minutes: float


def sheet_chooser(
    view: PoolView, order: Order, guess: Expected, plan: SheetPlan, is_copy: Callable[[str, list[str]], bool]
) -> Chooser:
    """Return the strategy whose `order` it is, to be used by `pick`.

    `is_copy(image_id, taken)` says whether a sheet is a copy of one that is taken already: such a sheet adds work and
    nothing else. Sheets are taken until the next one would go over the budget; the first one always is.
    """
    ranks = _Ranks(view, order, guess)

    def choose(candidates: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        scored = ranks.scored(candidates)
        objects = scored.groupby("image_id").size()
        most = ceil(plan.most_per_sheet * plan.budget) if plan.unit == "objects" else 1
        shown: dict[str, int] = {}
        for name, count in _filled(_amounts(view, order, guess, objects, plan, most), plan, is_copy):
            shown[name] = count
        return _ranked(scored, shown)

    def show(own: pd.DataFrame, count: int, rng: np.random.Generator) -> pd.DataFrame:
        return _ranked(ranks.scored(own), dict.fromkeys(own["image_id"], count))

    return Chooser(choose, show)


def forecast(guess: Expected, places: NDArray[np.int64]) -> Forecast:
    """Return what is expected of the sheets at `places` together."""
    errors, variance = float(guess.errors[places].sum()), float(guess.variance[places].sum())
    half = SURE * float(np.sqrt(variance + (SHARED * errors) ** 2))
    return Forecast(errors, max(errors - half, 0.0), errors + half, float(guess.minutes[places].sum()))


def forecast_metrics(found: Forecast | None) -> dict[str, float | None]:
    """Return what is expected of the picked sheets."""
    return {
        "expected_errors": found and found.errors,  # that a reviewer mends on the picked sheets; null with `hard`
        "expected_errors_low": found and found.low,  # lower end of the 95 % interval
        "expected_errors_high": found and found.high,  # upper end
        "expected_minutes": found and found.minutes,  # that the picked sheets take
    }


def forecast_text(found: Forecast | None) -> str:
    """Return the same as the end of a sentence, "" where nothing is expected."""
    if found is None:
        return ""
    return (
        f"; expected {found.errors:.0f} errors, {found.low:.0f} to {found.high:.0f}, in {found.minutes:.0f} minutes "
        "on the picked sheets"
    )


class _Ranks:
    """Scores objects by what is expected of them, and sheets by the strategy."""

    def __init__(self, view: PoolView, order: Order, guess: Expected) -> None:
        self.view = view
        self.place = {name: at for at, name in enumerate(view.sheets)}
        turn = np.empty(len(view.sheets), dtype=np.int64)
        turn[order.places] = np.arange(len(view.sheets))
        self.by_sheet = pd.DataFrame(
            {
                "turn": turn,
                "score": order.score,
                "expected_errors": guess.errors,
                "expected_minutes": guess.minutes,
                "sheet_reason": order.said,
            },
            index=list(view.sheets),
        )

    def scored(self, candidates: pd.DataFrame) -> pd.DataFrame:
        """Return `candidates` with what is known of them and of their sheets, in the order of turn and odds."""
        rows = candidates.drop(columns=["score"], errors="ignore").join(self.by_sheet, on="image_id")
        seen = rows["class_id"].notna().to_numpy()
        chance = np.full(len(rows), np.nan)
        confidence = rows["confidence"].to_numpy(float, na_value=np.nan)
        class_id = rows["class_id"].fillna(0).to_numpy(np.int64)
        chance[seen] = self.view.calibration.chance(class_id[seen], confidence[seen])
        wrong = np.where(confidence >= self.view.prelabel, 1 - chance, chance)
        rows = rows.assign(chance=chance, wrong=np.nan_to_num(wrong), **dict.fromkeys(FACTORS, np.nan))
        keys = (rows["detection_id"].fillna(-1), -rows["wrong"].round(9), rows["turn"])
        return rows.iloc[np.lexsort(tuple(key.to_numpy() for key in keys))].reset_index(drop=True)


def _amounts(
    view: PoolView, order: Order, guess: Expected, objects: "pd.Series[int]", plan: SheetPlan, most: int
) -> Iterator[tuple[str, int, float]]:
    """Yield for each sheet in turn that has candidates its name, how many are shown at most, and what it takes."""
    takes: Mapping[str, Floats] = {
        "sheets": np.ones(len(view.sheets)),
        "boxes": guess.boxes,
        "minutes": guess.minutes,
    }
    for place in order.places.tolist():
        name = view.sheets[place]
        if name in objects.index:
            count = min(int(objects[name]), most if plan.unit == "objects" else _SHOWN)
            yield name, count, count if plan.unit == "objects" else float(takes[plan.unit][place])


def _filled(
    amounts: Iterator[tuple[str, int, float]], plan: SheetPlan, is_copy: Callable[[str, list[str]], bool]
) -> Iterator[tuple[str, int]]:
    """Yield the sheets that fit into the budget, and how many objects are shown of each."""
    spent, taken = 0.0, list[str]()
    for name, objects, amount in amounts:
        left = plan.budget - spent
        if left <= 0:
            return
        if is_copy(name, taken):
            continue
        if plan.unit == "objects":
            shown, takes = min(objects, int(left)), min(amount, left)
        elif amount > left and taken:
            return
        else:
            shown, takes = objects, amount
        taken.append(name)
        spent += takes
        yield name, shown


def _ranked(scored: pd.DataFrame, shown: Mapping[str, int]) -> pd.DataFrame:
    """Return `scored`, first the objects that are shown, with their rank from 1 and a reason."""
    nth = scored.groupby("image_id", sort=False).cumcount()
    chosen = nth < scored["image_id"].map(shown).fillna(0)
    rank = pd.Series(pd.NA, index=scored.index, dtype="Int64")
    rank[chosen] = np.arange(1, int(chosen.sum()) + 1)
    best = scored[chosen]
    reasons = [odds(row, chance) for row, chance in zip(best.to_dict("records"), best["chance"], strict=True)]
    texts = np.full(len(scored), "", dtype=object)
    texts[chosen.to_numpy()] = reasons
    ranked = scored.assign(rank=rank, reason=pd.Series(texts, index=scored.index, dtype="str"))
    return ranked.iloc[np.argsort(~chosen.to_numpy(), kind="stable")].reset_index(drop=True)
