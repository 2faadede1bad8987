"""What the network proposed and the steps after it dropped, from the same forward pass, each with the reason.

Ultralytics predicts with the one-to-many branch of YOLO-26 and YOLOE-26 and NMS (its setting `nms: false` would ask for
the branch that needs none); weights that were fused without that branch have the end-to-end one alone, whose head
itself takes the surest. Both are cut here, by us, so that nothing is lost unseen.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from stages.detector.prediction.box_features import box_features, watch
from stages.detector.prediction.onnx_engine import Forward
from stages.detector.prediction.prediction_params import NMS_IOU, PredictParams
from stages.ruler.pairing.evidence import CANDIDATE_FLOOR, FLOOR, MAX_DET, NMS, REASONS

MOST_FOR_NMS = 30_000  # boxes of a sheet that NMS looks at: Ultralytics' default; more are cut like those over max_det
_KEPT = -1


class Split(NamedTuple):
    """The candidates of one sheet in two heaps."""

    kept: Any  # (n, 6): x1 y1 x2 y2 confidence class, by falling confidence, px of what the network saw
    discarded: Callable[[], Any]  # gives (k, 7): the same, then the index of the reason in `REASONS`


def settings_for(params: PredictParams, device: str) -> dict[str, Any]:
    """Return what each of our predictors tells Ultralytics: nothing is saved, printed, or left beside the sheets."""
    fixed = {"task": "detect", "mode": "predict", "save": False, "verbose": False, "rect": True}
    where = {"project": str(Path(".scratch/predict").resolve()), "name": "run", "exist_ok": True}
    own = {"imgsz": params.imgsz, "device": device, "conf": params.confidence_floor, "max_det": params.max_det}
    return {**fixed, **where, **own}


def make_predictor(overrides: dict[str, Any], engine: Callable[[Any, list[Any]], Forward | None] | None = None) -> Any:
    """Return Ultralytics' predictor, with more beside the boxes of each result: `discarded()`, (k, 7) in px of the
    image, which is put together for who asks, and the features of what was kept.

    `engine(model, maps)` may give another forward pass for the model that was set up, or None.
    """
    from ultralytics.models.yolo.detect import DetectionPredictor

    class Predictor(DetectionPredictor):  # type: ignore[misc]
        """Predicts, and remembers what it dropped, and what it saw where."""

        def setup_model(self, model: Any, verbose: bool = True) -> None:
            """Load the model as Ultralytics does, and watch what goes into its head."""
            super().setup_model(model, verbose=verbose)
            self.maps = watch(self.model.model.model[-1])
            self.pass_on = engine(self.model.model, self.maps) if engine else None

        def inference(self, im: Any, *args: Any, **kwargs: Any) -> Any:
            """Return what the network makes of a batch: its output, and what that was made from."""
            if self.pass_on is None:
                return super().inference(im, *args, **kwargs)
            dense, self.maps[:] = self.pass_on(im)
            return dense, {}

        def postprocess(self, preds: Any, img: Any, orig_imgs: Any, **kwargs: Any) -> Any:
            """Return results that hold what is kept, as Ultralytics' own would, and what is not."""
            head = self.model.model.model[-1]
            split = end_to_end if self.model.end2end else with_nms
            parts = [split(*one, conf=self.args.conf, max_det=self.args.max_det, head=head) for one in _each(preds)]
            kept = [part.kept.clone() for part in parts]  # scaled in place
            results = self.construct_results([part.kept for part in parts], img, orig_imgs)
            for sheet, (result, part, image) in enumerate(zip(results, parts, orig_imgs, strict=True)):
                result.features = box_features(self.maps, kept[sheet][:, :4], sheet=sheet, height=img.shape[2])
                result.discarded = partial(_in_image, part, network=img.shape[2:], image=image.shape)
            return results

    return Predictor(overrides={**overrides, "iou": NMS_IOU})


def with_nms(dense: Any, raw: Any, *, conf: float, max_det: int, head: Any) -> Split:
    """Split the output of a head that needs NMS: `dense` is (4 + classes, anchors), xywh, then a score per class.

    An anchor speaks for its surest class alone; its other classes are counted as suppressed.
    """
    import torch
    from ultralytics.utils.nms import non_max_suppression
    from ultralytics.utils.ops import xywh2xyxy

    boxes, scores = xywh2xyxy(dense[:4].T), dense[4:].T  # (anchors, 4), (anchors, classes)
    rows, anchors = non_max_suppression(
        dense[None], conf, NMS_IOU, max_det=len(scores), max_nms=MOST_FOR_NMS, return_idxs=True
    )  # one sheet at a time: over several its time limit would drop whole sheets
    anchor, class_id = anchors[0].view(-1).long(), rows[0][:, 5].long()
    reason = torch.full(scores.shape, REASONS.index(NMS), dtype=torch.int8, device=scores.device)
    surest = scores.amax(1)
    if int((surest > conf).sum()) > MOST_FOR_NMS:
        reason[surest.argsort(descending=True)[MOST_FOR_NMS:]] = REASONS.index(MAX_DET)
    reason[anchor, class_id] = REASONS.index(MAX_DET)
    reason[anchor[:max_det], class_id[:max_det]] = _KEPT
    return Split(rows[0][:max_det], partial(_discarded, boxes, scores, reason, conf))


def end_to_end(top: Any, raw: Any, *, conf: float, max_det: int, head: Any) -> Split:
    """Split the output of an end-to-end head: `top` is (k, 6) as it took them, `raw` what it took them from."""
    import torch

    dense = head._inference(raw)[0]
    boxes, scores = dense[:4].T, dense[4:].T
    _, class_id, anchor = head.get_topk_index(scores[None], head.max_det)
    rows = top[top[:, 4] > conf][:max_det].float()
    reason = torch.full(scores.shape, REASONS.index(MAX_DET), dtype=torch.int8, device=scores.device)
    reason[anchor[0, : len(rows)], class_id[0, : len(rows), 0].long()] = _KEPT
    return Split(rows, partial(_discarded, boxes, scores, reason, conf))


def _discarded(boxes: Any, scores: Any, reason: Any, conf: float) -> Any:
    """Return the candidates that are not kept, (k, 7); `reason` says why those over the floor are not."""
    import torch

    anchor, class_id = ((scores > CANDIDATE_FLOOR) & (reason != _KEPT)).nonzero(as_tuple=True)
    score, why = scores[anchor, class_id], reason[anchor, class_id].float()
    why[score <= conf] = REASONS.index(FLOOR)
    return torch.cat([boxes[anchor], torch.stack([score, class_id.float(), why], dim=1)], dim=1).float()


def _in_image(part: Split, *, network: Any, image: Any) -> Any:
    """Return what was discarded, (k, 7), in px of the image; both shapes begin with height and width."""
    from ultralytics.utils.ops import scale_boxes

    rows = part.discarded()
    rows[:, :4] = scale_boxes(network, rows[:, :4], image)
    return rows


def _each(preds: Any) -> Any:
    """Yield the output of the head, and what it was made from, sheet by sheet."""
    output, raw = preds
    raw = raw.get("one2one", raw)
    for i, one in enumerate(output):
        yield one, {**raw, **{key: raw[key][i : i + 1] for key in ("boxes", "scores") if key in raw}}
