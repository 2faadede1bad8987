"""`yoloop prompts examples CLASS`: shows boxes of train where words fail."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from stages.audit.prompt_edit import set_prompt
from stages.base.boxes import xywhn_to_xyxy
from stages.base.decoding import read_bgr
from stages.base.errors import problem
from stages.base.image_size import image_size
from stages.base.params import PARAMS, read_classes
from stages.dataset.sheets.split_folder import DATASET, read_labels, read_split
from stages.project.project_lock import exclusive
from stages.prompts.texts.examples import PREFIX, DrawnExample, example_of, example_text, is_example
from stages.prompts.texts.prompt_file import PROMPTS, read_prompts, shown

MOST = 5  # examples that are chosen; more move their average little


class LabelledBox(NamedTuple):
    """A box of a class, and its sides in px of the sheet."""

    example: DrawnExample
    width: float
    height: float


def show_examples(root: Path, class_name: str, boxes: Sequence[str], *, only: bool) -> list[str]:
    """Add examples to the prompt of a class, given as SHEET#ROW or chosen, and say what it is now.

    `only`: in place of its texts. Raises `UserError`, with nothing changed, for what is no box of the class in train.
    """
    with exclusive(root):
        classes = read_classes(root / PARAMS)
        if class_name not in classes:
            raise problem("example_choice.classes", PARAMS, classes=", ".join(classes), found=class_name)
        there = _boxes(root, class_name, classes)
        asked = [_asked(text, there, class_name) for text in boxes] or typical(there)
        if not asked:
            raise problem("example_choice.labelled", root / DATASET / "train", name=class_name)
        now = read_prompts(classes, root / PROMPTS)[class_name]
        kept = () if only else tuple(text for text in now if boxes or not is_example(text))
        texts = tuple(dict.fromkeys([*kept, *map(example_text, asked)]))
        set_prompt(root, class_name, texts, origin="visual")
    return [
        f"{class_name}: {shown(texts)}",
        "The next training is shown them. What they do to the weights of now: yoloop prompts audit",
    ]


def typical(boxes: Sequence[LabelledBox]) -> list[DrawnExample]:
    """Return at most MOST boxes whose sides are nearest to the median, in ratio; first one of each sheet."""
    if not boxes:
        return []
    sides = np.log([[max(one.width, 1e-6), max(one.height, 1e-6)] for one in boxes])
    away = np.abs(sides - np.median(sides, axis=0)).sum(axis=1)
    order = sorted(range(len(boxes)), key=lambda place: (away[place], boxes[place].example))
    seen: dict[str, int] = {}
    ranked: list[tuple[int, int, DrawnExample]] = []
    for place in order:
        name = boxes[place].example.image_id
        ranked.append((seen.setdefault(name, 0), len(ranked), boxes[place].example))
        seen[name] += 1
    return [example for *_, example in sorted(ranked)[:MOST]]


def _asked(text: str, there: Sequence[LabelledBox], class_name: str) -> DrawnExample:
    example = example_of(f"{PREFIX}{text}")
    if example is None or example not in [one.example for one in there]:
        raise problem("example_choice.box", text, name=class_name)
    return example


def _boxes(root: Path, class_name: str, classes: Sequence[str]) -> list[LabelledBox]:
    class_id, found = classes.index(class_name), []
    for sheet in read_split("train", root / DATASET):
        labels = read_labels(sheet.label, classes)
        rows = np.flatnonzero(labels.class_id == class_id)
        if len(rows):
            width, height = image_size(sheet.image) or read_bgr(sheet.image).shape[1::-1]
            sides = xywhn_to_xyxy(labels.xywhn[rows], width=width, height=height)
            found += [
                LabelledBox(DrawnExample(sheet.image_id, row + 1), x2 - x1, y2 - y1)
                for row, (x1, y1, x2, y2) in zip(rows.tolist(), sides.tolist(), strict=True)
            ]
    return found
