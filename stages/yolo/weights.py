"""Finds the weights that a project starts from: a file, an Ultralytics name, or an architecture."""

import shutil
from pathlib import Path
from typing import Any, Literal

from stages.core.errors import problem
from stages.files.atomic import replacing
from stages.yolo.checkpoint import class_names, load_model, save_model
from stages.yolo.runtime import start_ultralytics
from stages.yolo.text import UNTRAINED, encoder_of, mark_encoder

Kind = Literal["baseline", "target"]


def resolve(spec: str, file: Path, *, kind: Kind, seed: int) -> str:
    """Put the checkpoint that `spec` names at `file` and return one line that says what it is.

    `spec` is a path, the name of released weights (`yolo26n.pt`, downloaded), or for the target an architecture
    (`yoloe-26n.yaml`: random weights from `seed`). Raises `UserError` for anything else.
    """
    if spec.endswith((".yaml", ".yml")):
        return _build(spec, file, kind=kind, seed=seed)
    source = Path(spec)
    if not source.is_file():
        source = _download(spec, file.parent)
    else:
        start_ultralytics()
    model = load_model(source)
    if kind == "target" and not hasattr(model.model[-1], "reprta"):
        raise problem(
            source,
            expected="YOLOE weights (--target)",
            found=type(model).__name__,
            mend="Give yoloe-26n-seg.pt.",
        )
    with replacing(file) as temporary:
        shutil.copyfile(source, temporary)
    text = f", text encoder {encoder_of(model)}" if kind == "target" else ""
    return f"{kind}: {source.name}, {len(class_names(model))} classes{text}"


def _build(spec: str, file: Path, *, kind: Kind, seed: int) -> str:
    """Write random weights of a YOLOE architecture, the same for the same seed."""
    if kind != "target" or "yoloe" not in spec:
        raise problem(
            spec,
            expected="weights, or a YOLOE architecture for --target",
            found=spec,
            mend="Give a .pt file.",
        )
    start_ultralytics()
    import torch
    from ultralytics.nn.tasks import YOLOEModel

    state = torch.get_rng_state()
    try:
        torch.manual_seed(seed)
        model: Any = YOLOEModel(spec, verbose=False)
    except FileNotFoundError as error:
        raise problem(
            spec, expected="an Ultralytics architecture", found="no such file", mend="yoloe-26n.yaml"
        ) from error
    finally:
        torch.set_rng_state(state)
    model.names = {i: str(i) for i in range(model.yaml["nc"])}
    mark_encoder(model, UNTRAINED)
    save_model(model, file, imgsz=640)
    return f"target: {spec}, random weights from seed {seed}"


def _download(name: str, folder: Path) -> Path:
    """Return the file of a released checkpoint, downloaded into `folder`."""
    start_ultralytics(download=True)
    from ultralytics.utils.downloads import GITHUB_ASSETS_NAMES, attempt_download_asset

    if name not in GITHUB_ASSETS_NAMES:
        raise problem(
            name,
            expected="a file, or the name of released weights",
            found="neither",
            mend="Try yolo26n.pt or a path.",
        )
    folder.mkdir(parents=True, exist_ok=True)
    try:
        found = Path(attempt_download_asset(folder / name))
    except Exception as error:  # every layer of the network has its own exceptions
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise problem(
            name,
            expected="a download from github.com/ultralytics/assets",
            found=reason,
            mend="Download it and give its path.",
        ) from error
    if not found.is_file():
        raise problem(name, expected="a downloaded file", found="none", mend="Download it and give its path.")
    return found
