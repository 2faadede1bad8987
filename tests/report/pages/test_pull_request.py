"""The text for a pull request says the same as the page, short, and shows every name as it is."""

import pytest

from stages.report.pages.iteration_page import Page, Shots
from stages.report.pages.pull_request import escaped, iteration_markdown
from tests.report.pages.test_iteration_page import VERDICT, history, regressed, tables

SAMPLE = {"packet_sheets": 10, "pool_sheets": 90, "chosen_objects": 20, "packet_boxes": 177, "packet_minutes": 31.7}


def text(name="detail", *, commit="fedcba9876543210", sample=SAMPLE, verdict=VERDICT):
    report = {
        "iteration": 1,
        "dataset": "dataset-v1",
        "verdict": verdict,
        "validate": {"notes": [f"{name}: 26 boxes on 9 sheets: F1 lies in 0.690 to 0.910"]},
        "tables": tables(name),
        "sample": sample,
    }
    rates = [(0.5, 0.6, 0.7), (0.8, None, 0.75)]
    return iteration_markdown(Page(report, history(rates, [name]), commit, [], Shots(), {}, {}))


def test_it_says_verdict_numbers_classes_and_what_to_review():
    assert (
        text()
        == """## Iteration 1: stop

F1 0.985 is at least 0.98.

| on val | |
| --- | --- |
| F1 on val | 0.800 (0.70 to 0.90); +0.300 (0.21 to 0.39) since iteration 0 |
| Precision | – |
| Recall | 0.750; +0.050 since iteration 0 |
| mAP50 | 0.700 |

- detail: 26 boxes on 9 sheets: F1 lies in 0.690 to 0.910

| class | F1 | P | R | boxes | missed | false alarms |
| --- | --- | ---: | ---: | ---: | ---: | ---: |
| detail | 0.800 (0.70 to 0.90) | – | 0.750 | 40 | 30 | 1 |

**To review:** 10 sheets of 90 in the pool, with 177 boxes drawn on them, about 32 minutes; 20 places to look at first.

dataset-v1, commit fedcba9876
"""
    )


def test_what_was_lost_comes_before_the_numbers():
    said = text(verdict={**VERDICT, "regression": regressed()})
    assert said.index("**Lost since iteration 0:** class detail: F1 0.900 to 0.700") < said.index("| on val")


def test_an_iteration_that_is_not_finished_and_an_older_packet():
    old = {"packet_sheets": 1, "pool_sheets": 3, "chosen_objects": 1}
    assert text(commit=None, sample=old).splitlines()[-3:] == [
        "**To review:** 1 sheet of 3 in the pool; 1 place to look at first.",
        "",
        "dataset-v1, not finished yet",
    ]
    assert "**To review:** nothing was picked." in text(sample={**old, "packet_sheets": 0})


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a|b", r"a\|b"),
        ("<img src=x>", r"\<img src=x\>"),
        ("[x](http://y)", r"\[x\](http://y)"),
        ("@maria & `co`", r"&#64;maria &amp; \`co\`"),
        ("two\nlines", "two lines"),
    ],
)
def test_no_name_is_markup(name, shown):
    assert escaped(name) == shown
    table = text(name).split("| class |")[1].split("\n\n")[0]
    assert f"| {shown} | 0.800" in table
    assert len(table.splitlines()) == 3
