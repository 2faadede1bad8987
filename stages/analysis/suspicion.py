"""Says in one sentence why a label, or the model, is suspected."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

KINDS = {  # what is wrong with the label, or with the model, as it is called on the page
    "missing_box": "missing box",
    "wrong_class": "wrong class",
    "badly_placed": "badly placed",
    "duplicate": "duplicate",
    "stray": "stray click",
    "missed": "missed by the model",
    "false_alarm": "false alarm",
}
_SENTENCES = {
    "missing_box": "{seen} No label lies there.",
    "wrong_class": "It is labelled {own}. {seen} It is not sure of any {own} there.",
    "badly_placed": "{seen} Its box and the label overlap by {iou:.2f} (IoU) only.",
    "duplicate": "The label {own} lies on another label, {other}: one of the two is too much.",
    "stray": "The model proposes nothing there, and size or shape of the label are unusual for {own}.",
    "missed": "The model missed this {own}, and nothing speaks against the label.",
    "false_alarm": "{seen} That is not enough to blame the labels.",
}


def suspicion(row: Mapping[Any, Any], classes: Sequence[str]) -> str:
    """Return the sentence of a row of the triage."""
    own = classes[int(row["class_id"])]
    other = own if pd.isna(row["other_class_id"]) else classes[int(row["other_class_id"])]
    seen = "" if pd.isna(row["confidence"]) else _seen(row, other)
    return _SENTENCES[row["kind"]].format(own=own, other=other, seen=seen, iou=row["iou"])


def _seen(row: Mapping[Any, Any], said: str) -> str:
    usual = f"surer than of {row['sure']:.0%} of those that it finds; {row['right']:.0%} of such detections are right"
    return f"The model is {row['confidence']:.0%} sure of {said} ({usual})."
