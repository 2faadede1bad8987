"""What of a measurement everybody reads: the numbers of metrics/validate.json, and the lines that the stage prints."""

from typing import Any

import pandas as pd

from stages.ruler.measurement import RULER_SPLIT, Report, Tables, copies_apart
from stages.ruler.scores.score_rows import OUTCOMES, RATES, row_of
from stages.ruler.statement import Ruler

_SHOWN = {"ap50": "map50", "ap50_95": "map50_95"}  # over all classes their mean is called mAP


def headline(tables: Tables, report: Report, ruler: Ruler) -> dict[str, Any]:
    """Return the content of metrics/validate.json: what is long is in lists, which DVC's tables skip."""
    val, train = (_total(report.scores, split) for split in (RULER_SPLIT, "train"))
    return {
        "f1": val["f1"],
        "f1_low": val["f1_low"],
        "f1_high": val["f1_high"],
        **{_SHOWN.get(rate, rate): val[rate] for rate in RATES[1:]},
        **{key: val[key] for key in OUTCOMES},
        "train_f1": train["f1"],
        "confidence": report.confidence,  # from where detections count; with `auto` the one that all of val chooses
        **copies_apart(report.sheets, report.images),
        "ruler": ruler.id,
        "ruler_statement": [ruler.statement()],
        # what was on the sheets of each split
        "splits": [_counted(tables, split) for split in (RULER_SPLIT, "train", "pool")],
        "notes": report.notes,  # where val is too small, in sentences
    }


def remarks(report: Report) -> list[str]:
    """Return what the stage prints: the outcome on val, where its boxes were lost, and what val cannot say."""
    val = _total(report.scores, RULER_SPLIT)
    fates = report.fates[(report.fates["split"] == RULER_SPLIT) & (report.fates["class_name"] == "all")]
    lost = {str(fate): int(count) for fate, count in fates.iloc[0, 3:].items() if count and fate != "found"}
    where = ", ".join(f"{count} {fate.replace('_', ' ')}" for fate, count in lost.items())
    return [
        f"val: {val['tp']} found, {val['fn']} missed, {val['fp']} false alarms on {val['images']} sheets",
        *([f"missed on val: {where}"] if where else []),
        *report.notes,
    ]


def _total(scores: pd.DataFrame, split: str) -> dict[str, Any]:
    """Return the row of a split over all classes; nothing is defined on one without labelled sheets."""
    try:
        return row_of(scores, split=split)
    except KeyError:
        return dict.fromkeys(scores.columns)


def _counted(tables: Tables, split: str) -> dict[str, Any]:
    images = tables.images[tables.images["split"] == split]
    boxes = int((tables.ground_truth["split"] == split).sum())
    return {
        "split": split,
        "images": len(images),
        "labelled": int(images["labelled"].sum()),  # sheets that somebody labelled
        "boxes": boxes,
    }
