"""The first YOLOE model starts where the parent stood, and text decides from its first step on."""

from pathlib import Path

import numpy as np
import pytest

from stages.base.errors import UserError
from stages.dataset.sheets.split_folder import Sheet
from stages.detector.model.checkpoint import load_model, save_model
from stages.detector.model.encoders import encode, set_prompts
from stages.detector.model.runtime import start_ultralytics
from stages.detector.prediction.predictor import Prediction
from stages.detector.training.carry_over import HEAD
from stages.detector.training.starting_model import base_start, letterboxed, prompt_start
from stages.detector.weights import resolve
from tests.detector.conftest import PROMPTS, seen
from tests.toy import CLASSES

pytestmark = pytest.mark.slow


def _seen(weights: Path, images: list[Path], prompts: dict[str, str]) -> list[Prediction]:
    return seen(weights, [Sheet(image, image) for image in images], 0.2, 100, prompts=prompts)


def _start(parent: Path, target: Path, images: list[Path], carry: str) -> Path:
    vectors = encode("wordllama", CLASSES, PROMPTS)
    batches = letterboxed(images, 128)
    start = prompt_start(parent, target, CLASSES, encoder="wordllama", vectors=vectors, carry=carry, images=batches)
    save_model(start.model, Path("start.pt"), imgsz=128)
    return Path("start.pt")


@pytest.fixture
def target(workplace: Path) -> Path:
    assert "random weights" in resolve("yoloe-26n.yaml", Path("target.pt"), kind="target", seed=0).line
    return Path("target.pt")


def test_a_carried_model_predicts_what_its_parent_predicted(toy_weights, target, easy_sheets):
    images = sorted((easy_sheets / "train/images").iterdir())
    start = _start(toy_weights, target, images[:8], "all")
    before, after = _seen(toy_weights, images, PROMPTS), _seen(start, images, PROMPTS)
    assert sum(len(p.class_id) for p in before) > 20
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one.class_id, other.class_id)
        np.testing.assert_allclose(one.confidence, other.confidence, atol=0.02)
        np.testing.assert_allclose(one.xyxy, other.xyxy, atol=0.2)


def test_swapped_prompts_swap_the_classes(toy_weights, target, easy_sheets):
    images = sorted((easy_sheets / "train/images").iterdir())
    start = _start(toy_weights, target, images[:8], "all")
    swapped = {**PROMPTS, "detail": PROMPTS["elevation"], "elevation": PROMPTS["detail"]}
    turn = np.array([1, 0, 2])
    for one, other in zip(_seen(start, images, PROMPTS), _seen(start, images, swapped), strict=True):
        np.testing.assert_array_equal(turn[one.class_id], other.class_id)


def test_body_carries_backbone_neck_and_box_head_alone(toy_weights, target, easy_sheets):
    start = load_model(_start(toy_weights, target, [], "body")).state_dict()
    parent, fresh = load_model(toy_weights).state_dict(), load_model(target).state_dict()
    for name, value in start.items():
        layer = int(name.split(".")[1])
        body = layer < HEAD or name.startswith((f"model.{HEAD}.cv2.", f"model.{HEAD}.one2one_cv2."))
        assert value.equal((parent if body else fresh)[name]), name


def test_nothing_is_carried_when_asked(toy_weights, target):
    start = load_model(_start(toy_weights, target, [], "none")).state_dict()
    fresh = load_model(target).state_dict()
    assert all(value.equal(fresh[name]) for name, value in start.items())


def test_a_base_start_is_the_target_whatever_was_learned_before(toy_weights, target, easy_sheets):
    """After an iteration of YOLOE, a parent start is that model, and a base start the released weights again."""
    images = sorted((easy_sheets / "train/images").iterdir())
    learned = Path("parent.pt")
    _start(toy_weights, target, images[:8], "all").rename(learned)
    parent, released = load_model(learned).state_dict(), load_model(target).state_dict()
    start = base_start(target, CLASSES, encoder="wordllama")
    assert (start.source, start.new_classes) == ("base: target, carried: none", True)
    assert start.model.names == dict(enumerate(CLASSES))
    weights = start.model.state_dict()
    assert list(weights) == list(released)
    assert all(value.equal(released[name]) for name, value in weights.items())
    assert any(not value.equal(parent[name]) for name, value in weights.items() if name in parent)
    again = load_model(_start(learned, target, images[:8], "all")).state_dict()
    assert all(value.equal(parent[name]) for name, value in again.items())


def test_released_segmentation_weights_become_a_detector_with_all_their_tensors(toy_weights, workplace):
    start_ultralytics()
    from ultralytics.nn.tasks import YOLOESegModel

    released = YOLOESegModel("yoloe-26n-seg.yaml", verbose=False)
    released.names = {i: str(i) for i in range(80)}
    save_model(released, Path("seg.pt"), imgsz=640)
    _untrained(Path("seg.pt"))
    start = load_model(_start(toy_weights, Path("seg.pt"), [], "none"))
    assert type(start).__name__ == "YOLOEModel"
    half = load_model(Path("seg.pt")).state_dict()
    assert all(value.equal(half[name]) for name, value in start.state_dict().items())


def _untrained(file: Path) -> None:
    from stages.detector.model.encoders import UNTRAINED, mark_encoder

    model = load_model(file)
    mark_encoder(model, UNTRAINED)
    save_model(model, file, imgsz=640)


def test_weights_trained_with_another_encoder_are_refused(toy_weights, workplace):
    start_ultralytics()
    from ultralytics.nn.tasks import YOLOEModel

    model = YOLOEModel("yoloe-26n.yaml", verbose=False)
    model.names = {i: str(i) for i in range(80)}
    save_model(model, Path("released.pt"), imgsz=640)
    with pytest.raises(UserError, match=r"train\.encoder: mobileclip2"):
        _start(toy_weights, Path("released.pt"), [], "none")


def test_fused_prompts_are_refused(toy_weights, target, easy_sheets):
    file = _start(toy_weights, target, [], "none")
    model = load_model(file)
    set_prompts(model, CLASSES, PROMPTS)
    model.model[-1].fuse(model.pe)
    save_model(model, Path("fused.pt"), imgsz=128)
    with pytest.raises(UserError, match="fused"):
        _start(Path("fused.pt"), target, [], "body")


def test_a_parent_of_another_size_is_refused(target, workplace):
    start_ultralytics()
    from ultralytics.nn.tasks import DetectionModel

    model = DetectionModel("yolo26s.yaml", nc=3, verbose=False)
    model.names = dict(enumerate(CLASSES))
    save_model(model, Path("small.pt"), imgsz=128)
    with pytest.raises(UserError, match=r"same size.*train\.carry: none"):
        _start(Path("small.pt"), target, [], "body")
