"""Small pieces of HTML; every value that goes in is escaped here, so that no name of a class or a sheet is markup."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

from stages.wording.rates import DASH


class Column(NamedTuple):
    """A column of a table: its heading, and what the numbers in it mean."""

    name: str
    meaning: str


def text(value: object) -> str:
    """Return `value` as escaped text; a list becomes its items with commas."""
    return escape(", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value))


def number(value: Any) -> str:
    """Return a value as escaped text: fractions with three decimals, or more where they are small; None is a dash."""
    if value is None:
        return DASH
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) >= 0.01 or value == 0 else f"{value:.3g}"
    return text(value)


def section(title: str, *parts: str, legend: str = "") -> str:
    """Return a section; `title` and `legend` (what the numbers mean) are text, `parts` are HTML."""
    below = f'<p class="legend">{text(legend)}</p>' if legend else ""
    return f"<section><h2>{text(title)}</h2>{''.join(parts)}{below}</section>"


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], *, foot: Sequence[str] = ()) -> str:
    """Return a table; cells are HTML. A heading shows its meaning when it is pointed at."""
    head = "".join(f'<th scope="col" title="{text(one.meaning)}">{text(one.name)}</th>' for one in columns)
    body = "".join(_row(row) for row in rows)
    end = f"<tfoot>{_row(foot)}</tfoot>" if foot else ""
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody>{end}</table></div>'


def meter(value: float | None) -> str:
    """Return a number in [0, 1] with a bar of that length."""
    width = 0 if value is None else min(max(value, 0.0), 1.0) * 100
    return f'<span class="meter"><i style="width:{width:.1f}%"></i></span>{number(value)}'


def badge(verdict: str) -> str:
    """Return the verdict as a coloured word."""
    return f'<span class="badge {"stop" if verdict == "stop" else "go"}">{text(verdict)}</span>'


def pairs(values: Mapping[str, Any]) -> str:
    """Return nested values as one list of names and values: `augment.hsv_h` and so on."""
    rows = "".join(f"<dt>{text(key)}</dt><dd>{number(value)}</dd>" for key, value in _flat(values, ""))
    return f"<dl>{rows}</dl>" if rows else '<p class="soft">nothing</p>'


def fold(title: str, inner: str) -> str:
    """Return HTML that is shown when its title is clicked."""
    return f"<details><summary>{text(title)}</summary>{inner}</details>"


def _row(cells: Sequence[str]) -> str:
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _flat(values: Mapping[str, Any], prefix: str) -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for key, value in values.items():
        name = f"{prefix}{key}"
        rows += _flat(value, f"{name}.") if isinstance(value, Mapping) else [(name, value)]
    return rows
