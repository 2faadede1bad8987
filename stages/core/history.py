"""The history of the loop: its columns, one row per iteration, and whether the rows are without a gap."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

# Measured by `validate`. Rates are in [0, 1] and may be undefined (empty); counts are whole numbers.
_RATES = ("f1", "precision", "recall", "map50", "map50_95")
_COUNTS = ("tp", "fp", "fn")
_SIZES = ("train_images", "train_boxes", "pool_images")
_TEXTS = ("verdict", "rule", "despite_stop")


def column_types(classes: Sequence[str]) -> dict[str, str]:
    """Return the columns of a history over `classes`, in their order, each with its pandas type."""
    return {
        "iteration": "int64",
        **dict.fromkeys(_RATES, "Float64"),
        **dict.fromkeys(_COUNTS, "Int64"),
        "train_f1": "Float64",
        **dict.fromkeys(_SIZES, "Int64"),
        **{f"f1[{name}]": "Float64" for name in classes},
        **{f"fn[{name}]": "Int64" for name in classes},
        **dict.fromkeys(_TEXTS, "str"),
    }


def empty_history(classes: Sequence[str]) -> pd.DataFrame:
    """Return the history before the first iteration: all columns, no row."""
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in column_types(classes).items()})


def history_row(
    metrics: Mapping[str, Any], *, iteration: int, classes: Sequence[str], verdict: str, rule: str | None
) -> dict[str, Any]:
    """Return the row of one iteration from `metrics`, the content of `metrics/validate.json`.

    Undefined rates (None) stay None. Raises `KeyError` when a section, a number or a class is missing.
    """
    val, train, per_class = metrics["val"], metrics["train"], metrics["per_class"]["val"]
    return {
        "iteration": iteration,
        **{name: val[name] for name in (*_RATES, *_COUNTS)},
        "train_f1": train["f1"],
        "train_images": train["images"],
        "train_boxes": train["boxes"],
        "pool_images": metrics["pool"]["images"],
        **{f"f1[{name}]": per_class[name]["f1"] for name in classes},
        **{f"fn[{name}]": per_class[name]["fn"] for name in classes},
        "verdict": verdict,
        "rule": rule or "",
        "despite_stop": "",  # `advance` fills it in when somebody goes on in spite of "stop"
    }


def with_row(history: pd.DataFrame, row: Mapping[str, Any], *, classes: Sequence[str]) -> pd.DataFrame:
    """Return `history` with `row` below; earlier rows keep every value, the text of `despite_stop` too."""
    types = column_types(classes)
    last = pd.DataFrame([row], columns=list(types)).astype(types)
    return pd.concat([history.astype(types), last], ignore_index=True) if len(history) else last


def long_by_class(history: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Return one row per iteration and class: iteration, class_name, f1 (may be undefined), fn."""
    parts = [
        pd.DataFrame(
            {
                "iteration": history["iteration"],
                "class_name": name,
                "f1": history[f"f1[{name}]"],
                "fn": history[f"fn[{name}]"],
            }
        )
        for name in classes
    ]
    order = pd.concat(parts, ignore_index=True)
    return order.sort_values("iteration", kind="stable", ignore_index=True)  # classes stay in their order


def is_unbroken(iterations: Sequence[int]) -> bool:
    """Return whether `iterations` are exactly 0, 1, …, n-1: each once, in order, none missing."""
    return list(iterations) == list(range(len(iterations)))


def classes_of(columns: Sequence[str]) -> list[str]:
    """Return the class names that the columns of a history speak of, in their order."""
    return [name[3:-1] for name in columns if name.startswith("f1[") and name.endswith("]")]
