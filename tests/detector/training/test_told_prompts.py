"""A checkpoint goes with its prompts: plain Ultralytics finds what `predict` finds, from either file."""

from pathlib import Path

import numpy as np
import pytest

from stages.dataset.sheets.split_folder import Sheet
from stages.detector.model.checkpoint import load_model, save_model
from stages.detector.model.encoders import encode, encode_texts, set_prompts, vectors_of
from stages.detector.model.runtime import start_ultralytics
from stages.detector.training.starting_model import letterboxed, prompt_start
from stages.detector.training.told_prompts import prompts_sha256, remember, remembered, save_embeddings
from stages.detector.weights import resolve
from tests.detector.conftest import PROMPTS, seen
from tests.toy import CLASSES

ENSEMBLE = {**PROMPTS, "title": ("flat red bar", "a wide line in red")}


@pytest.fixture
def images(easy_sheets):
    return sorted((easy_sheets / "train/images").iterdir())


@pytest.fixture
def weights(toy_weights, images, workplace) -> Path:
    """A promptable detector in best.pt, that was told an ensemble."""
    resolve("yoloe-26n.yaml", Path("target.pt"), kind="target", seed=0)
    vectors = encode("wordllama", CLASSES, ENSEMBLE)
    how = {"encoder": "wordllama", "vectors": vectors, "carry": "all", "images": letterboxed(images[:8], 128)}
    model = prompt_start(toy_weights, Path("target.pt"), CLASSES, **how).model
    set_prompts(model, CLASSES, ENSEMBLE)
    remember(model, ENSEMBLE)
    save_model(model, Path("best.pt"), imgsz=128)
    save_embeddings(model, CLASSES, Path("best.pt"), Path("prompts.npz"))
    return Path("best.pt")


@pytest.mark.slow
def test_plain_ultralytics_finds_the_same_boxes(weights, images):
    """Once classes do not share a place (`agnostic_nms`, which it turns on for YOLOE), and from prompts.npz alike."""
    ultralytics = start_ultralytics()
    ours = seen(weights, [Sheet(image, image) for image in images], 0.05, 300, prompts=ENSEMBLE)
    plain, loaded = ultralytics.YOLO(str(weights)), ultralytics.YOLOE(str(weights))
    loaded.model.pe = None
    loaded.load_prompt_embeddings("prompts.npz")
    assert sum(len(one.class_id) for one in ours) > 20
    for one in ours:
        for model in (plain, loaded):
            found = model.predict(
                str(one.image), imgsz=128, conf=0.05, agnostic_nms=False, verbose=False, save=False, device="cpu"
            )[0].boxes
            np.testing.assert_array_equal(one.class_id, found.cls.numpy())
            np.testing.assert_allclose(one.xyxy, found.xyxy.numpy(), atol=0.05)
            np.testing.assert_allclose(one.confidence, found.conf.numpy(), atol=2e-3)


@pytest.mark.slow
def test_a_checkpoint_says_what_it_was_told(weights, toy_weights):
    model = load_model(weights)
    assert remembered(model) == ENSEMBLE
    assert model.prompts["encoder"] == "wordllama"
    assert model.prompts["sha256"] == prompts_sha256(ENSEMBLE, "wordllama")
    assert remembered(load_model(toy_weights)) is None


def test_equal_embeddings_are_equal_bytes(tmp_path):
    class Model:
        """What is asked of a model."""

        pe = encode("wordllama", CLASSES, PROMPTS).unsqueeze(0)

    for name in ("one.npz", "other.npz"):
        save_embeddings(Model(), CLASSES, Path("models/best.pt"), tmp_path / name)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "other.npz").read_bytes()
    held = np.load(tmp_path / "one.npz")
    assert (held["embeddings"].shape, held["names"].tolist(), str(held["model"])) == (
        (1, 3, 512),
        list(CLASSES),
        "best",
    )
    save_embeddings(object(), CLASSES, Path("models/best.pt"), tmp_path / "none.npz")
    assert np.load(tmp_path / "none.npz")["embeddings"].shape == (1, 0, 512)


@pytest.mark.parametrize(
    ("changed", "encoder"),
    [({**PROMPTS, "title": ("other",)}, "wordllama"), (dict(reversed(PROMPTS.items())), "wordllama"), (PROMPTS, "x")],
)
def test_what_is_told_is_in_the_digest(changed, encoder):
    assert prompts_sha256(changed, encoder) != prompts_sha256(PROMPTS, "wordllama")
    assert prompts_sha256(dict(PROMPTS), "wordllama") == prompts_sha256(PROMPTS, "wordllama")


def test_an_ensemble_is_the_average_of_its_texts():
    both = encode_texts("wordllama", ENSEMBLE["title"])
    average = both.mean(dim=0)
    found = vectors_of("wordllama", CLASSES, ENSEMBLE, ["north arrow"])
    np.testing.assert_allclose(found.prompts[2], average / average.norm(), atol=1e-6)
    np.testing.assert_array_equal(found.phrasings[2], both)
    assert [len(texts) for texts in found.phrasings] == [1, 1, 2]
    np.testing.assert_array_equal(found.distractors, encode_texts("wordllama", ["north arrow"]))


def test_case_does_not_count():
    one, other = encode_texts("wordllama", ["DETAIL Callout", "detail callout"])
    np.testing.assert_array_equal(one, other)
