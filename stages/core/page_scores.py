"""The scores on a page: per class, size and group, each rate with its 95 % interval."""

from collections.abc import Mapping, Sequence
from typing import Any

from stages.core.markup import Column, fold, meter, number, table, text
from stages.wording.rates import interval, rate

Row = Mapping[str, Any]
_FOLDED = 12  # rows of groups from which they are folded away
_PARTS = (("class", "By class"), ("size", "By size"), ("group", "By group"))
_COLUMNS = (
    Column("F1", "2 tp / (2 tp + fp + fn), with its 95 % interval"),
    Column("P", "precision: the share of detections that are right"),
    Column("R", "recall: the share of boxes that were found"),
    Column("AP50", "average precision over all confidences, at IoU 0.50"),
    Column("AP50–95", "its mean over IoU 0.50 to 0.95"),
    Column("TP", "boxes found"),
    Column("FP", "false alarms"),
    Column("FN", "boxes missed"),
    Column("boxes", "labelled boxes on val"),
)


def of_split(rows: Sequence[Row], part: str, split: str = "val") -> list[Row]:
    """Return the rows of one part of one split, from the rows of data/validate/scores.csv."""
    return [row for row in rows if row["split"] == split and row["part"] == part]


def score_tables(rows: Sequence[Row]) -> str:
    """Return the scores on val: the classes with all of them together below, the sizes, and the groups if any."""
    total = of_split(rows, "all")
    shown = [(title, part, of_split(rows, part)) for part, title in _PARTS]
    return "".join(_part(title, part, lines, total) for title, part, lines in shown if lines)


def opening_table(rows: Sequence[Row]) -> str:
    """Return the openings of test with F1 there and on val, from the rows of metrics/holdout.csv."""
    columns = [
        Column("opening", ""),
        Column("iteration", "whose weights were scored"),
        Column("F1 on test", "with its 95 % interval"),
        Column("P", "precision on test"),
        Column("R", "recall on test"),
        Column("F1 on val", "by the same weights, with its 95 % interval"),
        Column("sheets", "in test"),
        Column("boxes", "in test"),
        Column("ruler", ""),
        Column("date", ""),
    ]
    cells = [
        [
            *(number(row[key]) for key in ("opening", "iteration")),
            *(_rate(row, key) for key in ("test_f1", "test_precision", "test_recall", "val_f1")),
            *(number(row[key]) for key in ("sheets", "boxes", "ruler", "date")),
        ]
        for row in rows
    ]
    again = "".join(f"<p>Opening {text(row['opening'])}: {text(row['reason'])}</p>" for row in rows if row["reason"])
    return f"{table(columns, cells)}{again}"


def _part(title: str, part: str, rows: Sequence[Row], total: Sequence[Row]) -> str:
    columns = [Column(part, ""), *_COLUMNS]
    foot = _cells({**total[0], "name": "all"}) if part == "class" and total else ()
    inner = table(columns, [_cells(row) for row in rows], foot=foot)
    if len(rows) > _FOLDED and part == "group":
        return fold(f"{title}: {len(rows)}", inner)
    return f"<h3>{text(title)}</h3>{inner}"


def _cells(row: Row) -> list[str]:
    rates = [_rate(row, name) for name in ("precision", "recall", "ap50", "ap50_95")]
    f1 = f"{meter(row.get('f1'))}{_ends(row, 'f1')}"
    return [text(row["name"]), f1, *rates, *(number(row.get(key)) for key in ("tp", "fp", "fn", "boxes"))]


def _rate(row: Row, name: str) -> str:
    return f"{rate(row.get(name))}{_ends(row, name)}"


def _ends(row: Row, name: str) -> str:
    """Return both ends of the interval, soft, on a line of their own: the numbers stay under each other."""
    ends = interval(row.get(f"{name}_low"), row.get(f"{name}_high"))
    return f'<br><span class="soft ends">{text(ends.strip(" ()"))}</span>' if ends else ""
