"""Brings what is known of earlier iterations to another list of classes, and compares nothing that is not the same.

Numbers of a class go with it, by name, as long as it means what it meant. F1 over all classes is another number for
another list: its ruler names the list, so that rows of before keep theirs and are compared with nothing after. When a
class is only called otherwise every number stays what it was, and so the statements of the rulers follow the name.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from stages.classes.class_change import ClassChange
from stages.convergence.history.history_columns import column_types
from stages.convergence.regression import KeptOutcomes, PoolBox, SheetOutcome
from stages.ruler.statement import Ruler

_PER_CLASS = ("f1", "fn")  # columns of the history that each class has one of


class ValContent(NamedTuple):
    """The digest of val's images and labels (`content_digest`), before and after the change."""

    before: str
    after: str


def migrated_history(history: pd.DataFrame, change: ClassChange) -> pd.DataFrame:
    """Return the rows of `history`, over `change.old`, with the columns of `change.new`.

    What a class of another meaning came to is left empty. Everything else of a row stays, but for its ruler where
    `change` is a renaming.
    """
    of_class = {f"{what}[{new}]": pd.NA for new in change.new for what in _PER_CLASS}
    same = {f"{what}[{new}]": history[f"{what}[{old}]"] for old, new in change.same.items() for what in _PER_CLASS}
    types = column_types(change.new)
    columns = {name: {**history, **of_class, **same}[name] for name in types}
    migrated = pd.DataFrame(columns, index=history.index).astype(types)
    if change.is_renaming and len(migrated):
        rulers = [_renamed(*row, change) for row in zip(migrated["ruler"], migrated["ruler_statement"], strict=True)]
        migrated["ruler"], migrated["ruler_statement"] = (list(column) for column in zip(*rulers, strict=True))
    return migrated


def _renamed(ruler: str, statement: str, change: ClassChange) -> tuple[str, str]:
    """Return id and statement of a ruler whose classes are called otherwise; one that is not understood stays."""
    stated = _stated(ruler, statement)
    if stated is None:
        return ruler, statement
    names = tuple(change.same.get(name, name) for name in stated.classes)
    if len(set(names)) != len(names):
        return ruler, statement
    now = stated._replace(classes=names)
    return now.id, now.text()


def migrated_outcomes(
    kept: KeptOutcomes | None, change: ClassChange, *, statement: str, content: ValContent
) -> KeptOutcomes | None:
    """Return what the iteration before found on val and drew on the pool, in the classes of `change.new`.

    `statement` is that of its ruler. Only classes that mean what they meant are compared: `classes` has their ids. The
    ruler becomes the one that measures the same otherwise, so that an iteration with any other change is compared
    with nothing, as ever; where it is not known how, it stays what it was, and nothing is compared either.
    """
    if kept is None:
        return None
    ids = {old: new for old, new in enumerate(change.ids) if new is not None}
    whole = range(len(change.old)) if kept.classes is None else kept.classes
    compared = tuple(sorted(ids[one] for one in whole if change.old[one] in change.same))
    every = compared == tuple(range(len(change.new)))
    return KeptOutcomes(
        iteration=kept.iteration,
        ruler=_ruler_now(kept.ruler, statement, change, content),
        sheets={name: _sheet(one, ids, len(change.new)) for name, one in kept.sheets.items()},
        pool={name: [_box(box, ids) for box in boxes if box.class_id in ids] for name, boxes in kept.pool.items()},
        classes=None if every else compared,
    )


def _sheet(outcome: SheetOutcome, ids: Mapping[int, int], classes: int) -> SheetOutcome:
    alarms = [0] * classes
    for old, count in enumerate(outcome.alarms):
        if old in ids:
            alarms[ids[old]] += count
    return outcome._replace(alarms=tuple(alarms))


def _box(box: PoolBox, ids: Mapping[int, int]) -> PoolBox:
    return box._replace(class_id=ids[box.class_id])


def _ruler_now(ruler: str, statement: str, change: ClassChange, content: ValContent) -> str:
    stated = _stated(ruler, statement)
    if stated is None or tuple(stated.classes) != change.old or stated.val_content != content.before:
        return ruler
    return stated._replace(classes=change.new, val_content=content.after).id


def _stated(ruler: str, statement: str) -> Ruler | None:
    """Return the ruler that `statement` states, None unless `ruler` is its id."""
    try:
        stated = Ruler(**json.loads(statement))
        return stated._replace(classes=tuple(stated.classes)) if stated.id == ruler else None
    except (TypeError, ValueError):
        return None


def migrated_review(review: Mapping[str, Any], change: ClassChange) -> dict[str, Any]:
    """Return metrics/review.json with the names of `change`.

    Detections that reviews judged are those of a class that means what it meant; others teach the picker nothing any
    more. What the last review came to per class stays as it was counted.
    """
    kept = dict(review)
    if "judged" in kept:
        there = {*change.same, ""}  # "": objects that no detection lay on, whatever their class
        kept["judged"] = _with_names([row for row in kept["judged"] if row["class_name"] in there], change.same)
    if "prelabels_by_class" in kept:
        kept["prelabels_by_class"] = _with_names(kept["prelabels_by_class"], change.same)
    if kept.get("details"):
        kept["details"] = [migrated_review(one, change) for one in kept["details"]]
    return kept


def _with_names(rows: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{**row, "class_name": names.get(row["class_name"], row["class_name"])} for row in rows]
