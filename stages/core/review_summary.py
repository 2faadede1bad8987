"""Sums a ledger up: what the review found, how good the pre-labels were, what it cost, and whether the picker paid."""

from typing import Any

import pandas as pd

from stages.core.arms import PICKED, RANDOM, compare, verdict
from stages.core.review_ledger import OUTCOMES, count_outcomes

UNSEEN = "auto"  # labels that nobody looked at: no review


def sheet_rows(boxes: pd.DataFrame, sheets: pd.DataFrame) -> pd.DataFrame:
    """Return `sheets` (image_id and what else is known of each) with counts of their rows in the ledger `boxes`."""
    counts = [
        {"boxes": len(rows), **count_outcomes(rows)}
        for name in sheets["image_id"]
        for rows in [boxes[boxes["image_id"] == name]]
    ]
    table = pd.DataFrame(counts, columns=["boxes", *OUTCOMES, "errors"], index=sheets.index)
    return sheets.join(table.astype("int64"))


def summarize(boxes: pd.DataFrame, sheets: pd.DataFrame, *, packet_sheets: int, iou: float) -> dict[str, Any]:
    """Return metrics/review.json; what is undefined is None.

    `boxes` is the ledger of the last review, `sheets` has the rows of all reviews so far. The arms are compared over
    all sheets that somebody looked at; the rest is about the last review. `iou` is the ruler's.
    """
    last = sheets[sheets["iteration"] == sheets["iteration"].max()]
    quality = prelabel_quality(boxes, iou=iou)
    timed = last[last["seconds"].notna()]
    seconds = float(timed["seconds"].sum()) if len(timed) else None
    found = compare(sheets[sheets["source"] != UNSEEN])
    shown = {
        "sheets": len(last),
        "boxes": int(last["boxes"].sum()),
        "errors": int(last["errors"].sum()),
        "errors_per_box": _ratio(int(last["errors"].sum()), int(last["boxes"].sum())),
        "prelabel_f1": quality["f1"],
        "minutes": None if seconds is None else seconds / 60,
        "picker_gain": found.gain,
        "picker_gain_low": found.low,
        "picker_gain_high": found.high,
    }
    details = {
        "source": str(last["source"].iloc[0]) if len(last) else None,
        "packet_sheets": packet_sheets,
        **{name: int(last[name].sum()) for name in OUTCOMES},
        "prelabels": quality,
        "prelabels_by_class": _by_class(boxes, iou=iou),
        "timed_sheets": len(timed),
        "seconds_per_box": None if seconds is None else _ratio(seconds, int(timed["boxes"].sum())),
        "arms": [{"arm": name, **arm._asdict()} for name, arm in ((PICKED, found.picked), (RANDOM, found.random))],
        "auto_sheets": int((sheets["source"] == UNSEEN).sum()),
        "verdict": verdict(found),
    }
    return {**shown, "details": [details]}


def prelabel_quality(boxes: pd.DataFrame, *, iou: float) -> dict[str, Any]:
    """Return precision, recall and F1 of the pre-labels against the review, matched as the ruler matches; or None."""
    same = boxes["class_before"] == boxes["class_after"]
    right = int((same & (boxes["iou"].fillna(0.0) >= iou) & (boxes["class_before"] != "")).sum())
    before, after = int((boxes["class_before"] != "").sum()), int((boxes["class_after"] != "").sum())
    return {
        "before": before,
        "after": after,
        "right": right,
        "precision": _ratio(right, before),
        "recall": _ratio(right, after),
        "f1": _ratio(2 * right, before + after),
    }


def _by_class(boxes: pd.DataFrame, *, iou: float) -> list[dict[str, Any]]:
    names = sorted({*boxes["class_before"], *boxes["class_after"]} - {""})
    parts = {name: boxes[(boxes["class_before"] == name) | (boxes["class_after"] == name)] for name in names}
    return [{"class_name": name, **prelabel_quality(_only(rows, name), iou=iou)} for name, rows in parts.items()]


def _only(boxes: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the rows as one class sees them: a box that became another class was a false one, or a missing one."""
    return boxes.assign(
        class_before=boxes["class_before"].where(boxes["class_before"] == name, ""),
        class_after=boxes["class_after"].where(boxes["class_after"] == name, ""),
    )


def _ratio(above: float, below: float) -> float | None:
    return above / below if below else None
