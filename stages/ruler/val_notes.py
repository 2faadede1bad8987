"""Says where val is too small, and with what width of its numbers that is paid."""

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from stages.ruler.matching.matching import SHEET

FEW_SHEETS = 20  # below it, intervals rest on the guess that sheets are alike, and one odd sheet moves everything
FEW_BOXES = 30  # below it, one box more or less found is more than 0.015 of F1
WIDE = 0.05  # half a 95 % interval: ten times `converge.plateau_gain`, so gains of an iteration drown in it


class PartWidth(NamedTuple):
    """How well F1 of all boxes of val, or of one class, is known; None where its interval is undefined."""

    name: str
    boxes: int
    sheets: int  # that have such a box; for all boxes: all labelled sheets
    low: float | None  # ends of the 95 % interval of F1
    high: float | None

    @property
    def half(self) -> float | None:
        """Half the width of the interval."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2


def val_notes(scores: pd.DataFrame, *, ground_truth: pd.DataFrame, classes: Sequence[str]) -> list[str]:
    """Return a line for val as a whole and for each class that is too small to be measured well; [] if all is well.

    `scores` has the columns of scores.csv, `ground_truth` those of GROUND_TRUTH; both may hold other splits.
    """
    boxes = ground_truth[ground_truth["split"] == "val"]
    sheets = boxes.drop_duplicates([*SHEET, "class_id"])["class_id"].value_counts()
    val = scores[scores["split"] == "val"]
    rows = {(row["part"], row["name"]): row for row in val.to_dict("records")}
    if not rows:
        return []
    whole = rows["all", "all"]
    notes = [_whole(_measured(whole, "val", sheets=int(whole["images"])))]
    for i, name in enumerate(classes):
        notes.append(_class(_measured(rows["class", name], name, sheets=int(sheets.get(i, 0)))))
    return [note for note in notes if note]


def _whole(val: PartWidth) -> str:
    if val.sheets >= FEW_SHEETS and not _wide(val):
        return ""
    size = f"val: {_count(val.boxes, 'box')} on {_count(val.sheets, 'sheet')}: {_known(val)}"
    if val.half is None or not _wide(val):
        return size
    wanted = math.ceil(val.sheets * (val.half / WIDE) ** 2)  # widths shrink with the root of the sheets
    return f"{size}; about {wanted} such sheets would narrow that to {2 * WIDE:.2f} from end to end"


def _class(one: PartWidth) -> str:
    if not one.boxes:
        return f"{one.name}: no box in val, so it is not measured"
    if one.boxes >= FEW_BOXES and one.half is not None and not _wide(one):
        return ""
    return f"{one.name}: {_count(one.boxes, 'box')} on {_count(one.sheets, 'sheet')}: {_known(one)}"


def _known(one: PartWidth) -> str:
    return "too few to say how well F1 is known" if one.half is None else f"F1 lies in {one.low:.3f} to {one.high:.3f}"


def _wide(one: PartWidth) -> bool:
    return one.half is not None and round(one.half, 2) > WIDE  # as it is shown


def _count(number: int, what: str) -> str:
    """Return `1 box`, `26 boxes`, `9 sheets`."""
    return f"{number} {what if number == 1 else 'boxes' if what == 'box' else f'{what}s'}"


def _measured(row: Mapping[Hashable, Any], name: str, *, sheets: int) -> PartWidth:
    low, high = row["f1_low"], row["f1_high"]
    ends = (None, None) if pd.isna(low) or pd.isna(high) else (low, high)
    return PartWidth(name, int(row["boxes"]), sheets, *ends)
