"""Says what a review came to, in lines for a person."""

from collections.abc import Mapping
from typing import Any

from stages.review.ledger.correction_ledger import OUTCOMES
from stages.wording.quantities import counted
from stages.wording.rates import rate, rate_in

_ON = {"picked": "on picked sheets", "random": "on random ones", "recheck": "on those whose labels were checked"}
_SOURCES = {"page": "on the page", "oracle": "by labels that were held back", "auto": "by nobody"}


def outcome_line(counts: Mapping[str, Any]) -> str:
    """Return how many boxes had which outcome: `41 boxes: 30 confirmed, 2 moved, 9 added`."""
    some = [f"{counts[name]} {name}" for name in OUTCOMES if counts[name]]
    boxes = sum(int(counts[name]) for name in OUTCOMES)
    return f"{counted(boxes, 'box')}{': ' * bool(some)}{', '.join(some)}"


def cost_text(metrics: Mapping[str, Any]) -> str:
    """Return what the review cost in time, "" where no tool said so."""
    if metrics.get("minutes") is None:
        return ""
    timed, sheets = metrics["timed_sheets"], metrics["sheets"]
    rest = f" on {timed} of {sheets} sheets" if timed < sheets else ""
    per_box = metrics.get("seconds_per_box")
    each = f", {per_box:.1f} s per box" if per_box is not None else ""
    return f"{metrics['minutes']:.1f} minutes{rest}{each}"


def review_lines(metrics: Mapping[str, Any]) -> list[str]:
    """Return what metrics/review.json (details beside the rest) says: what was changed, what for, and at what cost."""
    unseen = metrics["auto"]
    if unseen["sheets"]:
        counts = f"{counted(unseen['sheets'], 'sheet')} with {counted(unseen['boxes'], 'box')}"
        return [f"[REVIEW] None: {counts} went to train without a look at their labels; they count nowhere as reviewed"]
    prelabels = metrics["prelabels"]
    words = f"P {rate(prelabels['precision'])}, R {rate(prelabels['recall'])}, F1 {rate(prelabels['f1'])}"
    cost = cost_text(metrics)
    return [
        f"[REVIEW] {outcome_line(metrics)}, {where(str(metrics['source']))}",
        f"[REVIEW] The pre-labels were right with {words}{f'; {cost}' if cost else ''}",
        *(f"[REVIEW] {line}" for line in (random_line(metrics), promise(metrics)) if line),
        f"[REVIEW] {metrics['verdict']}",
        *(f"[REVIEW] {said}" for said in (rates_text(metrics), agreement_text(metrics)) if said),
    ]


def random_line(metrics: Mapping[str, Any]) -> str:
    """Return how good the model's pre-labels were where chance picked the sheets; "" where none came back."""
    found = metrics.get("random_prelabels") or {}
    if found.get("f1") is None:
        return ""
    f1 = rate_in(found["f1"], found["f1_low"], found["f1_high"])
    return f"On {counted(found['sheets'], 'random sheet')} of the pool the model's pre-labels had F1 {f1}"


def promise(metrics: Mapping[str, Any]) -> str:
    """Return what the packet had promised and what was found; "" where it had promised nothing."""
    if metrics.get("expected_errors") is None:
        return ""
    low, high = (round(metrics[f"expected_errors_{end}"]) for end in ("low", "high"))
    promised = f"{round(metrics['expected_errors'])} errors were expected on the picked sheets ({low} to {high})"
    return f"{promised}, {metrics['picked_errors']} were found"


def rates_text(metrics: Mapping[str, Any]) -> str:
    """Return how many errors each arm mended in a minute, "" before a sheet was rechecked."""
    rates = {row["arm"]: row.get("errors_per_minute") for row in metrics["arms"]}
    if rates.get("recheck") is None:
        return ""
    said = [f"{rates[arm]:.2f} {on}" for arm, on in _ON.items() if rates.get(arm) is not None]
    return f"Errors mended per minute, over all reviews: {', '.join(said)}."


def agreement_text(metrics: Mapping[str, Any]) -> str:
    """Return how far reviews agree with themselves, "" before a sheet with boxes came a second time."""
    found = metrics.get("agreement") or {"f1": None}
    if found["f1"] is None:
        return ""
    return (
        f"Reviewed a second time, {counted(found['sheets'], 'sheet')} came back with F1 {found['f1']:.3f} beside the "
        f"labels of before ({counted(found['tp'], 'box')} alike, {found['fp']} only now, {found['fn']} only then): no "
        "F1 can be known better than that."
    )


def where(source: str) -> str:
    """Return where a review was done: `with cvat`, `on the page`, `with coco and on the page`."""
    return " and ".join(_SOURCES.get(one, f"with {one}") for one in source.split(" and "))
