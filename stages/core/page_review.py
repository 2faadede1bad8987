"""The review before an iteration, on its page: what was changed, how good the pre-labels were, whether picking paid."""

from collections.abc import Mapping, Sequence
from typing import Any

from stages.core.markup import Column, fold, meter, number, table, text
from stages.core.page_shots import bars
from stages.core.page_stack import Part, stack
from stages.review.ledger.ledger_lines import cost_text, where
from stages.wording.quantities import counted

Row = Mapping[str, Any]
# Outcomes of the ledger (stages/review/ledger/correction_ledger.py): colour, words, and what they mean.
_OUTCOMES = {
    "confirmed": ("f0", "confirmed", "left as it was, within half a pixel"),
    "moved": ("f5", "moved", "same class and size, another place"),
    "resized": ("f1", "resized", "same class, another size"),
    "reclassified": ("f2", "other class", "given another class"),
    "added": ("f9", "added", "there was no pre-label"),
    "deleted": ("f7", "deleted", "a pre-label on nothing"),
}
_ORIGINS = {"claims": "labels that the pool had", "model": "the model's detections"}


def review_view(review: Row) -> str:
    """Return the last review from metrics/review.json (details beside the rest); "" where there was none yet."""
    if not review.get("source"):
        return ""
    return f"{_unseen(review['auto'])}{_seen(review) if review['sheets'] else ''}{_arms(review)}"


def _unseen(auto: Row) -> str:
    if not auto["sheets"]:
        return ""
    what = f"{counted(auto['sheets'], 'sheet')} with {counted(auto['boxes'], 'box')}"
    return f'<p class="note">{text(what)} went to train without a look at their labels.</p>'


def _seen(review: Row) -> str:
    sheets = f"{review['sheets']} of {counted(review['packet_sheets'], 'sheet')} reviewed {where(review['source'])}"
    cost = cost_text(review) or "the tool kept no time"
    found = f"{counted(review['errors'], 'error')} on {counted(review['boxes'], 'box')} looked at"
    parts = [Part(*_OUTCOMES[name], review[name]) for name in _OUTCOMES if review[name]]
    bar = stack(parts, label=f"What became of the {review['boxes']} boxes of the review") if parts else ""
    return f"<p>{text(sheets)}: {text(found)}; {text(cost)}.</p>{bar}{_prelabels(review)}"


def _prelabels(review: Row) -> str:
    """Return how good the pre-labels were: where they came from, and each class when it is asked for."""
    origins = [_quality(_ORIGINS[row["labels_from"]], row) for row in review["prelabels_by_origin"]]
    classes = [_quality(row["class_name"], row) for row in review["prelabels_by_class"]]
    if not classes:
        return ""
    total = _quality("all", review["prelabels"])
    by_class = table(_columns("class"), classes, foot=total)
    foot = total if len(origins) > 1 else ()
    return f"<h3>The pre-labels</h3>{table(_columns('from'), origins, foot=foot)}{fold('Class by class', by_class)}"


def _columns(first: str) -> Sequence[Column]:
    return (
        Column(first, ""),
        Column("F1", "of the pre-labels against the review, matched as the ruler matches"),
        Column("P", "the share of pre-labels that were right"),
        Column("R", "the share of reviewed boxes that had a pre-label which was right"),
        Column("before", "pre-labels"),
        Column("right", "pre-labels of the right class, in the right place"),
        Column("after", "boxes that the review left"),
    )


def _quality(name: str, row: Row) -> list[str]:
    rates = [number(row["precision"]), number(row["recall"])]
    return [text(name), meter(row["f1"]), *rates, *(number(row[key]) for key in ("before", "right", "after"))]


def _arms(review: Row) -> str:
    """Return errors per box on picked and on random sheets over all reviews so far, and what that says."""
    known = {
        f"{row['arm']}, {counted(row['sheets'], 'sheet')}": float(row["errors_per_box"])
        for row in review["arms"]
        if row["errors_per_box"] is not None
    }
    shown = bars(known, most=max(known.values())) if known else ""
    title = "<h3>Picked or by chance: errors per box, over all reviews</h3>"
    return f'{title}<div class="arms">{shown}</div><p>{text(review["verdict"])}</p>'
