"""What is kept is what Ultralytics keeps, to the last bit, and everything else is there with its reason."""

from pathlib import Path

import numpy as np
import pytest

from stages.base.boxes import iou_matrix, xywhn_to_xyxy
from stages.base.decoding import read_bgr
from stages.dataset.sheets.split_folder import read_labels
from stages.detector.model.checkpoint import is_promptable, load_model, save_model
from stages.detector.model.encoders import encode, set_prompts
from stages.detector.model.runtime import start_ultralytics
from stages.detector.prediction.candidate_split import make_predictor
from stages.detector.prediction.prediction_params import NMS_IOU
from stages.detector.prediction.predictor import NONE_DISCARDED
from stages.detector.training.starting_model import letterboxed, prompt_start
from stages.detector.weights import resolve
from stages.ruler.pairing.evidence import CANDIDATE_FLOOR, REASONS
from tests.detector.conftest import PROMPTS, seen
from tests.toy import CLASSES

pytestmark = pytest.mark.slow
FIXED = {"task": "detect", "mode": "predict", "save": False, "verbose": False, "rect": True, "imgsz": 128}


@pytest.fixture
def labels(sheets):
    return [read_labels(one.label, CLASSES) for one in sheets]


def settings(conf, max_det):
    where = {"project": str(Path("runs").resolve()), "name": "run", "exist_ok": True}
    return {**FIXED, **where, "device": "cpu", "conf": conf, "max_det": max_det}


def ultralytics_own(weights, sheets, conf, max_det):
    """Return what Ultralytics' predictor says, one sheet at a time: (n, 6) per sheet."""
    start_ultralytics()
    from ultralytics.models.yolo.detect import DetectionPredictor

    model = load_model(weights)
    if is_promptable(model):
        set_prompts(model, CLASSES, PROMPTS)
    predictor = DetectionPredictor(overrides=settings(conf, max_det))
    found = [predictor(source=[read_bgr(one.image)], model=model)[0].boxes.data.numpy() for one in sheets]
    return found, predictor.model.end2end


def end_to_end_only(weights: Path) -> Path:
    """Return the weights without their one-to-many branch, as fusing leaves them."""
    model = load_model(weights)
    model.end2end = True
    model.model[-1].fuse()
    save_model(model, Path("end_to_end.pt"), imgsz=128)
    return Path("end_to_end.pt")


def prompted(weights: Path, sheets, *, fused: bool) -> Path:
    """Return a YOLOE that starts where `weights` stand, with its prompts fused into it or not."""
    assert "random weights" in resolve("yoloe-26n.yaml", Path("target.pt"), kind="target", seed=0).line
    vectors = encode("wordllama", CLASSES, PROMPTS)
    images = letterboxed([one.image for one in sheets], 128)
    settings = {"encoder": "wordllama", "vectors": vectors, "carry": "all", "images": images}
    model = prompt_start(weights, Path("target.pt"), CLASSES, **settings).model.eval()
    if fused:
        set_prompts(model, CLASSES, PROMPTS)
        model.model[-1].fuse(model.pe)
    save_model(model, Path("prompted.pt"), imgsz=128)
    return Path("prompted.pt")


