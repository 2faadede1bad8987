"""The history of the loop: its columns, one row per iteration, and whether the rows are without a gap.

Apart from what makes the rows (`history_rows`): `train` reads the history, and an edit here would train again.
"""

from collections.abc import Sequence

import pandas as pd

# Measured by `validate`. Rates are in [0, 1] and may be undefined (empty); counts are whole numbers. f1_low and f1_high
# are the 95 % interval of F1; confidence is the operating threshold.
RATES = ("f1", "f1_low", "f1_high", "precision", "recall", "map50", "map50_95")
COUNTS = ("tp", "fp", "fn")
_SIZES = ("train_images", "train_boxes", "pool_images")
# Two rows compare only where `ruler` (its id) is the same; `ruler_statement` says in JSON what it is.
LATER = ("accepted_regression",)  # a history of an earlier version lacks it, and nothing is said there
_TEXTS = ("ruler", "ruler_statement", "verdict", "rule", "despite_stop", *LATER)


def column_types(classes: Sequence[str]) -> dict[str, str]:
    """Return the columns of a history over `classes`, in their order, each with its pandas type."""
    return {
        "iteration": "int64",
        **dict.fromkeys(RATES, "Float64"),
        **dict.fromkeys(COUNTS, "Int64"),
        "confidence": "Float64",
        "train_f1": "Float64",
        **dict.fromkeys(_SIZES, "Int64"),
        **{f"f1[{name}]": "Float64" for name in classes},
        **{f"fn[{name}]": "Int64" for name in classes},
        **dict.fromkeys(_TEXTS, "str"),
    }


def empty_history(classes: Sequence[str]) -> pd.DataFrame:
    """Return the history before the first iteration: all columns, no row."""
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in column_types(classes).items()})


def is_unbroken(iterations: Sequence[int]) -> bool:
    """Return whether `iterations` are exactly 0, 1, …, n-1: each once, in order, none missing."""
    return list(iterations) == list(range(len(iterations)))


def classes_of(columns: Sequence[str]) -> list[str]:
    """Return the class names that the columns of a history speak of, in their order."""
    return [name[3:-1] for name in columns if name.startswith("f1[") and name.endswith("]")]
