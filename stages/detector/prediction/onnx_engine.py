"""The network's forward pass in ONNX Runtime: on a CPU it takes less time than in torch, and sees the same.

Only the branch that is read is exported, after the prompts are in it, with the maps that its head looks at; what comes
after the network is the same code for both. Weights that have the end-to-end branch alone stay in torch.
"""

import hashlib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stages.base.atomic import replacing
from stages.detector.model.runtime import SCRATCH, versions

Forward = Callable[[Any], tuple[Any, list[Any]]]  # images (b, 3, h, w) in [0, 1] -> (b, 4 + classes, anchors), maps
EXPORTS = SCRATCH / "exports"
CHECKED = 2  # batches of a run that both engines see before one is trusted
PLACE = 0.02  # px of what the network sees: how far an edge may lie off; 0.002 were seen
SCORE = 0.001  # how far a score may; 0.00002 were seen
_KEPT = 4  # exports in the cache: a loop comes back to the last weights and not to older ones
_OPSET = 17


def onnx_forward(model: Any, maps: list[Any], *, classes: int) -> Forward:
    """Return the forward pass of a torch model in evaluation mode, on the CPU; `maps` as `box_features.watch` has them.

    The export is kept under a digest of all that it was made from, and made again where it is not there.
    """
    import onnxruntime  # type: ignore[import-untyped]
    import torch

    file = EXPORTS / f"{_key(model, classes)}.onnx"
    if not file.is_file():
        _export(model, maps, file)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])

    def forward(images: Any) -> tuple[Any, list[Any]]:
        dense, *seen = session.run(None, {"images": images.float().numpy()})
        return torch.from_numpy(dense), [torch.from_numpy(one) for one in seen]

    return forward


def disagreement(ours: Any, theirs: Any, *, floor: float) -> str:
    """Say in words how two dense outputs (b, 4 + classes, anchors), xywh and scores, differ; "" where they agree.

    Compared are the anchors that one of them gives a score over `floor`: PLACE and SCORE are what they may differ by.
    """
    if ours.shape != theirs.shape:
        return f"outputs of another shape: {tuple(theirs.shape)}, not {tuple(ours.shape)}"
    seen = (ours[:, 4:].amax(1) > floor) | (theirs[:, 4:].amax(1) > floor)  # (b, anchors)
    if not bool(seen.any()):
        return ""
    gap = (ours - theirs).abs().permute(0, 2, 1)[seen]
    place, score = float(gap[:, :4].max()), float(gap[:, 4:].max())
    if place <= PLACE and score <= SCORE:
        return ""
    return f"boxes that lie up to {place:.3g} px off, scores up to {score:.3g}"


def _export(model: Any, maps: list[Any], file: Path) -> None:
    import torch

    class Net(torch.nn.Module):  # type: ignore[misc]
        """The model, with the maps beside its output."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, images: Any) -> Any:
            dense, _ = self.model(images)
            return (dense, *maps)

    head = model.model[-1]
    fixed = head.dynamic
    head.dynamic = True  # the grid follows the size of the sheet
    some = torch.zeros(1, 3, 64, 96)
    with torch.inference_mode():
        model(some)
    names = [f"map{place}" for place in range(len(maps))]
    axes = {name: {0: "sheets", 2: f"high_{name}", 3: f"wide_{name}"} for name in ("images", *names)}
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with replacing(file) as temporary, torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of values that the trace takes as fixed: what comes out is compared
            torch.onnx.export(
                Net().eval(),
                (some,),
                str(temporary),
                dynamo=False,  # the other way needs a package more
                opset_version=_OPSET,
                input_names=["images"],
                output_names=["dense", *names],
                dynamic_axes={**axes, "dense": {0: "sheets", 2: "anchors"}},
            )
    finally:
        head.dynamic = fixed
    for old in sorted(file.parent.glob("*.onnx"), key=lambda one: one.stat().st_mtime)[:-_KEPT]:
        old.unlink(missing_ok=True)


def _key(model: Any, classes: int) -> str:
    """Return a digest of all that decides what is exported."""
    import onnx

    sha = hashlib.sha256(f"{versions()} {onnx.__version__} {_OPSET} {classes} {type(model).__name__}".encode())
    tensors = dict(model.state_dict())
    prompts = getattr(model, "pe", None)
    for name, tensor in sorted({**tensors, **({} if prompts is None else {"pe": prompts})}.items()):
        sha.update(name.encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
    return sha.hexdigest()[:32]
