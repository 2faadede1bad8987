"""ONNX Runtime and torch: the same boxes, and which of them is used."""

import itertools

import numpy as np
import pytest
import torch

from benchmarks.folds import plain_params
from stages.base.errors import UserError
from stages.detector.prediction import engine_choice, onnx_engine
from stages.detector.prediction.engine_choice import CheckedEngine, engine_for
from stages.detector.prediction.onnx_engine import EXPORTS, disagreement
from stages.detector.prediction.predictor import predict
from stages.detector.prediction.reading_ahead import read_ahead
from tests.detector.conftest import PROMPTS
from tests.detector.prediction.test_candidate_split import end_to_end_only, prompted
from tests.toy import CLASSES

slow = pytest.mark.slow


def seen_by(engine, weights, sheets, *, prompts=PROMPTS, batch=2):
    params = plain_params(imgsz=128, batch=batch, max_det=50).model_copy(update={"engine": engine})
    images = [one.image for one in sheets]
    return list(predict(weights, images, classes=CLASSES, prompts=prompts, params=params))


def same(ours, theirs):
    for one, other in zip(ours, theirs, strict=True):
        assert len(one.class_id) > 0
        assert one.class_id.tolist() == other.class_id.tolist()
        np.testing.assert_allclose(one.xyxy, other.xyxy, atol=0.05)
        np.testing.assert_allclose(one.confidence, other.confidence, atol=1e-4)
        np.testing.assert_allclose(one.features.astype(float), other.features.astype(float), atol=5e-3)


@slow
def test_both_engines_see_the_same_boxes(toy_weights, sheets):
    ours = seen_by("torch", toy_weights, sheets)
    same(ours, seen_by("onnx", toy_weights, sheets))
    exported = next(EXPORTS.iterdir())
    written = exported.stat().st_mtime_ns
    same(ours, seen_by("onnx", toy_weights, sheets, batch=1))
    assert [one.stat().st_mtime_ns for one in EXPORTS.iterdir()] == [written]  # exported once


@slow
def test_prompts_are_part_of_the_export(toy_weights, sheets):
    file = prompted(toy_weights, sheets, fused=False)
    swapped = dict(zip(CLASSES, [PROMPTS[name] for name in CLASSES[::-1]], strict=True))
    for prompts in (PROMPTS, swapped):
        same(seen_by("torch", file, sheets, prompts=prompts), seen_by("onnx", file, sheets, prompts=prompts))
    assert len(list(EXPORTS.iterdir())) == 2


@slow
def test_the_end_to_end_branch_stays_in_torch(toy_weights, sheets, monkeypatch):
    file = end_to_end_only(toy_weights)
    with pytest.raises(UserError, match="end-to-end branch alone"):
        seen_by("onnx", file, sheets)
    monkeypatch.setattr(engine_choice, "WORTH", 1)
    same(seen_by("torch", file, sheets), seen_by("auto", file, sheets))
    assert not EXPORTS.exists()


@slow
@pytest.mark.parametrize("asked", ["onnx", "auto"])
def test_an_engine_that_sees_other_boxes_is_not_trusted(toy_weights, sheets, monkeypatch, capsys, asked):
    honest = onnx_engine.onnx_forward

    def moved(*args, **kwargs):
        forward = honest(*args, **kwargs)

        def other(images):
            dense, maps = forward(images)
            return dense + 0.5, maps

        return other

    monkeypatch.setattr(engine_choice, "onnx_forward", moved)
    monkeypatch.setattr(engine_choice, "WORTH", 1)
    if asked == "onnx":
        with pytest.raises(UserError, match=r"boxes that lie up to 0\.5 px off.*predict\.engine: torch"):
            seen_by(asked, toy_weights, sheets)
    else:
        same(seen_by("torch", toy_weights, sheets), seen_by(asked, toy_weights, sheets))
        assert capsys.readouterr().out.count("torch is used") == 1


def chosen(engine, device, count, imgsz=1024):
    params = plain_params(imgsz=imgsz, batch=1, max_det=50).model_copy(update={"engine": engine})
    return engine_for(params, device=device, views=count, classes=3, weights="w.pt") is not None


def test_auto_exports_where_it_pays():
    assert [chosen("auto", "cpu", count) for count in (1, 59, 60)] == [False, False, True]
    assert chosen("auto", "cpu", 15, imgsz=2048)
    assert not chosen("auto", "0", 1000)
    assert chosen("onnx", "cpu", 1)
    assert not chosen("torch", "cpu", 1000)
    with pytest.raises(UserError, match="found device: 0"):
        chosen("onnx", "0", 1)


def test_what_two_outputs_differ_by():
    ours = torch.rand(1, 4 + 3, 20)
    ours[:, 4:] *= 0.9
    assert disagreement(ours, ours.clone(), floor=0.01) == ""
    moved, surer, faint = ours.clone(), ours.clone(), ours.clone()
    moved[0, 1, 7] += 0.1
    surer[0, 5, 7] += 0.01
    assert disagreement(ours, moved, floor=0.01).startswith("boxes that lie up to 0.1 px off")
    assert disagreement(ours, surer, floor=0.01).endswith("scores up to 0.01")
    assert disagreement(ours, ours[:, :, :19], floor=0.01).startswith("outputs of another shape")
    ours[:, 4:] = faint[:, 4:] = 0.001
    faint[0, 1, 7] += 0.1
    assert disagreement(ours, faint, floor=0.01) == ""  # nobody looks there


def test_reading_ahead_keeps_the_order_and_raises_where_it_would():
    def numbers():
        yield from range(3)
        raise ValueError("the fourth")

    ahead = read_ahead(numbers())
    assert list(itertools.islice(ahead, 3)) == [0, 1, 2]
    with pytest.raises(ValueError, match="the fourth"):
        next(ahead)
    assert list(read_ahead(iter([]))) == []


def test_a_process_that_comes_later_compares_and_uses_what_the_first_would():
    torch_says = torch.full((1, 4 + 3, 20), 0.5)
    onnx_says = torch_says + 0.0001

    def engine(theirs, *, first):
        return CheckedEngine(
            lambda _: (torch_says, None), [], lambda _: (theirs, []), asked=True, weights="w.pt", first=first
        )

    early, late = engine(onnx_says, first=True), engine(onnx_says, first=False)
    assert [float(early(None)[0][0, 0, 0]) for _ in range(3)] == pytest.approx([0.5, 0.5, 0.5001])
    assert [float(late(None)[0][0, 0, 0]) for _ in range(3)] == pytest.approx([0.5001] * 3)
    with pytest.raises(UserError, match=r"boxes that lie up to 0\.3 px off"):
        engine(torch_says + 0.3, first=False)(None)
