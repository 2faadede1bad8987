"""All that follows from the tables of boxes without looking at a sheet again: the one place where a score is made."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from stages.ruler.losses.fates import fate_counts, ledger
from stages.ruler.losses.tide import error_costs, errors
from stages.ruler.matching.matching import SHEET, on_sheets, outcomes, row_thresholds
from stages.ruler.scores.average_precision import hit_table
from stages.ruler.scores.curves import confusion, f1_curve, pr_curve
from stages.ruler.scores.intervals import units_of
from stages.ruler.scores.metrics import ratios
from stages.ruler.scores.score_rows import OUTCOMES
from stages.ruler.scores.score_tables import JudgedSplit, score_table, sheet_counts
from stages.ruler.scores.threshold import Thresholds, cross_fit, fixed
from stages.ruler.val_notes import val_notes

RULER_SPLIT = "val"


class Tables(NamedTuple):
    """What was on the sheets and what the model saw there, with the schemas of stages/ruler/schemas.py."""

    images: pd.DataFrame
    ground_truth: pd.DataFrame
    detections: pd.DataFrame
    discarded: pd.DataFrame


class Point(NamedTuple):
    """How a detection is judged."""

    iou: float  # least overlap with a true box
    confidence: float | None  # from where it counts; None: cross-fitted on val
    floor: float  # confidence below which nothing was saved


class Report(NamedTuple):
    """What was measured; the tables have the schemas of stages/ruler/schemas.py, or are small and for people."""

    images: pd.DataFrame  # with the operating confidence of every sheet
    matches: pd.DataFrame
    ledger: pd.DataFrame
    fates: pd.DataFrame  # counts of the ledger
    errors: pd.DataFrame
    costs: pd.DataFrame  # what each kind of error costs
    scores: pd.DataFrame
    sheets: pd.DataFrame
    pr: pd.DataFrame
    f1: pd.DataFrame
    confusion: pd.DataFrame
    confidence: float  # over all of val: that of every sheet which is not val's
    notes: list[str]  # what val is too small to say


def measure(
    tables: Tables,
    *,
    classes: Sequence[str],
    point: Point,
    size_bounds: Sequence[float],
    splits: Sequence[str] = (RULER_SPLIT, "train"),
) -> Report:
    """Return what the detections are worth against the labels of `splits`; only labelled sheets are judged.

    `size_bounds` are the three areas in px² between the sizes. Curves and confusion are of the first split. The matches
    and the ledger are of all labelled sheets, also of those in the pool.
    """
    names, listed = list(classes), list(splits)
    images, overall = with_thresholds(tables, point=point, classes=names)
    judged = _labelled_part(tables._replace(images=images))
    boxes = {"detections": judged.detections, "ground_truth": judged.ground_truth}
    sure = row_thresholds(detections=judged.detections, images=images)
    matches = outcomes(**boxes, iou=point.iou, confidence=sure)
    fates = ledger(**judged._asdict(), matches=matches, iou=point.iou)
    parts = [_of_split(judged, matches, split) for split in listed]
    first = {"detections": parts[0].detections, "ground_truth": parts[0].ground_truth}
    scores = pd.concat([score_table(part, classes=names, size_bounds=size_bounds) for part in parts], ignore_index=True)
    return Report(
        images=images,
        matches=matches,
        ledger=fates,
        fates=fate_counts(fates, classes=names, splits=listed),
        errors=errors(images=images, **boxes, iou=point.iou),
        costs=error_costs(images=images, **boxes, iou=point.iou, splits=listed),
        scores=scores,
        sheets=sheet_counts(images=images, matches=matches),
        pr=pr_curve(**first, classes=names, iou=point.iou),
        f1=f1_curve(**first, classes=names, iou=point.iou, floor=point.floor),
        confusion=confusion(**first, classes=names, iou=point.iou, confidence=sure.reindex(parts[0].detections.index)),
        confidence=overall,
        notes=val_notes(scores, ground_truth=judged.ground_truth, classes=names),
    )


def with_thresholds(tables: Tables, *, point: Point, classes: Sequence[str]) -> tuple[pd.DataFrame, float]:
    """Return IMAGES with the operating confidence of every sheet, and the one over all of val.

    A fixed one is the same everywhere. Else each sheet of val has one that was chosen without it, and every other sheet
    the one that all of val chooses.
    """
    images = tables.images
    judged = images[(images["split"] == RULER_SPLIT) & images["labelled"]]
    chosen = _thresholds(tables, judged, point=point, classes=classes)
    confidence = pd.Series(chosen.overall, index=images.index)
    confidence.loc[judged.index] = chosen.sheets
    return images.assign(confidence=confidence), chosen.overall


def copies_apart(sheets: pd.DataFrame, images: pd.DataFrame) -> dict[str, float | None]:
    """Return F1 on the sheets of val that have a near copy in train, and on those that have none; None without any.

    The leak meter: a model that has learned its sheets by heart is better on the former.
    """
    val = sheets[sheets["split"] == RULER_SPLIT].merge(images[[*SHEET, "near_copy"]], on=SHEET, how="left")
    parts = {
        "f1_with_copy": val[val["near_copy"]],  # F1 over the sheets of val that have a near copy in train
        "f1_without_copy": val[~val["near_copy"]],  # F1 over the others
    }
    return {name: ratios(**{key: int(part[key].sum()) for key in OUTCOMES})["f1"] for name, part in parts.items()}


def _thresholds(tables: Tables, judged: pd.DataFrame, *, point: Point, classes: Sequence[str]) -> Thresholds:
    if point.confidence is not None:
        return fixed(point.confidence, sheets=len(judged))
    table = hit_table(
        detections=on_sheets(tables.detections, judged),
        ground_truth=on_sheets(tables.ground_truth, judged),
        sheets=judged,
        classes=len(classes),
        thresholds=[point.iou],
    )
    return cross_fit(table, unit=units_of(judged["group"].tolist()), floor=point.floor)


def _labelled_part(tables: Tables) -> Tables:
    """Return the tables without the sheets that nobody labelled."""
    images = tables.images[tables.images["labelled"]]
    return Tables(images, *(on_sheets(part, images) for part in tables[1:]))


def _of_split(judged: Tables, matches: pd.DataFrame, split: str) -> JudgedSplit:
    parts = (judged.images, judged.ground_truth, judged.detections, matches)
    return JudgedSplit(*(part[part["split"] == split] for part in parts))
