"""The page of an iteration says what happened, asks for nothing outside, and trusts no name."""

import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from stages.core.history import column_types
from stages.core.page import Page, Pictures, page_html
from stages.core.page_numbers import charts, cost_table, worst
from stages.core.page_shots import alarm_shot, miss_shot, packet_shot
from tests.browser import CHROMIUM, look

NUMBERS = {"f1": 0.8, "precision": None, "recall": 0.75, "map50": 0.7, "fn": 30, "fp": 1, "images": 12}
NASTY = '"><script>alert("x")</script><img src="https://example.org/x.png" onerror="alert(1)">'
PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
MISS = {
    "image_id": "plan.png", "size": "tiny", "position": "corner", "near_miss": 0.184, "low_contrast": True,
    "unusual_aspect": False, "overlapping": False,
}  # fmt: skip
CHOSEN = {
    "rank": 1, "image_id": "plan.png", "kind": "nothing_seen", "class_name": "", "score": 0.4273, "reason": "Why not?",
    "class_balance": 0.1, "size_diversity": 0.2, "spatial_diversity": 0.3, "uncertainty": 1.0,
}  # fmt: skip
Rates = Sequence[tuple[float | None, float | None, float | None]]


def history(rates: Rates, classes: Sequence[str]) -> pd.DataFrame:
    """Return a history with f1, precision and recall as given; train grows by 4 sheets and 9 boxes each time."""
    rows = [
        {
            "iteration": step, "f1": f1, "precision": precision, "recall": recall, "train_images": 8 + 4 * step,
            "train_boxes": 17 + 9 * step, "pool_images": 20 - 4 * step, "verdict": "go on", "rule": "",
            "despite_stop": "", **{f"f1[{name}]": f1 for name in classes},
        }
        for step, (f1, precision, recall) in enumerate(rates)
    ]  # fmt: skip
    types = column_types(classes)
    return pd.DataFrame(rows).reindex(columns=list(types)).astype(types)


def page(
    name: str = "detail", rates: Rates = ((0.5, 0.6, 0.7), (0.8, None, 0.75)), pictures: Pictures | None = None
) -> str:
    report = {
        "iteration": len(rates) - 1,
        "start": "0123456789abcdef",
        "dataset": "dataset-v3",
        "verdict": {"verdict": "stop", "rule": "target_f1", "reason": "F1 0.985 is at least 0.98."},
        "validate": {"val": NUMBERS, "train": NUMBERS, "per_class": {"val": {name: {"f1": 0.5, "tp": 7}}}},
        "train": {"lr": 0.000125, "augment": {"degrees": 0.0}, "torch": "2.14.1", "weights_sha256": "abc"},
        "analyze": {"val": {"fn": 30, "size": {"tiny": 12}, "position": {"edge": 30}, "near_miss": 3}},
        "sample": dict.fromkeys(
            ("candidates", "chosen_objects", "packet_sheets", "pool_sheets", "missed", "uncertain", "nothing_seen"), 3
        ),
        "params": {
            "converge": {
                "target_f1": 0.98, "max_iterations": 10, "plateau_gain": 0.005, "plateau_window": 3, "overfit_gap": 0.05
            },
            "validate": {"confidence": 0.25, "iou": 0.5},
        },
        "prompts": {name: "round & red"},
    }  # fmt: skip
    change = {"rule": "small", "change": f"Say {name}.", "why": "3 of 4 are tiny."}
    suggestion = {"class_name": name, "prompt": f"a {name}", "misses": 3, "boxes": 4, "suggestions": [change]}
    return page_html(
        Page(
            report=report,
            history=history(rates, [name]),
            commit="fedcba9876543210",
            suggestions=[suggestion],
            pictures=pictures or Pictures(note="The pictures are elsewhere."),
            seconds={1: {"train": 92.4}},
            pages={0: "iteration_00.html"},
        )
    )


def shots(name: str) -> Pictures:
    return Pictures(
        [miss_shot({**MISS, "image_id": name}, name, PIXEL)] * 24,
        [alarm_shot({**MISS, "image_id": name, "confidence": 0.81}, name, None)],
        [packet_shot({**CHOSEN, "image_id": name, "reason": name}, PIXEL)],
    )


@pytest.mark.parametrize(
    "shown",
    [
        "Iteration 1",
        "F1 0.985 is at least 0.98.",
        "the target is reached",
        "commit fedcba9876",
        "<b>0.800</b><small>+0.300 since 0</small>",
        "<b>–</b>",  # an undefined precision is no 0
        '<a href="iteration_00.html">0</a>',
        "augment.degrees",
        "0.000125",
        "round &amp; red",
        "when F1 on val gained less than 0.005 over 3 iterations",
        "from confidence 0.25 and IoU 0.5 on",
        "Say detail.",
        "3 of 4 boxes missed",
        "The pictures are elsewhere.",
    ],
)
def test_says(shown: str) -> None:
    assert shown in page()


