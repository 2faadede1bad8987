"""Which engine runs the network, and whether it may be trusted: section `predict.engine` of params.yaml."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from stages.base.errors import problem
from stages.detector.prediction.onnx_engine import CHECKED, Forward, disagreement, onnx_forward
from stages.detector.prediction.prediction_params import PredictParams

WORTH = 60 * 1024**2  # px that the network is to see, from which an export pays: it takes as long as those in torch
_SEEN = 0.01  # score from which the two are compared


def engine_for(
    params: PredictParams, *, device: str, views: int, classes: int, weights: Path
) -> Callable[[Any, list[Any]], Forward | None] | None:
    """Return what makes the forward pass for a model, as `make_predictor` takes it; None: torch.

    `views` says how often the network is to look. Raises `UserError` where params ask for an engine that there is not
    for `device`.
    """
    if params.engine == "torch" or (params.engine == "auto" and device != "cpu"):
        return None
    if device != "cpu":
        raise problem("engine_choice.engine_cpu", "params.yaml: predict.engine", device=device)
    if params.engine == "auto" and views * params.imgsz**2 < WORTH:
        return None
    asked = params.engine == "onnx"

    def engine(model: Any, maps: list[Any]) -> Forward | None:
        if not model.model[-1].end2end:
            return _Checked(model, maps, classes=classes, asked=asked, weights=weights)
        if asked:
            raise problem("engine_choice.end_to_end", weights)
        return None

    return engine


class _Checked:
    """ONNX Runtime, compared with torch on the first sheets; where they differ, torch goes on, or an error says so."""

    def __init__(self, model: Any, maps: list[Any], *, classes: int, asked: bool, weights: Path) -> None:
        self.model, self.maps, self.asked, self.weights = model, maps, asked, weights
        self.onnx: Forward | None = onnx_forward(model, maps, classes=classes)
        self.checked = 0

    def __call__(self, images: Any) -> tuple[Any, list[Any]]:
        if self.onnx is not None and self.checked >= CHECKED:
            return self.onnx(images)
        import torch

        with torch.inference_mode():
            dense, _ = self.model(images)
        maps = list(self.maps)
        if self.onnx is not None:
            found = disagreement(dense, self.onnx(images)[0], floor=_SEEN)
            self.checked += 1
            if found:
                self._differs(found)
        return dense, maps

    def _differs(self, found: str) -> None:
        error = problem("engine_choice.engines_agree", "params.yaml: predict.engine", found=found, weights=self.weights)
        if self.asked:
            raise error
        print(f"ONNX Runtime gives {found}: torch is used", flush=True)
        self.onnx = None
