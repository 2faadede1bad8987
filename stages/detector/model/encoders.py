"""Text encoders: prompts in, vectors of 512 numbers out. A checkpoint names the encoder that it was trained with."""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from stages.base.errors import problem
from stages.detector.model.runtime import cache_folder
from stages.prompts.texts.examples import is_example
from stages.prompts.texts.prompt_file import PROMPTS, Prompts

WIDTH = 512  # numbers per prompt that the head of YOLOE expects
MOBILECLIP2_FILE = "mobileclip2_b.ts"  # of the encoder, beside Ultralytics' other downloads
UNTRAINED = "untrained"  # the encoder of weights that no text has ever reached
# How a checkpoint writes its encoder down (`model.text_model`, Ultralytics' own attribute).
_MARKS = {"mobileclip2": "mobileclip2:b", "wordllama": "wordllama:256"}
ENCODERS = tuple(_MARKS)


class PromptVectors(NamedTuple):
    """What a training is told: vectors of length 1 from a text encoder, float32 tensors with 512 columns."""

    prompts: Any  # (n_classes, 512): of each class, the average of its texts
    phrasings: list[Any]  # for each class (n_texts, 512)
    distractors: Any  # (n_distractors, 512): of texts that mean no class


def vectors_of(
    encoder: str,
    classes: Sequence[str],
    prompts: Prompts,
    distractors: Sequence[str] = (),
    examples: Mapping[str, Any] | None = None,
) -> PromptVectors:
    """Return the vectors of everything that a training is told; raises as `encode`."""
    import torch

    known = dict(examples or {})
    texts = [*(text for name in classes for text in prompts[name]), *distractors]
    unknown = next((text for text in texts if is_example(text) and text not in known), None)
    if unknown is not None:
        raise problem("encoders.example_unknown", PROMPTS, text=unknown)
    words = [text for text in dict.fromkeys(texts) if text not in known]
    known |= dict(zip(words, encode_texts(encoder, words), strict=True)) if words else {}
    rows = torch.stack([known[text] for text in texts])
    *phrasings, others = rows.split([*(len(prompts[name]) for name in classes), len(distractors)])
    return PromptVectors(torch.stack([_averaged(part) for part in phrasings]), list(phrasings), others)


def encode(encoder: str, classes: Sequence[str], prompts: Prompts, examples: Mapping[str, Any] | None = None) -> Any:
    """Return the vectors of the classes' prompts, a float32 tensor (n_classes, 512) in the order of `classes`.

    The vectors of several texts are averaged. Each row has length 1. `examples` has the vector of each example, (512,),
    by its text. Raises `UserError` for an example without one, and when the encoder's file or a package that it needs
    is not there.
    """
    return vectors_of(encoder, classes, prompts, examples=examples).prompts


def set_prompts(
    model: Any, classes: Sequence[str], prompts: Prompts, examples: Mapping[str, Any] | None = None
) -> None:
    """Tell a promptable model in place what each class looks like; raises as `encode`.

    `examples` has the vectors of those that the model was not trained with.
    """
    vectors = encode(encoder_of(model), classes, prompts, {**known_examples(model), **(examples or {})})
    model.set_classes(list(classes), understood(model, vectors).unsqueeze(0))


def encode_texts(encoder: str, texts: Sequence[str]) -> Any:
    """Return the vector of each text, a float32 tensor (n_texts, 512) with rows of length 1; raises as `encode`."""
    return {"mobileclip2": _mobileclip2, "wordllama": _wordllama}[encoder](list(texts))


def known_examples(model: Any) -> Mapping[str, Any]:
    """Return the vectors of the examples that a model was trained with, by their texts."""
    told = getattr(model, "prompts", None)
    return told.get("examples", {}) if isinstance(told, dict) else {}


def understood(model: Any, vectors: Any) -> Any:
    """Return the embeddings, (n, 512) with rows of length 1, that the head of a promptable model makes of `vectors`."""
    import torch

    with torch.inference_mode():
        return model.model[-1].get_tpe(vectors.unsqueeze(0).to(next(model.parameters()).device))[0].clone()


def _averaged(vectors: Any) -> Any:
    import torch

    return vectors[0] if len(vectors) == 1 else torch.nn.functional.normalize(vectors.mean(dim=0), dim=-1)


def _mobileclip2(texts: list[str]) -> Any:
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
        vectors = encoder.encode_text(encoder.tokenize(texts)).float().cpu()
    return torch.nn.functional.normalize(vectors.clone(), dim=-1)


def _wordllama(texts: list[str]) -> Any:
    """Average word vectors of the package wordllama, which ships them: 256 numbers, padded with zeros; no network.

    To it "DETAIL" and "detail" are words that have nothing in common, so that case is folded. The order of words does
    not count.
    """
    import torch
    import wordllama

    home = Path(wordllama.__file__).parent
    encoder = wordllama.WordLlama.load(cache_dir=home, disable_download=True)
    vectors = torch.from_numpy(encoder.embed([text.casefold() for text in texts], norm=True)).float()
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