def test_pictures_have_their_words() -> None:
    text = page(pictures=shots("plan.png"))
    assert "24 of 30 missed boxes are shown" in text
    assert "<span>tiny, in a corner</span><span>nearly found: 18% sure</span><span>faint</span>" in text
    assert "<span>81% sure</span>" in text
    assert '<div class="blank">no picture</div>' in text  # a sheet that is not there
    assert '<span class="rank">1</span>' in text
    assert "<b>nothing seen</b><span>score 0.43</span>" in text
    assert "pictures are elsewhere" not in text


def test_names_are_never_markup() -> None:
    text = page(NASTY, pictures=shots(NASTY))
    assert "<script" not in text
    assert "<img src=" in text
    assert set(re.findall(r"<img src=\"([^\"]*)\"", text)) == {PIXEL}
    assert "&lt;script&gt;" in text
    assert elements(text) == elements(page("plan.png", pictures=shots("plan.png")))


def test_asks_for_nothing_outside_and_runs_nothing() -> None:
    text = page(pictures=shots("plan.png"))
    assert not re.search(r"https?:|url\(|@import|<script|<iframe|\son\w+=", text)
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'" in text


def elements(text: str) -> list[str]:
    """Return the elements of a page in their order; fail unless each is closed where it should be."""
    found: list[str] = []
    still_open: list[str] = []

    class Checker(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            found.append(tag)
            if tag not in {"meta", "img", "link", "br"}:
                still_open.append(tag)

        def handle_startendtag(self, tag: str, attrs: object) -> None:
            found.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert still_open.pop() == tag

    Checker().feed(text)
    assert still_open == []
    return found


def test_is_well_formed() -> None:
    assert elements(page()).count("section") == 8


@pytest.mark.parametrize(
    ("rates", "dots", "lines"),
    [
        ([(0.5, 0.6, 0.7)], 3, 0),
        ([(0.5, 0.6, 0.7), (0.6, 0.6, 0.7)], 6, 3),
        ([(0.5, None, 0.7), (0.6, 0.6, 0.7)], 5, 2),  # a gap, no line to a made-up 0
    ],
)
def test_one_dot_per_number_and_no_line_over_a_gap(rates: Rates, dots: int, lines: int) -> None:
    svg = page(rates=rates).split('aria-label="F1, precision')[1].split("</svg>")[0]
    assert svg.count("<circle") == dots
    assert len(re.findall(r'<line class="k\d"', svg)) == lines


def test_the_classes_that_are_worst_get_a_curve() -> None:
    frame = history([(0.5, 0.5, 0.5)], ["a", "b", "c"]).assign(**{"f1[a]": 0.9, "f1[b]": None, "f1[c]": 0.1})
    assert worst(frame, ["a", "b", "c"], 2) == {"a", "c"}


def test_many_classes_and_iterations_stay_readable() -> None:
    many = [f"class {i}" for i in range(30)]
    text = charts(history([(0.5, 0.5, 0.5)] * 30, many), 0.98)
    assert "the 8 classes with the lowest F1" in text
    assert text.count("<li>") == 3 + 8
    assert re.findall(r'y="232" text-anchor="middle">(\d+)<', text)[:10] == [str(i) for i in range(0, 30, 3)]


def test_what_it_cost() -> None:
    cells = re.findall(r"<td>(.*?)</td>", cost_table(history([(0.5, 0.5, 0.5)] * 3, ["a"]), {1: {"train": 92.4}}))
    assert cells == [
        "0", "–", "–", "unknown",  # what was imported is no review
        "1", "4", "9", "92",
        "2", "4", "9", "unknown",
        "together", "8", "18", "92",
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("dark", [False, True])
def test_a_browser_shows_it_without_a_request(tmp_path: Path, width: int, dark: bool) -> None:
    file = tmp_path / "page.html"
    file.write_text(page(NASTY, pictures=shots(NASTY)), encoding="utf-8")
    asking = {
        "wide": "document.documentElement.scrollWidth",
        "broken": "[...document.images].filter(image => !image.naturalWidth).length",
        "pictures": "document.images.length",
        "paper": "getComputedStyle(document.querySelector('section')).backgroundColor",
    }
    seen = look(file, asking=asking, width=width, dark=dark)
    assert (seen.requests, seen.errors) == ([], [])
    paper = "rgb(26, 34, 43)" if dark else "rgb(255, 255, 255)"
    assert seen.answers == {"wide": width, "broken": 0, "pictures": 25, "paper": paper}
