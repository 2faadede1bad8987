"""How a rate and its interval are shown everywhere: `0.864 (0.82 to 0.90)`."""

from collections.abc import Mapping
from typing import Any

DASH = "–"  # for what is undefined or unknown
_STEPS = 2  # of the last digit, at least, that the ends of an interval lie apart


def rate(value: float | None) -> str:
    """Return a rate with three digits, or a dash where it is undefined."""
    return DASH if value is None else f"{value:.3f}"


def interval(low: float | None, high: float | None) -> str:
    """Return the 95 % interval as ` (0.82 to 0.90)`, to be put behind its rate; "" where it is undefined.

    A narrow one has more digits: `(0.006 to 0.014)`, and not 0.01 to 0.01.
    """
    if low is None or high is None:
        return ""
    decimals = next((count for count in (2, 3) if (high - low) * 10**count >= _STEPS), 4) if high > low else 2
    return f" ({_rounded(low, decimals)} to {_rounded(high, decimals)})"


def rate_in(value: float | None, low: float | None, high: float | None) -> str:
    """Return a rate with its interval: `0.864 (0.82 to 0.90)`."""
    return f"{rate(value)}{interval(low, high) if value is not None else ''}"


def gain_in(gain: float | None, low: float | None, high: float | None) -> str:
    """Return a difference of two rates, with its sign and its interval: `+0.020 (-0.01 to 0.05)`."""
    return DASH if gain is None else f"{gain + 0.0:+.3f}{interval(low, high)}"


def result_text(validate: Mapping[str, Any]) -> str:
    """Return F1 with its 95 % interval, P and R on val of one iteration's metrics; what is undefined is a dash."""
    rest = (("P", "precision"), ("R", "recall"))
    return ", ".join([f"F1 {f1_text(validate)}", *(f"{short} {rate(validate.get(key))}" for short, key in rest)])


def f1_text(validate: Mapping[str, Any]) -> str:
    """Return F1 on val with its 95 % interval: `0.864 (0.82 to 0.90)`."""
    return rate_in(validate.get("f1"), validate.get("f1_low"), validate.get("f1_high"))


def _rounded(value: float, decimals: int) -> str:
    return f"{round(value, decimals) + 0.0:.{decimals}f}"  # + 0.0 turns -0.0 into 0.0
