"""Text encoders: prompts in, vectors of 512 numbers out. A checkpoint names the encoder that it was trained with."""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, Protocol

from stages.base.errors import problem
from stages.detector.model.runtime import cache_folder

EncoderName = Literal["mobileclip2", "wordllama"]
WIDTH = 512  # numbers per prompt that the head of YOLOE expects
MOBILECLIP2_FILE = "mobileclip2_b.ts"  # of the encoder, beside Ultralytics' other downloads
UNTRAINED = "untrained"  # the encoder of weights that no text has ever reached
# How a checkpoint writes its encoder down (`model.text_model`, Ultralytics' own attribute).
_MARKS = {"mobileclip2": "mobileclip2:b", "wordllama": "wordllama:256"}


class TextEncoder(Protocol):
    """Anything that turns prompts into vectors."""

    def encode(self, prompts: Sequence[str]) -> Any:
        """Return a float32 tensor, (n, 512), each row of length 1."""


class MobileClip2:
    """Ultralytics' own encoder of the released YOLOE-26 weights; its file is downloaded with them."""

    def encode(self, prompts: Sequence[str]) -> Any:
        """Return (n, 512); raise `UserError` when the encoder's file or the `clip` package is not there."""
        import torch

        if find_spec("clip") is None:  # Ultralytics needs its tokenizer, and would try to install it
            raise problem("encoders.package_clip", "train.encoder")
        from ultralytics.nn.text_model import build_text_model

        file = cache_folder() / MOBILECLIP2_FILE
        if not file.is_file():
            mend = f"Import released target weights with a network, or put {MOBILECLIP2_FILE} there."
            raise problem("encoders.encoder_train_encoder", file, mend=mend)
        encoder = build_text_model(_MARKS["mobileclip2"], device="cpu")
        with torch.inference_mode():
            vectors = encoder.encode_text(encoder.tokenize(list(prompts))).float().cpu()
        return torch.nn.functional.normalize(vectors.clone(), dim=-1)


class WordLlamaEncoder:
    """Averaged word vectors from the package wordllama, which ships them: works without a network."""

    def encode(self, prompts: Sequence[str]) -> Any:
        """Return (n, 512): 256 numbers of wordllama, padded with zeros."""
        import torch
        import wordllama

        home = Path(wordllama.__file__).parent
        encoder = wordllama.WordLlama.load(cache_dir=home, disable_download=True)
        vectors = torch.from_numpy(encoder.embed(list(prompts), norm=True)).float()
        return torch.nn.functional.pad(vectors, (0, WIDTH - vectors.shape[1]))


def encode(encoder: str, classes: Sequence[str], prompts: Mapping[str, str]) -> Any:
    """Return the vectors of the classes' prompts, a float32 tensor (n_classes, 512) in the order of `classes`."""
    texts = [prompts[name] for name in classes]
    makers: dict[str, type[MobileClip2] | type[WordLlamaEncoder]] = {
        "mobileclip2": MobileClip2,
        "wordllama": WordLlamaEncoder,
    }
    return makers[encoder]().encode(texts)


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
