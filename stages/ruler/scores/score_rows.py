"""The table of scores: its columns and how a row is read, apart from what makes it: a reader needs no more."""

from typing import Any

import pandas as pd

RATES = ("f1", "precision", "recall", "ap50", "ap50_95")
OUTCOMES = ("tp", "fp", "fn")
COLUMNS = [
    "split",
    "part",  # `all`, `class`, `size` or `group`
    "name",  # which class, size or group
    "images",
    "boxes",
    *OUTCOMES,
    *(f"{rate}{end}" for rate in RATES for end in ("", "_low", "_high")),
]


def row_of(scores: pd.DataFrame, *, split: str, part: str = "all", name: str = "all") -> dict[str, Any]:
    """Return one row of the scores as plain values, undefined ones as None; raise `KeyError` when there is none."""
    chosen = scores[(scores["split"] == split) & (scores["part"] == part) & (scores["name"] == name)]
    if len(chosen) != 1:
        raise KeyError(f"{split}/{part}/{name}")
    return {str(key): None if pd.isna(value) else value for key, value in chosen.iloc[0].to_dict().items()}
