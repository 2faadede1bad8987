"""Chooses and builds the model that a training starts from."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from stages.base.decoding import read_bgr
from stages.base.errors import problem
from stages.detector.model.checkpoint import check_classes, check_order, class_names, is_promptable, load_model
from stages.detector.model.encoders import check_encoder, encoder_of, mark_encoder, set_prompts
from stages.detector.training.carry_over import carry_body, carry_classes
from stages.detector.training.told_prompts import remember
from stages.prompts.texts.prompt_file import Prompts

Carry = Literal["none", "body", "all"]


class StartingModel(NamedTuple):
    """A model in memory, a word that says where it came from, and whether its classes are new."""

    model: Any
    source: str
    new_classes: bool  # the class branch has never seen them


def baseline_start(parent: Path, classes: Sequence[str]) -> StartingModel:
    """Return the YOLO-26 weights that iteration 0 fine-tunes; raise `UserError` if they cannot be."""
    model = load_model(parent)
    check_order(model, classes, parent)
    if hasattr(model.model[-1], "reprta"):
        raise problem("starting_model.yolo_26_weights", parent)
    return StartingModel(model, "baseline", class_names(model) != tuple(classes))


def prompt_start(
    parent: Path,
    target: Path,
    classes: Sequence[str],
    *,
    encoder: str,
    vectors: Any,
    carry: Carry,
    images: Iterable[Any],
) -> StartingModel:
    """Return the YOLOE model that iteration 1 and later train.

    That is the parent when it is promptable already; else the target weights, with as much of the parent as `carry`
    says. `vectors` are the encoded prompts, (n_classes, 512), and `images` training batches, (b, 3, h, w) in [0, 1].
    Raises `UserError` for weights, classes or an encoder that do not fit.
    """
    model = load_model(parent)
    check_classes(model, classes, parent)
    if is_promptable(model):
        check_encoder(model, encoder, parent)
        return StartingModel(model, "parent", new_classes=False)
    if hasattr(model.model[-1], "reprta"):
        raise problem("starting_model.yoloe_weights_whose", parent)
    prompted = _prompted(target, classes, encoder)
    if carry != "none":
        carry_body(model, prompted, parent)
    if carry == "all":
        carry_classes(model, prompted, vectors, images)
    return StartingModel(prompted, f"target, carried: {carry}", carry != "all")


def base_start(target: Path, classes: Sequence[str], *, encoder: str) -> StartingModel:
    """Return the target weights as they are, with nothing of what an iteration before has learned.

    Raises `UserError` for weights or an encoder that do not fit.
    """
    return StartingModel(_prompted(target, classes, encoder), "base: target, carried: none", new_classes=True)


def zero_shot(
    target: Path, classes: Sequence[str], prompts: Prompts, examples: Mapping[str, Any], *, encoder: str
) -> StartingModel:
    """Return the target weights, told what to look for: a detector of `classes` that no label has taught.

    `examples` has the vectors of the boxes that are shown in place of words.
    Raises `UserError` for weights or an encoder that do not fit.
    """
    model = _prompted(target, classes, encoder)
    set_prompts(model, classes, prompts, examples)
    remember(model, prompts, examples)
    return StartingModel(model, "zero-shot", new_classes=True)


def _prompted(target: Path, classes: Sequence[str], encoder: str) -> Any:
    """Return the target weights as a promptable detector for `classes`."""
    prompted = promptable(load_model(target), target)
    check_encoder(prompted, encoder, target)
    mark_encoder(prompted, encoder)
    prompted.names = dict(enumerate(classes))
    prompted.model[-1].nc = len(classes)
    return prompted


def promptable(model: Any, file: Path) -> Any:
    """Return YOLOE weights as a detector with a promptable head; released ones are made for segmentation."""
    from ultralytics.nn.tasks import YOLOEModel

    head = model.model[-1]
    if not hasattr(head, "reprta") or head.is_fused or hasattr(head, "lrpc"):
        raise problem(
            "starting_model.yoloe_weights_whose_prompts",
            file,
            name__=type(head).__name__,
            value=" with fused prompts" if hasattr(head, "reprta") else "",
        )
    if type(model) is YOLOEModel:
        return model
    detector = YOLOEModel(f"yoloe-26{model.yaml.get('scale', 'n')}.yaml", nc=model.yaml["nc"], verbose=False)
    weights = model.state_dict()
    missing = [
        name
        for name, value in detector.state_dict().items()
        if getattr(weights.get(name), "shape", None) != value.shape
    ]
    if missing:
        raise problem("starting_model.yoloe_26_weights", file, missing=missing[0])
    detector.load_state_dict({name: weights[name] for name in detector.state_dict()})
    mark_encoder(detector, encoder_of(model))
    return detector


def letterboxed(images: Iterable[Path], imgsz: int) -> Iterator[Any]:
    """Yield each image as a batch of one, (1, 3, h, w) RGB in [0, 1], scaled so that its longer side is `imgsz`."""
    import torch
    from ultralytics.data.augment import LetterBox

    box = LetterBox(imgsz, auto=True, stride=32)
    for file in images:
        pixels = box(image=read_bgr(file))[..., ::-1].transpose(2, 0, 1).copy()
        yield torch.from_numpy(pixels).unsqueeze(0).float() / 255
