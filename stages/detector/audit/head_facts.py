"""What the head of a checkpoint does with prompts, ours or that of others; read from the model, not from its name."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from stages.detector.model.checkpoint import class_names, is_promptable
from stages.detector.model.encoders import encoder_of
from stages.detector.training.told_prompts import remembered
from stages.prompts.texts.prompt_file import Prompts

Kind = Literal["promptable", "fused", "prompt-free", "no text"]


class HeadFacts(NamedTuple):
    """What a checkpoint says of itself."""

    kind: Kind
    names: tuple[str, ...]  # of its classes, by class_id
    encoder: str | None  # of its texts; None where it takes none
    texts: Prompts | None  # that it was trained with; None where it remembers none


def head_facts(model: Any) -> HeadFacts:
    """Return the facts of a detection model."""
    head, names = model.model[-1], class_names(model)
    if not hasattr(head, "reprta"):
        return HeadFacts("no text", names, None, None)
    kind: Kind = "prompt-free" if hasattr(head, "lrpc") else "promptable" if is_promptable(model) else "fused"
    return HeadFacts(kind, names, encoder_of(model), remembered(model))


def head_lines(facts: HeadFacts, classes: Sequence[str]) -> list[str]:
    """Return what a person has to know before an edit of the prompts or of `classes` is trusted to this head."""
    if facts.kind == "promptable":
        return [f"Text decides what it looks for (encoder {facts.encoder})."]
    if facts.kind == "no text":
        return ["No effect: a detector without prompts; YOLOE begins with iteration 1."]
    if facts.kind == "prompt-free":
        return ["No effect: the head is prompt-free, its vocabulary is built in."]
    return [
        f"No effect: the head is fused. It looks for what it was told when that was done, as {', '.join(facts.names)}; "
        "new text is ignored.",
        *_rows(facts.names, classes),
    ]


def _rows(names: Sequence[str], classes: Sequence[str]) -> list[str]:
    """Return what another list of classes would do to a head whose rows belong to `names` by their place alone."""
    if len(classes) != len(names):
        return [
            f"This edit would erase {len(names)} learned {'class' if len(names) == 1 else 'classes'}: it has "
            f"{len(names)} rows, and training with {len(classes)} classes makes new ones ({', '.join(names)})."
        ]
    moved = [name for place, name in enumerate(classes) if name in names and names[place] != name]
    renamed = [
        f"'{name}' would have that of '{names[place]}'"
        for place, name in enumerate(classes)
        if name not in names and names[place] not in classes
    ]
    lines = [f"Class order: {', '.join(classes)} would be read in the rows of {', '.join(names)}."] if moved else []
    return [*lines, *([f"Rows go by place: {'; '.join(renamed)}."] if renamed else [])]
