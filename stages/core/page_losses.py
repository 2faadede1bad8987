"""Where the boxes of val went, and what each kind of error costs."""

from collections.abc import Mapping, Sequence
from typing import Any

from stages.core.markup import Column, fold, number, pairs, table, text
from stages.core.page_stack import Part, stack

Row = Mapping[str, Any]
# Fates of the box ledger (stages/ruler/losses/fates.py): words, and what they mean.
FATES = {
    "found": ("found", "a detection that counts was matched with it"),
    "filter": ("dropped by a filter", "validate.filters dropped a detection that would have found it"),
    "max_det": ("cut off", "the sheet had more detections than validate.max_det"),
    "suppressed": ("taken for a duplicate", "the network's suppression of duplicates dropped its detection"),
    "taken": ("neighbour took it", "its detection was counted for a neighbouring box"),
    "under_threshold": ("not sure enough", "detected, at a confidence that is too low to count"),
    "wrong_class": ("wrong class", "something of another class was seen in its place"),
    "badly_placed": ("badly placed", "its class was seen beside it, with too little overlap"),
    "under_floor": ("hardly seen", "only candidates under validate.confidence_floor"),
    "never_proposed": ("not seen", "the network proposed nothing in its place"),
}
ERRORS = {
    "cls": ("wrong class", "in its place, but of another class"),
    "loc": ("badly placed", "of its class, but with too little overlap"),
    "both": ("class and place", "of another class, and with too little overlap"),
    "dupe": ("duplicate", "a second detection of a box that was found already"),
    "bkg": ("background", "on nothing that is labelled"),
    "miss": ("missed", "a box that no detection is about"),
}


def ledger_view(rows: Sequence[Row]) -> str:
    """Return what became of the boxes of val as one bar and its key, and per class as a table.

    `rows` are those of data/validate/ledger.csv: split, class_name, boxes, and a count per fate.
    """
    val = [row for row in rows if row["split"] == "val"]
    total = next((row for row in val if row["class_name"] == "all"), None)
    if total is None or not total["boxes"]:
        return '<p class="soft">No boxes.</p>'
    fates = [name for name in FATES if total.get(name)]
    columns = [Column("class", ""), Column("boxes", ""), *(Column(FATES[name][0], FATES[name][1]) for name in fates)]
    cells = [[text(row["class_name"]), *(number(row[key]) for key in ("boxes", *fates))] for row in val]
    by_class = table(columns, cells[1:], foot=cells[0]) if len(cells) > 1 else ""
    meant = pairs({FATES[name][0]: FATES[name][1] for name in fates})
    return f"{_bar(total, fates)}{fold('Class by class, and what the words mean', f'{by_class}{meant}')}"


def error_view(rows: Sequence[Row]) -> str:
    """Return the errors on val in TIDE's terms with what each costs, from the rows of data/validate/errors.csv."""
    val = [row for row in rows if row["split"] == "val"]
    columns = [
        Column("error", ""),
        Column("count", "how many there are on val"),
        Column("F1", "how much F1 would rise without them"),
        Column("AP50", "how much AP50 would rise without them"),
    ]
    cells = [
        [
            _named(row["error"]),
            number(row["count"]),
            _cost(row.get("d_f1")),
            _cost(row.get("d_ap50")),
        ]
        for row in val
    ]
    return table(columns, cells) if cells else '<p class="soft">None.</p>'


def _bar(total: Row, fates: Sequence[str]) -> str:
    order = {name: place for place, name in enumerate(FATES)}
    parts = [Part(f"f{order[name]}", *FATES[name], total[name]) for name in fates]
    return stack(parts, label=f"What became of the {total['boxes']} boxes of val")


def _named(error: str) -> str:
    name, meaning = ERRORS[error]
    return f'{text(name)}<br><span class="soft ends">{text(meaning)}</span>'


def _cost(value: float | None) -> str:
    return number(value) if value is None else f"{value:.3f}"
