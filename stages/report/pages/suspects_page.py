"""The page of the labels that look wrong: what stands on it. How it is laid out is in templates/suspects.html."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from stages.analysis.suspicion import KINDS
from stages.analysis.triage import TRUSTED_F1

MISTAKES = [kind for kind in KINDS if kind not in ("missed", "false_alarm")]  # what blames the label
_JUDGEMENTS = ("label", "unclear", "model")


class Pair(NamedTuple):
    """A suspect, a row of SUSPECTS, and its two pictures (data URIs), None without a sheet."""

    row: Mapping[Any, Any]
    class_name: str
    other_name: str  # of other_class_id; else class_name
    labelled: str | None
    seen: str | None


def suspects_values(iteration: int, suspects: pd.DataFrame, pairs: Sequence[Pair]) -> dict[str, Any]:
    """Return the values of templates/suspects.html: `suspects` are counted, `pairs` are shown, in their order."""
    kinds = [pair.row["kind"] for pair in pairs]
    return {
        "iteration": iteration,
        "counts": judged(suspects),
        "blamed": int((suspects["judgement"] != "model").sum()),
        "kinds": KINDS,
        "mistakes": MISTAKES,
        "buttons": {kind: kinds.count(kind) for kind in MISTAKES if kind in kinds},
        "trusted_f1": TRUSTED_F1,
        "pairs": [pair._replace(row=_known(pair.row)) for pair in pairs],
    }


def judged(suspects: pd.DataFrame) -> dict[str, list[int]]:
    """Return how many judgements of each kind every split has."""
    splits = [split for split in ("val", "train", "pool") if (suspects["split"] == split).any()]
    return {
        split: [int(((suspects["split"] == split) & (suspects["judgement"] == one)).sum()) for one in _JUDGEMENTS]
        for split in splits
    }


def _known(row: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return the row with None for what is undefined."""
    return {key: None if pd.isna(value) else value for key, value in row.items()}
