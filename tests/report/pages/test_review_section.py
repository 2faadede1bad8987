"""The section on the review before an iteration: its counts, what nobody looked at, and names that are no markup."""

import pandas as pd
import pytest

from stages.base.boxes import BOX
from stages.base.tables import with_details
from stages.report.pages.iteration_page import review_values
from stages.report.pages.rendering import rendered
from stages.review.ledger.correction_ledger import box_ledger
from stages.review.ledger.ledger_summary import Past, sheet_rows, summarize
from tests.report.pages.test_iteration_page import NASTY, elements, page

A, B, C = (0, 0, 10, 10), (20, 20, 30, 30), (50, 50, 60, 60)


def review(name="detail", *, source="cvat", seconds=(60.0, None), labels_from="model"):
    """Return a summary: on a.png one box was confirmed and one added, on b.png, drawn at random, one deleted."""
    before = [("a.png", "1-1", name, *A, 0.5), ("b.png", "2-1", name, *B, 0.5)]
    after = [("a.png", name, *A, None), ("a.png", "title", *C, None)]
    boxes = box_ledger(
        prelabels=pd.DataFrame(before, columns=["image_id", "prelabel_id", "class_name", *BOX, "confidence"]),
        reviewed=pd.DataFrame(after, columns=["image_id", "class_name", *BOX, "prelabel_id"]),
        iou=0.5,
    )
    sheets = pd.DataFrame(
        {
            "iteration": 4, "image_id": ["a.png", "b.png"], "arm": ["picked", "random"],
            "labels_from": ["claims", labels_from], "source": source, "seconds": pd.array(seconds, dtype="Float64"),
        }
    )  # fmt: skip
    rows = sheet_rows(boxes, sheets)
    return with_details(
        summarize(boxes, rows, iteration=4, source=source, packet_sheets=3, iou=0.5, past=Past(), forecast={})
    )


def review_view(review):
    """Return the section without its frame; "" where there is none."""
    return rendered("iteration/review.html", review_values(review)).partition("</h2>")[2].removesuffix("</section>")


@pytest.mark.parametrize(
    "shown",
    [
        "<p>2 of 3 sheets reviewed with cvat: 2 errors on 3 boxes looked at; 1.0 minutes on 1 of 2 sheets, 30.0 s per",
        'aria-label="What became of the 3 boxes of the review"',
        'style="width:33.33%" title="added: 1"',
        "</i>deleted <b>1</b>",
        "<td>labels that the pool had</td>",
        "<td>the model&#39;s detections</td>",
        "<summary>Class by class</summary>",
        "<span>picked, 1 sheet</span>",
        '<span>random, 1 sheet</span><span><i style="width:100.0%"></i></span><b>1.00</b>',
        "<p>Whether the picker is better than chance is not known yet: 1 random sheet reviewed so far,",
    ],
)
def test_says(shown):
    assert shown in review_view(review())


def test_what_second_looks_brought_is_said_and_is_no_arm_of_the_comparison():
    found = review()
    assert "minute" not in review_view(found).partition("<h3>Picked or by chance")[2]
    *arms, recheck = found["arms"]
    looks = {"sheets": 1, "tp": 8, "fp": 1, "fn": 1, "f1": 0.888889}
    rates = {"sheets": 2, "errors_per_box": 0.5, "errors_per_minute": 1.25}
    shown = review_view({**found, "arms": [*arms, {**recheck, **rates}], "agreement": looks})
    assert "1.25 on those whose labels were checked.</p>" in shown
    assert "(8 boxes alike, 1 only now, 1 only then): no F1 can be known better than that.</p>" in shown
    assert "<span>recheck" not in shown


def test_what_the_packet_had_promised():
    promised = {"expected_errors": 3.6, "expected_errors_low": 1.2, "expected_errors_high": 6.0}
    said = "<p>4 errors were expected on the picked sheets (1 to 6), 1 were found.</p>"
    assert said in review_view({**review(), **promised, "picked_errors": 1})
    assert "were expected" not in review_view(review())


def test_what_the_tool_does_not_say_is_no_zero():
    view = review_view(review(seconds=(None, None), labels_from="claims"))
    assert "3 boxes looked at; the tool kept no time.</p>" in view
    assert "moved" not in view  # an outcome that nothing had
    assert view.count("<tfoot>") == 1  # one origin is all there is


def test_what_nobody_looked_at_is_no_review():
    view = review_view(review(source="auto"))
    assert view.startswith('<p class="note">2 sheets with 2 boxes went to train without a look at their labels.</p>')
    assert "reviewed with" not in view
    assert "pre-labels" not in view
    assert "0 random sheets reviewed so far" in view


def test_before_the_first_review_and_in_old_reports_there_is_nothing():
    assert review_view({}) == ""
    assert review_view({**review(), "source": None}) == ""
    assert "The review before this iteration" not in page()


def test_names_are_never_markup():
    view = review_view(review(NASTY))
    assert "<script" not in view
    assert "<img" not in view
    assert "&lt;script&gt;" in view
    assert elements(view) == elements(review_view(review("detail")))
