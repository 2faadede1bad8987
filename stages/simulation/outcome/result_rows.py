"""The results of a simulation's cells as rows and curves."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from stages.simulation.outcome.kept_promises import Promise
from stages.simulation.outcome.learning_curves import LearningCurve
from stages.simulation.replay_arms import FULL, START

AXES = ("minutes", "sheets", "boxes")  # what a review costs: a person's time, sheets opened, boxes looked at
COLUMNS = {
    "arm": "str",
    "seed": "int64",
    "iteration": "int64",
    "minutes": "float64",  # of review so far
    "sheets": "int64",  # reviewed so far
    "boxes": "int64",  # looked at so far
    "errors": "int64",  # mended so far
    "f1": "float64",  # on test, at the confidence that val chooses
    "f1_at_own": "float64",  # on test, at the project's confidence
    "f1_val": "float64",
    "train_sheets": "int64",
    "train_boxes": "int64",
}


def rows_of(results: Iterable[Mapping[str, Any]], arms: Iterable[str]) -> pd.DataFrame:
    """Return a row per arm, seed and iteration (COLUMNS), sorted; the shared start stands in each of `arms`.

    An F1 that is undefined, since nothing was found, is 0.
    """
    names, found = list(arms), list(results)
    rows = [{**_row(one), "arm": name} for one in found for name in (names if one["arm"] == START else [one["arm"]])]
    frame = pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
    return frame.sort_values(["arm", "seed", "iteration"], ignore_index=True)


def _row(one: Mapping[str, Any]) -> dict[str, Any]:
    scores = {"f1": "test", "f1_at_own": "test_at_own", "f1_val": "val"}
    f1 = {name: one[place]["f1"] or 0.0 for name, place in scores.items()}
    return {**{key: one[key] for key in COLUMNS if key in one}, **f1}


def curve_of(rows: pd.DataFrame, arm: str, seed: int, axis: str) -> LearningCurve:
    """Return F1 on test of an arm and a seed over one of `AXES`."""
    own = rows[(rows["arm"] == arm) & (rows["seed"] == seed)]
    return LearningCurve(tuple(own[axis].astype(float)), tuple(own["f1"]))


def promises_of(results: Iterable[Mapping[str, Any]]) -> dict[str, list[Promise]]:
    """Return per arm, `full` left out, what was expected of its packets and what was found on their picked sheets."""
    found: dict[str, list[Promise]] = {}
    for one in results:
        packet = one["packet"]
        if packet and one["arm"] != FULL and packet["expected_errors"] is not None:
            middle, low, high = (float(packet[f"expected_errors{end}"]) for end in ("", "_low", "_high"))
            promise = Promise(middle, low, high, float(packet["picked"]["errors"]))
            found.setdefault(one["arm"], []).append(promise)
    return found
