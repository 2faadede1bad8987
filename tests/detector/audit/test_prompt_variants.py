"""One pass over a sheet says what each set of prompts finds: the same as `predict` with that set alone."""

import numpy as np
import pytest

from stages.dataset.sheets.split_folder import Sheet
from stages.detector.audit.prompt_variants import predict_variants
from stages.detector.model.checkpoint import load_model
from stages.detector.model.encoders import encode
from stages.detector.prediction.filters import Filters
from stages.detector.prediction.prediction_params import FilterParams, PredictParams
from stages.detector.training.told_prompts import embeddings_for, embeddings_told
from tests.detector.conftest import PROMPTS, prompted, seen
from tests.toy import CLASSES

pytestmark = pytest.mark.slow
PARAMS = PredictParams(
    imgsz=128,
    batch=2,
    device="cpu",
    confidence_floor=0.05,
    max_det=100,
    filters=FilterParams(**Filters()._asdict()),
)
OTHER = {**PROMPTS, "title": ("a green leaf",)}


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
    model, variants = variants_of(weights, PROMPTS, OTHER)
    found = list(predict_variants(model, images, variants, params=PARAMS, weights=weights))
    for place, prompts in enumerate((PROMPTS, OTHER)):
        alone = seen(weights, [Sheet(image, image) for image in images], 0.05, 100, prompts=prompts, batch=2)
        for sets, one in zip(found, alone, strict=True):
            same(sets[place], one)
    assert sum(len(sets[0].class_id) for sets in found) > 20


def test_old_classes_keep_what_was_learned(weights, images):
    """One more class, another order: the boxes of the old ones stay; another text changes those of its class alone."""
    more, turned = {**PROMPTS, "door": ("an arc with a straight line",)}, dict(reversed(PROMPTS.items()))
    model, variants = variants_of(weights, PROMPTS, more, turned, OTHER)
    for old, with_one, other_order, reworded in predict_variants(
        model, images, variants, params=PARAMS, weights=weights
    ):
        kept = with_one.class_id < len(CLASSES)
        same(with_one._replace(class_id=with_one.class_id[kept], confidence=with_one.confidence[kept],
                               xyxy=with_one.xyxy[kept]), old)  # fmt: skip
        same(other_order, old, order=[2, 1, 0])
        title = CLASSES.index("title")
        for one in (old, reworded):
            assert set(one.class_id.tolist()) <= set(range(len(CLASSES)))
        np.testing.assert_array_equal(old.xyxy[old.class_id != title], reworded.xyxy[reworded.class_id != title])


def test_a_checkpoint_that_was_told_says_the_same_again(weights):
    model, (after,) = variants_of(weights, PROMPTS)
    told = embeddings_told(model)
    assert list(told) == list(CLASSES)
    for name in CLASSES:
        np.testing.assert_allclose(told[name], after[name], atol=2e-3)  # a checkpoint is kept in half precision
