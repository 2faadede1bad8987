import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.base.boxes import BOX
from stages.ruler.scores.average_precision import AP_IOUS, ap_of, hit_table
from tests.coco import ALL, pycocotools_ap, verdict
from tests.scenes import awkward, table

SIZES = [(0.0, 9.0), (9.0, 36.0), (36.0, 400.0), (400.0, float("inf"))]
CLASSES = 4
EXACT = 1e-12  # pycocotools adds 2e-16 to what it divides by
scenes = st.integers(0, 10**6).map(awkward)


def ours(scene, areas=None, weights=None):
    truth, found, sheets = scene
    judged = hit_table(detections=found, ground_truth=truth, sheets=sheets, classes=CLASSES, areas=areas)
    return ap_of(judged, weights)


def theirs(scene, areas=(ALL,)):
    truth, found, sheets = scene
    return pycocotools_ap(detections=found, ground_truth=truth, sheets=sheets, classes=CLASSES, areas=areas)


def same(a, b):
    return np.testing.assert_allclose(a, b, rtol=0, atol=EXACT)


@pytest.mark.parametrize("first", range(0, 200, 20))
def test_it_is_that_of_pycocotools_for_every_class_iou_and_size(first):
    defined = 0
    for seed in range(first, first + 20):
        scene = awkward(seed)
        judged = theirs(scene, (ALL, *SIZES))
        same(ours(scene), judged[0])
        for areas, ap in zip(SIZES, judged[1:], strict=True):
            same(ours(scene, areas), ap)
        defined += int(((judged > 0) & (judged < 1)).sum())
    assert defined > 500, "the scenes must be neither hopeless nor trivial"


@pytest.mark.parametrize("seed", [3, 5])
def test_it_is_that_of_faster_coco_eval(seed):
    truth, found, sheets = awkward(seed)
    kinds = {"detections": found, "ground_truth": truth, "sheets": sheets, "classes": CLASSES}
    same(ours((truth, found, sheets)), verdict("faster-coco-eval", **kinds, areas=(ALL,)).ap[0])


def test_the_scenes_are_awkward():
    truth, found, _ = (pd.concat(parts) for parts in zip(*map(awkward, range(20)), strict=True))
    assert truth.duplicated(["image_id", "class_id", *BOX]).any()
    assert found["confidence"].duplicated().mean() > 0.3
    assert len(set(truth["class_id"])) < len(set(found["class_id"]) | set(truth["class_id"]))
    assert all(len(set(awkward(seed)[0]["image_id"])) < 6 for seed in range(20))


@pytest.mark.parametrize(("truths", "detections"), [(0, 0), (0, 3), (3, 0)])
def test_nothing_there_is_undefined_and_nothing_seen_is_zero(truths, detections):
    truth, found, sheets = awkward(3)
    ap = ours((truth.iloc[:truths], found.iloc[:detections], sheets))
    there = np.isin(np.arange(CLASSES), truth["class_id"].iloc[:truths])
    assert np.isnan(ap[~there]).all()
    assert (ap[there] == 0).all()


def test_by_hand_with_weights():
    truth = table([0, 0, 1], [0, 0, 0], [[0, 0, 10, 10], [20, 0, 30, 10], [0, 0, 10, 10]], "object_id")
    found = table(
        [0, 1, 1], [0, 0, 0], [[0, 0, 10, 10], [50, 50, 60, 60], [0, 0, 10, 10]], "detection_id", [0.9, 0.8, 0.7]
    )
    sheets = pd.DataFrame({"split": "val", "image_id": ["001.png", "000.png"]})  # in the order of the weights
    judged = hit_table(detections=found, ground_truth=truth, sheets=sheets, classes=1, thresholds=[0.5])
    # Right, wrong, right of 3 boxes: precision 1 up to recall 1/3, 2/3 up to 2/3.
    assert ap_of(judged)[0, 0] == pytest.approx((34 * 1 + 33 * 2 / 3) / 101)
    without_either = ap_of(judged, np.array([[0.0, 1.0], [1.0, 0.0]]))[:, 0, 0]
    assert without_either.tolist() == pytest.approx([51 / 101, 1 / 2])
    # The second sheet twice: right, right, wrong, right of 5 boxes.
    assert ap_of(judged, np.array([1.0, 2.0]))[0, 0] == pytest.approx((41 * 1 + 20 * 3 / 4) / 101)


def test_a_row_of_another_sheet_is_an_error():
    truth, found, sheets = awkward(3)
    with pytest.raises(ValueError, match="not judged"):
        ours((truth, found, sheets.iloc[1:]))


def test_broken_weights_are_an_error():
    scene = awkward(3)
    with pytest.raises(ValueError, match="whole numbers"):
        ours(scene, weights=np.full(len(scene[2]), 0.5))


@given(scenes, st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=15)
def test_weights_are_copies_of_sheets(scene, seed):
    truth, found, sheets = scene
    rng = np.random.default_rng(seed)
    found = found.assign(confidence=rng.permutation(len(found)) / 1000)  # equal ones of two copies would alternate
    weights = rng.integers(0, 3, (4, len(sheets)))
    answers = ours((truth, found, sheets), weights=weights)
    for row, answer in zip(weights, answers, strict=True):
        again = [
            (sheets["image_id"].iloc[i], f"{sheets['image_id'].iloc[i]} {copy}")
            for i in range(len(sheets))
            for copy in range(row[i])
        ]
        names = pd.DataFrame(again, columns=["image_id", "copy"]).astype(str)
        parts = [
            part.merge(names, on="image_id").drop(columns="image_id").rename(columns={"copy": "image_id"})
            for part in (truth, found)
        ]
        copies = pd.DataFrame({"split": "val", "image_id": sorted(names["copy"])}).astype(str)
        same(answer, ours((*parts, copies)))


@given(scenes, st.integers(1, 1000))
@settings(deadline=None, max_examples=15)
def test_the_scale_of_the_weights_does_not_matter(scene, scale):
    same(ours(scene, weights=np.full(len(scene[2]), scale)), ours(scene))


@given(scenes)
@settings(deadline=None, max_examples=15)
def test_it_stays_between_0_and_1(scene):
    ap = ours(scene)
    defined = ap[~np.isnan(ap).any(axis=1)]
    assert ((defined >= 0) & (defined <= 1)).all()


@given(scenes)
@settings(deadline=None, max_examples=15)
def test_a_detection_less_sure_than_all_others_never_lowers_ap(scene):
    truth, found, sheets = scene
    if not len(found):
        return
    last = found.iloc[[0]].assign(confidence=-1.0)
    more = pd.concat([found, last], ignore_index=True)
    before, after = ours((truth, found, sheets)), ours((truth, more, sheets))
    there = ~np.isnan(before)
    assert (after[there] >= before[there]).all()


def test_the_ious_are_those_of_pycocotools_to_the_last_bit():
    from pycocotools.cocoeval import Params

    assert Params(iouType="bbox").iouThrs.tolist() == AP_IOUS
