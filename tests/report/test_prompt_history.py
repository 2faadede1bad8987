from stages.report.prompt_history import ToldIteration, effects

ASKED = {
    "suggestions": [
        {
            "class_name": "title",
            "candidates": [{"number": 2, "says": "expected effect on F1 of 'title': +0.031 (+0.010 to +0.052)"}],
        }
    ]
}


def told(text, f1, *, origin=None, ruler="r", suggestions=None):
    origins = {"title": origin} if origin else {}
    return ToldIteration({"title": text, "detail": "d"}, origins, 0.5, {"title": f1}, ruler, suggestions or {})


BEFORE = told("bar", 0.7, suggestions=ASKED)


def test_an_accepted_text_stands_beside_what_was_expected_of_it():
    now = told("wide bar", 0.75, origin="suggestion 2 of iteration 1")
    assert effects(BEFORE, now, {1: BEFORE, 2: now}) == [
        "title: suggestion 2 of iteration 1; expected effect on F1 of 'title': +0.031 (+0.010 to +0.052); "
        "F1 0.700 -> 0.750"
    ]


def test_a_text_by_hand_has_no_forecast():
    assert effects(BEFORE, told("wide bar", 0.65), {1: BEFORE}) == ["title: by hand; F1 0.700 -> 0.650"]


def test_an_origin_of_an_earlier_text_does_not_speak_for_a_later_one():
    accepted = told("wide bar", 0.75, origin="suggestion 2 of iteration 1")
    later = told("flat bar", 0.8, origin="suggestion 2 of iteration 1")
    assert effects(accepted, later, {1: BEFORE, 2: accepted}) == ["title: by hand; F1 0.750 -> 0.800"]


def test_another_ruler_is_not_compared():
    assert effects(BEFORE, told("wide bar", 0.9, ruler="other"), {}) == ["title: by hand; another ruler since"]


def test_what_is_told_as_before_has_no_line():
    assert effects(BEFORE, told("bar", 0.9), {}) == []


def test_a_forecast_that_nobody_kept_is_left_out():
    now = told("wide bar", 0.75, origin="suggestion 2 of iteration 0")
    assert effects(BEFORE, now, {1: BEFORE}) == ["title: suggestion 2 of iteration 0; F1 0.700 -> 0.750"]
