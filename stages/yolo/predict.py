"""Predicts boxes on whole sheets."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.core.boxes import Boxes
from stages.files.decode import read_bgr
from stages.yolo.checkpoint import check_classes, is_promptable, load_model
from stages.yolo.runtime import fits_into_memory, pick_device, start_ultralytics
from stages.yolo.text import encode, encoder_of


class Prediction(NamedTuple):
    """What the network saw on one sheet, by falling confidence."""

    image: Path
    width: int  # px of the original image
    height: int
    class_id: NDArray[np.int32]  # (n,)
    confidence: NDArray[np.float64]  # (n,) in [0, 1]
    xyxy: Boxes  # (n, 4) px of the original image


def predict(
    weights: Path,
    images: Sequence[Path],
    *,
    classes: Sequence[str],
    prompts: Mapping[str, str],
    imgsz: int,
    batch: int,
    device: str,
    confidence_floor: float,
    max_det: int,
) -> Iterator[Prediction]:
    """Yield a prediction for each of `images`, in their order.

    A promptable model is told `prompts` through the encoder that it was trained with. Raises `UserError` for weights
    that do not fit `classes`, for an encoder that is not there and for an image that does not decode.
    """
    start_ultralytics()
    model = load_model(weights)
    check_classes(model, classes, weights)
    if is_promptable(model):
        set_prompts(model, classes, prompts)
    predictor = _predictor(imgsz=imgsz, device=pick_device(device), conf=confidence_floor, max_det=max_det)
    for chunk in _same_shape(images, batch):
        with fits_into_memory("validate", batch=batch, imgsz=imgsz):
            results = predictor(source=[image for _, image in chunk], model=model)
        for (file, image), result in zip(chunk, results, strict=True):
            yield _prediction(file, image, result)


def set_prompts(model: Any, classes: Sequence[str], prompts: Mapping[str, str]) -> None:
    """Tell a promptable model in place what each class looks like."""
    import torch

    vectors = encode(encoder_of(model), classes, prompts).unsqueeze(0)  # (1, n_classes, 512)
    with torch.inference_mode():
        embeddings = model.model[-1].get_tpe(vectors.to(next(model.parameters()).device)).clone()
    model.set_classes(list(classes), embeddings)


def _predictor(**settings: Any) -> Any:
    from ultralytics.models.yolo.detect import DetectionPredictor

    fixed = {"task": "detect", "mode": "predict", "save": False, "verbose": False, "rect": True}
    folder = Path(".scratch/predict").resolve()
    where = {"project": str(folder), "name": "run", "exist_ok": True}
    return DetectionPredictor(overrides={**fixed, **where, **settings})


def _same_shape(images: Sequence[Path], batch: int) -> Iterator[list[tuple[Path, NDArray[np.uint8]]]]:
    """Yield runs of at most `batch` neighbours of one shape: mixed shapes would be padded, and padding moves scores."""
    decoded = ((file, read_bgr(file)) for file in images)
    for _, run in groupby(decoded, key=lambda pair: pair[1].shape):
        chunk: list[tuple[Path, NDArray[np.uint8]]] = []
        for pair in run:
            chunk.append(pair)
            if len(chunk) == batch:
                yield chunk
                chunk = []
        if chunk:
            yield chunk


def _prediction(file: Path, image: NDArray[np.uint8], result: Any) -> Prediction:
    height, width = image.shape[:2]
    rows = result.boxes.data.cpu().numpy().astype(np.float64)  # (n, 6): x1 y1 x2 y2 confidence class
    order = np.lexsort((rows[:, 0], rows[:, 1], -rows[:, 4]))
    rows = rows[order]
    return Prediction(file, width, height, rows[:, 5].astype(np.int32), rows[:, 4], rows[:, :4])
