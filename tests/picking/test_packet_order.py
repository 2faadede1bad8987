"""Where a sheet stands in the review: by value, groups together, and no place that tells what came by chance."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.picking.packet_order import OrderedSheet, in_order


def order(*sheets, seed=0):
    return in_order([OrderedSheet(*sheet) for sheet in sheets], np.random.default_rng(seed))


@st.composite
def packets(draw):
    """Sheets a, b, c... with groups or none; some have a rank that no other has, the others came by chance."""
    count = draw(st.integers(0, 12))
    groups = draw(st.lists(st.sampled_from(["", "", "G", "H"]), min_size=count, max_size=count))
    ranks = draw(st.permutations(range(1, count + 1)))
    by_chance = draw(st.lists(st.booleans(), min_size=count, max_size=count))
    return [
        OrderedSheet(f"{'abcdefghijkl'[i]}.png", groups[i], None if by_chance[i] else ranks[i]) for i in range(count)
    ]


@pytest.mark.parametrize(
    ("sheets", "expected"),
    [
        ([], []),
        ([("a", "", 2), ("b", "", 1)], ["b", "a"]),
        ([("a", "G", 3), ("b", "", 2), ("c", "G", 1)], ["c", "a", "b"]),  # a group stands where its best sheet does
        ([("a", "G", 4), ("b", "H", 2), ("c", "G", 3), ("d", "H", 9)], ["b", "d", "c", "a"]),
        ([("a", "", 1), ("b", "", 2), ("c", "", 3)], ["a", "b", "c"]),  # no group is none that they share
    ],
)
def test_most_valuable_first_and_groups_together(sheets, expected):
    assert order(*sheets) == expected


@given(packets(), st.integers(0, 99))
def test_laws(sheets, seed):
    names = in_order(sheets, np.random.default_rng(seed))
    by_name = {sheet.image_id: sheet for sheet in sheets}
    assert sorted(names) == sorted(by_name)
    place = {name: number for number, name in enumerate(names)}
    for group in {sheet.group for sheet in sheets} - {""}:
        places = sorted(place[sheet.image_id] for sheet in sheets if sheet.group == group)
        assert places == list(range(places[0], places[0] + len(places)))
    picked = [by_name[name] for name in names if by_name[name].rank is not None]
    best: dict[str, int] = {}
    for sheet in picked:
        best[sheet.group or sheet.image_id] = min(best.get(sheet.group or sheet.image_id, 99), sheet.rank or 0)
    value = [(best[sheet.group or sheet.image_id], sheet.rank) for sheet in picked]
    assert value == sorted(value)
    assert in_order(sheets[::-1], np.random.default_rng(seed)) == names


PICKED = [("p", "", 1), ("q", "", 2), ("r", "", 3)]


@pytest.mark.parametrize(
    ("sheets", "shares"),
    [
        ([*PICKED, ("x", "", None)], [1 / 4] * 4),  # by itself: before, between, behind
        ([*PICKED, ("x", "", None), ("y", "", None)], [1 / 5] * 5),
        ([*PICKED, ("x", "X", None), ("y", "X", None)], [1 / 8, 1 / 4, 1 / 4, 1 / 4, 1 / 8]),  # first or second of two
        ([("p", "G", 1), ("q", "G", 2), ("x", "G", None), ("r", "", 3)], [1 / 3] * 3),  # anywhere in its group
    ],
)
def test_no_place_tells_that_a_sheet_came_by_chance(sheets, shares):
    runs = 2000
    often = Counter(order(*sheets, seed=seed).index("x") for seed in range(runs))
    assert len(often) == len(shares)
    assert [often[place] / runs for place in range(len(shares))] == pytest.approx(shares, abs=4 * 0.5 / runs**0.5)
