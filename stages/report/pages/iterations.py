"""The iterations side by side on a page: their numbers, what changed, what another ruler measured, what each cost."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import pandas as pd

from stages.convergence.gains import what_differs
from stages.convergence.history.history_columns import classes_of
from stages.report.pages.chart import COLOURS, Chart, Trend, chart
from stages.wording.rates import gain_in

Seconds = Mapping[int, Mapping[str, float]]  # iteration -> stage -> seconds
_RATES = {"precision": "precision", "recall": "recall", "ap50": "map50"}  # in the scores -> in the history

_ITERATIONS_ACROSS = 8  # of a table; with more it is wider than the page


class Tile(NamedTuple):
    """A number with its 95 % interval and how it changed since an earlier iteration; None is undefined."""

    value: float | None
    low: float | None = None
    high: float | None = None
    since: int | None = None
    change: str | None = None  # None with `since`: another ruler measured that one


class ClassRows(NamedTuple):
    """F1 of each class, by name, in each of `steps`; None is undefined."""

    steps: Sequence[int]
    rows: Mapping[str, Sequence[float | None]]


class Cost(NamedTuple):
    """What was reviewed for an iteration, and the seconds of its stages; None is unknown."""

    sheets: int | None
    boxes: int | None
    seconds: Sequence[float | None]


class Costs(NamedTuple):
    """The cost of each iteration, and of all."""

    stages: Sequence[str]
    rows: Mapping[int, Cost]
    total: Cost


def tiles(history: pd.DataFrame, scores: Sequence[Mapping[str, Any]], verdict: Mapping[str, Any]) -> dict[str, Tile]:
    """Return the most important numbers; what another ruler measured has not changed by anything.

    `scores` are the rows of data/validate/scores.csv, `verdict` is metrics/converge.json.
    """
    before = history.iloc[-2] if len(history) > 1 else None
    comparable = before if before is not None and before["ruler"] == history["ruler"].iloc[-1] else None
    val, train = (
        next((row for row in scores if (row["split"], row["part"]) == (split, "all")), {}) for split in ("val", "train")
    )
    sheets = int(history["train_images"].iloc[-1])
    return {
        "f1": _tile(val, "f1")._replace(**_gain(verdict, before)),
        **{key: _tile(val, key)._replace(**_change(val.get(key), comparable, name)) for key, name in _RATES.items()},
        "train_f1": _tile(train, "f1")._replace(**_change(train.get("f1"), comparable, "train_f1")),
        "sheets": Tile(sheets)._replace(**_change(sheets, before, "train_images")),
    }


def charts(history: pd.DataFrame, target: float | None) -> list[Chart]:
    """Return F1 with precision and recall, and F1 of the worst classes, over the iterations."""
    steps, rulers = history["iteration"].tolist(), history["ruler"].tolist()
    names = {"f1": "F1", "precision": "precision", "recall": "recall"}
    totals = [Trend(name, _floats(history[column]), kind) for kind, (column, name) in enumerate(names.items())]
    ends = list(zip(_floats(history["f1_low"]), _floats(history["f1_high"]), strict=True))
    totals[0] = totals[0]._replace(ends=ends)
    classes = classes_of(history.columns.tolist())
    shown = [name for name in classes if name in worst(history, classes, COLOURS)]
    per_class = [Trend(name, _floats(history[f"f1[{name}]"]), kind) for kind, name in enumerate(shown)]
    label = "F1, precision and recall on val over the iterations"
    return [
        chart(totals, steps, label=label, rulers=rulers, target=target),
        chart(per_class, steps, label="F1 per class on val over the iterations", rulers=rulers),
    ]


def worst(history: pd.DataFrame, classes: Sequence[str], most: int) -> set[str]:
    """Return the `most` classes with the lowest last F1; an undefined one says nothing, so it comes last."""
    last = {name: history[f"f1[{name}]"].iloc[-1] for name in classes}
    order = sorted(classes, key=lambda name: 2.0 if pd.isna(last[name]) else float(last[name]))
    return set(order[:most])


def table_rows(history: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of the history, the last first, None where it is undefined.

    `rates` are precision and recall, `counts` the sheets and boxes of train and the sheets of the
    pool; `other_ruler` is what differs where another ruler than the last one measured the iteration.
    """
    rows = history.iloc[::-1].astype(object).where(history.notna(), None).to_dict("records")
    others = _differences(history)
    return [
        {
            **{str(key): value for key, value in row.items()},
            "rates": [row[key] for key in ("precision", "recall")],
            "counts": [row[key] for key in ("train_images", "train_boxes", "pool_images")],
            "other_ruler": others.get(row["iteration"]),
        }
        for row in rows
    ]


