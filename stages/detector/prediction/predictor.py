"""Predicts boxes on whole sheets."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.base.boxes import Boxes, xywhn_to_xyxy
from stages.base.decoding import read_bgr
from stages.dataset.sheets.split_folder import Labels
from stages.detector.model.checkpoint import check_classes, is_promptable, load_model
from stages.detector.model.encoders import set_prompts
from stages.detector.model.runtime import fits_into_memory, pick_device, start_ultralytics
from stages.detector.prediction.box_features import FEATURES
from stages.detector.prediction.candidate_split import make_predictor, settings_for
from stages.detector.prediction.engine_choice import CheckedEngine, engine_for
from stages.detector.prediction.filters import Filters, keep
from stages.detector.prediction.prediction_params import PredictParams
from stages.detector.prediction.reading_ahead import read_ahead
from stages.detector.prediction.tiles.seen_views import SeenBoxes, by_confidence, seen_in, together
from stages.detector.prediction.tiles.sheet_views import Picture, View, batches, count_views
from stages.detector.prediction.tiles.windows import Tiling
from stages.prompts.texts.prompt_file import Prompts
from stages.ruler.pairing.evidence import FILTER, REASONS, evidence
from stages.ruler.pairing.pairs import Floats


class Discarded(NamedTuple):
    """Candidates of one sheet that were not kept, by falling confidence; of the same forward pass as the others."""

    class_id: NDArray[np.int32]  # (k,)
    confidence: Floats  # (k,) over `CANDIDATE_FLOOR`
    xyxy: Boxes  # (k, 4) px of the original image
    reason: NDArray[np.str_]  # (k,), of `REASONS`


NO_FEATURES = np.zeros((0, FEATURES), np.float16)
NONE_DISCARDED = Discarded(np.zeros(0, np.int32), np.zeros(0), np.zeros((0, 4)), np.zeros(0, "<U1"))


class Prediction(NamedTuple):
    """What the network saw on one sheet, by falling confidence."""

    image: Path
    width: int  # px of the original image
    height: int
    class_id: NDArray[np.int32]  # (n,)
    confidence: Floats  # (n,) in [0, 1]
    xyxy: Boxes  # (n, 4) px of the original image
    discarded: Discarded = NONE_DISCARDED  # near true boxes only: what the ledger needs
    features: NDArray[np.float16] = NO_FEATURES  # (n, FEATURES)


class SheetScorer:
    """A model that is set up once, and predicts boxes on sheets.

    `views` is how often it looks in the whole run, and `trusted` what the first sheets have shown of ONNX Runtime
    (`engine_for`). With `tiling` it sees a sheet window by window, and as a whole.
    """

    def __init__(
        self,
        model: Any,
        *,
        classes: Sequence[str],
        params: PredictParams,
        device: str,
        views: int,
        weights: Path,
        tiling: Tiling | None,
        trusted: bool | None = None,
    ) -> None:
        engine = engine_for(params, device=device, views=views, classes=len(classes), weights=weights, trusted=trusted)
        self.model, self.params, self.tiling = model, params, tiling
        self.predictor = make_predictor(settings_for(params, device), engine)

    def see(self, pictures: Iterable[Picture], labels: Iterable[Labels | None]) -> Iterator[Prediction]:
        """Yield a prediction for each of `pictures`, in their order, each with its labels as `predict` takes them."""
        params, tiling, drawn = self.params, self.tiling, iter(labels)
        told = next(drawn, None)
        parts: list[SeenBoxes] = []
        for chunk in read_ahead(batches(pictures, params.batch, tiling)):
            with fits_into_memory("predict", batch=params.batch, imgsz=params.imgsz):
                results = self.predictor(source=[view.pixels for view in chunk], model=self.model)
            for view, result in zip(chunk, results, strict=True):
                parts.append(seen_in(result, view, labelled=told is not None))
                if view.last:
                    seen, parts = together(parts, view, tiling, params.max_det), []
                    yield _prediction(view, seen, filters=params.filters.limits, labels=told)
                    told = next(drawn, None)

    @property
    def trusted(self) -> bool:
        """Whether ONNX Runtime runs the network, after the batches on which it was compared."""
        engine = getattr(self.predictor, "pass_on", None)
        return isinstance(engine, CheckedEngine) and engine.onnx is not None


def predict(
    weights: Path,
    images: Sequence[Path],
    *,
    classes: Sequence[str],
    prompts: Prompts,
    params: PredictParams,
    labels: Sequence[Labels | None] | None = None,
    tiling: Tiling | None = None,
) -> Iterator[Prediction]:
    """Yield a prediction for each of `images`, in their order, from this process.

    Kept is what lies over the confidence floor, is no duplicate, is among the surest `max_det` and passes the filters;
    what is not kept is in `discarded`, if it can say what became of a box of `labels`, which has one entry per image:
    None where nobody looked. With `tiling` a sheet is seen window by window, and as a whole. A promptable model is told
    `prompts` through the encoder that it was trained with. Raises `UserError` for weights that do not fit `classes`,
    for an encoder that is not there and for an image that does not decode.
    """
    start_ultralytics()
    scorer = SheetScorer(
        told_model(weights, classes, prompts),
        classes=classes,
        params=params,
        device=pick_device(params.device),
        views=count_views(images, tiling),
        weights=weights,
        tiling=tiling,
    )
    yield from scorer.see(((file, read_bgr(file)) for file in images), labels or [None] * len(images))


def told_model(weights: Path, classes: Sequence[str], prompts: Prompts) -> Any:
    """Return the model in `weights`, told what to look for; raises as `predict` does."""
    model = load_model(weights)
    check_classes(model, classes, weights)
    if is_promptable(model):
        set_prompts(model, classes, prompts)
    return model


def _prediction(view: View, seen: SeenBoxes, *, filters: Filters, labels: Labels | None) -> Prediction:
    width, height = view.size
    rows = seen.found
    passed = keep(rows[:, :4], width=width, height=height, filters=filters)
    if labels is None:
        discarded = NONE_DISCARDED
    else:
        cut = np.insert(rows[~passed], 6, REASONS.index(FILTER), axis=1)
        truth = xywhn_to_xyxy(labels.xywhn, width=width, height=height)
        discarded = _discarded(
            np.vstack([cut, seen.dropped[by_confidence(seen.dropped)]]), truth_class=labels.class_id, truth=truth
        )
    rows, features = rows[passed], seen.features[passed]
    class_id = rows[:, 5].astype(np.int32)
    return Prediction(view.file, width, height, class_id, rows[:, 4], rows[:, :4], discarded, features)


def _discarded(rows: Floats, *, truth_class: NDArray[np.int32], truth: Boxes) -> Discarded:
    """Return what of `rows`, (k, 7) with the index of the reason, can say what became of a true box."""
    class_id, reason = rows[:, 5].astype(np.int32), rows[:, 6].astype(np.int64)
    chosen = evidence(
        class_id=class_id,
        confidence=rows[:, 4],
        xyxy=rows[:, :4],
        reason=reason,
        truth_class=truth_class,
        truth=truth,
    )
    chosen = chosen[np.argsort(-rows[chosen, 4], kind="stable")]
    return Discarded(class_id[chosen], rows[chosen, 4], rows[chosen, :4], np.array(REASONS)[reason[chosen]])
