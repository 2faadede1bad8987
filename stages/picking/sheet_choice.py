"""Fills a packet with sheets in the order of a strategy, and shows on each what is most likely wrong."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import ceil
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.picking.greedy_choice import FACTORS
from stages.picking.packet_choice import Chooser
from stages.picking.reasons import odds
from stages.picking.strategies.earned_order import Expected
from stages.picking.strategies.pool_view import Floats, Ints, Order, PoolView, places_of

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
    view: PoolView, order: Order, guess: Expected, plan: SheetPlan, is_copy: Callable[[str, Sequence[str]], bool]
) -> Chooser:
    """Return the strategy whose `order` it is, to be used by `pick`.

    `is_copy(image_id, taken)` says whether a sheet is a copy of one that is taken already: such a sheet adds work and
    nothing else. Sheets are taken until the next one would go over the budget; the first one always is.
    """
    ranks = _Ranks(view, order, guess)
    most = ceil(plan.most_per_sheet * plan.budget) if plan.unit == "objects" else _SHOWN

    def fill(place: Ints) -> Ints:
        objects = np.minimum(np.bincount(place, minlength=len(view.sheets)), most)
        shown = np.zeros(len(view.sheets), dtype=np.int64)
        for at, count in _filled(_amounts(view, order, guess, objects, plan), plan, view.sheets, is_copy):
            shown[at] = count
        return shown

    def choose(candidates: pd.DataFrame, rows: Ints, rng: np.random.Generator) -> pd.DataFrame:
        place = ranks.places(candidates)
        return ranks.ranked(candidates, rows, place[rows], fill(place[rows]))

    def show(candidates: pd.DataFrame, own: Ints, count: int, rng: np.random.Generator) -> pd.DataFrame:
        one = candidates.iloc[own].reset_index(drop=True)
        shown = ranks.ranked(one, np.arange(len(own)), ranks.places(one), np.full(len(view.sheets), count))
        return shown.assign(row=own[shown["row"]])

    return Chooser(choose, show, lambda candidates: int((fill(ranks.places(candidates)) > 0).sum()))


def forecast(guess: Expected, places: NDArray[np.int64]) -> Forecast:
    """Return what is expected of the sheets at `places` together."""
    errors, variance = float(guess.errors[places].sum()), float(guess.variance[places].sum())
    half = SURE * float(np.sqrt(variance + (SHARED * errors) ** 2))
    return Forecast(errors, max(errors - half, 0.0), errors + half, float(guess.minutes[places].sum()))


def forecast_metrics(strategy: str, found: Forecast | None, because: str = "") -> dict[str, str | float | None]:
    """Return which strategy picked, why it is not the one that was asked for, and what the picked sheets promise."""
    return {
        # that picked: `sample.strategy`, but `hard` in a pool with labels, and `coverage` after a zero-shot iteration 0
        "strategy": strategy,
        "strategy_because": because or None,  # why it is another one than `sample.strategy`; null where it is that
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


def instead_text(wanted: str, used: str, because: str) -> str:
    """Return the end of a sentence, "" where the strategy that was wanted is the one that picked."""
    return "" if used == wanted else f"; {used} picked in place of {wanted}, since {because}"


class _Ranks:
    """Scores objects by what is expected of them, and sheets by the strategy."""

    def __init__(self, view: PoolView, order: Order, guess: Expected) -> None:
        self.view = view
        self.names = pd.Index(view.sheets)
        self.turn = np.empty(len(view.sheets), dtype=np.int64)
        self.turn[order.places] = np.arange(len(view.sheets))
        self.by_sheet = {"score": order.score, "expected_errors": guess.errors, "expected_minutes": guess.minutes}
        self.said = order.said

    def places(self, candidates: pd.DataFrame) -> Ints:
        """Return where the sheet of each candidate stands in the view."""
        return places_of(candidates["image_id"], self.names)

    def ranked(self, candidates: pd.DataFrame, rows: Ints, place: Ints, shown: Ints) -> pd.DataFrame:
        """Return what is known of the `rows` of `candidates`, first those that are shown, with rank and reasons.

        `place` is the place of the sheet of each row, `shown` is how many objects of each sheet are shown, (s,): those
        that are most likely wrong. Sheets stand in their turn, and what is not shown as it stood.
        """
        chance, wrong = self._odds(candidates)
        on = np.flatnonzero(shown[place] > 0)
        number = candidates["detection_id"].iloc[rows[on]].fillna(-1).to_numpy(np.int64)
        on = on[np.lexsort((number, -wrong[rows[on]].round(9), self.turn[place[on]]))]
        best = on[_nth(place[on]) < shown[place[on]]]
        left = np.ones(len(rows), dtype=bool)
        left[best] = False
        order = np.concatenate([best, np.flatnonzero(left)])
        row, sheet = rows[order], place[order]
        facts = zip(candidates.iloc[rows[best]].to_dict("records"), chance[rows[best]], strict=True)
        # Column by column, since a frame that is made at once copies them all.
        return pd.DataFrame({"row": row}).assign(
            **{name: values[sheet] for name, values in self.by_sheet.items()},
            sheet_reason=_texts([self.said[at] for at in place[best].tolist()], len(row)),
            chance=chance[row],
            **dict.fromkeys(FACTORS, np.nan),
            rank=_ranks(len(best), len(row)),
            reason=_texts([odds(one, right) for one, right in facts], len(row)),
        )

    def _odds(self, candidates: pd.DataFrame) -> tuple[Floats, Floats]:
        """Return the chance that each candidate is right, NaN for a whole sheet, and that something is to mend."""
        seen = candidates["class_id"].notna().to_numpy()
        chance = np.full(len(candidates), np.nan)
        confidence = candidates["confidence"].to_numpy(float, na_value=np.nan)
        class_id = candidates["class_id"].to_numpy(np.int64, na_value=0)
        chance[seen] = self.view.calibration.chance(class_id[seen], confidence[seen])
        return chance, np.nan_to_num(np.where(confidence >= self.view.prelabel, 1 - chance, chance))


def _ranks(first: int, count: int) -> "pd.Series[Any]":
    """Return `count` ranks: 1 and so on of the `first` ones, then none."""
    return pd.Series(np.arange(1, count + 1), dtype="Int64").where(np.arange(count) < first)


def _texts(first: list[str], count: int) -> "pd.Series[str]":
    """Return `count` texts, the `first` ones and then empty ones."""
    return pd.Series(pd.array([*first, ""], dtype="str").take(np.minimum(np.arange(count), len(first))))


def _nth(sheet: Ints) -> Ints:
    """Return the number of each row among those of its sheet, from 0; rows of a sheet stand together."""
    row = np.arange(len(sheet))
    begins = np.concatenate([np.ones(min(len(sheet), 1), dtype=bool), sheet[1:] != sheet[:-1]])
    return np.asarray(row - np.maximum.accumulate(np.where(begins, row, 0)), dtype=np.int64)


def _amounts(
    view: PoolView, order: Order, guess: Expected, objects: Ints, plan: SheetPlan
) -> Iterator[tuple[int, int, float]]:
    """Yield the place of each sheet in turn that has `objects`, (s,), how many are shown at most, what it takes."""
    takes: Mapping[str, NDArray[Any]] = {
        "sheets": np.ones(len(view.sheets)),
        "boxes": guess.boxes,
        "minutes": guess.minutes,
        "objects": objects,
    }
    for place in order.places[objects[order.places] > 0].tolist():
        yield place, int(objects[place]), float(takes[plan.unit][place])


def _filled(
    amounts: Iterator[tuple[int, int, float]],
    plan: SheetPlan,
    names: Sequence[str],
    is_copy: Callable[[str, Sequence[str]], bool],
) -> Iterator[tuple[int, int]]:
    """Yield the sheets that fit into the budget, and how many objects are shown of each."""
    spent, taken = 0.0, list[str]()
    for place, objects, amount in amounts:
        left = plan.budget - spent
        if left <= 0:
            return
        if is_copy(names[place], taken):
            continue
        if plan.unit == "objects":
            shown, takes = min(objects, int(left)), min(amount, left)
        elif amount > left and taken:
            return
        else:
            shown, takes = objects, amount
        taken.append(names[place])
        spent += takes
        yield place, shown
