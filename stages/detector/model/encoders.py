"""Text encoders: prompts in, vectors of 512 numbers out. A checkpoint names the encoder that it was trained with."""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from stages.base.errors import problem
from stages.detector.model.runtime import cache_folder

WIDTH = 512  # numbers per prompt that the head of YOLOE expects
MOBILECLIP2_FILE = "mobileclip2_b.ts"  # of the encoder, beside Ultralytics' other downloads
UNTRAINED = "untrained"  # the encoder of weights that no text has ever reached
# How a checkpoint writes its encoder down (`model.text_model`, Ultralytics' own attribute).
_MARKS = {"mobileclip2": "mobileclip2:b", "wordllama": "wordllama:256"}


def encode(encoder: str, classes: Sequence[str], prompts: Mapping[str, str]) -> Any:
    """Return the vectors of the classes' prompts, a float32 tensor (n_classes, 512) in the order of `classes`.

    Each row has length 1. Raises `UserError` when the encoder's file or a package that it needs is not there.
    """
    return {"mobileclip2": _mobileclip2, "wordllama": _wordllama}[encoder]([prompts[name] for name in classes])


def _mobileclip2(prompts: list[str]) -> Any:
    """Ask Ultralytics' own encoder of the released YOLOE-26 weights; its file is downloaded with them."""
    import torch

    if find_spec("clip") is None:  # Ultralytics needs its tokenizer, and would try to install it
        raise problem("encoders.package_clip", "train.encoder")
    from ultralytics.nn.text_model import build_text_model

    file = cache_folder() / MOBILECLIP2_FILE
    if not file.is_file():
        raise problem("encoders.encoder_train_encoder", file, file=MOBILECLIP2_FILE)
    encoder = build_text_model(_MARKS["mobileclip2"], device="cpu")
    with torch.inference_mode():
        vectors = encoder.encode_text(encoder.tokenize(prompts)).float().cpu()
    return torch.nn.functional.normalize(vectors.clone(), dim=-1)


def _wordllama(prompts: list[str]) -> Any:
    """Average word vectors of the package wordllama, which ships them: 256 numbers, padded with zeros; no network."""
    import torch
    import wordllama

    home = Path(wordllama.__file__).parent
    encoder = wordllama.WordLlama.load(cache_dir=home, disable_download=True)
    vectors = torch.from_numpy(encoder.embed(prompts, norm=True)).float()
    return torch.nn.functional.pad(vectors, (0, WIDTH - vectors.shape[1]))


def encoder_of(model: Any) -> str:
    """Return the name of the encoder that a YOLOE model was trained with, or `untrained`."""
    mark = str(getattr(model, "text_model", ""))
    return next((name for name, value in _MARKS.items() if value == mark), mark)


def mark_encoder(model: Any, encoder: str) -> None:
    """Write into the model which encoder it is (being) trained with."""
    model.text_model = _MARKS.get(encoder, encoder)


def check_encoder(model: Any, encoder: str, file: Path) -> None:
    """Raise `UserError` unless the model was trained with `encoder` or has seen no text yet."""
    found = encoder_of(model)
    if found not in (encoder, UNTRAINED):
        raise problem("encoders.weights_trained_text", file, encoder=encoder, found=found)
