"""The path of the released weights, end to end: YOLOE-26 for segmentation from a release, told through mobileclip2.

The release is a local server, the weights are random, and the encoder is a small TorchScript module with the interface
of the real one; the tokenizer is the real one.
"""

from pathlib import Path

import numpy as np
import pytest

from stages.base.errors import UserError
from stages.dataset.sheets.split_folder import Sheet, sheets_in
from stages.detector.audit.head_facts import head_facts
from stages.detector.model.checkpoint import load_model, save_model
from stages.detector.model.encoders import MOBILECLIP2_FILE, encode, encode_texts, set_prompts, vectors_of
from stages.detector.model.runtime import cache_folder, start_ultralytics
from stages.detector.training.fitting import Job, fit
from stages.detector.training.starting_model import letterboxed, prompt_start
from stages.detector.training.told_prompts import remember, save_embeddings
from stages.detector.training.training_view import write_view
from stages.detector.weights import resolve
from tests.detector.conftest import PROMPTS, seen
from tests.detector.test_weights import shelf
from tests.toy import CLASSES
from tests.toy_weights import SETTINGS

__all__ = ["shelf"]
pytestmark = pytest.mark.slow


def stand_in() -> bytes:
    """Return an encoder as the release has it: tokens (n, 77) in, vectors (n, 512) of length 1 out."""
    import torch

    class Encoder(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words = torch.nn.EmbeddingBag(49408, 512, mode="mean")

        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.normalize(self.words(tokens), dim=-1)

    torch.manual_seed(0)
    torch.jit.script(Encoder()).save("encoder.ts")
    return Path("encoder.ts").read_bytes()


def released() -> bytes:
    """Return YOLOE-26n for segmentation as the release has it: promptable, 80 classes, random here."""
    import torch
    from ultralytics.nn.tasks import YOLOESegModel

    torch.manual_seed(0)
    model = YOLOESegModel("yoloe-26n-seg.yaml", verbose=False)
    model.names = {i: str(i) for i in range(80)}
    save_model(model, Path("seg.pt"), imgsz=640)
    return Path("seg.pt").read_bytes()


@pytest.fixture
def target(workplace, shelf) -> Path:
    start_ultralytics()
    shelf.put("yoloe-26n-seg.pt", released())
    shelf.put(MOBILECLIP2_FILE, stand_in())
    found = resolve("yoloe-26n-seg.pt", Path("target.pt"), kind="target", seed=0, release=shelf.release)
    assert found.encoder == "mobileclip2"
    return Path("target.pt")


def test_released_weights_are_told_trained_and_predict(toy_weights, target, easy_sheets, images):
    assert (cache_folder() / MOBILECLIP2_FILE).is_file()  # fetched with the weights, while there was a network
    text = vectors_of("mobileclip2", CLASSES, PROMPTS, ["north arrow"])
    assert text.prompts.shape == (3, 512)
    how = {"encoder": "mobileclip2", "vectors": text.prompts, "carry": "all", "images": letterboxed(images[:8], 128)}
    start = prompt_start(toy_weights, target, CLASSES, **how).model
    save_model(start, Path("start.pt"), imgsz=128)
    data = write_view(Path("view"), {"train": sheets_in(easy_sheets / "train")}, CLASSES)
    settings = {**SETTINGS, "epochs": 2, "lr0": 0.0005, "warmup_bias_lr": 0.0}
    done = fit(Job(Path("start.pt").resolve(), data, Path("scratch/run").resolve(), settings, "last", text))
    remember(done.best, PROMPTS)
    save_model(done.best, Path("best.pt"), imgsz=128)
    save_embeddings(done.best, CLASSES, Path("best.pt"), Path("prompts.npz"))
    facts = head_facts(load_model(Path("best.pt")))
    assert (facts.kind, facts.encoder, facts.texts) == ("promptable", "mobileclip2", PROMPTS)
    found = seen(Path("best.pt"), [Sheet(image, image) for image in images], 0.25, 100)
    assert sum(len(one.class_id) for one in found) > 10
    ultralytics = start_ultralytics()
    plain = ultralytics.YOLOE("best.pt")
    plain.load_prompt_embeddings("prompts.npz")
    boxes = plain.predict(str(images[0]), imgsz=128, conf=0.25, agnostic_nms=False, verbose=False, save=False)[0].boxes
    np.testing.assert_array_equal(boxes.cls.numpy(), found[0].class_id)


def test_the_tokenizer_reads_case_and_order_and_cuts_at_its_limit(target):
    one, upper, swapped = encode_texts("mobileclip2", ["a red door", "A RED door", "door red a"])
    np.testing.assert_allclose(one, upper, atol=1e-6)  # the tokenizer folds case itself
    np.testing.assert_allclose(one, swapped, atol=1e-6)  # as this stand-in averages; the real one does not
    long = " ".join(["door"] * 90)
    cut, longer = encode_texts("mobileclip2", [long, f"{long} window"])
    np.testing.assert_array_equal(cut, longer)


def test_an_encoder_that_is_gone_is_one_line_with_where_it_belongs(target):
    (cache_folder() / MOBILECLIP2_FILE).unlink()
    with pytest.raises(UserError, match=MOBILECLIP2_FILE) as caught:
        encode("mobileclip2", CLASSES, PROMPTS)
    assert str(cache_folder()) in str(caught.value)
    model = load_model(target)
    with pytest.raises(UserError, match=MOBILECLIP2_FILE):
        set_prompts(model, CLASSES, PROMPTS)
