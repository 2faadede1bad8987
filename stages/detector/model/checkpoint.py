"""Reads, checks and writes checkpoints that plain Ultralytics can load."""

import hashlib
import io
import pickle
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stages.base.atomic import replacing
from stages.base.errors import problem


def load_model(file: Path, *, foreign: bool = False) -> Any:
    """Return the detection model in `file`, in float32 and evaluation mode; raise `UserError` if it is none.

    A checkpoint is a pickle, which runs what it names. Of a `foreign` one nothing runs: it may hold tensors, and
    classes of torch and Ultralytics.
    """
    if not file.is_file():
        raise problem("checkpoint.weights", file)
    from ultralytics.nn.tasks import DetectionModel, load_checkpoint, torch_safe_load

    try:
        if foreign:
            torch_safe_load(file, safe_only=True)
        model, _ = load_checkpoint(file)
    except Exception as error:  # whatever unpickling foreign bytes can raise
        if foreign and (name := _refused_name(error)):
            raise problem("checkpoint.known_classes", file, name=name) from error
        found = f"{type(error).__name__}: {str(error).splitlines()[0][:100] if str(error) else 'no message'}"
        raise problem("checkpoint.ultralytics_checkpoint_pt", file, found=found) from error
    if not isinstance(model, DetectionModel):
        raise problem("checkpoint.detector", file, found=type(model).__name__)
    return model


def _refused_name(error: Exception) -> str | None:
    """Return what a checkpoint would have run, if loading it was refused for that."""
    said = f"{error} {error.__cause__}"
    match = re.search(r"(?:GLOBAL|class|function|module named) [`'(]*(?:<\w+ ')?([\w.]+\.[\w.]*\w)", said)
    unsafe = isinstance(error.__cause__, pickle.UnpicklingError) or isinstance(error, ModuleNotFoundError)
    return match[1] if match and unsafe else None


def class_names(model: Any) -> tuple[str, ...]:
    """Return the model's class names in the order of their ids."""
    names = model.names
    return tuple(names[key] for key in sorted(names)) if isinstance(names, dict) else tuple(names)


def check_order(model: Any, classes: Sequence[str], file: Path) -> None:
    """Raise `UserError` when the weights know the very same classes in another order: every id would be wrong."""
    names = class_names(model)
    if names != tuple(classes) and sorted(names) == sorted(classes):
        raise _names_differ(names, classes, file)


def check_classes(model: Any, classes: Sequence[str], file: Path) -> None:
    """Raise `UserError` unless the weights know exactly `classes`, in their order."""
    names = class_names(model)
    if names != tuple(classes):
        raise _names_differ(names, classes, file)


def _names_differ(names: Sequence[str], classes: Sequence[str], file: Path) -> Exception:
    shown = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
    return problem("checkpoint.classes_params_yaml", file, classes=", ".join(classes), shown=shown)


def is_promptable(model: Any) -> bool:
    """Return whether text still decides what the model looks for (a YOLOE head that is not fused)."""
    return hasattr(model.model[-1], "reprta") and not model.model[-1].is_fused


def digest(model: Any) -> str:
    """Return the SHA-256 of all tensors by name, in half precision, which is how checkpoints are kept."""
    sha = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        values = tensor.detach().cpu()
        values = values.half() if values.is_floating_point() else values
        sha.update(name.encode() + values.contiguous().numpy().tobytes())
    return sha.hexdigest()


def save_model(model: Any, file: Path, *, imgsz: int) -> None:
    """Write `model` in half precision without date, paths and optimizer, so that equal weights are equal bytes."""
    from copy import deepcopy

    import torch
    from ultralytics import __version__

    keep = {"task": "detect", "imgsz": imgsz}
    plain = deepcopy(model).cpu().half().eval()
    plain.criterion = None
    plain.args = dict(keep)
    plain.__dict__.pop("pt_path", None)
    plain.task = "detect"
    for parameter in plain.parameters():
        parameter.requires_grad_(False)
    state = {
        "epoch": -1,
        "model": plain,
        "ema": None,
        "optimizer": None,
        "train_args": keep,
        "version": __version__,
    }
    buffer = io.BytesIO()  # a file's own name would get into the bytes
    torch.save(state, buffer)
    with replacing(file) as temporary:
        temporary.write_bytes(buffer.getvalue())
