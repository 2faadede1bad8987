"""Looks at sheets once, and says what each of several sets of prompts would have found there.

A promptable head compares every place with every prompt, one by one, and duplicates are dropped within a class: a
prompt's boxes do not depend on the other prompts. So one pass over a sheet serves all sets, with a row for each
embedding that occurs in one of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.base.decoding import read_bgr
from stages.detector.model.runtime import pick_device
from stages.detector.prediction.prediction_params import PredictParams
from stages.detector.prediction.predictor import Prediction, SheetScorer
from stages.detector.prediction.tiles.sheet_views import count_views
from stages.detector.prediction.tiles.windows import Tiling
from stages.detector.training.prompt_changes import Embeddings


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

    The class_id of a box is the place of its class in its variant. The model is told other classes in place. At most
    `params.max_det` boxes of a sheet count for each row, where `predict` takes as many over all classes.
    """
    rows, places = _rows(variants)
    names = [f"row {i}" for i in range(len(rows))]
    import torch

    device = next(model.parameters()).device
    model.set_classes(names, torch.from_numpy(np.stack(rows)).to(device).unsqueeze(0))
    scorer = SheetScorer(
        model,
        classes=names,
        params=params.model_copy(update={"max_det": params.max_det * len(rows)}),
        device=pick_device(params.device),
        views=count_views(images, tiling),
        weights=weights,
        tiling=tiling,
    )
    for seen in scorer.see(((file, read_bgr(file)) for file in images), [None] * len(images)):
        yield [_of(seen, place) for place in places]


def _rows(variants: Sequence[Embeddings]) -> tuple[list[NDArray[np.float32]], list[dict[int, int]]]:
    """Return the embeddings that occur, each once, and for each variant the class_id of a row."""
    rows: dict[bytes, int] = {}
    places = [
        {rows.setdefault(vector.tobytes(), len(rows)): class_id for class_id, vector in enumerate(variant.values())}
        for variant in variants
    ]
    return [np.frombuffer(row, np.float32) for row in rows], places


def _of(seen: Prediction, place: Mapping[int, int]) -> Prediction:
    kept = np.flatnonzero(np.isin(seen.class_id, list(place)))
    class_id = np.array([place[row] for row in seen.class_id[kept].tolist()], np.int32)
    return seen._replace(
        class_id=class_id, confidence=seen.confidence[kept], xyxy=seen.xyxy[kept], features=seen.features[kept]
    )
