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
    params: PredictParams, *, device: str, views: int, classes: int, weights: Path, trusted: bool | None = None
) -> Callable[[Any, list[Any]], Forward | None] | None:
    """Return what makes the forward pass for a model, as `make_predictor` takes it; None: torch.

    `views` says how often the network is to look, `trusted` what the first sheets of the run have shown of ONNX Runtime
    in another process; None: these are they. Raises `UserError` where params ask for an engine that there is not for
    `device`.
    """
    if params.engine == "torch" or trusted is False or (params.engine == "auto" and device != "cpu"):
        return None
    if device != "cpu":
        raise problem("engine_choice.engine_cpu", "params.yaml: predict.engine", device=device)
    if params.engine == "auto" and views * params.imgsz**2 < WORTH:
        return None
    asked = params.engine == "onnx"

    def engine(model: Any, maps: list[Any]) -> Forward | None:
        if not model.model[-1].end2end:
            onnx = onnx_forward(model, maps, classes=classes)
            return CheckedEngine(model, maps, onnx, asked=asked or trusted is True, weights=weights, first=not trusted)
        if asked:
            raise problem("engine_choice.end_to_end", weights)
        return None

    return engine


class CheckedEngine:
    """ONNX Runtime, compared with torch on the first sheets; where they differ, torch goes on, or an error says so.

    On the first sheets of a run what torch says is used. Processes that come later compare as well, for their
    processor may be another, but use what ONNX Runtime says: a sheet's boxes depend on its place in the run alone.
    """

    def __init__(self, model: Any, maps: list[Any], onnx: Forward, *, asked: bool, weights: Path, first: bool) -> None:
        self.model, self.maps, self.asked, self.weights, self.first = model, maps, asked, weights, first
        self.onnx: Forward | None = onnx
        self.checked = 0

    def __call__(self, images: Any) -> tuple[Any, list[Any]]:
        """Return the dense output for `images`, and the maps, of the engine whose turn it is."""
        if self.onnx is not None and self.checked >= CHECKED:
            return self.onnx(images)
        import torch

        with torch.inference_mode():
            dense, _ = self.model(images)
        maps = list(self.maps)
        if self.onnx is not None:
            theirs = self.onnx(images)
            found = disagreement(dense, theirs[0], floor=_SEEN)
            self.checked += 1
            if found:
                self._differs(found)
            elif not self.first:
                return theirs
        return dense, maps

    def _differs(self, found: str) -> None:
        error = problem("engine_choice.engines_agree", "params.yaml: predict.engine", found=found, weights=self.weights)
        if self.asked:
            raise error
        print(f"ONNX Runtime gives {found}: torch is used", flush=True)
        self.onnx = None
