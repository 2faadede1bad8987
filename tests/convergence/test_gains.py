"""A gain is that of equal rulers, paired over the sheets; over another ruler there is none, and it says why."""

import json

import numpy as np
import pandas as pd
import pytest

from stages.convergence.gains import Gain, MeasuredIteration, gain_since, gains_of
from stages.ruler.scores.intervals import gain_interval


def sheets(counts, groups=None):
    frame = pd.DataFrame(counts, columns=["tp", "fp", "fn"])
    names = [f"{place}.png" for place in range(len(frame))]
    return frame.assign(image_id=names, group=groups or [""] * len(frame))


def measured(iteration, f1, counts=((1, 0, 1), (2, 1, 0), (3, 0, 2)), *, ruler="a", imgsz=640, groups=None):
    return MeasuredIteration(iteration, f1, ruler, json.dumps({"iou": 0.5, "imgsz": imgsz}), sheets(counts, groups))


BETTER = ((2, 0, 0), (2, 0, 0), (3, 0, 2))


def test_the_interval_is_paired_over_the_sheets():
    before, now = measured(0, 0.75), measured(1, 0.93, BETTER)
    low, high = gain_interval(np.array(BETTER), before.sheets[["tp", "fp", "fn"]].to_numpy(), None)
    assert gain_since(now, before) == Gain(0, 0.18, low, high, "")
    assert low < 0.18 < high


def test_sheets_of_one_group_are_drawn_together():
    now, before = measured(1, 0.93, BETTER, groups=["one"] * 3), measured(0, 0.75)
    assert gain_since(now, before) == Gain(0, 0.18, None, None, "")  # one unit tells nothing about others
    assert gain_since(measured(1, 0.93, BETTER, groups=["x", "x", "y"]), before).low is not None


def test_another_ruler_has_no_gain_and_says_what_differs():
    gain = gain_since(measured(1, 0.9, ruler="b", imgsz=1280), measured(0, 0.75))
    assert gain == Gain(0, None, None, None, "imgsz 640, now 1280")


def test_other_rulers_whose_statement_is_lost_are_others_all_the_same():
    lost = measured(0, 0.75, ruler="b")._replace(statement="gone")
    assert gain_since(measured(1, 0.9), lost).other_ruler == "not said what"


@pytest.mark.parametrize(("now", "before"), [(None, 0.5), (0.5, None), (None, None)])
def test_an_undefined_f1_has_no_gain(now, before):
    assert gain_since(measured(1, now), measured(0, before)) == Gain(0, None, None, None, "")


def test_other_sheets_under_one_ruler_have_no_interval():
    fewer = measured(0, 0.75, ((1, 0, 1), (2, 1, 0)))
    assert gain_since(measured(1, 0.9), fewer)[1:] == (0.15, None, None, "")


@pytest.mark.parametrize(
    ("count", "window", "since"),
    [(1, 3, []), (2, 3, [0]), (4, 3, [2, 0]), (5, 3, [3, 1]), (3, 1, [1])],
)
def test_gains_are_those_of_a_step_and_of_the_window(count, window, since):
    steps = [measured(step, 0.5) for step in range(count)]
    assert list(gains_of(steps, window=window)) == since