def class_rows(history: pd.DataFrame) -> ClassRows:
    """Return F1 of each class over the last iterations: classes go down the page, which has room for any number."""
    last = history.tail(_ITERATIONS_ACROSS)
    names = classes_of(history.columns.tolist())
    return ClassRows(last["iteration"].tolist(), {name: _floats(last[f"f1[{name}]"]) for name in names})


def ruler_before(history: pd.DataFrame) -> tuple[int, str] | None:
    """Return the iteration before and how its ruler differs ("": not at all); None for the first iteration."""
    if len(history) < 2:
        return None
    now, before = history.iloc[-1], history.iloc[-2]
    same = now["ruler"] == before["ruler"]
    differs = "" if same else what_differs(before["ruler_statement"], now["ruler_statement"])
    return int(before["iteration"]), differs


def other_rulers(history: pd.DataFrame) -> dict[str, list[int]]:
    """Return each way in which rulers of earlier iterations differ from the last one, with those iterations."""
    found: dict[str, list[int]] = {}
    for step, way in _differences(history).items():
        found.setdefault(way, []).append(step)
    return found


def costs(history: pd.DataFrame, seconds: Seconds) -> Costs:
    """Return what each iteration cost: the review before it, and the seconds of its stages where they are known."""
    known = sorted({stage for one in seconds.values() for stage in one})
    stages = known or ["train"]
    sheets, boxes = (_grown(history[name]) for name in ("train_images", "train_boxes"))
    steps = history["iteration"].tolist()
    rows = {
        step: Cost(new_sheets, new_boxes, [seconds.get(step, {}).get(stage) for stage in stages])
        for step, new_sheets, new_boxes in zip(steps, sheets, boxes, strict=True)
    }
    together = [sum(one.get(stage, 0.0) for one in seconds.values()) if known else None for stage in stages]
    return Costs(stages, rows, Cost(_sum(sheets), _sum(boxes), together))


def _differences(history: pd.DataFrame) -> dict[int, str]:
    """Return the iterations that were measured by another ruler than the last one, and what differs."""
    last = history.iloc[-1]
    others = history[history["ruler"] != last["ruler"]]
    return {
        step: what_differs(statement, last["ruler_statement"])
        for step, statement in zip(others["iteration"].tolist(), others["ruler_statement"], strict=True)
    }


def _tile(row: Mapping[str, Any], key: str) -> Tile:
    return Tile(row.get(key), row.get(f"{key}_low"), row.get(f"{key}_high"))


def _gain(verdict: Mapping[str, Any], before: pd.Series | None) -> dict[str, Any]:
    """Return the gain of F1 since the iteration before with its interval, or that another ruler measured that one."""
    since = None if before is None else int(before["iteration"])
    one = next((gain for gain in verdict.get("gains", []) if gain["since"] == since), None)
    if one is None:
        return {}
    return {"since": since, "change": None if one["other_ruler"] else gain_in(one["gain"], one["low"], one["high"])}


def _change(now: Any, before: pd.Series | None, column: str) -> dict[str, Any]:
    if before is None or now is None or pd.isna(before[column]):
        return {}
    step = now - before[column]
    return {
        "since": int(before["iteration"]),
        "change": f"{step:+.3f}" if isinstance(now, float) else f"{int(step):+d}",
    }


def _grown(column: pd.Series) -> list[int | None]:
    """Return what every iteration added; what the first began with was imported, not reviewed: None."""
    values = [None if pd.isna(value) else int(value) for value in column]
    return [None, *(None if a is None or b is None else b - a for a, b in pairwise(values))]


def _sum(values: Sequence[int | None]) -> int:
    return sum(value for value in values if value is not None)


def _floats(column: pd.Series) -> list[float | None]:
    return [None if pd.isna(value) else float(value) for value in column]
