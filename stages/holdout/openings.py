"""The record of how often `test` was opened, and what came out: a row per opening, never changed afterwards."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from stages.ruler.scores.score_rows import row_of
from stages.wording.rates import rate_in

SPLITS = ("test", "val")
RATES = ("f1", "precision", "recall")
ENDS = ("", "_low", "_high")
FACTS = (
    "opening",  # from 1
    "iteration",
    "commit",  # of the iteration
    "ruler",
    "confidence",  # from where detections count
    "date",  # of the opening
    "sheets",  # of test
    "boxes",  # of test
    "test_content",  # digest of the sheets and labels of test
)
NUMBERS = tuple(f"{split}_{rate}{end}" for split in SPLITS for rate in RATES for end in ENDS)
COLUMNS = (
    *FACTS,
    *NUMBERS,
    "reason",  # why it was opened again, "" for the first time
)
Row = Mapping[str, Any]


def opening_row(scores: pd.DataFrame, facts: Row, *, reason: str) -> dict[str, Any]:
    """Return the row of one opening; `scores` holds test and val, `facts` all of `FACTS` but sheets and boxes."""
    rows = {split: row_of(scores, split=split) for split in SPLITS}
    rates = {f"{split}_{rate}{end}": rows[split][f"{rate}{end}"] for split in SPLITS for rate in RATES for end in ENDS}
    known = {**facts, "sheets": rows["test"]["images"], "boxes": rows["test"]["boxes"]}
    return {**{name: known[name] for name in FACTS}, **rates, "reason": reason}


def opened_text(count: int) -> str:
    """Return how often test was opened, and what that means; "" for never."""
    if count < 2:
        return "test opened once" if count else ""
    return f"test opened {count} times: numbers after the first are no longer a surprise"


def result_line(row: Row, split: str) -> str:
    """Return F1, precision and recall of one opening on one split, with their intervals."""
    return f"{split}: {rates_text(row, split)}"


def rates_text(row: Row, split: str) -> str:
    """Return the rates of `result_line`, without the name of the split."""
    names = dict(zip(RATES, ("F1", "P", "R"), strict=True))
    return ", ".join(
        f"{name} {rate_in(*(row[f'{split}_{rate}{end}'] for end in ENDS))}" for rate, name in names.items()
    )


def changed_test(rows: Sequence[Row]) -> bool:
    """Say whether test held other sheets or labels at the last opening than at one before."""
    return len({row["test_content"] for row in rows}) > 1
