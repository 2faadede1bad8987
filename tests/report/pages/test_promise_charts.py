"""Where the points of the promises lie, and what there is to show."""

import pytest

from stages.report.pages.promise_charts import promise_charts

PACKET = {"iteration": 0, "expected": 30.0, "low": 10.0, "high": 50.0, "found": 40, "minutes": None}


def judged(confidence, right, wrong, class_name="door"):
    return {"iteration": 0, "class_name": class_name, "confidence": confidence, "right": right, "wrong": wrong}


@pytest.mark.parametrize("review", [{}, {"packets": [], "judged": []}, {"packets": [{**PACKET, "expected": None}]}])
def test_nothing_is_shown_of_nothing(review):
    assert promise_charts(review) == []


def test_a_packet_lies_where_promised_and_found_meet():
    (chart,) = promise_charts({"packets": [PACKET]})
    assert [text for _, text in chart.ticks] == ["0", "20", "40", "60", "80"]
    (mark,) = chart.marks
    unit = chart.side / 80
    assert (mark.x, mark.y) == (chart.left + 30 * unit, pytest.approx(chart.top + 40 * unit))
    assert mark.line == (chart.left + 10 * unit, mark.y, chart.left + 50 * unit, mark.y)
    assert mark.said == "packet of iteration 0: 30 errors expected (10 to 50), 40 found"


@pytest.mark.parametrize("high", [0.0, 0.4, 1, 3.9, 4.1, 39, 99, 100, 101, 12345])
def test_every_packet_fits_on_the_axes(high):
    (chart,) = promise_charts({"packets": [{**PACKET, "expected": high / 2, "low": 0.0, "high": high, "found": 0}]})
    assert all(chart.left <= x <= chart.left + chart.side for mark in chart.marks for x in (mark.x, mark.line[2]))
    assert float(chart.ticks[-1][1]) >= high


def test_confidences_are_binned_and_what_was_overlooked_is_left_out():
    rows = [judged(0.05, 1, 9), judged(0.15, 3, 7), judged(0.95, 8, 0), judged(1.0, 1, 1), judged(None, 5, 0, "")]
    (chart,) = promise_charts({"judged": rows})
    assert [mark.said for mark in chart.marks] == [
        "20 detections with a confidence of 0.10 on average: 20% right",
        "10 detections with a confidence of 0.96 on average: 90% right",
    ]
    low, high = ((chart.top + chart.side - y) / chart.side for y in (chart.marks[0].line[1], chart.marks[0].line[3]))
    assert (low, high) == (pytest.approx(0.0807, abs=1e-4), pytest.approx(0.4160, abs=1e-4))  # R: binom::wilson 4, 20
