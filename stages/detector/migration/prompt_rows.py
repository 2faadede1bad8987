"""Gives a promptable detector another list of classes: its weights stay, since the text decides what it looks for.

What changes is what it was told, for plain Ultralytics: the names, their embeddings, and the texts in the checkpoint.
"""

from collections.abc import Mapping
from typing import Any

from stages.detector.model.checkpoint import class_names
from stages.detector.model.encoders import encode, encoder_of, known_examples, understood
from stages.detector.training.told_prompts import remember, remembered
from stages.prompts.texts.prompt_file import Prompts


def set_prompt_rows(model: Any, told: Prompts, origins: Mapping[str, str]) -> None:
    """Make `model`, in place, one that was told the classes of `told`, in their order.

    `origins` maps a class to the one that it was called before: it keeps its embedding bit for bit, and the text that
    it was trained with. Other classes are encoded from their texts in `told`. Raises `UserError` as `encode` does.
    """
    import torch

    names, before = list(told), class_names(model)
    remembers, embeddings = remembered(model), getattr(model, "pe", None)
    if embeddings is None:
        model.names, model.model[-1].nc = dict(enumerate(names)), len(names)
    else:
        fresh = {name: texts for name, texts in told.items() if name not in origins}
        encoded = dict(zip(fresh, _encoded(model, fresh), strict=True)) if fresh else {}
        rows = [
            encoded[name].to(embeddings.dtype) if name in encoded else embeddings[0, before.index(origins[name])]
            for name in names
        ]
        model.set_classes(names, torch.stack(rows).unsqueeze(0))
    if remembers is not None:
        texts = {name: remembers[origins[name]] if name in origins else told[name] for name in names}
        remember(model, texts, known_examples(model))


def _encoded(model: Any, told: Prompts) -> Any:
    """Return the embeddings of the classes in `told` as the head understands them, (n_classes, 512)."""
    return understood(model, encode(encoder_of(model), list(told), told, known_examples(model)))
