"""Numbers and names as they stand in a line for a person."""

from collections.abc import Sequence

_FEW = 5  # names that still fit on a line


def counted(number: int, what: str) -> str:
    """Return a number with its word: `1 box`, `2 boxes`, `0 sheets`."""
    return f"{number} {what}{('es' if what.endswith('x') else 's') * (number != 1)}"


def some(names: Sequence[str]) -> str:
    """Return the first few of `names`, and dots for the others: `a.png, b.png, c.png, d.png, e.png, ...`."""
    return f"{', '.join(names[:_FEW])}{', ...' * (len(names) > _FEW)}"
