"""Templates know every code of the tables, and refuse what lacks; their layout does not reach the page."""

import pytest
from jinja2 import UndefinedError

from stages.report.pages.iteration_page import ledger_values
from stages.report.pages.rendering import flat, number, rendered
from stages.review.ledger.correction_ledger import OUTCOMES
from stages.ruler.losses.fates import FATES
from stages.ruler.losses.tide import ERRORS


def test_every_fate_has_its_words() -> None:
    row = {"split": "val", "class_name": "all", "boxes": len(FATES), **dict.fromkeys(FATES, 1)}
    page = rendered("iteration/ledger.html", ledger_values([row]))
    assert page.count("<dt>") == page.count("<li title=") == len(FATES)
    with pytest.raises(UndefinedError):
        rendered("iteration/ledger.html", {"boxes": row, "boxes_by_class": [], "fates": {"unheard_of": 1}})


def test_every_error_has_its_words() -> None:
    errors = [{"error": name, "count": 1} for name in ERRORS]
    assert rendered("iteration/errors.html", {"errors": errors}).count('<span class="soft ends">') == len(ERRORS)
    with pytest.raises(UndefinedError):
        rendered("iteration/errors.html", {"errors": [{"error": "unheard_of", "count": 1}]})


def test_every_outcome_of_a_review_has_its_words() -> None:
    review = {
        "source": "cvat", "auto": {"sheets": 0}, "sheets": 1, "packet_sheets": 1, "errors": 0, "boxes": 6,
        "prelabels_by_class": [], "arms": [], "verdict": "",
    }  # fmt: skip
    values = {
        "promise": "",
        "promises": [],
        "random_line": "",
        "second_looks": [],
        "outcomes": dict.fromkeys(OUTCOMES, 1),
    }
    page = rendered("iteration/review.html", {"review": review, **values})
    assert page.count("<li title=") == len(OUTCOMES)


def test_a_value_that_lacks_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        rendered("iteration/cost.html", {})


def test_an_address_that_is_code_stays_text() -> None:
    values = {
        "report": {"prompts": {"javascript:alert(1)": "<a href='javascript:alert(1)'>&amp;</a>"}},
        "suggestions": [],
    }
    page = rendered("iteration/prompts.html", values)
    assert (
        "<dt>javascript:alert(1)</dt><dd>&lt;a href=&#39;javascript:alert(1)&#39;&gt;&amp;amp;&lt;/a&gt;</dd>" in page
    )
    assert "<a" not in page


def test_the_layout_of_a_template_is_not_on_the_page() -> None:
    values = {"report": {"prompts": {"door": "a door"}}, "suggestions": []}
    assert rendered("iteration/prompts.html", values) == (
        "<section><h2>Prompts</h2><dl><dt>door</dt><dd>a door</dd></dl>"
        '<p class="legend">What YOLOE is told to look for. No change is suggested.</p></section>'
    )


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (0.0, "0.000"),
        (0.5, "0.500"),
        (0.0099, "0.0099"),
        (-0.001, "-0.001"),
        (7, "7"),
        ([1, 2.5], "1, 2.5"),
    ],
)
def test_numbers(value: object, shown: str) -> None:
    assert number(value) == shown


def test_nested_values_are_one_list() -> None:
    assert flat({"a": {"b": {"c": 1}, "d": {}}, "e": None}) == [("a.b.c", 1), ("e", None)]
