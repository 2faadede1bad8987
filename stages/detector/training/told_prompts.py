"""What a promptable checkpoint was told: its prompts go with it, and so do their embeddings, for plain Ultralytics."""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.base.atomic import replacing
from stages.detector.model.checkpoint import class_names
from stages.detector.model.encoders import WIDTH, encoder_of, understood
from stages.prompts.texts.prompt_file import Prompts

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip can hold: no clock gets into the bytes


def prompts_sha256(prompts: Prompts, encoder: str) -> str:
    """Return the SHA-256 of the texts of all classes, in their order, and of the name of their encoder."""
    texts = [[name, list(texts)] for name, texts in prompts.items()]
    return hashlib.sha256(json.dumps([encoder, texts]).encode()).hexdigest()


def remember(model: Any, prompts: Prompts, examples: Mapping[str, Any] | None = None) -> None:
    """Write into a promptable model which prompts it was trained with; `examples` are the vectors of those shown."""
    encoder = encoder_of(model)
    model.prompts = {
        "examples": dict(examples or {}),
        "texts": {name: list(texts) for name, texts in prompts.items()},
        "encoder": encoder,
        "sha256": prompts_sha256(prompts, encoder),
    }


def remembered(model: Any) -> dict[str, tuple[str, ...]] | None:
    """Return the prompts that a model was trained with; None for one that remembers none, such as one of others."""
    told = getattr(model, "prompts", None)
    return {name: tuple(texts) for name, texts in told["texts"].items()} if isinstance(told, dict) else None


def embeddings_told(model: Any) -> dict[str, NDArray[np.float32]]:
    """Return the embedding, (512,), that a YOLOE model was told last for each of its classes; none if it never was."""
    told = getattr(model, "pe", None)
    names = class_names(model)
    if told is None or told.shape[1] != len(names):
        return {}
    return dict(zip(names, told[0].detach().cpu().float().numpy(), strict=True))


def embeddings_for(model: Any, classes: Sequence[str], vectors: Any) -> dict[str, NDArray[np.float32]]:
    """Return the embedding, (512,), that a promptable model has for each class; `vectors` is (n_classes, 512)."""
    return dict(zip(classes, understood(model, vectors).cpu().float().numpy(), strict=True))


def save_embeddings(model: Any, classes: Sequence[str], weights: Path, file: Path) -> None:
    """Write the embeddings of a model's prompts to `file`, as `YOLOE(weights).load_prompt_embeddings` reads them.

    It holds `embeddings`, float32 (1, n_classes, 512), `names` and `model`, the stem of `weights`: Ultralytics takes
    them for no other. A model that takes no text has an empty one. Equal embeddings are equal bytes.
    """
    told = getattr(model, "pe", None)
    embeddings = np.zeros((1, 0, WIDTH), np.float32) if told is None else told.detach().cpu().float().numpy()
    names = np.asarray([] if told is None else list(classes), dtype=np.str_)
    held = {"embeddings": embeddings, "names": names, "model": np.asarray(weights.stem, dtype=np.str_)}
    with replacing(file) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, array in held.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, array, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _EPOCH), buffer.getvalue())
