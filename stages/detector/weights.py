"""Finds the weights that a project starts from: a file, an Ultralytics name, or an architecture."""

import re
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, NamedTuple

from stages.base.atomic import replacing
from stages.base.errors import problem
from stages.dataset.sheets.manifest import file_sha256
from stages.detector.model.checkpoint import class_names, load_model, save_model
from stages.detector.model.encoders import MOBILECLIP2_FILE, UNTRAINED, encoder_of, mark_encoder
from stages.detector.model.runtime import cache_folder, start_ultralytics

Kind = Literal["baseline", "target"]
_SAID = "#sha256="  # behind a path or a name, as pip has it
_STATED = re.compile("sha256:[0-9a-f]{64}")


class Release(NamedTuple):
    """Where released files lie, and what lists them with their digests."""

    files: str
    listing: str


RELEASE = Release(  # where Ultralytics keeps its weights
    "https://github.com/ultralytics/assets/releases/download/v8.4.0",
    "https://api.github.com/repos/ultralytics/assets/releases/tags/v8.4.0",
)


class Resolved(NamedTuple):
    """A line that says what the weights are, and the text encoder that they want (None: they take no text)."""

    line: str
    encoder: str | None


def resolve(
    spec: str, file: Path, *, kind: Kind, seed: int, release: Release = RELEASE, trusted: bool = False
) -> Resolved:
    """Put the checkpoint that `spec` names at `file` and say what it is.

    `spec` is a path, the name of released weights (`yolo26n.pt`, downloaded), or for the target an architecture
    (`yoloe-26n.yaml`: random weights from `seed`). Behind a path or a name `#sha256=HEX` may stand. Weights can hold
    code, which runs when they are opened: unless they are `trusted` only tensors and known classes are read. A download
    whose digest nobody states, and a file with another one, is refused before. Raises `UserError` for it, and for
    anything else.
    """
    if spec.endswith((".yaml", ".yml")):
        return _build(spec, file, kind=kind, seed=seed)
    start_ultralytics()
    name, said, sha256 = spec.partition(_SAID)
    if said and not _STATED.fullmatch(f"sha256:{sha256}"):
        raise problem("weights.digits", spec, sha256=sha256)
    own = Path(name).is_file()
    source = Path(name) if own else _released(name, sha256, release)
    if own and sha256 and (found := file_sha256(source)) != sha256:
        raise problem("weights.another_file", source, sha256=sha256, found=found)
    model = load_model(source, foreign=not trusted)
    if kind == "target" and not hasattr(model.model[-1], "reprta"):
        raise problem("weights.yoloe_weights_target", source, found=type(model).__name__)
    with replacing(file) as temporary:
        shutil.copyfile(source, temporary)
    encoder = encoder_of(model) if kind == "target" else None
    if kind == "target" and not own:
        fetch(MOBILECLIP2_FILE, release=release)  # the person has a network now, perhaps not when training
    text = f", text encoder {encoder}{_needed(encoder)}" if encoder else ""
    return Resolved(
        f"{kind}: {source.name}, {len(class_names(model))} classes{text}, SHA-256 {file_sha256(source)}", encoder
    )


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


def fetch(name: str, *, sha256: str = "", release: Release = RELEASE) -> Path:
    """Return a released file in the user's cache, downloaded when it is not there yet.

    Before anybody opens it, its SHA-256 is compared: with `sha256`, else with what was noted when it was downloaded,
    else with what the release states now. Raises `UserError` when it is another one, or when nobody states one.
    """
    start_ultralytics(download=True)
    file = cache_folder() / name
    note = file.with_name(f"{name}.sha256")  # as sha256sum writes and checks it
    noted = note.read_text(encoding="utf-8")[:64] if file.is_file() and note.is_file() else ""
    wanted = sha256 or noted or _stated(name, release)
    if not file.is_file():
        _download(name, file, wanted, release)
    elif (found := file_sha256(file)) != wanted:
        raise problem("weights.changed_in_cache", file, sha256=wanted, found=found)
    if noted != wanted:
        with replacing(note) as temporary:
            temporary.write_text(f"{wanted}  {name}\n", encoding="utf-8")
    return file


def _download(name: str, file: Path, sha256: str, release: Release) -> None:
    """Put a released file at `file`, unless its bytes are others than they should be."""
    from ultralytics.utils.downloads import safe_download

    url = f"{release.files}/{name}"
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with replacing(file) as temporary:
            safe_download(url, file=temporary, unzip=False, retry=1)
            if (found := file_sha256(temporary)) != sha256:
                raise problem("weights.changed_on_its_way", url, sha256=sha256, found=found)
    except (OSError, RuntimeError) as error:
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise problem("weights.download", name, reason=reason, url=url) from error


def _stated(name: str, release: Release) -> str:
    """Return the SHA-256 that the release states for a file."""
    import requests

    try:
        answer = requests.get(release.listing, headers={"Accept": "application/vnd.github+json"}, timeout=30)
        answer.raise_for_status()
        stated = {str(one["name"]): str(one.get("digest")) for one in answer.json()["assets"]}.get(name, "no such file")
    except (requests.RequestException, ValueError, LookupError, TypeError, AttributeError) as error:
        stated = " ".join(str(error).split())[:120]
    if not _STATED.fullmatch(stated):
        if name == MOBILECLIP2_FILE:  # no option names it
            raise problem("weights.encoder_digest", release.listing, name=name, found=stated, cache=cache_folder())
        raise problem("weights.digest", release.listing, name=name, found=stated)
    return stated.removeprefix("sha256:")


def _released(name: str, sha256: str, release: Release) -> Path:
    """Return the file of released weights; raise `UserError` when no release has that name."""
    from ultralytics.utils.downloads import GITHUB_ASSETS_NAMES

    if name not in GITHUB_ASSETS_NAMES:
        raise problem("weights.file_name_released", name)
    return fetch(name, sha256=sha256, release=release)
