"""One pass over a sheet says what each set of prompts finds: the same as `predict` with that set alone."""

import numpy as np
import pytest

from stages.dataset.sheets.split_folder import Sheet
from stages.detector.audit.prompt_variants import predict_variants
from stages.detector.model.checkpoint import load_model
from stages.detector.model.encoders import encode
from stages.detector.prediction.predictor import predict
from stages.detector.prediction.tiles.windows import Tiling
from stages.detector.training.told_prompts import embeddings_for, embeddings_told
from tests.detector.conftest import PROMPTS, prompted, seen, toy_params
from tests.toy import CLASSES

pytestmark = pytest.mark.slow
PARAMS = toy_params(batch=2)
OTHER = {**PROMPTS, "title": ("flat bar in red",), "detail": ("a green leaf",)}
SWAPPED = {**PROMPTS, "title": PROMPTS["detail"], "detail": PROMPTS["title"]}


@pytest.fixture
def weights(toy_weights, images):
    return prompted(toy_weights, images)


def variants_of(weights, *sets):
    model = load_model(weights)
    return model, [embeddings_for(model, list(one), encode("wordllama", list(one), one)) for one in sets]


def same(one, other, order=None):
    """Say whether two predictions hold the same boxes, class ids of the first read through `order`."""
    class_id = one.class_id if order is None else np.array([order[i] for i in one.class_id.tolist()], np.int32)
    np.testing.assert_array_equal(class_id, other.class_id)
    np.testing.assert_allclose(one.confidence, other.confidence, atol=1e-5)
    np.testing.assert_allclose(one.xyxy, other.xyxy, atol=1e-4)


def test_each_set_finds_what_it_finds_alone(weights, images):
    """Also a class in a later set: an anchor speaks for the surest class of its own set, not of all."""
    sets = (PROMPTS, OTHER, SWAPPED, {"title": PROMPTS["title"]})
    model, variants = variants_of(weights, *sets)
    found = list(predict_variants(model, images, variants, params=PARAMS, weights=weights))
    sheets = [Sheet(image, image) for image in images]
    for place, prompts in enumerate(sets[:3]):
        alone = seen(weights, sheets, 0.05, 100, prompts=prompts, batch=2)
        assert sum(len(one.class_id) for one in alone) > 10
        for several, one in zip(found, alone, strict=True):
            same(several[place], one)
    titles = [several[3] for several in found]
    assert sum(len(one.class_id) for one in titles) > 5
    assert {class_id for one in titles for class_id in one.class_id.tolist()} == {0}


def test_with_windows_as_without(weights, images):
    model, variants = variants_of(weights, PROMPTS, SWAPPED)
    tiling = Tiling(96, 32)
    found = list(predict_variants(model, images, variants, params=PARAMS, weights=weights, tiling=tiling))
    for place, prompts in enumerate((PROMPTS, SWAPPED)):
        alone = predict(weights, images, classes=CLASSES, prompts=prompts, params=PARAMS, tiling=tiling)
        for several, one in zip(found, alone, strict=True):
            same(several[place], one)


def test_old_classes_keep_what_was_learned(weights, images):
    """One more class, another order, another text for one: the boxes of the other classes stay."""
    more, turned = {**PROMPTS, "door": ("an arc with a straight line",)}, dict(reversed(PROMPTS.items()))
    model, variants = variants_of(weights, PROMPTS, more, turned)
    counts = np.zeros(2, int)
    for old, with_one, other_order in predict_variants(model, images, variants, params=PARAMS, weights=weights):
        kept = with_one.class_id < len(CLASSES)
        part = {name: getattr(with_one, name)[kept] for name in ("class_id", "confidence", "xyxy")}
        same(with_one._replace(**part), old)
        same(other_order, old, order=[2, 1, 0])
        counts += [len(old.class_id), (~kept).sum()]
    assert counts[0] > 20 > counts[1]


def test_a_checkpoint_that_was_told_says_the_same_again(weights):
    model, (after,) = variants_of(weights, PROMPTS)
    told = embeddings_told(model)
    assert list(told) == list(CLASSES)
    for name in CLASSES:
        np.testing.assert_allclose(told[name], after[name], atol=2e-3)  # a checkpoint is kept in half precision
