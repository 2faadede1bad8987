"""Says in one sentence why an object goes to review."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from stages.picking.greedy_choice import FACTORS, Weights

_PLACE = {"corner": " in a corner", "edge": " at the edge", "center": ""}
_EMPTY = "Nothing was seen on this sheet: is it empty?"
_STRONGEST = {
    "class_balance": "its class is rare in train",
    "size_diversity": "its size is rare in train",
    "spatial_diversity": "its place is new to the packet",
    "uncertainty": "it looks hard",
}


def reason(candidate: Mapping[Any, Any], weights: Weights) -> str:
    """Return what was seen and which factor spoke loudest, for a row of what `choose` returned."""
    if candidate["kind"] == "nothing_seen":
        return _EMPTY
    return f"{_seen(candidate)}; {_STRONGEST[strongest(candidate, weights)]}."


def odds(candidate: Mapping[Any, Any], chance: float) -> str:
    """Return what was seen and how often such a thing is right: `chance`, in [0, 1], for a row of candidates."""
    if candidate["kind"] == "nothing_seen":
        return _EMPTY
    return f"{_seen(candidate)}; of ten like it {10 * chance:.0f} are right."


def _seen(candidate: Mapping[Any, Any]) -> str:
    what = f"{candidate['size']} {candidate['class_name']}{_PLACE[candidate['position']]}"
    if candidate["kind"] == "missed":
        return f"The model missed this {what}{_signs(candidate)}"
    return f"The model is {candidate['confidence']:.0%} sure of this {what}{_signs(candidate)}"


def with_check(said: str, labels: int) -> str:
    """Return the reason `said` with what else to do on a sheet where `labels` labels look wrong."""
    if not labels:
        return said
    return f"{said} Check the label: {labels} on this sheet {'look' if labels > 1 else 'looks'} wrong."


def strongest(candidate: Mapping[Any, Any], weights: Weights) -> str:
    """Return the factor that adds most to the score; the first of them when several do."""
    shares = weights.shares()._asdict()
    return max(FACTORS, key=lambda name: shares[name] * candidate[name])


def _signs(candidate: Mapping[Any, Any]) -> str:
    signs = [
        *(["it is faint"] if candidate["low_contrast"] else []),
        *(["its shape is unusual"] if candidate["unusual_aspect"] else []),
    ]
    near = candidate["near_miss"]
    if candidate["kind"] == "missed" and pd.notna(near):
        signs.append(f"it was nearly found ({near:.0%} sure)")
    return "".join(f", {sign}" for sign in signs)
