"""Says in lines for a person what was lost and won since the iteration before; reads it from metrics/converge.json."""

from collections.abc import Mapping, Sequence
from typing import Any

from stages.convergence.regression import STAYED, Regression
from stages.wording.quantities import counted
from stages.wording.rates import gain_in, rate

_RATES = {"f1": "F1", "recall": "recall"}


def regression_values(regression: Regression) -> dict[str, Any]:
    """Return what metrics/converge.json keeps of it, as plain values."""
    return {
        "since": regression.since,
        "note": regression.note,
        "parts": [one._asdict() for one in regression.parts],
        "sheets": list(regression.sheets),
    }


def regression_lines(converge: Mapping[str, Any]) -> list[str]:
    """Return what metrics/converge.json, details and all, says of boxes lost and won; nothing for an older one.

    A line with both numbers, or why there are none; and one for each part that lost more than chance explains.
    """
    found = converge.get("regression") or {}
    if found.get("note"):
        return [str(found["note"])]
    total = next((one for one in found.get("parts", []) if one["part"] == "all"), None)
    if total is None:
        return []
    since = f"since iteration {found['since']}"
    alone = " of the classes that stayed" if total["name"] == STAYED else ""
    both = f"{counted(total['lost'], 'box')}{alone} lost, {total['won']} won on val, {since}"
    return [both, *(f"LOST {since}: {part_text(one)}" for one in significant(converge))]


def lost_text(converge: Mapping[str, Any]) -> str:
    """Return all that was lost more than chance explains as one phrase, "" for nothing."""
    return "; ".join(part_text(one) for one in significant(converge))


def significant(converge: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the parts that lost more than chance explains."""
    found = converge.get("regression") or {}
    return [one for one in found.get("parts", []) if one["significant"]]


def part_text(part: Mapping[str, Any]) -> str:
    """Return a part as `class title: F1 0.900 to 0.700, -0.200 (-0.30 to -0.10); 14 boxes lost on 9 sheets, 2 won`."""
    whole = "the classes that stayed" if part["name"] == STAYED else "val as a whole"
    name = whole if part["part"] == "all" else f"{part['part']} {part['name']}"
    change = gain_in(part["change"], part["change_low"], part["change_high"])
    more = part["alarms"] or 0
    alarms = f", {counted(more, 'false alarm')} more" if more > 0 else ""
    return (
        f"{name}: {_RATES[part['rate']]} {rate(part['before'])} to {rate(part['now'])}, {change}; "
        f"{counted(part['lost'], 'box')} lost on {counted(part['lost_sheets'], 'sheet')}, {part['won']} won{alarms}"
    )