KINDS = {
    "one-to-many": lambda weights, sheets: weights,
    "end to end": lambda weights, sheets: end_to_end_only(weights),
    "prompts": lambda weights, sheets: prompted(weights, sheets, fused=False),
    "fused prompts": lambda weights, sheets: prompted(weights, sheets, fused=True),
    "fused prompts, end to end": lambda weights, sheets: end_to_end_only(prompted(weights, sheets, fused=True)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_kept_is_what_ultralytics_keeps(toy_weights, sheets, labels, kind):
    file, end_to_end = KINDS[kind](toy_weights, sheets), "end to end" in kind
    for conf, max_det in ((0.01, 1000), (0.002, 3)):
        own, own_end_to_end = ultralytics_own(file, sheets, conf, max_det)
        assert own_end_to_end == end_to_end
        assert sum(map(len, own)) > 10
        for expected, got in zip(own, seen(file, sheets, conf, max_det, labels=labels), strict=True):
            rows = expected.astype(np.float64)
            rows = rows[np.lexsort((rows[:, 0], rows[:, 1], -rows[:, 4]))]
            assert got.xyxy.tobytes() == rows[:, :4].tobytes()
            assert got.confidence.tobytes() == rows[:, 4].tobytes()
            assert got.class_id.tolist() == rows[:, 5].tolist()


@pytest.mark.parametrize("kind", ["one-to-many", "end to end"])
def test_every_candidate_is_kept_or_discarded_once(toy_weights, sheets, kind):
    file, end_to_end = KINDS[kind](toy_weights, sheets), kind == "end to end"
    start_ultralytics()
    import torch

    model, predictor = load_model(file), make_predictor(settings(0.05, 2))
    for one in sheets:
        image = read_bgr(one.image)
        result = predictor(source=[image], model=model)[0]
        kept, discarded = result.boxes.data.numpy(), result.discarded().numpy()
        with torch.inference_mode():
            _, raw = predictor.model(predictor.preprocess([image]))
        scores = raw.get("one2one", raw)["scores"][0].sigmoid().numpy()
        expected = np.sort(scores[scores > CANDIDATE_FLOOR])
        assert np.sort(np.concatenate([kept[:, 4], discarded[:, 4]])).tobytes() == expected.tobytes()
        reason = np.array(REASONS)[discarded[:, 6].astype(int)]
        assert ((discarded[:, 4] <= 0.05) == (reason == "floor")).all()
        assert len(kept) == 2 or not (reason == "max_det").any()
        assert end_to_end <= ("nms" not in reason)
        assert (discarded[:, :4] >= 0).all()
        assert (discarded[:, :4] <= 128).all()


def test_a_lower_max_det_discards_what_a_higher_one_keeps(toy_weights, sheets):
    start_ultralytics()
    larger = {"imgsz": 160}  # so that boxes must be scaled back
    many, few = (make_predictor(settings(0.01, max_det) | larger) for max_det in (1000, 2))
    model = load_model(toy_weights)
    for one in sheets:
        image = [read_bgr(one.image)]
        all_kept, result = many(source=image, model=model)[0].boxes.data.numpy(), few(source=image, model=model)[0]
        cut = result.discarded().numpy()
        cut = cut[cut[:, 6] == REASONS.index("max_det")][:, :6]
        assert len(cut) == max(0, len(all_kept) - 2)
        assert cut[np.argsort(-cut[:, 4])].tobytes() == all_kept[2:].tobytes()


def test_what_nms_suppressed_lies_on_a_surer_one_or_is_its_anchors_second_class(toy_weights, sheets):
    start_ultralytics()
    predictor, model, checked = make_predictor(settings(0.01, 1000)), load_model(toy_weights), 0
    for one in sheets:
        result = predictor(source=[read_bgr(one.image)], model=model)[0]
        kept, cut = result.boxes.data.numpy(), result.discarded().numpy()
        for row in cut[cut[:, 6] == REASONS.index("nms")]:
            surer = kept[kept[:, 4] >= row[4]]
            overlap = iou_matrix(row[None, :4], surer[:, :4])[0]
            same = surer[:, 5] == row[5]
            assert (overlap[same] > NMS_IOU - 1e-4).any() or (overlap[~same] > NMS_IOU - 1e-4).any()
            checked += 1
    assert checked > 3


def test_a_filter_moves_detections_to_the_discarded(toy_weights, sheets, labels):
    whole = seen(toy_weights, sheets, 0.01, 1000, labels=labels)
    cut = seen(toy_weights, sheets, 0.01, 1000, labels=labels, min_side=20)
    for before, after in zip(whole, cut, strict=True):
        large = (before.xyxy[:, 2:] - before.xyxy[:, :2]).min(axis=1) >= 20
        assert after.xyxy.tolist() == before.xyxy[large].tolist()
        filtered = after.discarded.xyxy[after.discarded.reason == "filter"].tolist()
        assert all(box in before.xyxy[~large].tolist() for box in filtered)
    assert sum((one.discarded.reason == "filter").sum() for one in cut) > 0


def test_discarded_are_near_true_boxes_few_and_sorted(toy_weights, sheets, labels):
    floors = seen(toy_weights, sheets, 0.3, 1000, labels=labels, batch=4)
    for one, drawn in zip(floors, labels, strict=True):
        truth = xywhn_to_xyxy(drawn.xywhn, width=128, height=128)
        assert len(one.discarded.xyxy) <= 16 * len(truth)
        assert (iou_matrix(one.discarded.xyxy, truth).max(axis=1, initial=0) >= 0.1).all()
        assert (np.diff(one.discarded.confidence) <= 0).all()
        assert set(one.discarded.reason.tolist()) <= set(REASONS)
    assert sum(len(one.discarded.xyxy) for one in floors) > 10


def test_nothing_is_discarded_where_nobody_looked(toy_weights, sheets, labels):
    mixed = [None, *labels[1:]]
    assert seen(toy_weights, sheets, 0.3, 1000, labels=mixed)[0].discarded is NONE_DISCARDED
    assert all(one.discarded is NONE_DISCARDED for one in seen(toy_weights, sheets, 0.3, 1000))
