"""Makes the rows of the history: one per iteration, or one per iteration and class."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from stages.convergence.gains import ruler_text
from stages.convergence.history.history_columns import COUNTS, RATES, column_types
from stages.ruler.scores.score_rows import row_of


def history_row(
    metrics: Mapping[str, Any],
    scores: pd.DataFrame,
    *,
    iteration: int,
    classes: Sequence[str],
    verdict: str,
    rule: str | None,
) -> dict[str, Any]:
    """Return the row of one iteration from `metrics` (metrics/validate.json) and `scores` (data/validate/scores.csv).

    Undefined rates (None) stay None. Raises `KeyError` when a number, a split or a class is missing.
    """
    sheets = {one["split"]: one for one in metrics["splits"]}
    of_class = {name: row_of(scores, split="val", part="class", name=name) for name in classes}
    return {
        "iteration": iteration,
        **{name: metrics[name] for name in (*RATES, *COUNTS, "confidence", "train_f1")},
        "train_images": sheets["train"]["labelled"],
        "train_boxes": sheets["train"]["boxes"],
        "pool_images": sheets["pool"]["images"],
        **{f"f1[{name}]": one["f1"] for name, one in of_class.items()},
        **{f"fn[{name}]": one["fn"] for name, one in of_class.items()},
        "ruler": metrics["ruler"],
        "ruler_statement": ruler_text(metrics),
        "verdict": verdict,
        "rule": rule or "",
        "despite_stop": "",  # `advance` fills it in when somebody goes on in spite of "stop"
        "accepted_regression": "",  # the same for going on although something was lost
    }


def with_row(history: pd.DataFrame, row: Mapping[str, Any], *, classes: Sequence[str]) -> pd.DataFrame:
    """Return `history` with `row` below; earlier rows keep every value, what `advance` wrote there too."""
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
