"""What another wording does to what the same weights find: counts on the same sheets, compared in pairs."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from stages.ruler.matching.matching import outcomes
from stages.ruler.pairing.pairs import Ints
from stages.ruler.scores.intervals import PairedChange, f1_parts, paired_change
from stages.ruler.scores.metrics import ratios

COUNTED = ("tp", "fp", "fn")
ALL = "all"


class ClassEffect(NamedTuple):
    """What a change of the prompts does to one class, or to `all`; rates in [0, 1], None where undefined."""

    class_name: str
    boxes: int
    f1_before: float | None
    f1_now: float | None
    f1: PairedChange
    precision: PairedChange
    recall: PairedChange
    false_before: int  # false alarms
    false_now: int


def class_counts(
    *,
    detections: pd.DataFrame,
    ground_truth: pd.DataFrame,
    sheets: Sequence[tuple[str, str]],
    classes: int,
    iou: float,
    confidence: float | pd.Series,
) -> Ints:
    """Return tp, fp and fn of each class on each of `sheets`, given as (split, image_id): (sheets, classes, 3)."""
    found = outcomes(detections=detections, ground_truth=ground_truth, iou=iou, confidence=confidence)
    place = {key: number for number, key in enumerate(sheets)}
    counts = np.zeros((len(sheets), classes, len(COUNTED)), np.int64)
    rows = zip(found["split"], found["image_id"], found["class_id"], found["outcome"], strict=True)
    for split, image_id, class_id, outcome in rows:
        counts[place[split, image_id], class_id, COUNTED.index(outcome)] += 1
    return counts


def class_effects(*, before: Ints, now: Ints, unit: Ints, classes: Sequence[str]) -> list[ClassEffect]:
    """Return what changed for all classes together, and for each of them; counts as `class_counts` returns them.

    `unit`, (sheets,), says which sheets chance draws together.
    """
    together = [(ALL, before.sum(axis=1), now.sum(axis=1))]
    each = [(name, before[:, i], now[:, i]) for i, name in enumerate(classes)]
    return [_effect(name, one, other, unit) for name, one, other in [*together, *each]]


def _effect(name: str, before: Ints, now: Ints, unit: Ints) -> ClassEffect:
    return ClassEffect(
        name,
        int(before[:, [0, 2]].sum()),
        _f1(before),
        _f1(now),
        paired_change(f1_parts(now), f1_parts(before), unit),
        paired_change(_share_parts(now, 1), _share_parts(before, 1), unit),
        paired_change(_share_parts(now, 2), _share_parts(before, 2), unit),
        int(before[:, 1].sum()),
        int(now[:, 1].sum()),
    )


def _f1(counts: Ints) -> float | None:
    return ratios(**dict(zip(COUNTED, counts.sum(axis=0).tolist(), strict=True)))["f1"]


def _share_parts(counts: Ints, wrong: int) -> Ints:
    """Return what precision sums above and below where `wrong` is the place of fp, recall where it is that of fn."""
    return np.stack([counts[:, 0], counts[:, 0] + counts[:, wrong]], axis=1)


def change_text(change: PairedChange) -> str:
    """Return a change with its interval, `+0.031 (+0.010 to +0.052)`; in words where it cannot be told from 0."""
    if change.value is None:
        return "undefined"
    if change.low is None or change.high is None:
        return f"{change.value:+.3f}, on too few sheets for an interval"
    unclear = "no effect measurable: " if change.low <= 0 <= change.high else ""
    return f"{unclear}{change.value:+.3f} ({change.low:+.3f} to {change.high:+.3f})"
