"""What runs in a worker of a Ray cluster: the model, once, and block after block of sheets."""

import io
import os
import platform
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from stages.base.atomic import beside
from stages.base.decoding import decode_bgr
from stages.base.errors import problem
from stages.dataset.sheets.split_folder import Labels
from stages.detector.model.runtime import start_ultralytics, versions
from stages.detector.prediction.prediction_params import PredictParams
from stages.detector.prediction.predictor import Prediction, SheetScorer
from stages.detector.prediction.tiles.windows import Tiling

SentSheet = tuple[Path, bytes, Labels | None]  # its place at the sender, what the file holds, what somebody drew


class Told(NamedTuple):
    """What every worker of a run is told."""

    classes: tuple[str, ...]
    params: PredictParams
    device: str
    threads: int  # of the processor: with another number ONNX Runtime adds up in another order
    versions: dict[str, str]  # of what computes; a worker that has others sees nothing
    views: int  # of the whole run
    weights: Path  # their place at the sender, for messages
    tiling: Tiling | None  # how sheets are cut


class RayWorker:
    """Sees sheets in a folder of its own: on another machine there is no project, and here it would be another's."""

    def __init__(self, model: bytes, told: Told) -> None:
        self.model, self.told = model, told
        self.scorer: SheetScorer | None = None
        self.folder = beside(Path(tempfile.gettempdir()) / "yoloop")  # swept a day after a kill
        self.folder.mkdir()
        os.chdir(self.folder)
        start_ultralytics()
        _use_threads(told.threads)

    def join(self) -> None:
        """Raise `UserError` unless this process computes with what the run was begun with."""
        found = versions_here()
        other = [f"{name} {found.get(name)}" for name, one in self.told.versions.items() if found.get(name) != one]
        if other:
            expected = ", ".join(f"{name} {one}" for name, one in self.told.versions.items())
            raise problem("ray_worker.versions", platform.node(), expected=expected, found=", ".join(other))

    def leave(self) -> None:
        """Remove what this worker wrote."""
        os.chdir(self.folder.parent)
        shutil.rmtree(self.folder, ignore_errors=True)

    def see(self, block: Sequence[SentSheet], trusted: bool | None) -> tuple[list[Prediction], bool]:
        """Return a prediction for each sheet of `block`, and whether ONNX Runtime may be trusted (`SheetScorer`)."""
        if self.scorer is None:
            self.join()  # again: a worker that takes the place of a lost one may be on another machine
            self.scorer = self._scorer(trusted)
        pictures = ((file, decode_bgr(data, file)) for file, data, _ in block)
        return list(self.scorer.see(pictures, [labels for _, _, labels in block])), self.scorer.trusted

    def _scorer(self, trusted: bool | None) -> SheetScorer:
        import torch

        model = torch.load(io.BytesIO(self.model), weights_only=False)  # it comes from the run that started this worker
        self.model = b""
        told = self.told
        return SheetScorer(
            model,
            classes=told.classes,
            params=told.params,
            device=told.device,
            views=told.views,
            weights=told.weights,
            tiling=told.tiling,
            trusted=trusted,
        )


def threads_here() -> int:
    """Return how many threads predict on the processor of this machine."""
    from ultralytics.utils import NUM_THREADS

    return int(NUM_THREADS)


def _use_threads(count: int) -> None:
    """Make Ultralytics take `count` threads where it would take one fewer than there are cores."""
    from ultralytics.utils import torch_utils

    torch_utils.NUM_THREADS = count


def sent(model: Any) -> bytes:
    """Return a model as a worker takes it, every tensor as it is."""
    import torch

    buffer = io.BytesIO()
    torch.save(model, buffer)
    return buffer.getvalue()


def versions_here() -> dict[str, str]:
    """Return the versions of what computes in this process."""
    import onnxruntime  # type: ignore[import-untyped]

    return {**versions(), "onnxruntime": str(onnxruntime.__version__), "python": platform.python_version()}
