"""How a rate and its interval are shown everywhere: `0.864 (0.82 to 0.90)`."""

DASH = "–"  # for what is undefined or unknown


def rate(value: float | None) -> str:
    """Return a rate with three digits, or a dash where it is undefined."""
    return DASH if value is None else f"{value:.3f}"


def interval(low: float | None, high: float | None) -> str:
    """Return the 95 % interval as ` (0.82 to 0.90)`, to be put behind its rate; "" where it is undefined."""
    return "" if low is None or high is None else f" ({_two(low)} to {_two(high)})"


def rate_in(value: float | None, low: float | None, high: float | None) -> str:
    """Return a rate with its interval: `0.864 (0.82 to 0.90)`."""
    return f"{rate(value)}{interval(low, high) if value is not None else ''}"


def gain_in(gain: float | None, low: float | None, high: float | None) -> str:
    """Return a difference of two rates, with its sign and its interval: `+0.020 (-0.01 to 0.05)`."""
    return DASH if gain is None else f"{gain + 0.0:+.3f}{interval(low, high)}"


def _two(value: float) -> str:
    return f"{round(value, 2) + 0.0:.2f}"  # + 0.0 turns -0.0 into 0.0
