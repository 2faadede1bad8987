"""How much F1 on val gained from one iteration to another, with its interval; two rulers are never compared."""

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.ruler.scores.intervals import Interval, gain_interval, units_of
from stages.ruler.statement import differences

NORMAL = 1.959964  # half of a 95 % interval in standard deviations
_DECIMALS = 6  # of F1 in a file: a difference of two is one such number again
COUNTS = ["tp", "fp", "fn"]


class MeasuredIteration(NamedTuple):
    """What an iteration came to on val, and how it was measured."""

    iteration: int
    f1: float | None
    ruler: str  # id
    statement: str  # the ruler as JSON
    sheets: pd.DataFrame  # image_id, tp, fp, fn per labelled sheet of val, sorted by image_id; of the last also group


class Gain(NamedTuple):
    """F1 on val now minus that of iteration `since`, each in [-1, 1]; None where it is undefined."""

    since: int  # the earlier iteration
    gain: float | None  # F1 on val now minus then
    low: float | None  # the 95 % interval, paired over the sheets (or groups of sheets) of val: its low end
    high: float | None  # its high end
    other_ruler: str  # what differs, where the earlier F1 was measured by another ruler and there is no gain; or ""


def gain_since(now: MeasuredIteration, before: MeasuredIteration) -> Gain:
    """Return the gain from `before` to `now`."""
    if now.ruler != before.ruler:
        return Gain(before.iteration, None, None, None, what_differs(before.statement, now.statement))
    if now.f1 is None or before.f1 is None:
        return Gain(before.iteration, None, None, None, "")
    low, high = _interval(now.sheets, before.sheets, now.sheets)
    return Gain(before.iteration, difference(now.f1, before.f1), low, high, "")


def what_differs(before: str, now: str) -> str:
    """Return in words how two rulers, given as text, differ."""
    try:
        return "; ".join(differences(before, now)) or "not said what"
    except ValueError:
        return "not said what"


def difference(now: float | None, before: float | None) -> float | None:
    """Return `now` - `before` with six decimals, None where one is undefined.

    Rounding there keeps 0.93 - 0.925 (in binary 0.00500000000000000444) equal to 0.005: a boundary means what is
    written.
    """
    return None if now is None or before is None else round(now - before, _DECIMALS) + 0.0  # no -0.0


def measured(history: pd.DataFrame, sheets: Mapping[int, pd.DataFrame]) -> list[MeasuredIteration]:
    """Return the iterations of a history in their order; `sheets` maps each to the counts on its sheets of val."""
    return [
        MeasuredIteration(step, None if pd.isna(f1) else float(f1), ruler, statement, sheets[step])
        for step, f1, ruler, statement in zip(
            history["iteration"].tolist(), history["f1"], history["ruler"], history["ruler_statement"], strict=True
        )
    ]


def measured_now(metrics: Mapping[str, Any], *, iteration: int, sheets: pd.DataFrame) -> MeasuredIteration:
    """Return what this iteration came to, from metrics/validate.json; raise `KeyError` for a number that lacks."""
    return MeasuredIteration(iteration, metrics["f1"], metrics["ruler"], ruler_text(metrics), sheets)


def ruler_text(metrics: Mapping[str, Any]) -> str:
    """Return the ruler that metrics/validate.json states as one line of JSON, for a cell of the history."""
    return json.dumps(metrics["ruler_statement"][0], ensure_ascii=False)


def gains_of(iterations: Sequence[MeasuredIteration], *, window: int) -> dict[int, Gain]:
    """Return the gains of the last iteration: since the one before, and since that of `window` iterations ago."""
    *earlier, now = iterations
    steps = sorted({len(earlier) - 1, len(earlier) - window}, reverse=True)
    return {step: gain_since(now, earlier[step]) for step in steps if step >= 0}


def comparable(iterations: Sequence[MeasuredIteration]) -> list[MeasuredIteration]:
    """Return the last iterations without a gap that one ruler measured and in which F1 is defined, the newest last."""
    found: list[MeasuredIteration] = []
    for one in reversed(iterations):
        if one.ruler != iterations[-1].ruler or one.f1 is None:
            break
        found.append(one)
    return found[::-1]


def val_scatter(iterations: Sequence[MeasuredIteration], *, window: int) -> float | None:
    """Return the standard deviation of F1 of one iteration from the choice of val's sheets; None where undefined.

    What sheets do to all iterations alike is left out: it is half the variance of the gain from one iteration to the
    next, over the last `window` of these. The interval's width is read as if the spread were known, which makes it a
    little too large on few sheets: there it is poorly known.
    """
    last = iterations[-1].sheets
    ends = [_interval(now.sheets, before.sheets, last) for before, now in pairwise(iterations[-window - 1 :])]
    halves = [(one.high - one.low) / 2 for one in ends if one.low is not None and one.high is not None]
    return float(np.sqrt(np.mean(np.square(halves)) / 2)) / NORMAL if halves else None


def _interval(now: pd.DataFrame, before: pd.DataFrame, last: pd.DataFrame) -> Interval:
    """Return the interval of the gain; `last` are the sheets of the last iteration, which knows their groups."""
    names = last["image_id"].tolist()
    if any(one["image_id"].tolist() != names for one in (now, before)):
        return Interval(None, None)  # nothing to pair: one of them was edited by hand
    return gain_interval(_counts(now), _counts(before), units_of(last["group"].tolist()))


def _counts(sheets: pd.DataFrame) -> NDArray[np.int64]:
    return sheets[COUNTS].to_numpy(dtype=np.int64)
