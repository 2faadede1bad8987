import numpy as np
import pandas as pd
import pytest

from stages.prompts.other_texts import (
    MOST,
    LabelProfile,
    OtherText,
    contradictions,
    dark_share,
    label_profile,
    other_texts,
)

NOTHING = LabelProfile(None, None, None, None)
PLAIN = LabelProfile(0.1, 1.0, 0.1, 0.3)


def rules(text, profile=PLAIN, *, faint=False, others=None):
    prompts = {"title": (text,), **(others or {})}
    return {one.rule: one.texts for one in other_texts("title", prompts, profile, faint)}


def test_a_text_that_the_labels_contradict_is_mended_first():
    """The title that asks for a small circle, though its labels are wide bars."""
    found = other_texts("title", {"title": ("small circle with a name",)}, LabelProfile(0.0, 6.0, 0.0, 0.7), False)
    assert found[0] == OtherText("contradicted", ("circle with a name",))
    assert OtherText("contradicted", ("wide small with a name",)) in found
    assert OtherText("wide", ("wide small circle with a name",)) in found
    assert OtherText("name", ("wide solid title",)) in found


@pytest.mark.parametrize(
    ("text", "profile", "rule", "texts"),
    [
        ("bubble", PLAIN._replace(small=0.6), "small", ("small bubble",)),
        ("bubble", PLAIN._replace(aspect=2.0), "wide", ("wide bubble",)),
        ("bubble", PLAIN._replace(aspect=0.5), "tall", ("tall bubble",)),
        ("bubble", PLAIN._replace(ink=0.5), "solid", ("solid bubble",)),
        ("bubble", PLAIN._replace(border=0.5), "border", ("bubble at the border of a sheet",)),
        ("big bubble", PLAIN._replace(small=0.6), "contradicted", ("small bubble",)),
        ("wide bubble", PLAIN, "contradicted", ("bubble",)),
        ("open bubble", PLAIN._replace(ink=0.6), "contradicted", ("solid bubble",)),
        ("bubble with a number, on a line", NOTHING, "shorter", ("bubble",)),
        ("bubble", NOTHING, "name", ("title",)),
    ],
)
def test_rules(text, profile, rule, texts):
    assert rules(text, profile)[rule] == texts


def test_what_the_labels_contradict_is_said_with_what_they_look_like():
    profile = LabelProfile(0.0, 6.0, 0.0, 0.1)
    small, round_ = contradictions(("small circle with a filled name", "a small ring"), profile)
    assert (small.rule, small.change) == ("contradicted", "Leave out 'small'.")
    assert small.why == "0% of its boxes are tiny or small."
    assert round_.change == "Leave out 'circle' and 'ring', or say wide."
    assert round_.why == "Half of its boxes are at least 6.0 times as wide as high."
    assert contradictions(("wide bar", "example:small circle.png#3"), profile) == []


def test_what_is_said_already_is_not_said_again():
    assert "small" not in rules("tiny bubble", PLAIN._replace(small=0.9))
    assert "low_contrast" not in rules("thin bubble", faint=True)
    assert rules("bubble", faint=True)["low_contrast"] == ("bubble, thin grey outline",)


def test_no_candidate_is_a_text_that_a_class_has():
    found = rules("bubble with a number", others={"detail": ("Bubble",), "door": ("TITLE",)})
    assert set(found) == set()


def test_an_ensemble_keeps_the_present_texts():
    assert rules("bubble", PLAIN._replace(small=0.9))["ensemble"] == ("bubble", "small bubble")


def test_there_are_never_too_many():
    text = "big tall solid bubble, on a line"
    found = other_texts("title", {"title": (text,)}, LabelProfile(0.9, 3.0, 0.9, 0.1), True)
    assert len(found) == len({one.texts for one in found}) == MOST


def test_a_profile_of_labels():
    sizes, positions = pd.Series(["tiny", "large", "small"]), pd.Series(["center", "edge", "corner"])
    profile = label_profile(sizes, pd.Series([1.0, 2.0, 6.0]), positions, pd.Series([0.1, np.nan, 0.3]))
    assert profile == (pytest.approx(2 / 3), 2.0, pytest.approx(2 / 3), pytest.approx(0.2))
    empty = pd.Series([], dtype=object)
    assert label_profile(empty, empty, empty, empty) == NOTHING


def test_dark_share():
    grey = np.full((4, 4), 255, np.uint8)
    assert dark_share(grey) == 0.0
    grey[:1] = 0
    assert dark_share(grey) == 0.25
    assert np.isnan(dark_share(grey[:0]))
