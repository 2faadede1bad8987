"""One iteration as a single HTML page without any outside request: verdict, numbers per class, F1 over iterations."""

from collections.abc import Mapping, Sequence
from html import escape
from itertools import pairwise
from typing import Any, NamedTuple

import pandas as pd


class _Line(NamedTuple):
    """A curve: column of the history, name, colour, and dashes, since colour alone does not tell lines apart."""

    column: str
    name: str
    colour: str
    dash: str


# F1 comes last, so that it is drawn over the others.
_CURVES = (
    _Line("precision", "Precision", "#b3541e", "7 4"),
    _Line("recall", "Recall", "#4b7f37", "2 4"),
    _Line("f1", "F1", "#0b5c8a", "none"),
)
_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM, _RIGHT = 680, 280, 44, 14, 34, 96  # px of the chart and its margins

_STYLE = """
:root { color-scheme: light; --ink: #1d2730; --soft: #5c6a75; --line: #dfe4e8; --paper: #fff; }
* { box-sizing: border-box; }
body { margin: 0; background: #f3f5f6; color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", sans-serif; }
main { max-width: 780px; margin: 32px auto; padding: 0 20px; }
h1 { font-size: 26px; margin: 0; letter-spacing: -.01em; }
h2 { font-size: 16px; margin: 0 0 12px; }
section { background: var(--paper); border: 1px solid var(--line); border-radius: 10px; }
section { padding: 18px 22px; margin: 16px 0; }
.soft { color: var(--soft); }
.verdict { display: flex; gap: 14px; align-items: baseline; }
.badge { border-radius: 999px; padding: 3px 12px; font-weight: 600; white-space: nowrap; color: #fff; }
.go { background: #2f6f4f; } .stop { background: #8a3b2c; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(104px, 1fr)); gap: 12px; }
.tile b { display: block; font-size: 23px; font-weight: 650; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 6px 8px; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 500; } th:first-child, td:first-child { text-align: left; }
tr:last-child td { border-bottom: 0; }
dl { display: grid; grid-template-columns: minmax(120px, 200px) 1fr; gap: 4px 16px; margin: 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
svg { width: 100%; height: auto; display: block; } svg text { font-size: 12px; fill: var(--soft); }
"""


def report_html(report: Mapping[str, Any], history: pd.DataFrame) -> str:
    """Return the page of one iteration.

    `report` holds iteration, start, dataset, verdict, validate, train, sample, params and prompts, as in
    `metrics/reports/iteration_NN.json`; `history` has a row per iteration with f1, precision and recall in [0, 1].
    Undefined numbers are shown as a dash.
    """
    number = report["iteration"]
    parts = [
        f"<h1>Iteration {number}</h1>",
        f'<div class="soft">{_text(report["dataset"])} · started from commit {_text(str(report["start"])[:10])}</div>',
        _verdict(report["verdict"]),
        _tiles(report["validate"]["val"], report["validate"]["train"]),
        _section("Over the iterations (val)", _chart(history)),
        _section("Per class (val)", _class_table(report["validate"]["per_class"]["val"])),
        _section("Sampled for review", _pairs(report["sample"])),
        _section("What the model was trained with", _pairs(report["train"])),
        _section("Prompts", _pairs(report["prompts"])),
    ]
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    title = f"<title>Iteration {number}</title><style>{_STYLE}</style>"
    body = "\n".join(parts)
    return f'<!doctype html>\n<html lang="en"><head>{head}{title}</head>\n<body><main>\n{body}\n</main></body></html>\n'


def _verdict(verdict: Mapping[str, Any]) -> str:
    kind = "stop" if verdict["verdict"] == "stop" else "go"
    badge = f'<span class="badge {kind}">{_text(verdict["verdict"])}</span>'
    return f'<section class="verdict">{badge}<span>{_text(verdict["reason"])}</span></section>'


def _tiles(val: Mapping[str, Any], train: Mapping[str, Any]) -> str:
    shown = [
        ("F1 on val", val["f1"]),
        ("Precision", val["precision"]),
        ("Recall", val["recall"]),
        ("mAP50", val["map50"]),
        ("F1 on train", train["f1"]),
        ("Train sheets", train["images"]),
    ]
    tiles = "".join(
        f'<div class="tile"><span class="soft">{_text(k)}</span><b>{_number(v)}</b></div>' for k, v in shown
    )
    return f'<section class="tiles">{tiles}</section>'


