"""The page of an iteration says what happened, asks for nothing outside, and trusts no name."""

import json
import re
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from stages.convergence.history.history_columns import column_types
from stages.report.pages.iteration_page import Page, Shots
from stages.report.pages.iterations import charts, class_rows, costs, worst
from stages.report.pages.rendering import _TEMPLATES, iteration_html, rendered
from stages.report.pages.shots import alarm_shot, miss_shot, packet_shot
from stages.ruler.losses.fates import FATES
from stages.ruler.losses.tide import ERRORS
from tests.browser import CHROMIUM, look

RULER = {"iou": 0.5, "confidence": 0.25, "imgsz": 640, "filters": {}, "val_content": "0123456789abcdef"}
VALIDATE = {
    "f1": 0.8, "fn": 30, "fp": 1, "confidence": 0.25, "ruler": "3f2a90bc", "ruler_statement": [RULER],
    "f1_with_copy": 0.9, "f1_without_copy": 0.75, "notes": ["8 sheets are few: F1 lies in 0.700 to 0.900."],
}  # fmt: skip
VERDICT = {
    "verdict": "stop", "rule": "target_f1", "reason": "F1 0.985 is at least 0.98.",
    "gains": [{"since": 0, "gain": 0.3, "low": 0.21, "high": 0.39, "other_ruler": ""}],
}  # fmt: skip
NASTY = '"><script>alert("x")</script><img src="https://example.org/x.png" onerror="alert(1)">'
PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
MISS = {
    "image_id": "plan.png", "size": "tiny", "position": "corner", "near_miss": 0.184, "low_contrast": True,
    "unusual_aspect": False, "overlapping": False,
}  # fmt: skip
CHOSEN = {
    "image_id": "plan.png", "focus_id": "7-1", "kind": "uncertain", "class_name": "door", "confidence": 0.4273,
    "reason": "Why not?", "crop": "crops/007_01_plan.jpg",
}  # fmt: skip
Rates = Sequence[tuple[float | None, float | None, float | None]]


def history(rates: Rates, classes: Sequence[str]) -> pd.DataFrame:
    """Return a history with f1, precision and recall as given; train grows by 4 sheets and 9 boxes each time."""
    rows = [
        {
            "iteration": step, "f1": f1, "precision": precision, "recall": recall, "train_images": 8 + 4 * step,
            "train_boxes": 17 + 9 * step, "pool_images": 20 - 4 * step, "verdict": "go on", "rule": "",
            "despite_stop": "", "ruler": "3f2a90bc", "ruler_statement": json.dumps(RULER),
            "f1_low": None if f1 is None else f1 - 0.1, "f1_high": None if f1 is None else f1 + 0.1,
            **{f"f1[{name}]": f1 for name in classes},
        }
        for step, (f1, precision, recall) in enumerate(rates)
    ]  # fmt: skip
    types = column_types(classes)
    return pd.DataFrame(rows).reindex(columns=list(types)).astype(types)


def tables(name: str, more: Sequence[str] = ()) -> dict[str, list[dict[str, object]]]:
    """Return the rows of the small tables, as a report holds them."""
    rates = {"f1": 0.8, "f1_low": 0.7, "f1_high": 0.9, "precision": None, "recall": 0.75, "ap50": 0.7}
    counts = {"images": 12, "boxes": 40, "tp": 10, "fp": 1, "fn": 30}
    parts = [("val", "all", "all"), ("train", "all", "all"), *(("val", "class", one) for one in (name, *more))]
    fates = {**dict.fromkeys(FATES, 421 if more else 0), "found": 10, "wrong_class": 29, "never_proposed": 1}
    return {
        "scores": [
            {"split": split, "part": part, "name": row, **counts, **rates}
            for split, part, row in [*parts, ("val", "size", "tiny"), ("val", "group", name)]
        ],
        "ledger": [{"split": "val", "class_name": row, "boxes": 40, **fates} for row in ("all", name, *more)],
        "errors": [
            {"split": "val", "error": "cls", "count": 29, "d_f1": 0.123, "d_ap50": None},
            {"split": "train", "error": "cls", "count": 77, "d_f1": 0.5, "d_ap50": 0.5},
        ],
        "counts": [
            {"split": "val", "kind": "size", "name": "tiny", "fn": 12},
            {"split": "val", "kind": "position", "name": "edge", "fn": 30},
            {"split": "val", "kind": "sign", "name": "near_miss", "fn": 3},
            {"split": "pool", "kind": "size", "name": "large", "fn": 7},
        ],
    }


