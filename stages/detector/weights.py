"""Finds the weights that a project starts from: a file, an Ultralytics name, or an architecture."""

import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, NamedTuple

from stages.base.atomic import replacing
from stages.base.errors import problem
from stages.detector.model.checkpoint import class_names, load_model, save_model
from stages.detector.model.encoders import MOBILECLIP2_FILE, UNTRAINED, encoder_of, mark_encoder
from stages.detector.model.runtime import cache_folder, start_ultralytics

Kind = Literal["baseline", "target"]
ASSETS = "https://github.com/ultralytics/assets/releases/download/v8.4.0"  # where Ultralytics keeps its weights


class Resolved(NamedTuple):
    """A line that says what the weights are, and the text encoder that they want (None: they take no text)."""

    line: str
    encoder: str | None


def resolve(spec: str, file: Path, *, kind: Kind, seed: int, base_url: str = ASSETS) -> Resolved:
    """Put the checkpoint that `spec` names at `file` and say what it is.

    `spec` is a path, the name of released weights (`yolo26n.pt`, downloaded), or for the target an architecture
    (`yoloe-26n.yaml`: random weights from `seed`). Raises `UserError` for anything else.
    """
    if spec.endswith((".yaml", ".yml")):
        return _build(spec, file, kind=kind, seed=seed)
    start_ultralytics()
    source = Path(spec) if Path(spec).is_file() else _released(spec, base_url)
    model = load_model(source)
    if kind == "target" and not hasattr(model.model[-1], "reprta"):
        raise problem("weights.yoloe_weights_target", source, found=type(model).__name__)
    with replacing(file) as temporary:
        shutil.copyfile(source, temporary)
    encoder = encoder_of(model) if kind == "target" else None
    if kind == "target" and source.parent == cache_folder():
        fetch(MOBILECLIP2_FILE, base_url=base_url)  # the person has a network now, perhaps not when training
    text = f", text encoder {encoder}{_needed(encoder)}" if encoder else ""
    return Resolved(f"{kind}: {source.name}, {len(class_names(model))} classes{text}", encoder)


def _needed(encoder: str) -> str:
    missing = encoder == "mobileclip2" and find_spec("clip") is None
    return " (before iteration 1: pip install -e '.[mobileclip]')" if missing else ""


def _build(spec: str, file: Path, *, kind: Kind, seed: int) -> Resolved:
    """Write random weights of a YOLOE architecture, the same for the same seed; no text has reached them yet.

    They want the encoder that works everywhere.
    """
    if kind != "target" or "yoloe" not in spec:
        raise problem("weights.weights_yoloe_architecture", spec, spec=spec)
    start_ultralytics()
    import torch
    from ultralytics.nn.tasks import YOLOEModel

    state = torch.get_rng_state()
    try:
        torch.manual_seed(seed)
        model: Any = YOLOEModel(spec, verbose=False)
    except FileNotFoundError as error:
        raise problem("weights.ultralytics_architecture", spec) from error
    finally:
        torch.set_rng_state(state)
    model.names = {i: str(i) for i in range(model.yaml["nc"])}
    mark_encoder(model, UNTRAINED)
    save_model(model, file, imgsz=640)
    return Resolved(f"target: {spec}, random weights from seed {seed}, text encoder wordllama", "wordllama")


def fetch(name: str, *, base_url: str = ASSETS) -> Path:
    """Return a released file in the user's cache, downloaded from `base_url` when it is not there yet."""
    start_ultralytics(download=True)
    from ultralytics.utils.downloads import safe_download

    file = cache_folder() / name
    if file.is_file():
        return file
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with replacing(file) as temporary:
            safe_download(f"{base_url}/{name}", file=temporary, unzip=False, retry=1)
    except (OSError, RuntimeError) as error:
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        mend = f"Download {base_url}/{name} elsewhere and give its path, or put it at {file}."
        raise problem("weights.download", name, reason=reason, mend=mend) from error
    return file


def _released(name: str, base_url: str) -> Path:
    """Return the file of released weights; raise `UserError` when no release has that name."""
    from ultralytics.utils.downloads import GITHUB_ASSETS_NAMES

    if name not in GITHUB_ASSETS_NAMES:
        raise problem("weights.file_name_released", name)
    return fetch(name, base_url=base_url)