def _class_table(per_class: Mapping[str, Mapping[str, Any]]) -> str:
    columns = ("f1", "precision", "recall", "ap50", "ap50_95", "tp", "fp", "fn", "boxes")
    names = ("F1", "P", "R", "AP50", "AP50-95", "TP", "FP", "FN", "boxes")
    head = "".join(f"<th>{name}</th>" for name in ("class", *names))
    rows = "".join(
        f"<tr><td>{_text(name)}</td>{''.join(f'<td>{_number(row.get(column))}</td>' for column in columns)}</tr>"
        for name, row in per_class.items()
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def _chart(history: pd.DataFrame) -> str:
    """Return F1, precision and recall over iterations as SVG; a gap where a number is undefined."""
    steps = [int(step) for step in history["iteration"]]
    low = _floor(history)
    grid = "".join(_grid_line(value, low) for value in _ticks(low))
    labels = "".join(
        f'<text x="{_x(i, len(steps)):.1f}" y="{_HEIGHT - 12}" text-anchor="middle">{step}</text>'
        for i, step in enumerate(steps)
    )
    labels += f'<text x="{_WIDTH - _RIGHT + 16}" y="{_HEIGHT - 12}">iteration</text>'
    curves = "".join(_curve(history[line.column], line, low) for line in _CURVES)
    legend = "".join(_legend(place, line) for place, line in enumerate(reversed(_CURVES)))
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="F1, precision and recall over iterations">'
        f"{grid}{labels}{curves}{legend}</svg>"
    )


def _curve(values: pd.Series, line: _Line, low: float) -> str:
    points = [None if pd.isna(value) else (_x(i, len(values)), _y(float(value), low)) for i, value in enumerate(values)]
    style = f'stroke="{line.colour}" stroke-width="2.5" stroke-dasharray="{line.dash}"'
    lines = "".join(
        f'<line x1="{a[0]:.1f}" y1="{a[1]:.1f}" x2="{b[0]:.1f}" y2="{b[1]:.1f}" {style}/>'
        for a, b in pairwise(points)
        if a and b
    )
    dots = "".join(f'<circle cx="{p[0]:.1f}" cy="{p[1]:.1f}" r="4" fill="{line.colour}"/>' for p in points if p)
    return lines + dots


def _legend(place: int, line: _Line) -> str:
    x, y = _WIDTH - _RIGHT + 8, _TOP + 10 + 20 * place
    style = f'stroke="{line.colour}" stroke-width="2.5" stroke-dasharray="{line.dash}"'
    return f'<line x1="{x}" y1="{y}" x2="{x + 20}" y2="{y}" {style}/><text x="{x + 26}" y="{y + 4}">{line.name}</text>'


def _grid_line(value: float, low: float) -> str:
    y = _y(value, low)
    line = f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{_WIDTH - _RIGHT}" y2="{y:.1f}" stroke="#dfe4e8"/>'
    return f'{line}<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:.2f}</text>'


def _floor(history: pd.DataFrame) -> float:
    """Return where the axis starts: the tenth below the lowest number, so that small steps can be seen."""
    values = [float(v) for line in _CURVES for v in history[line.column] if not pd.isna(v)]
    return max(0.0, min(0.8, int(min(values, default=0.0) * 10) / 10))


def _ticks(low: float) -> Sequence[float]:
    return [low + (1 - low) * step / 4 for step in range(5)]


def _x(index: int, count: int) -> float:
    width = _WIDTH - _LEFT - _RIGHT
    return _LEFT + width * (0.5 if count == 1 else 0.04 + 0.92 * index / (count - 1))


def _y(value: float, low: float) -> float:
    return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - (value - low) / (1 - low))


def _section(title: str, inner: str) -> str:
    return f"<section><h2>{_text(title)}</h2>{inner}</section>"


def _pairs(values: Mapping[str, Any], prefix: str = "") -> str:
    rows = "".join(f"<dt>{_text(key)}</dt><dd>{_number(value)}</dd>" for key, value in _flat(values, prefix))
    return f"<dl>{rows}</dl>" if rows else '<span class="soft">nothing</span>'


def _flat(values: Mapping[str, Any], prefix: str) -> list[tuple[str, Any]]:
    """Return nested values as one list: `augment.hsv_h` and so on."""
    rows: list[tuple[str, Any]] = []
    for key, value in values.items():
        name = f"{prefix}{key}"
        rows += _flat(value, f"{name}.") if isinstance(value, Mapping) else [(name, value)]
    return rows


def _number(value: Any) -> str:
    """Return a value as escaped text: fractions with three decimals or more where they are small."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) >= 0.01 or value == 0 else f"{value:.3g}"
    return _text(value)


def _text(value: object) -> str:
    return escape(", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value))
