"""The page of an iteration says what happened, asks for nothing outside, and trusts no name."""

import re
from collections.abc import Sequence
from html.parser import HTMLParser

import pandas as pd
import pytest

from stages.core.report import report_html

NUMBERS = {"f1": 0.8, "precision": None, "recall": 0.75, "map50": 0.7, "images": 12}
Rows = Sequence[tuple[object, ...]]
NASTY = '<script>alert("x")</script>'


def page(classes: tuple[str, ...] = ("detail",), history: Rows = ((0, 0.5, 0.6, 0.7),)) -> str:
    report = {
        "iteration": 3,
        "start": "0123456789abcdef",
        "dataset": "dataset-v3",
        "verdict": {"verdict": "stop", "rule": "target_f1", "reason": "F1 0.985 is at least 0.98."},
        "validate": {
            "val": NUMBERS,
            "train": NUMBERS,
            "per_class": {"val": {name: {"f1": 0.5, "tp": 7} for name in classes}},
        },
        "train": {"lr": 0.000125, "augment": {"degrees": 0.0}},
        "sample": {"packet_sheets": 4},
        "prompts": dict.fromkeys(classes, "round & red"),
    }
    frame = pd.DataFrame(list(history), columns=["iteration", "f1", "precision", "recall"])
    return report_html(report, frame.astype(dict.fromkeys(["f1", "precision", "recall"], "Float64")))


def test_says_verdict_numbers_and_settings() -> None:
    text = page()
    for shown in (
        "Iteration 3",
        "stop",
        "F1 0.985 is at least 0.98.",
        "0123456789",
        "0.800",
        "0.000125",
        "augment.degrees",
    ):
        assert shown in text
    assert "round &amp; red" in text
    assert "<b>–</b>" in text  # an undefined precision is no 0


def test_names_are_never_markup() -> None:
    assert NASTY not in page((NASTY,))
    assert "&lt;script&gt;" in page((NASTY,))


def test_asks_for_nothing_outside() -> None:
    assert not re.search(r"https?:|//|url\(|@import|src=", page())


def test_is_well_formed() -> None:
    open_tags: list[str] = []

    class Checker(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            if tag not in {"meta"}:
                open_tags.append(tag)

        def handle_startendtag(self, tag: str, attrs: object) -> None:
            pass

        def handle_endtag(self, tag: str) -> None:
            assert open_tags.pop() == tag

    Checker().feed(page())
    assert open_tags == []


@pytest.mark.parametrize(
    ("rows", "dots", "lines"),
    [
        ([(0, 0.5, 0.6, 0.7)], 3, 0),
        ([(0, 0.5, 0.6, 0.7), (1, 0.6, 0.6, 0.7)], 6, 3),
        ([(0, 0.5, None, 0.7), (1, 0.6, 0.6, 0.7)], 5, 2),  # a gap, no line to a made-up 0
    ],
)
def test_one_dot_per_number_and_no_line_over_a_gap(rows: Rows, dots: int, lines: int) -> None:
    svg = page(history=rows).split("<svg")[1]
    legend_and_grid = 3 + 5
    assert svg.count("<circle") == dots
    assert svg.count("<line") == lines + legend_and_grid