def page(
    name: str = "detail",
    rates: Rates = ((0.5, 0.6, 0.7), (0.8, None, 0.75)),
    pictures: Shots | None = None,
    verdict: Mapping[str, object] = VERDICT,
    rulers: Sequence[int] = (),
    suspects: str | None = None,
    more: Sequence[str] = (),
) -> str:
    """Return a page; `rulers` is the imgsz of each iteration's ruler, by default the same; `more` classes."""
    report = {
        "iteration": len(rates) - 1,
        "start": "0123456789abcdef",
        "dataset": "dataset-v3",
        "verdict": verdict,
        "validate": VALIDATE,
        "tables": tables(name, more),
        "train": {"lr": 0.000125, "augment": {"degrees": 0.0}, "torch": "2.14.1", "weights_sha256": "abc"},
        "analyze": {"fn": 30},
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
    past = history(rates, [name, *more])
    if rulers:
        statements = [json.dumps({**RULER, "imgsz": imgsz}) for imgsz in rulers]
        past = past.assign(ruler=[f"ruler{imgsz}" for imgsz in rulers], ruler_statement=statements)
    suggestion = {"class_name": name, "prompt": f"a {name}", "misses": 3, "boxes": 4, "suggestions": [change]}
    return iteration_html(
        Page(
            report=report,
            history=past,
            commit="fedcba9876543210",
            suggestions=[suggestion],
            pictures=pictures or Shots(note="The pictures are elsewhere."),
            seconds={1: {"train": 92.4}},
            pages={0: "iteration_00.html"},
            suspects=suspects,
        )
    )


ANSWERS = [
    {
        "rule": "plateau", "answer": "cannot tell", "value": 0.004, "low": 0.0, "high": 0.0123, "limit": 0.005,
        "sheets_needed": 140, "says": "F1 rises by 0 to 0.0123",
    },
    {
        "rule": "target_f1", "answer": "no", "value": None, "low": None, "high": None, "limit": 0.98,
        "sheets_needed": None, "says": "F1 on val is undefined",
    },
]  # fmt: skip


def test_the_answers_of_the_rules_stand_in_a_table_and_the_next_packet_below() -> None:
    packet = {"says": "the next packet: F1 +0.010 (-0.01 to 0.03) expected"}
    text = page(verdict={**VERDICT, "answers": ANSWERS, "forecast": packet})
    cells = re.findall(r"<td[^>]*>(.*?)</td>", text.split("Whether to stop")[1].split("</table>")[0])
    assert cells == [
        "will F1 rise too little?", "cannot tell", "0.004", "0.000 to 0.012", "0.005", "about 140",
        "is the target reached?", "no", "–", "–", "0.980", "–",
    ]  # fmt: skip
    assert "<p>The next packet: F1 +0.010 (-0.01 to 0.03) expected.</p>" in text
    assert "Whether to stop" not in page()  # an older report, and `classic`


def shots(name: str) -> Shots:
    return Shots(
        [miss_shot({**MISS, "image_id": name}, name, PIXEL)] * 24,
        [alarm_shot({**MISS, "image_id": name, "confidence": 0.81}, name, None)],
        [packet_shot({**CHOSEN, "image_id": name, "reason": name}, 7, PIXEL)],
    )


@pytest.mark.parametrize(
    "shown",
    [
        "Iteration 1",
        "F1 0.985 is at least 0.98.",
        "the target is reached",
        "commit fedcba9876",
        "<b>0.800</b><small>0.70 to 0.90</small><small>+0.300 (0.21 to 0.39) since 0</small>",
        "8 sheets are few: F1 lies in 0.700 to 0.900.",
        "F1 is 0.900 on sheets with a near copy in train, 0.750 on the other sheets.",
        "<h3>By class</h3>",
        "<h3>By size</h3>",
        "<h3>By group</h3>",
        '0.800<br><span class="soft ends">0.70 to 0.90</span>',
        "The same ruler as iteration 0.",
        "<dt>ruler</dt><dd>3f2a90bc</dd>",
        "<dt>filters</dt><dd>none</dd>",
        'aria-label="What became of the 40 boxes of val"',
        'style="width:72.50%" title="wrong class: 29"',
        "<td>29</td><td>0.123</td><td>–</td>",  # the cost of an error
        "<b>–</b>",  # an undefined precision is no 0
        '<a href="iteration_00.html">0</a>',
        "augment.degrees",
        "0.000125",
        "round &amp; red",
        "when F1 on val gained less than 0.005 over 3 iterations",
        "Say detail.",
        "3 of 4 boxes missed",
        "The pictures are elsewhere.",
    ],
)
def test_says(shown: str) -> None:
    assert shown in page()


def test_one_word_is_one_number() -> None:
    """A fate counts boxes, an error of TIDE's detections: no word stands for both, nor for all that is missed."""
    words = _TEMPLATES.get_template("words.html").module
    fates = {word for _, word, _ in vars(words)["FATES"].values()}
    errors = {word for word, _ in vars(words)["ERRORS"].values()}
    assert len(fates) == len(FATES)
    assert len(errors) == len(ERRORS)
    assert not fates & errors
    assert "missed" not in fates | errors


def test_says_nothing_of_other_splits() -> None:
    text = page()
    assert "<td>77</td>" not in text  # errors on train
    assert ">large<" not in text  # misses in the pool


def test_a_row_of_another_ruler_is_marked_and_does_not_compare() -> None:
    rates = ((0.5, 0.6, 0.7), (0.6, 0.6, 0.7), (0.8, 0.6, 0.75), (0.8, 0.6, 0.75))
    other = {"since": 2, "gain": None, "low": None, "high": None, "other_ruler": "imgsz 640, now 1280"}
    text = page(rates=rates, rulers=(640, 640, 640, 1280), verdict={**VERDICT, "gains": [other]})
    assert "<small>iteration 2: another ruler</small>" in text
    assert "† Iterations 0, 1, 2: measured by another ruler (imgsz 640, now 1280), so not comparable" in text
    assert text.count("†</span>") == 3
    assert "Another ruler than iteration 2: imgsz 640, now 1280. The two F1 do not compare." in text
    assert "+0.050 since" not in text  # recall, which rose, does not compare either
    svg = text.split('aria-label="F1, precision')[1].split("</svg>")[0]
    assert len(re.findall(r'<line class="k\d"', svg)) == 3 * 2  # no line from iteration 2 to 3
    assert svg.count('class="ends k0"') == 4


def test_the_first_iteration_compares_with_none() -> None:
    text = page(rates=((0.5, 0.6, 0.7),), verdict={**VERDICT, "gains": []})
    assert "The first iteration: later ones compare with it" in text
    assert "<b>0.800</b><small>0.70 to 0.90</small><small>&nbsp;</small>" in text


PART = {
    "part": "class", "name": "detail", "rate": "f1", "boxes": 40, "lost": 14, "won": 2, "lost_sheets": 9, "alarms": 3,
    "before": 0.9, "now": 0.7, "change": -0.2, "change_low": -0.3, "change_high": -0.1, "significant": True,
}  # fmt: skip


def regressed(name: str = "detail", note: str = "") -> dict[str, object]:
    """Return what was lost since iteration 0, as metrics/converge.json has it."""
    small = {"rate": "recall", "boxes": 4, "alarms": None, "change_low": None, "change_high": None, "significant": None}
    parts = [{**PART, "name": name}, {**PART, "part": "size", "name": "tiny", **small}]
    box = {"object_id": 0, "class_name": name, "size": "tiny"}
    sheets = [{"image_id": f"{name}{i}", "group": name, "lost": [box, box], "won": []} for i in range(10)]
    return {"since": 0, "note": note, "parts": [] if note else parts, "sheets": [] if note else sheets}


def test_says_what_was_found_before_and_is_lost_now() -> None:
    text = (
        page(verdict={**VERDICT, "regression": regressed()}).split("Found before, lost now")[1].split("</section>")[0]
    )
    assert "class detail: F1 0.900 to 0.700, -0.200 (-0.30 to -0.10); 14 boxes lost on 9 sheets, 2 won, 3 false" in text
    cells = re.findall(r"<td>(.*?)</td>", text)
    assert cells[:9] == ["class detail", "40", "14", "9", "2", "+3", "F1", "0.900", "0.700"]
    assert cells[9] == '-0.200<br><span class="soft ends">-0.30 to -0.10</span>'
    assert cells[10] == '<span class="badge stop">lost</span>'
    assert cells[11:17] == ["size tiny", "4", "14", "9", "2", ""]
    assert cells[20:] == ["-0.200", '<span class="soft">too few</span>']
    assert '<li>detail0 <span class="soft">(detail)</span>: 2 lost (2 tiny detail), 0 won</li>' in text
    assert text.count("<li>") == 8
    assert "and 2 more sheets" in text


def test_an_older_iteration_says_nothing_of_what_was_lost_and_another_ruler_why() -> None:
    assert "lost now" not in page()
    assert "nothing is compared: why" in page(
        verdict={**VERDICT, "regression": regressed(note="nothing is compared: why")}
    )


def test_links_the_page_of_suspects_where_there_is_one() -> None:
    assert '<a href="suspects_01.html">Labels that look wrong</a>' in page(suspects="suspects_01.html")
    assert "Labels that look wrong" not in page()


def test_pictures_have_their_words() -> None:
    text = page(pictures=shots("plan.png"))
    assert "24 of 30 missed boxes are shown" in text
    assert "<span>tiny, in a corner</span><span>nearly found: 18% sure</span><span>faint</span>" in text
    assert "<span>81% sure</span>" in text
    assert '<div class="blank">no picture</div>' in text  # a sheet that is not there
    packet = text.split('<span class="rank">7</span>')[1].split("</figure>")[0]
    assert packet == "<figcaption><b>door, uncertain</b><span>plan.png</span><span>plan.png</span></figcaption>"
    assert "pictures are elsewhere" not in text


def test_a_whole_sheet_in_the_packet_has_no_class() -> None:
    shot = packet_shot({**CHOSEN, "kind": "nothing_seen", "class_name": ""}, 7, PIXEL)
    assert (shot.title, shot.rank, shot.lines) == ("nothing seen", 7, ["Why not?", "plan.png"])


def chosen(counts: Mapping[str, int]) -> str:
    return rendered("iteration/packet.html", {"sample": counts, "pictures": Shots()})


@pytest.mark.parametrize(
    ("random", "said"),
    [
        (0, None),
        (1, "1 of the sheets was drawn at random, and nothing tells which"),
        (2, "2 of the sheets were drawn at random, and nothing tells which"),
    ],
)
def test_says_how_many_sheets_came_by_chance(random: int, said: str | None) -> None:
    counts = dict.fromkeys(
        ("candidates", "chosen_objects", "packet_sheets", "pool_sheets", "missed", "uncertain", "nothing_seen"), 3
    )
    text = chosen({**counts, "random_sheets": random})
    assert said in text if said else "random" not in text
    assert chosen(counts) == chosen({**counts, "random_sheets": 0})  # an older iteration had none


def test_names_are_never_markup() -> None:
    text = page(NASTY, pictures=shots(NASTY), verdict={**VERDICT, "regression": regressed(NASTY)})
    assert "<script" not in text
    assert "<img src=" in text
    assert set(re.findall(r"<img src=\"([^\"]*)\"", text)) == {PIXEL}
    assert "&lt;script&gt;" in text
    plain = page("plan.png", pictures=shots("plan.png"), verdict={**VERDICT, "regression": regressed("plan.png")})
    assert elements(text) == elements(plain)


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
    assert elements(page()).count("section") == 11


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
    values = {"charts": charts(history([(0.5, 0.5, 0.5)] * 30, many), 0.98), "classes": many}
    text = rendered("iteration/charts.html", values)
    assert "the 8 classes with the lowest F1" in text
    assert text.count("<li>") == 3 + 8
    assert re.findall(r'y="232" text-anchor="middle">(\d+)<', text)[:10] == [str(i) for i in range(0, 30, 3)]


def test_classes_go_down_the_page_and_the_last_iterations_across() -> None:
    frame = history([(0.1 * step, 0.5, 0.5) for step in range(10)], ["a", "b"])
    assert class_rows(frame).steps == list(range(2, 10))
    assert class_rows(frame.assign(**{"f1[b]": None})).rows["b"] == [None] * 8
    text = page("detail", rates=((0.5, 0.6, 0.7), (0.8, None, 0.75)))
    assert "<td>detail</td><td>0.500</td><td>0.800</td>" in text
    assert "all are in plots" not in text
    assert "The last 8 iterations; all are in" in page(rates=[(0.5, 0.6, 0.7)] * 9)


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_thirteen_classes_fit_on_the_page(tmp_path: Path) -> None:
    """No table is wider than the page, not even with every fate of a box; on a phone the names of the rows stay."""
    file = tmp_path / "page.html"
    more = [f"transistor {number}" for number in range(12)]
    file.write_text(page(more=more, rates=[(0.5, 0.6, 0.7)] * 10), encoding="utf-8")
    wide = (
        "[...document.querySelectorAll('details')].map(one => one.open = true) && "
        "[...document.querySelectorAll('.scroll')].filter(one => one.scrollWidth > one.clientWidth).length"
    )
    assert look(file, asking={"wide": wide}).answers == {"wide": 0}
    scrolled = (
        "(one => (one.scrollLeft = 300, one.querySelector('td').getBoundingClientRect().left - "
        "one.getBoundingClientRect().left))(document.querySelectorAll('.scroll')[1])"
    )
    asking = {"names": scrolled, "page": "document.documentElement.scrollWidth"}
    assert look(file, asking=asking, width=360).answers == {"names": 0, "page": 360}


def test_what_it_cost() -> None:
    values = {"costs": costs(history([(0.5, 0.5, 0.5)] * 3, ["a"]), {1: {"train": 92.4}})}
    cells = re.findall(r"<td>(.*?)</td>", rendered("iteration/cost.html", values))
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
    lost = {**VERDICT, "regression": regressed(NASTY)}
    file.write_text(page(NASTY, pictures=shots(NASTY), verdict=lost), encoding="utf-8")
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
