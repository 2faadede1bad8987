import numpy as np
import pandas as pd
import pytest

from stages.analysis.standard import ALL, standard_of, standards
from stages.base.boxes import BOX
from tests.growth import Watched

# Class 0: 90 found, evenly from 0.1 to 0.99; class 1: none found.
FOUND = np.arange(0.1, 1.0, 0.01)
EASY = standard_of({0: FOUND, ALL: FOUND}, {ALL: np.zeros(0)}, {0: FOUND, ALL: FOUND}, {}, {})


@pytest.mark.parametrize(("confidence", "rank"), [(0.05, 0.0), (0.1, 1 / 90), (0.995, 1.0)])
def test_sure_is_the_rank_among_what_was_found(confidence, rank):
    assert EASY.sure(0, confidence) == pytest.approx(rank)
    assert EASY.sure(1, confidence) == pytest.approx(rank)  # a class without finds leans on all


def test_a_class_with_few_finds_leans_on_all_as_far_as_they_are_few():
    standard = EASY._replace(found={1: np.full(5, 0.2), ALL: FOUND})
    assert standard.sure(1, 0.5495) == pytest.approx(1 / 3 * 1 + 2 / 3 * 0.5)  # 5 finds, weighed against 10


@pytest.mark.parametrize(("false", "right"), [(0, 1.0), (5, 10 / 15), (15, 10 / 25)])
def test_right_is_the_share_of_right_ones_among_the_surer(false, right):
    alarms = np.full(false, 0.95)
    standard = EASY._replace(found={ALL: np.full(10, 0.9)}, false={ALL: alarms})
    # (10 + 1) / (10 + false + 1) of all, for a class of its own that has none
    assert standard.right(7, 0.5) == pytest.approx(11 / (11 + false))
    own = standard._replace(found={0: np.full(10, 0.9), ALL: np.full(10, 0.9)}, false={0: alarms, ALL: alarms})
    assert own.right(0, 0.5) == pytest.approx((10 + 10 * 11 / (11 + false)) / (20 + false))
    assert abs(own.right(0, 0.5) - right) < 0.1


def test_trust_falls_with_either():
    assert EASY.trust(0, 0.995) == pytest.approx(1.0)
    assert EASY.trust(0, 0.05) == 0.0
    assert EASY.trust_beside(0, 0.05) == pytest.approx(0.5)


@pytest.mark.parametrize(("iou", "badly"), [(0.05, 1.0), (0.1, 1 - 1 / 90 / 0.05), (0.3, 0.0)])
def test_a_fit_is_bad_when_it_is_among_the_worst(iou, badly):
    assert EASY.badly(0, iou) == pytest.approx(badly)


def labels(sides):
    rows = [("val", "a.png", 0, 0.0, 0.0, float(w), float(h)) for w, h in sides]
    return pd.DataFrame(rows, columns=["split", "image_id", "class_id", *BOX])


def test_shapes_are_odd_when_they_are_far_from_the_median_of_their_class():
    nothing = pd.DataFrame(columns=["split", "outcome", "class_id", "confidence", "iou"])
    images = pd.DataFrame({"split": ["val"], "image_id": ["a.png"]})
    usual = standards(images=images, ground_truth=labels([(20, 20)] * 12), matches=nothing)["val"]
    assert usual.odd(0, np.array([0, 0, 20, 20.0])) == 0.0
    assert usual.odd(0, np.array([0, 0, 22, 22.0])) == 0.0  # area 1.21 times: log 0.19, under 2 of the least spread 0.1
    assert usual.odd(0, np.array([0, 0, 2, 2.0])) == 1.0
    assert usual.odd(0, np.array([0, 0, 20 * 1.5, 20 / 1.5])) == 1.0  # aspect 2.25: log 0.81, over 6 of 0.1
    assert usual.odd(3, np.array([0, 0, 2, 2.0])) == 0.0  # nobody knows what class 3 looks like
    few = standards(images=images, ground_truth=labels([(20, 20)] * 9), matches=nothing)["val"]
    assert few.odd(0, np.array([0, 0, 2, 2.0])) == 0.0
    assert few.sure(0, 0.9) == 0.5  # a model that found nothing is neither sure nor unsure


@pytest.mark.parametrize(("upright", "odd"), [(2, 0.0), (1, 1.0)])
def test_a_shape_that_one_label_in_twenty_has_is_not_odd(upright, odd):
    """Titles also stand upright; a single one of a hundred is a stray click, or nobody can tell."""
    nothing = pd.DataFrame(columns=["split", "outcome", "class_id", "confidence", "iou"])
    images = pd.DataFrame({"split": ["val"], "image_id": ["a.png"]})
    sides = [(80, 20)] * (40 - upright) + [(20, 80)] * upright
    usual = standards(images=images, ground_truth=labels(sides), matches=nothing)["val"]
    assert usual.odd(0, np.array([0, 0, 20, 80.0])) == odd
    assert usual.odd(0, np.array([0, 0, 22, 78.0])) == odd  # nearly that shape
    assert usual.odd(0, np.array([0, 0, 2, 2.0])) == 1.0


def test_what_is_usual_is_known_without_a_look_at_all_boxes():
    sure = np.sort(np.random.default_rng(0).random(5000))
    shapes = np.column_stack([np.linspace(0, 9, 5000), np.zeros(5000)])
    found, labels = Watched.around(sure), Watched.around(shapes)
    usual = standard_of(
        {0: found, ALL: found}, {ALL: Watched.around(sure)}, {}, {0: np.array([[4.5, 0], [1, 1]])}, {0: labels}
    )
    Watched.seen = 0
    for place in range(10):
        usual.right(0, place / 10)
        usual.odd(0, np.array([0.0, 0.0, np.exp(7.0), np.exp(7.0)]))
    assert Watched.seen < 10 * 100
