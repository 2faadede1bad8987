"""Fills the templates of the pages: the only module of this room that opens a file.

Every value is escaped on its way in, so that no name of a class or a sheet is markup; a value that lacks is an error.
In a template of HTML, a line break is nothing beside a tag and a space elsewhere; an empty line is a line break. So
templates are laid out for a reader, and their layout brings no white space onto the page.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.ext import Extension

from stages.convergence.regression_lines import part_text
from stages.report.pages.iteration_page import Page, iteration_values
from stages.report.pages.suspects_page import Pair, suspects_values
from stages.review.ledger.ledger_lines import cost_text, where
from stages.wording.quantities import counted
from stages.wording.rates import DASH, interval, rate

_EMPTY_LINE = re.compile(r"\n[ \t]*\n\s*")
_BESIDE_A_TAG = re.compile(r"(?:(?<=>)|(?<=[%#]\}))\s*\n\s*|\s*\n\s*(?=<|\{[%#])")
_BREAK = re.compile(r"\s*\n\s*")


def iteration_html(page: Page) -> str:
    """Return the page of an iteration as one document; undefined numbers are a dash, equal input gives equal bytes."""
    return f"{rendered('iteration.html', iteration_values(page))}\n"


def suspects_html(iteration: int, suspects: pd.DataFrame, pairs: Sequence[Pair]) -> str:
    """Return the page of labels that look wrong: `suspects` are counted, `pairs` are shown, in their order."""
    return f"{rendered('suspects.html', suspects_values(iteration, suspects, pairs))}\n"


def rendered(template: str, values: Mapping[str, Any]) -> str:
    """Return a template with its values; raise `jinja2.UndefinedError` for a value that lacks."""
    return _TEMPLATES.get_template(template).render(values)


def number(value: Any) -> str:
    """Return a value as text: fractions with three decimals, or more where they are small; None is a dash."""
    if value is None:
        return DASH
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) >= 0.01 or value == 0 else f"{value:.3g}"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Return nested values as one list of names and values: `augment.hsv_h` and so on."""
    rows: list[tuple[str, Any]] = []
    for key, value in values.items():
        rows += flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else [(f"{prefix}{key}", value)]
    return rows


def fixed(value: float, decimals: int) -> str:
    """Return a number with so many decimals."""
    return f"{value:.{decimals}f}"


def between(low: float | None, high: float | None) -> str:
    """Return the ends of an interval as `0.70 to 0.90`, "" where it is undefined."""
    return interval(low, high).strip(" ()")


class _Layout(Extension):
    """Takes the layout out of a template of HTML; see above."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        if name is None or not name.endswith(".html"):
            return source
        lines = (_BREAK.sub(" ", _BESIDE_A_TAG.sub("", part)) for part in _EMPTY_LINE.split(source.strip()))
        return "\n".join(lines)


_TEMPLATES = Environment(
    loader=PackageLoader("stages.report.pages"), autoescape=True, undefined=StrictUndefined, extensions=[_Layout]
)
_TEMPLATES.filters |= {
    "cost_text": cost_text, "counted": counted, "fixed": fixed, "flat": flat, "number": number,
    "part_text": part_text, "quoted": shlex.quote, "rate": rate, "where": where,
}  # fmt: skip
_TEMPLATES.globals["between"] = between
