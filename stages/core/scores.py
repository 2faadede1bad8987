"""P, R, F1 and AP of each split: over all boxes, per class, per size and per group, each with its interval."""

from typing import Any

import pandas as pd

from stages.core.matching import SHEET

RATES = ("f1", "precision", "recall", "ap50", "ap50_95")
OUTCOMES = ("tp", "fp", "fn")
COLUMNS = [
    "split",
    "part",
    "name",
    "images",
    "boxes",
    *OUTCOMES,
    *(f"{rate}{end}" for rate in RATES for end in ("", "_low", "_high")),
]


def sheet_counts(*, images: pd.DataFrame, matches: pd.DataFrame) -> pd.DataFrame:
    """Return split, image_id, group, confidence, tp, fp, fn of every labelled sheet, sorted by split and image_id.

    `images` is the table IMAGES, `matches` the table MATCHES.
    """
    labelled = images.loc[images["labelled"], [*SHEET, "group", "confidence"]]
    counted = matches.groupby([*SHEET, "outcome"]).size().unstack(fill_value=0)
    counts = counted.reindex(columns=list(OUTCOMES), fill_value=0).reset_index()
    table = labelled.merge(counts, on=SHEET, how="left").fillna(dict.fromkeys(OUTCOMES, 0))
    return table.astype(dict.fromkeys(OUTCOMES, "int64")).sort_values(SHEET, ignore_index=True)


def row_of(scores: pd.DataFrame, *, split: str, part: str = "all", name: str = "all") -> dict[str, Any]:
    """Return one row of the scores as plain values, undefined ones as None; raise `KeyError` when there is none."""
    chosen = scores[(scores["split"] == split) & (scores["part"] == part) & (scores["name"] == name)]
    if len(chosen) != 1:
        raise KeyError(f"{split}/{part}/{name}")
    return {key: None if pd.isna(value) else value for key, value in chosen.iloc[0].to_dict().items()}
