"""The numbers on a page: tiles, classes, iterations, what misses have in common, and what it all cost."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import pandas as pd

from stages.convergence.history.history_columns import classes_of
from stages.core.markup import Column, badge, number, table, text
from stages.core.page_chart import COLOURS, Curve, chart, values_of
from stages.core.page_ruler import MARK, other_rulers, ruler_notes
from stages.core.page_shots import bars
from stages.wording.rates import DASH, gain_in, interval, rate

Seconds = Mapping[int, Mapping[str, float]]  # iteration -> stage -> seconds
_TILES = (("Precision", "precision", "precision"), ("Recall", "recall", "recall"), ("mAP50", "ap50", "map50"))
_SIGNS = {
    "low_contrast": "faint",
    "unusual_aspect": "unusual shape",
    "overlapping": "overlapping",
    "near_miss": "nearly found",
}


def tiles(
    validate: Mapping[str, Any], history: pd.DataFrame, scores: Sequence[Mapping[str, Any]], verdict: Mapping[str, Any]
) -> str:
    """Return the most important numbers with their intervals, and what changed since the iteration before.

    `scores` are the rows of data/validate/scores.csv, `verdict` is metrics/converge.json. What another ruler measured
    has not changed by anything.
    """
    before = history.iloc[-2] if len(history) > 1 else None
    comparable = before if before is not None and before["ruler"] == history["ruler"].iloc[-1] else None
    val, train = _all(scores, "val"), _all(scores, "train")
    sheets = int(history["train_images"].iloc[-1])
    shown: list[tuple[str, Any, str, str]] = [
        ("F1 on val", val.get("f1"), _ends(val, "f1"), _f1_change(verdict, before)),
        *(
            (name, val.get(key), _ends(val, key), _change(val.get(key), comparable, column))
            for name, key, column in _TILES
        ),
        ("F1 on train", train.get("f1"), _ends(train, "f1"), _change(train.get("f1"), comparable, "train_f1")),
        ("Sheets in train", sheets, "", _change(sheets, before, "train_images")),
    ]
    cells = "".join(
        f'<div class="tile"><span class="soft">{text(name)}</span><b>{number(value)}</b>'
        f"{f'<small>{ends}</small>' if ends else ''}<small>{change}</small></div>"
        for name, value, ends, change in shown
    )
    return f'<div class="tiles">{cells}</div>{_notes(validate)}'


def _all(scores: Sequence[Mapping[str, Any]], split: str) -> Mapping[str, Any]:
    return next((row for row in scores if row["split"] == split and row["part"] == "all"), {})


def _ends(row: Mapping[str, Any], key: str) -> str:
    return text(interval(row.get(f"{key}_low"), row.get(f"{key}_high")).strip(" ()"))


def _f1_change(verdict: Mapping[str, Any], before: pd.Series | None) -> str:
    """Return the gain since the iteration before with its interval, or that another ruler measured that one."""
    since = None if before is None else int(before["iteration"])
    one = next((gain for gain in verdict.get("gains", []) if gain["since"] == since), None)
    if one is None:
        return "&nbsp;"
    if one["other_ruler"]:
        return f"iteration {since}: another ruler"
    return f"{text(gain_in(one['gain'], one['low'], one['high']))} since {since}"


def _notes(validate: Mapping[str, Any]) -> str:
    """Return what makes the numbers less sure: too little val, and sheets of val that have copies in train."""
    notes = [str(note) for note in validate.get("notes", [])]
    copies, others = validate.get("f1_with_copy"), validate.get("f1_without_copy")
    if copies is not None:
        notes.append(f"F1 is {rate(copies)} on sheets with a near copy in train, {rate(others)} on the other sheets.")
    return "".join(f'<p class="note">{text(note)}</p>' for note in notes)


def charts(history: pd.DataFrame, target: float | None) -> str:
    """Return F1 with precision and recall, and F1 per class, over the iterations."""
    steps = history["iteration"].tolist()
    names = {"f1": "F1", "precision": "precision", "recall": "recall"}
    totals = [Curve(name, values_of(history[column]), kind) for kind, (column, name) in enumerate(names.items())]
    ends = list(zip(values_of(history["f1_low"]), values_of(history["f1_high"]), strict=True))
    totals[0] = totals[0]._replace(ends=ends)
    rulers = history["ruler"].tolist()
    classes = classes_of(history.columns.tolist())
    shown = [name for name in classes if name in worst(history, classes, COLOURS)]
    per_class = [Curve(name, values_of(history[f"f1[{name}]"]), kind) for kind, name in enumerate(shown)]
    label = "F1, precision and recall on val over the iterations"
    both = chart(totals, steps, label=label, rulers=rulers, target=target)
    note = f'<p class="soft">The second chart shows the {COLOURS} classes with the lowest F1.</p>'
    by_class = chart(per_class, steps, label="F1 per class on val over the iterations", rulers=rulers)
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
        Column("F1", "on val, over all boxes together, with its 95 % interval"),
        Column("P", "precision on val"),
        Column("R", "recall on val"),
        *(Column(name, f"F1 of {name} on val") for name in classes),
        Column("sheets", "sheets in train"),
        Column("boxes", "boxes in train"),
        Column("pool", "sheets left in the pool"),
        Column("verdict", "whether to go on, and the rule that said stop"),
    ]
    others = other_rulers(history)
    rows = [_iteration_row(row, classes, pages, others) for row in reversed(history.to_dict("records"))]
    return f"{table(columns, rows)}{ruler_notes(others)}"


def _iteration_row(
    row: Mapping[Any, Any], classes: Sequence[str], pages: Mapping[int, str], others: Mapping[int, str]
) -> list[str]:
    step = int(row["iteration"])
    name = f'<a href="{text(pages[step])}">{step}</a>' if step in pages else str(step)
    name += f' <span class="soft" title="{text(others[step])}">{MARK}</span>' if step in others else ""
    low, high = (None if pd.isna(row[key]) else float(row[key]) for key in ("f1_low", "f1_high"))
    f1 = f"{number(None if pd.isna(row['f1']) else float(row['f1']))}"
    f1 += f' <span class="soft">{text(interval(low, high).strip())}</span>'
    rates = [row["precision"], row["recall"], *(row[f"f1[{name}]"] for name in classes)]
    counts = [row["train_images"], row["train_boxes"], row["pool_images"]]
    rule = f' <span class="soft">{text(row["rule"])}</span>' if row["rule"] else ""
    despite = f'<br><span class="soft">went on: {text(row["despite_stop"])}</span>' if row["despite_stop"] else ""
    numbers = [number(None if pd.isna(v) else float(v)) for v in rates]
    numbers += [number(None if pd.isna(v) else int(v)) for v in counts]
    return [name, f1, *numbers, f"{badge(str(row['verdict']))}{rule}{despite}"]


def miss_bars(counts: Sequence[Mapping[str, Any]], *, missed: int) -> str:
    """Return what the `missed` boxes of val have in common, from the rows of data/analyze/counts.csv."""
    groups = [
        {_SIGNS.get(row["name"], row["name"]): row["fn"] for row in counts if (row["split"], row["kind"]) == key}
        for key in (("val", kind) for kind in ("size", "position", "sign"))
    ]
    inner = "".join(f"<div>{bars(group, most=max(missed, 1))}</div>" for group in groups if group)
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
