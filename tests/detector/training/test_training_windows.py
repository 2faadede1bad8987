"""The windows that a detector is trained on hold each object whole, and hide what they cut."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.detector.training.training_windows import EMPTY, cut, training_windows


@st.composite
def sheets(draw):
    width, height, side = draw(st.integers(64, 900)), draw(st.integers(64, 900)), draw(st.integers(64, 300))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    count = draw(st.integers(0, 25))
    size = np.exp(rng.uniform(np.log(5), np.log(350), (count, 2)))
    corner = rng.uniform(-0.001, 1.001, (count, 2)) * ([width, height] - size)
    return np.hstack([corner, corner + size]), width, height, side


@settings(deadline=None)
@given(sheets(), st.integers(0, 1000))
def test_each_object_that_fits_lies_whole_in_a_window_and_windows_lie_in_the_sheet(sheet, seed):
    objects, width, height, side = sheet
    found = np.array(training_windows(objects, width=width, height=height, side=side, rng=np.random.default_rng(seed)))
    if max(width, height) <= side:
        assert not len(found)
        return
    found = found.reshape(-1, 4)
    assert (found[:, :2] >= 0).all()
    assert (found[:, 2:] <= [width, height]).all()
    assert (found[:, 2:] - found[:, :2] == [min(width, side), min(height, side)]).all()
    inside = np.clip(objects, 0, [width, height, width, height])
    sides = np.ceil(inside[:, 2:]) - np.floor(inside[:, :2])
    for box in inside[(sides <= [min(width, side), min(height, side)]).all(1)]:
        assert ((found[:, :2] <= box[:2]).all(1) & (found[:, 2:] >= box[2:]).all(1)).any()


def test_after_those_with_objects_come_some_of_nothing():
    rng = np.random.default_rng(0)
    objects = np.array([[100.0 * i, 100.0 * i, 100.0 * i + 20, 100.0 * i + 20] for i in range(30)])
    found = training_windows(objects, width=4000, height=4000, side=110, rng=rng)
    held = [len(cut(objects, window).shown) for window in found]
    full = held.index(0)
    assert full >= 15
    assert len(found) - full == round(EMPTY * full)
    assert not any(len(cut(objects, window).shown) + len(cut(objects, window).hidden) for window in found[full:])


def test_a_sheet_without_objects_gives_one_and_a_full_one_none_of_nothing():
    rng = np.random.default_rng(0)
    assert len(training_windows(np.zeros((0, 4)), width=500, height=500, side=100, rng=rng)) == 1
    everywhere = np.array([[0.0, 0.0, 500.0, 500.0]])
    assert training_windows(everywhere, width=500, height=500, side=100, rng=rng) == []


def test_windows_follow_the_generator():
    objects = np.array([[200.0, 200.0, 220.0, 220.0]])
    rngs = [np.random.default_rng(seed) for seed in (1, 1, 2)]
    a, b, c = (training_windows(objects, width=900, height=900, side=100, rng=rng) for rng in rngs)
    assert a == b != c


def test_half_of_an_object_is_one_and_less_of_it_is_hidden():
    objects = np.array([[90.0, 10, 110, 20], [91, 30, 111, 40], [10, 10, 20, 20], [200, 200, 210, 210]])
    part = cut(objects, (0, 0, 100, 100))
    assert part.shown.tolist() == [0, 2]
    assert part.xyxy.tolist() == [[90, 10, 100, 20], [10, 10, 20, 20]]
    assert part.hidden.tolist() == [[91, 30, 100, 40]]
    assert cut(objects, (100, 0, 200, 100)).xyxy.tolist() == [[0, 10, 10, 20], [0, 30, 11, 40]]
