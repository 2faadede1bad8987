"""The numbers on a page: tiles, classes, iterations, what misses have in common, and what it all cost."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import pandas as pd

from stages.core.history import classes_of
from stages.core.markup import Column, badge, meter, number, table, text
from stages.core.page_chart import COLOURS, Curve, chart, values_of
from stages.core.page_shots import bars
from stages.core.shown import DASH

Seconds = Mapping[int, Mapping[str, float]]  # iteration -> stage -> seconds

CLASS_COLUMNS = (
    Column("class", ""),
    Column("F1", "2 tp / (2 tp + fp + fn)"),
    Column("P", "precision: the share of detections that are right"),
    Column("R", "recall: the share of boxes that were found"),
    Column("AP50", "average precision over all confidences, at IoU 0.50"),
    Column("TP", "boxes found"),
    Column("FP", "false alarms"),
    Column("FN", "boxes missed"),
    Column("boxes", "labelled boxes on val"),
)


def tiles(validate: Mapping[str, Any], history: pd.DataFrame) -> str:
    """Return the most important numbers, with what changed since the iteration before."""
    val, train = validate["val"], validate["train"]
    before = history.iloc[-2] if len(history) > 1 else None
    shown = [
        ("F1 on val", val["f1"], _change(val["f1"], before, "f1")),
        ("Precision", val["precision"], _change(val["precision"], before, "precision")),
        ("Recall", val["recall"], _change(val["recall"], before, "recall")),
        ("mAP50", val["map50"], _change(val["map50"], before, "map50")),
        ("F1 on train", train["f1"], _change(train["f1"], before, "train_f1")),
        ("Sheets in train", train["images"], _change(train["images"], before, "train_images")),
    ]
    cells = "".join(
        f'<div class="tile"><span class="soft">{text(name)}</span><b>{number(value)}</b><small>{change}</small></div>'
        for name, value, change in shown
    )
    return f'<div class="tiles">{cells}</div>'


def class_table(per_class: Mapping[str, Mapping[str, Any]]) -> str:
    """Return one row per class, from `per_class` of metrics/validate.json."""
    keys = ("precision", "recall", "ap50", "tp", "fp", "fn", "boxes")
    rows = [
        [text(name), meter(row.get("f1")), *(number(row.get(key)) for key in keys)] for name, row in per_class.items()
    ]
    return table(CLASS_COLUMNS, rows)


def charts(history: pd.DataFrame, target: float | None) -> str:
    """Return F1 with precision and recall, and F1 per class, over the iterations."""
    steps = history["iteration"].tolist()
    names = {"f1": "F1", "precision": "precision", "recall": "recall"}
    totals = [Curve(name, values_of(history[column]), kind) for kind, (column, name) in enumerate(names.items())]
    classes = classes_of(history.columns.tolist())
    shown = [name for name in classes if name in worst(history, classes, COLOURS)]
    per_class = [Curve(name, values_of(history[f"f1[{name}]"]), kind) for kind, name in enumerate(shown)]
    both = chart(totals, steps, label="F1, precision and recall on val over the iterations", target=target)
    note = f'<p class="soft">The second chart shows the {COLOURS} classes with the lowest F1.</p>'
    by_class = chart(per_class, steps, label="F1 per class on val over the iterations")
    return f'<div class="charts">{both}{by_class}</div>{note if len(classes) > COLOURS else ""}'


def worst(history: pd.DataFrame, classes: Sequence[str], most: int) -> set[str]:
    """Return the `most` classes with the lowest last F1; an undefined one says nothing, so it comes last."""
    last = {name: history[f"f1[{name}]"].iloc[-1] for name in classes}
    order = sorted(classes, key=lambda name: 2.0 if pd.isna(last[name]) else float(last[name]))
    return set(order[:most])


def iteration_table(history: pd.DataFrame, pages: Mapping[int, str]) -> str:
    """Return one row per iteration, the last first; `pages` maps an iteration to the address of its page."""
    classes = classes_of(history.columns.tolist())
    columns = [
        Column("iteration", ""),
        Column("F1", "on val, over all boxes together"),
        Column("P", "precision on val"),
        Column("R", "recall on val"),
        *(Column(name, f"F1 of {name} on val") for name in classes),
        Column("sheets", "sheets in train"),
        Column("boxes", "boxes in train"),
        Column("pool", "sheets left in the pool"),
        Column("verdict", "whether to go on, and the rule that said stop"),
    ]
    rows = [_iteration_row(row, classes, pages) for row in reversed(history.to_dict("records"))]
    return table(columns, rows)


def _iteration_row(row: Mapping[Any, Any], classes: Sequence[str], pages: Mapping[int, str]) -> list[str]:
    step = int(row["iteration"])
    name = f'<a href="{text(pages[step])}">{step}</a>' if step in pages else str(step)
    rates = [row["f1"], row["precision"], row["recall"], *(row[f"f1[{name}]"] for name in classes)]
    counts = [row["train_images"], row["train_boxes"], row["pool_images"]]
    rule = f' <span class="soft">{text(row["rule"])}</span>' if row["rule"] else ""
    despite = f'<br><span class="soft">went on: {text(row["despite_stop"])}</span>' if row["despite_stop"] else ""
    numbers = [number(None if pd.isna(v) else float(v)) for v in rates]
    numbers += [number(None if pd.isna(v) else int(v)) for v in counts]
    return [name, *numbers, f"{badge(str(row['verdict']))}{rule}{despite}"]


def miss_bars(analyzed: Mapping[str, Any]) -> str:
    """Return what the misses of one split have in common, from that split of metrics/analyze.json."""
    named = {
        "faint": analyzed.get("low_contrast"),
        "unusual shape": analyzed.get("unusual_aspect"),
        "overlapping": analyzed.get("overlapping"),
        "nearly found": analyzed.get("near_miss"),
    }
    hard = {name: count for name, count in named.items() if count is not None}
    groups = [analyzed.get("size") or {}, analyzed.get("position") or {}, hard]
    most = max([analyzed.get("fn") or 0, 1])
    inner = "".join(f"<div>{bars(group, most=most)}</div>" for group in groups if group)
    return f'<div class="counts">{inner}</div>' if inner else ""


def cost_table(history: pd.DataFrame, seconds: Seconds) -> str:
    """Return what each iteration cost: the review before it, and the seconds of its stages where they are known."""
    stages = sorted({stage for one in seconds.values() for stage in one})
    columns = [
        Column("iteration", ""),
        Column("sheets reviewed", "that came into train with the review before this iteration"),
        Column("boxes reviewed", "on those sheets, as the review left them"),
        *(Column(f"{stage}, s", "seconds that the stage took on this machine") for stage in stages or ["train"]),
    ]
    sheets, boxes = (_grown(history[name]) for name in ("train_images", "train_boxes"))
    rows = []
    for place, step in enumerate(history["iteration"].tolist()):
        taken = [seconds.get(step, {}).get(stage) for stage in stages or ["train"]]
        shown = [_seconds(value) for value in taken]
        rows.append([str(step), _count(sheets[place]), _count(boxes[place]), *shown])
    known = [sum(one.get(stage, 0.0) for one in seconds.values()) for stage in stages]
    foot = ["together", _count(_sum(sheets)), _count(_sum(boxes)), *(map(_seconds, known) if known else ["unknown"])]
    return table(columns, rows, foot=foot)


def _change(now: Any, before: pd.Series | None, column: str) -> str:
    if before is None or now is None or pd.isna(before[column]):
        return "&nbsp;"
    step = now - before[column]
    said = f"{step:+.3f}" if isinstance(now, float) else f"{int(step):+d}"
    return f"{said} since {int(before['iteration'])}"


def _grown(column: pd.Series) -> list[int | None]:
    """Return what every iteration added; what the first began with was imported, not reviewed: None."""
    values = [None if pd.isna(value) else int(value) for value in column]
    return [None, *(None if a is None or b is None else b - a for a, b in pairwise(values))]


def _sum(values: Sequence[int | None]) -> int:
    return sum(value for value in values if value is not None)


def _count(value: int | None) -> str:
    return DASH if value is None else str(value)


def _seconds(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.0f}"
