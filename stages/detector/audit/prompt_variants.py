"""Looks at sheets once, and says what each of several sets of prompts would have found there.

A promptable head scores every place for every prompt, one by one, and only then an anchor speaks for its surest class
and duplicates are dropped. So one pass of the network serves all sets, with a row of scores for each embedding that
occurs in one of them; what comes after it is done for each set by itself.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.base.boxes import Boxes
from stages.base.decoding import read_bgr
from stages.base.errors import problem
from stages.detector.model.runtime import fits_into_memory, pick_device
from stages.detector.prediction.box_features import FEATURES
from stages.detector.prediction.candidate_split import settings_for, with_nms
from stages.detector.prediction.filters import keep
from stages.detector.prediction.prediction_params import PredictParams
from stages.detector.prediction.predictor import Prediction
from stages.detector.prediction.reading_ahead import read_ahead
from stages.detector.prediction.tiles.seen_views import SeenBoxes, by_confidence, together
from stages.detector.prediction.tiles.sheet_views import View, batches
from stages.detector.prediction.tiles.windows import Tiling
from stages.detector.training.prompt_changes import Embeddings
from stages.ruler.pairing.pairs import Floats


def predict_variants(
    model: Any,
    images: Sequence[Path],
    variants: Sequence[Embeddings],
    *,
    params: PredictParams,
    weights: Path,
    tiling: Tiling | None = None,
) -> Iterator[list[Prediction]]:
    """Yield for each of `images` what the promptable `model` finds with each of `variants`, in their order.

    It is what `predict` finds with that set alone, by torch; the class_id of a box is the place of its class in the
    set. The model is told other classes in place. Raises `UserError` for a head that does without NMS: it takes its
    surest boxes over all rows.
    """
    import torch

    rows, places = _rows(variants)
    device = next(model.parameters()).device
    told = torch.from_numpy(np.stack(rows)).to(device).unsqueeze(0)
    model.set_classes([f"row {i}" for i in range(len(rows))], told)
    predictor = _predictor(places, params, pick_device(params.device), weights)
    parts: list[list[SeenBoxes]] = [[] for _ in variants]
    pictures = ((file, read_bgr(file)) for file in images)
    for chunk in read_ahead(batches(pictures, params.batch, tiling)):
        with fits_into_memory("predict", batch=params.batch, imgsz=params.imgsz):
            results = predictor(source=[view.pixels for view in chunk], model=model)
        for view, result in zip(chunk, results, strict=True):
            for seen, found in zip(parts, result.variants, strict=True):
                seen.append(_seen(found, view))
            if view.last:
                yield [_prediction(view, together(seen, view, tiling, params.max_det), params) for seen in parts]
                parts = [[] for _ in variants]


def _rows(variants: Sequence[Embeddings]) -> tuple[list[NDArray[np.float32]], list[list[int]]]:
    """Return the embeddings that occur, each once, and for each variant the rows of its classes."""
    rows: dict[bytes, int] = {}
    places = [[rows.setdefault(vector.tobytes(), len(rows)) for vector in variant.values()] for variant in variants]
    return [np.frombuffer(row, np.float32).copy() for row in rows], places


def _predictor(places: Sequence[Sequence[int]], params: PredictParams, device: str, weights: Path) -> Any:
    """Return Ultralytics' predictor, whose results hold `variants`: for each set the boxes found, (n, 6)."""
    from ultralytics.models.yolo.detect import DetectionPredictor
    from ultralytics.utils.ops import scale_boxes

    class VariantPredictor(DetectionPredictor):  # type: ignore[misc]
        """Drops duplicates for each set of rows by itself."""

        def postprocess(self, preds: Any, img: Any, orig_imgs: Any, **kwargs: Any) -> Any:
            """Return results of the first set, with the boxes of all sets beside."""
            if self.model.end2end:
                raise problem("prompt_variants.end_to_end", weights)
            sets = [[self._of(dense, rows) for rows in places] for dense in preds[0]]
            results = self.construct_results([one[0].clone() for one in sets], img, orig_imgs)
            for result, boxes, image in zip(results, sets, orig_imgs, strict=True):
                for one in boxes:
                    one[:, :4] = scale_boxes(img.shape[2:], one[:, :4], image.shape)
                result.variants = boxes
            return results

        def _of(self, dense: Any, rows: Sequence[int]) -> Any:
            own = dense[[0, 1, 2, 3, *(4 + row for row in rows)]]
            return with_nms(own, None, conf=self.args.conf, max_det=self.args.max_det, head=None).kept.clone()

    return VariantPredictor(overrides=settings_for(params, device))


def _seen(found: Any, view: View) -> SeenBoxes:
    """Return boxes (n, 6) of a view in px of its sheet."""
    boxes: Floats = found.detach().cpu().double().numpy()
    boxes[:, :4] += np.array(view.views[view.place][:2] * 2)
    order = by_confidence(boxes)
    return SeenBoxes(boxes[order], np.zeros((0, 7)), np.zeros((len(boxes), FEATURES), np.float16))


def _prediction(view: View, seen: SeenBoxes, params: PredictParams) -> Prediction:
    width, height = view.size
    xyxy: Boxes = seen.found[:, :4]
    rows = seen.found[keep(xyxy, width=width, height=height, filters=params.filters.limits)]
    return Prediction(view.file, width, height, rows[:, 5].astype(np.int32), rows[:, 4], rows[:, :4])
