"""Measures other texts for a class: what the weights of today would find with them, on sheets that they may learn from.

That is train, and the sheets of the pool that have labels; never val. A class branch that was trained with one text
leans to it, so that an effect here is a lower bound of what a training with the new text would come to.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from stages.analysis.findings import aspects
from stages.audit.prompt_effect import ClassEffect, change_text, class_effects
from stages.audit.variant_counts import variant_counts
from stages.base.boxes import BOX, xywhn_to_xyxy
from stages.base.decoding import read_bgr
from stages.dataset.crops import to_grey
from stages.dataset.sheets.split_folder import SplitSheet
from stages.detector.model.checkpoint import is_promptable, load_model
from stages.detector.model.encoders import encode, encode_texts, encoder_of, known_examples
from stages.detector.model.runtime import start_ultralytics
from stages.detector.prediction.prediction_params import PredictParams
from stages.detector.prediction.tiles.windows import Tiling
from stages.detector.training.told_prompts import embeddings_for
from stages.prompts.other_texts import LabelProfile, OtherText, contradictions, dark_share, label_profile, other_texts
from stages.prompts.texts.prompt_file import Prompts, plain
from stages.ruler.pairing.pairs import Ints
from stages.ruler.scores.intervals import PairedChange, units_of

TRIED_ON = ("train", "pool")  # never val
MOST_SHEETS = 40  # to measure on: an interval shrinks slowly beyond, and the network looks at each once more
_WORST_CLASSES = 5  # at most so many classes are asked for: each candidate is a row more in the network's last layer


class WordingTrial(NamedTuple):
    """Where and how wordings are measured."""

    params: PredictParams
    weights: Path
    tiling: Tiling | None
    iou: float
    confidence: float


def with_candidates(
    suggestions: Sequence[Mapping[str, Any]],
    sheets: Sequence[SplitSheet],
    truth: pd.DataFrame,
    groups: Mapping[str, str],
    prompts: Prompts,
    trial: WordingTrial,
) -> list[dict[str, Any]]:
    """Return the suggestions of `rewording.report`, those of the worst classes with other texts that were measured.

    `truth` has class_id, size, position and the corners of each box that somebody labelled in train and pool, `groups`
    the group of each sheet by its name. Classes whose prompts contradict their labels come first. Weights that read no
    text measure nothing.
    """
    start_ultralytics()
    model = load_model(trial.weights)
    classes, worst = list(prompts), [str(one["class_name"]) for one in suggestions[:_WORST_CLASSES]]
    seen = sheets_with(sheets, {classes.index(name) for name in worst})
    if not is_promptable(model) or not seen:
        return [dict(one) for one in suggestions]
    looks = profiles(truth, seen, classes)
    faint = {str(one["class_name"]) for one in suggestions if one["mostly"]["contrast"]}
    others = {name: other_texts(name, prompts, looks[name], name in faint) for name in worst}
    unit = units_of([groups[one.sheet.image_id] for one in seen])
    found = measured(model, others, seen, unit, prompts=prompts, trial=trial)
    rows = [_with(one, found.get(str(one["class_name"]), []), looks, prompts) for one in suggestions]
    return sorted(rows, key=lambda row: row["suggestions"][0]["rule"] != "contradicted")  # a wrong prompt comes first


def _with(
    one: Mapping[str, Any], tried: list[dict[str, Any]], looks: Mapping[str, LabelProfile], prompts: Prompts
) -> dict[str, Any]:
    name = str(one["class_name"])
    wrong = [dict(found._asdict()) for found in contradictions(prompts[name], looks[name])]
    return {**one, "suggestions": [*wrong, *one["suggestions"]], "candidates": tried}


def sheets_with(sheets: Sequence[SplitSheet], class_ids: set[int]) -> list[SplitSheet]:
    """Return at most MOST_SHEETS labelled sheets of train and pool that hold one of the classes, evenly spread."""
    holding = [
        one
        for one in sheets
        if one.split in TRIED_ON and one.labels is not None and class_ids & set(one.labels.class_id.tolist())
    ]
    places = sorted({int(place) for place in np.linspace(0, len(holding) - 1, MOST_SHEETS)}) if holding else []
    return [holding[place] for place in places]


def profiles(truth: pd.DataFrame, sheets: Sequence[SplitSheet], classes: Sequence[str]) -> dict[str, LabelProfile]:
    """Return what the labels of each class look like, `truth` as in `with_candidates`; the ink is that on `sheets`."""
    inks = _inks(sheets)
    found = {}
    for class_id, name in enumerate(classes):
        own = truth[truth["class_id"] == class_id]
        ink = pd.Series([share for key, share in inks if key == class_id], dtype=float)
        found[name] = label_profile(own["size"], pd.Series(aspects(own[BOX].to_numpy(float))), own["position"], ink)
    return found


def _inks(sheets: Sequence[SplitSheet]) -> list[tuple[int, float]]:
    """Return class_id and share of dark pixels of each box on `sheets`."""
    rows = []
    for one in sheets:
        assert one.labels is not None
        grey = to_grey(read_bgr(one.sheet.image))
        height, width = grey.shape
        boxes = xywhn_to_xyxy(one.labels.xywhn, width=width, height=height).round().astype(int).clip(0)
        for class_id, (x1, y1, x2, y2) in zip(one.labels.class_id.tolist(), boxes.tolist(), strict=True):
            rows.append((class_id, dark_share(grey[y1:y2, x1:x2])))
    return rows


def measured(
    model: Any,
    others: Mapping[str, Sequence[OtherText]],
    sheets: Sequence[SplitSheet],
    unit: Ints,
    *,
    prompts: Prompts,
    trial: WordingTrial,
) -> dict[str, list[dict[str, Any]]]:
    """Return for each class of `others` its candidates with what they bring, the best first, numbered from 1.

    `unit`, (sheets,), says which sheets chance draws together.
    """
    classes = list(prompts)
    every = [(name, one) for name, several in others.items() for one in several]
    wordings = [dict(prompts), *({**prompts, name: one.texts} for name, one in every)]
    encoder, known = encoder_of(model), dict(known_examples(model))
    words = sorted({text for wording in wordings for texts in wording.values() for text in texts} - set(known))
    known |= dict(zip(words, encode_texts(encoder, words), strict=True))  # once: each call loads the encoder
    variants = [embeddings_for(model, classes, encode(encoder, classes, wording, known)) for wording in wordings]
    before, *after = variant_counts(
        model,
        sheets,
        variants,
        **trial._asdict(),
        said="prompts tried",
    )
    found: dict[str, list[tuple[OtherText, ClassEffect]]] = {name: [] for name in others}
    for (name, one), now in zip(every, after, strict=True):
        effects = class_effects(before=before, now=now, unit=unit, classes=classes)
        found[name].append((one, effects[1 + classes.index(name)]))
    return {name: _numbered(name, rows, len(sheets)) for name, rows in found.items()}


def _numbered(name: str, rows: list[tuple[OtherText, ClassEffect]], sheets: int) -> list[dict[str, Any]]:
    best_first = sorted(rows, key=lambda row: (-(row[1].f1.value or 0.0), row[0].texts))
    return [
        {
            "number": number,  # K of `yoloop prompts accept CLASS K`
            "rule": one.rule,  # the rule that it comes from
            "texts": plain(one.texts),  # the text, or the texts
            "f1": _change(effect.f1),  # F1 of the class on these sheets with it, minus that with the present texts
            "recall": _change(effect.recall),  # the same of recall
            "sheets": sheets,  # of train and pool, on which it was tried
            "boxes": effect.boxes,  # labelled boxes of the class there
            "says": _says(name, effect),  # both in words
        }
        for number, (one, effect) in enumerate(best_first, start=1)
    ]


def _change(change: PairedChange) -> dict[str, float | None]:
    return {"value": change.value, "low": change.low, "high": change.high}


def _says(name: str, effect: ClassEffect) -> str:
    return f"expected effect on F1 of '{name}': {change_text(effect.f1)}; on its recall: {change_text(effect.recall)}"
