"""Which of two candidates goes first, factor by factor, and laws of the whole choice."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.analysis.findings import FindingLimits, size_names
from stages.picking.greedy_choice import FACTORS, SIZES, Weights, choose, count_sizes, rarity
from stages.picking.reasons import reason, strongest

CLASSES = {"common": 0.0, "rare": 0.8}  # rarity: of 10 boxes of `rare` there are 50 of `common`
SIZE_RARITY = {"tiny": 0.9, "small": 0.4, "medium": 0.0, "large": 1.0}
WEIGHTS = Weights(0.3, 0.3, 0.2, 0.2)
PLAIN = {
    **{"kind": "uncertain", "image_id": "a.png", "class_id": 0, "class_name": "common", "confidence": 0.9},
    **{"object_id": pd.NA, "detection_id": 0, "x1": 90.0, "y1": 40.0, "x2": 110.0, "y2": 60.0, "size": "medium"},
    **{"position": "center", "low_contrast": False, "unusual_aspect": False, "near_miss": pd.NA},
    **{"width": 200, "height": 100},
}
MISSED = {"kind": "missed", "confidence": pd.NA}
WHOLE = {
    **{"kind": "nothing_seen", "class_id": pd.NA, "class_name": "", "confidence": pd.NA, "size": "", "position": ""},
    **{"x1": 0.0, "y1": 0.0, "x2": 200.0, "y2": 100.0},
}


def table(*rows):
    frame = pd.DataFrame([PLAIN | row for row in rows], columns=list(PLAIN))
    return frame.astype({"confidence": "Float64", "near_miss": "Float64", "class_id": "Int32"})


def pick(*rows, weights=WEIGHTS, budget=20, seed=0):
    return choose(
        table(*rows),
        class_rarity=CLASSES,
        size_rarity=SIZE_RARITY,
        weights=weights,
        budget=budget,
        most_per_sheet=0.25,
        rng=np.random.default_rng(seed),
    )


def factors(row):
    return pick(row).loc[0, FACTORS].tolist()


@pytest.mark.parametrize(
    ("row", "expected"),
    [  # class balance, size diversity, spatial diversity ((border + novelty) / 2), uncertainty
        ({}, [0.0, 0.0, 0.5, 0.2 / 3]),  # 0.9 is 0.2 of a doubt, and one sign of three
        ({"class_name": "rare"}, [0.8, 0.0, 0.5, 0.2 / 3]),  # fewer boxes in train: more wanted, never less
        ({"size": "tiny"}, [0.0, 0.9, 0.5, 0.2 / 3]),
        ({"size": "large"}, [0.0, 1.0, 0.5, 0.2 / 3]),
        ({"position": "edge"}, [0.0, 0.0, 0.75, 0.2 / 3]),
        ({"position": "corner"}, [0.0, 0.0, 1.0, 0.2 / 3]),
        ({"confidence": 0.5}, [0.0, 0.0, 0.5, 1 / 3]),  # right or wrong: the most doubt
        ({"confidence": 0.25}, [0.0, 0.0, 0.5, 0.5 / 3]),
        ({"confidence": 0.75}, [0.0, 0.0, 0.5, 0.5 / 3]),  # as far on the other side
        ({"confidence": 1.0}, [0.0, 0.0, 0.5, 0.0]),  # no doubt at all
        ({"confidence": 0.5, "low_contrast": True}, [0.0, 0.0, 0.5, 2 / 3]),
        ({"confidence": 0.5, "low_contrast": True, "unusual_aspect": True}, [0.0, 0.0, 0.5, 1.0]),
        ({"confidence": 0.1, "low_contrast": True}, [0.0, 0.0, 0.5, 0.4 / 3]),  # faint and hardly seen: paper
        (MISSED, [0.0, 0.0, 0.5, 0.0]),
        ({**MISSED, "near_miss": 0.2}, [0.0, 0.0, 0.5, 1 / 3]),
        ({**MISSED, "low_contrast": True}, [0.0, 0.0, 0.5, 1 / 3]),
        ({**MISSED, "low_contrast": True, "unusual_aspect": True, "near_miss": 0.2}, [0.0, 0.0, 0.5, 1.0]),
        (WHOLE, [0.4, 2.3 / 4, 0.75, 0.5]),  # the mean over classes and sizes, and half of what is unknown
    ],
)
def test_factors(row, expected):
    assert factors(row) == pytest.approx(expected)


def test_score_is_the_weighted_mean_of_the_factors():
    row = {"class_name": "rare", "size": "tiny", "confidence": 0.5, "position": "edge"}
    assert pick(row)["score"][0] == pytest.approx(0.3 * 0.8 + 0.3 * 0.9 + 0.2 * 0.75 + 0.2 / 3)


def test_only_the_proportions_of_the_weights_matter():
    rows = [{"class_name": "rare"}, {"size": "tiny", "image_id": "b.png"}, {**WHOLE, "image_id": "c.png"}]
    pd.testing.assert_frame_equal(pick(*rows), pick(*rows, weights=Weights(30, 30, 20, 20)))


@pytest.mark.parametrize(
    ("factor", "wanted"),
    [
        ("class_balance", {"class_name": "rare"}),  # the underrepresented class wins; the first system had it wrong
        ("size_diversity", {"size": "large"}),
        ("spatial_diversity", {"position": "corner"}),
        ("uncertainty", {"confidence": 0.5}),
    ],
)
def test_a_factor_alone_decides(factor, wanted):
    weights = Weights(**{name: float(name == factor) for name in FACTORS})
    for rows in ([{}, wanted], [wanted, {}]):
        first = pick(*rows, weights=weights, budget=1).iloc[0]
        assert {name: first[name] for name in wanted} == wanted
        assert strongest(first.to_dict(), weights) == factor


def test_a_sheet_that_is_chosen_already_offers_less():
    """Equal in all else: after the first of sheet a comes the one of sheet b, then the far one of a, then the near."""
    near, far = {"x1": 95.0, "x2": 115.0}, {"x1": 0.0, "y1": 0.0, "x2": 20.0, "y2": 20.0}
    start = {"size": "tiny"}
    chosen = pick(near, far, start, {"image_id": "b.png"})
    assert chosen[["image_id", "x1"]].values.tolist() == [["a.png", 90], ["b.png", 90], ["a.png", 0], ["a.png", 95]]


def test_one_sheet_does_not_take_the_budget():
    """Thirty rare tiny objects on one sheet outscore all others, and get 5 of 20."""
    dense = [{"class_name": "rare", "size": "tiny", "x1": 6.0 * i, "x2": 6.0 * i + 5} for i in range(30)]
    others = [{"image_id": f"{i}.png"} for i in range(30)]
    chosen = pick(*dense, *others).query("rank.notna()")
    assert chosen["image_id"].value_counts().iloc[:2].tolist() == [5, 1]
    assert chosen["image_id"].tolist()[:5] == ["a.png"] * 5


def test_sheets_where_nothing_was_seen_do_not_take_the_budget():
    """With one class of usual size, a whole sheet outscores every object, whose rarity is 0."""
    whole = [{**WHOLE, "image_id": f"w{i}.png"} for i in range(30)]
    objects = [{"image_id": f"o{i}.png", "confidence": 0.6} for i in range(12)]
    kinds = pick(*whole, *objects).query("rank.notna()")["kind"].tolist()
    # 5 are their share; when the objects have run out, the rest is theirs too
    assert kinds == ["nothing_seen"] * 5 + ["uncertain"] * 12 + ["nothing_seen"] * 3


def test_distance_is_in_fractions_of_the_sheet():
    """From the centre (0.5, 0.5) to (0.05, 0.1): sqrt(0.45² + 0.4²) / sqrt(2) = 0.425735."""
    rows = pick({"size": "tiny"}, {"x1": 0.0, "y1": 0.0, "x2": 20.0, "y2": 20.0}, weights=Weights(0, 0.01, 1, 0))
    assert rows["spatial_diversity"].tolist() == pytest.approx([0.5, 0.425735 / 2])


def test_ties_are_settled_by_the_seed_and_by_nothing_else():
    rows = [{"image_id": f"{i}.png"} for i in range(30)]
    one, again, other = pick(*rows, seed=1), pick(*rows, seed=1), pick(*rows, seed=2)
    assert one["image_id"].tolist() == again["image_id"].tolist()
    assert one["image_id"].tolist()[:20] != other["image_id"].tolist()[:20]


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"a": 50, "b": 10, "c": 0}, {"a": 0.0, "b": 0.8, "c": 1.0}),  # most, fewer, none
        ({"a": 7, "b": 7}, {"a": 0.0, "b": 0.0}),  # balanced: nothing to prefer
        ({"a": 0, "b": 0}, {"a": 1.0, "b": 1.0}),  # nothing in train yet
        ({}, {}),
    ],
)
def test_rarity(counts, expected):
    assert rarity(counts) == pytest.approx(expected)


def test_sizes_are_the_words_of_the_analysis():
    areas = np.array([0, 499.9, 500, 1999, 2000, 9999, 10000, 1e6])
    assert count_sizes(areas, (500, 2000, 10000)) == {"tiny": 2, "small": 2, "medium": 2, "large": 2}
    names = size_names(areas, FindingLimits(500, 2000, 10000, *[0.0] * 6)).tolist()
    assert count_sizes(areas, (500, 2000, 10000)) == {size: names.count(size) for size in SIZES}


unit = st.floats(0, 1)
some_row = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["missed", "uncertain", "nothing_seen"]),
        "image_id": st.sampled_from(["a.png", "b.png", "c.png"]),
        "class_name": st.sampled_from(["common", "rare", ""]),
        "size": st.sampled_from([*SIZES, ""]),
        "position": st.sampled_from(["corner", "edge", "center", ""]),
        "confidence": unit,
        "low_contrast": st.booleans(),
        "unusual_aspect": st.booleans(),
        "near_miss": st.none() | unit,
        **{name: st.floats(-5, 205) for name in ("x1", "y1", "x2", "y2")},
    }
)
some_weights = st.builds(Weights, *[st.floats(0.01, 5)] * 4)


def share_of(rows):
    """Return what shares a part of the budget: a sheet, or all the sheets where nothing was seen."""
    return rows["image_id"].where(rows["kind"] != "nothing_seen", "")


@given(st.lists(some_row, max_size=12), some_weights, st.integers(1, 8), st.integers(0, 3))
def test_laws_of_the_choice(rows, weights, budget, seed):
    scored = pick(*rows, weights=weights, budget=budget, seed=seed)
    chosen = scored[scored["rank"].notna()]
    assert len(scored) == len(rows)
    assert len(chosen) == min(budget, len(rows))
    assert chosen["rank"].tolist() == list(range(1, len(chosen) + 1))
    assert scored[[*FACTORS, "score"]].to_numpy(float).min(initial=0) >= 0
    assert scored[[*FACTORS, "score"]].to_numpy(float).max(initial=0) <= 1
    left = scored[scored["rank"].isna()]
    groups = {True: share_of(chosen), False: share_of(left)}
    counts = groups[True].value_counts()
    full = groups[False].map(counts).fillna(0) >= np.ceil(budget / 4)
    # Nobody who was left out deserved it more, unless others of that sheet took its share;
    assert full[left["score"] > chosen["score"].min()].all()
    # and no sheet took more than its share while another one had something left to offer.
    assert (counts <= np.ceil(budget / 4)).all() or full.all()
    pd.testing.assert_frame_equal(scored, pick(*rows, weights=weights, budget=budget, seed=seed))


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (
            {**MISSED, "size": "tiny", "position": "corner", "near_miss": 0.18, "low_contrast": True},
            "The model missed this tiny common in a corner, it is faint, it was nearly found (18% sure); "
            "its size is rare in train.",
        ),
        (
            {"confidence": 0.47, "class_name": "rare", "unusual_aspect": True},
            "The model is 47% sure of this medium rare, its shape is unusual; its class is rare in train.",
        ),
        (WHOLE, "Nothing was seen on this sheet: is it empty?"),
    ],
)
def test_reason(row, text):
    assert reason(pick(row).iloc[0].to_dict(), WEIGHTS) == text
