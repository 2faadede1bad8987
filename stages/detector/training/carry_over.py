"""Carries a YOLO-26 detector into a YOLOE-26 model: its body, and its classes expressed through their prompts.

A YOLOE head scores a place by `exp(scale) * t @ norm(W x + c) + bias`, with `t` the embedding of a prompt; a YOLO head
by `w @ x + b`. With W = pinv(t) @ w / exp(scale), and a norm that changes nothing, both give the same score. So the
first YOLOE model starts where the parent stood, and from its first step on the text decides to which class a score
belongs.
"""

from collections.abc import Iterable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

from stages.base.errors import problem

HEAD = 23  # index of the head in yolo26 and yoloe-26; everything before it is backbone and neck
BOX_BRANCHES = ("cv2.", "one2one_cv2.")  # of the head, in both architectures
CLASS_BRANCHES = (
    ("cv3", "cv4"),
    ("one2one_cv3", "one2one_cv4"),
)  # class branch, and what compares it with text


def carry_body(source: Any, model: Any, file: Path) -> None:
    """Copy backbone, neck and box head of `source` into `model` in place; raise `UserError` if a shape differs."""
    weights, own = source.state_dict(), model.state_dict()
    wanted = [name for name in own if _is_body(name)]
    other = next((name for name in wanted if name not in weights or weights[name].shape != own[name].shape), None)
    if other:
        raise problem("carry_over.weights_same_size", file, other=other)
    model.load_state_dict({name: weights[name] for name in wanted}, strict=False)


def carry_classes(source: Any, model: Any, vectors: Any, images: Iterable[Any]) -> None:
    """Give `model` the class branch of `source` in place, so that the prompts bring out the same scores.

    `vectors` are the encoded prompts, (n_classes, 512); `images` some training batches, (b, 3, h, w) in [0, 1]. On
    them the normalisation is measured: in training it uses the batch's own statistics, and must change nothing there.
    """
    import torch

    head, parent = model.model[-1], source.model[-1]
    with torch.no_grad():
        inverse = torch.linalg.pinv(head.get_tpe(vectors.unsqueeze(0))[0])  # (512, n_classes)
        for branch, contrast in CLASS_BRANCHES:
            setattr(head, branch, deepcopy(getattr(parent, branch)))
            for layers, compare in zip(getattr(head, branch), getattr(head, contrast), strict=True):
                layers[-1] = _through_text(layers[-1], compare, inverse)
        pairs = [
            (level, layers, compare.norm)
            for branch, contrast in CLASS_BRANCHES
            for level, (layers, compare) in enumerate(zip(getattr(head, branch), getattr(head, contrast), strict=True))
        ]
        sums = [torch.zeros(3, inverse.shape[0], dtype=torch.float64) for _ in pairs]  # count, values, squares
        for features in _head_inputs(model, images):
            for total, (level, layers, _) in zip(sums, pairs, strict=True):
                total.add_(_sums(layers(features[level])))
        for total, (_, _, norm) in zip(sums, pairs, strict=True):
            _neutralise(norm, mean=total[1] / total[0], square=total[2] / total[0])


def _through_text(last: Any, compare: Any, inverse: Any) -> Any:
    """Return the last layer of a class branch, now to the 512 numbers of a text, and set the shared bias."""
    import torch

    scale, shared = compare.logit_scale.exp(), last.bias.mean()
    layer = torch.nn.Conv2d(last.in_channels, inverse.shape[0], 1)
    layer.weight.copy_((inverse @ last.weight.flatten(1) / scale)[..., None, None])
    layer.bias.copy_(inverse @ (last.bias - shared) / scale)
    compare.bias.fill_(float(shared))
    return layer


def _head_inputs(model: Any, images: Iterable[Any]) -> Iterator[list[Any]]:
    """Yield the three feature maps that reach the head, one batch of `images` after the other."""
    seen: list[list[Any]] = []
    hook = model.model[-1].register_forward_pre_hook(lambda _, args: seen.append(list(args[0][:3])))
    try:
        model.eval()
        for batch in images:
            model(batch)
            yield seen.pop()
    finally:
        hook.remove()


def _sums(output: Any) -> Any:
    """Return count, sum and sum of squares per channel of a (b, 512, h, w) tensor: (3, 512), in double precision."""
    import torch

    values = output.transpose(0, 1).flatten(1).double()  # (512, n)
    count = torch.full((values.shape[0],), float(values.shape[1]), dtype=torch.float64)
    return torch.stack([count, values.sum(dim=1), values.square().sum(dim=1)])


def _neutralise(norm: Any, *, mean: Any, square: Any) -> None:
    """Make a batch normalisation the identity on values with this mean and mean square per channel, each (512,)."""
    variance = (square - mean.square()).clamp(min=0)
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(variance)
    norm.bias.copy_(mean)
    norm.weight.copy_((variance + norm.eps).sqrt())


def _is_body(name: str) -> bool:
    layer, _, rest = name.removeprefix("model.").partition(".")
    return int(layer) < HEAD or rest.startswith(BOX_BRANCHES)
