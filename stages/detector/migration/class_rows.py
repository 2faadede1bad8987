"""Gives a YOLO detector another list of classes: each row of its class branch goes with its class, by name.

Ultralytics itself, given another list, keeps the rows of classes whose names are equal; one that is called otherwise
loses its row without a word, and so do all where no name is equal. Here it is said which row a class takes.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stages.base.errors import problem

_BRANCHES = ("cv3", "one2one_cv3")  # one-to-many and one-to-one: both have a row per class
_SEED = 0  # of fresh rows: equal changes give equal weights


def set_rows(model: Any, names: Sequence[str], rows: Sequence[int | None], file: Path) -> None:
    """Make `model`, in place, a detector of the classes `names`: class i takes row `rows[i]`, None is a fresh one.

    A fresh row begins as one of a new model does, with the bias that Ultralytics gives to rare objects. Raises
    `UserError` for a head without a row per class; `file` is named then.
    """
    head = model.model[-1]
    branches = [layers for name in _BRANCHES if (layers := getattr(head, name, None)) is not None]
    if not branches or any(not _has_rows(one[-1], head.nc) for layers in branches for one in layers):
        raise problem("class_rows.row_per_class", file, found=type(head).__name__)
    for layers in branches:
        for level, one in enumerate(layers):
            bias = math.log(5 / len(names) / (640 / float(head.stride[level])) ** 2)
            one[-1] = _with_rows(one[-1], rows, bias=bias, seed=_SEED + level)
    head.nc = len(names)
    head.no = head.nc + 4 * head.reg_max
    model.yaml["nc"] = model.nc = head.nc
    model.names = dict(enumerate(names))


def _has_rows(layer: Any, classes: int) -> bool:
    return bool(getattr(layer, "out_channels", None) == classes and layer.bias is not None)


def _with_rows(layer: Any, rows: Sequence[int | None], *, bias: float, seed: int) -> Any:
    """Return a convolution with the rows `rows` of `layer`, in its precision."""
    import torch

    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        made = torch.nn.Conv2d(layer.in_channels, len(rows), 1)
        made.bias.fill_(bias)
        for new, old in enumerate(rows):
            if old is not None:
                made.weight[new].copy_(layer.weight[old])
                made.bias[new].copy_(layer.bias[old])
    return made.to(layer.weight.dtype)
