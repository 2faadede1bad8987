"""Turns labelled boxes into vectors that stand where those of texts do: visual prompts.

A head compares each place with `get_tpe(t)` for the vector t of a text. What a box looks like to the network is an
embedding on the other side of `get_tpe`. Released weights have a path of their own for it (SAVPE), which was trained
with them. Where only texts were trained, it is read off the class branch: the direction in which what that says in the
box stands out from what it says on the rest of the sheet. A vector t is then sought that `get_tpe` turns into that
embedding, so that everything after it treats a class that is shown like one that is told.

Always asked are the target weights, which never change: an example means the same in every iteration.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from stages.base.boxes import xywhn_to_xyxy
from stages.base.decoding import read_bgr
from stages.base.errors import problem
from stages.dataset.sheets.split_folder import Labels, Sheet, read_labels
from stages.detector.model.checkpoint import load_model
from stages.detector.model.encoders import encoder_of
from stages.detector.training.starting_model import promptable
from stages.prompts.texts.examples import example_of, is_example
from stages.prompts.texts.prompt_file import PROMPTS, Prompts

_TRAINED_PATH = "mobileclip2"  # the encoder of weights whose visual path was trained
RIDGE = 0.003  # of 0.0003 to 1: the highest F1 of target weights on drawn windows that were shown five boxes a class
_STEPS, _RATE = 400, 0.05  # of the search for t; its cosine is over 0.999 after half of them


def example_vectors(
    target: Any, prompts: Prompts, sheets: Sequence[Sheet], classes: Sequence[str], *, imgsz: int
) -> dict[str, Any]:
    """Return for each example in `prompts` its vector, float32 (512,) of length 1, by its text.

    `target` is a promptable model, `sheets` are those of train, `imgsz` is that of training in px. Raises `UserError`
    for an example that is no box of its class on one of them.
    """
    import torch

    files = {sheet.image_id: sheet for sheet in sheets}
    found = {}
    for name, texts in prompts.items():
        for text in texts:
            if (example := example_of(text)) is not None:
                sheet = files.get(example.image_id)
                labels = read_labels(sheet.label, classes) if sheet else None
                if sheet is None or labels is None or not _shows(labels, example.row, classes.index(name)):
                    raise problem("example_vectors.box", PROMPTS, name=name, text=text)
                embedding = _embedding(target, sheet.image, labels, example.row - 1, imgsz)
                found[text] = _before_tpe(target.model[-1], torch.nn.functional.normalize(embedding, dim=0))
    return found


def shown_examples(
    file: Path, prompts: Prompts, sheets: Sequence[Sheet], classes: Sequence[str], *, imgsz: int
) -> dict[str, Any]:
    """Return the vectors of the examples in `prompts` as the target weights in `file` see them; opened if there are."""
    if not any(is_example(text) for texts in prompts.values() for text in texts):
        return {}
    return example_vectors(promptable(load_model(file), file), prompts, sheets, classes, imgsz=imgsz)


def _shows(labels: Labels, row: int, class_id: int) -> bool:
    return row <= len(labels.class_id) and int(labels.class_id[row - 1]) == class_id


def _embedding(target: Any, image: Path, labels: Labels, place: int, imgsz: int) -> Any:
    """Return what the network sees in one of the boxes of a sheet, (512,)."""
    import torch

    pixels, boxes = _letterboxed(image, labels, imgsz)
    head = target.model[-1]
    seen: list[list[Any]] = []
    hook = head.register_forward_pre_hook(lambda _, args: seen.append(list(args[0][:3])))
    try:
        with torch.inference_mode():
            target.eval()(pixels)
            maps = seen.pop()
            if encoder_of(target) == _TRAINED_PATH:
                return head.get_vpe(maps, _masks([boxes[place]], maps[0]))[0, 0].clone()
            own = [
                box for box, class_id in zip(boxes, labels.class_id, strict=True) if class_id == labels.class_id[place]
            ]
            return _apart(head, maps, own, boxes[place])
    finally:
        hook.remove()


def _letterboxed(image: Path, labels: Labels, imgsz: int) -> tuple[Any, list[list[float]]]:
    """Return a sheet as a batch of one, (1, 3, h, w) in [0, 1], and its boxes in px of that."""
    import torch
    from ultralytics.data.augment import LetterBox

    source = read_bgr(image)
    height, width = source.shape[:2]
    shown = LetterBox(imgsz, auto=True, stride=32, center=False)(image=source)
    scale = min(imgsz / height, imgsz / width)
    boxes = (xywhn_to_xyxy(labels.xywhn, width=width, height=height) * scale).tolist()
    pixels = torch.from_numpy(shown[..., ::-1].transpose(2, 0, 1).copy()).unsqueeze(0).float() / 255
    return pixels, boxes


def _masks(boxes: Iterable[Sequence[float]], like: Any) -> Any:
    """Return a mask (1, n, h, w) of each box on the map `like`, of stride 8; at least a cell is set."""
    import torch

    height, width = like.shape[2:]
    masks = torch.zeros(1, 0, height, width)
    for box in boxes:
        masks = torch.cat([masks, _inside(box, height, width, 8).reshape(1, 1, height, width).float()], dim=1)
    return masks


def _inside(box: Sequence[float], height: int, width: int, stride: int) -> Any:
    """Return which cells (height, width) of a map have their centre in a box; the nearest one where none has."""
    import torch

    x1, y1, x2, y2 = (value / stride for value in box)
    across, down = torch.arange(width) + 0.5, torch.arange(height) + 0.5
    cells = ((across >= x1) & (across < x2))[None] & ((down >= y1) & (down < y2))[:, None]
    if not cells.any():
        column, row = min(int((x1 + x2) / 2), width - 1), min(int((y1 + y2) / 2), height - 1)
        cells[row, column] = True
    return cells


def _apart(head: Any, maps: Sequence[Any], own: Sequence[Sequence[float]], box: Sequence[float]) -> Any:
    """Return the direction, (512,), in which a box stands out: large there, near 0 on the rest of the sheet.

    That is (M + r I)^-1 m, with m the mean of what the class branch says in the box, M the second moments of what it
    says outside of the boxes `own` of the same class, and r a ridge of RIDGE times their mean.
    """
    import torch

    inside, outside = [], []
    for level, features in enumerate(maps):
        values = head.cv4[level].norm(head.cv3[level](features))[0]  # (512, h, w)
        cells = [_inside(one, values.shape[1], values.shape[2], int(head.stride[level])) for one in (box, *own)]
        inside.append(values[:, cells[0]])
        outside.append(values[:, ~torch.stack(cells).any(dim=0)])
    others = torch.cat(outside, dim=1).double()
    moments = others @ others.T / others.shape[1]
    ridge = RIDGE * moments.diagonal().mean() * torch.eye(len(moments), dtype=torch.float64)
    return torch.linalg.solve(moments + ridge, torch.cat(inside, dim=1).double().mean(dim=1)).float()


def _before_tpe(head: Any, embedding: Any) -> Any:
    """Return the vector, of length 1, that `get_tpe` turns into `embedding`, (512,) of length 1."""
    import torch

    embedding = embedding.clone()
    vector = embedding.clone().requires_grad_(True)
    optimizer = torch.optim.Adam([vector], lr=_RATE)
    with torch.enable_grad():
        for _ in range(_STEPS):
            told = head.get_tpe(torch.nn.functional.normalize(vector, dim=0)[None, None])[0, 0]
            loss = 1 - told @ embedding
            (vector.grad,) = torch.autograd.grad(loss, vector)
            optimizer.step()
    return torch.nn.functional.normalize(vector.detach(), dim=0)
