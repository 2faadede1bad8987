"""`yoloop prompts audit`: what the prompts of today do to a checkpoint, before anything is trained with them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stages.audit.prompt_effect import ALL, ClassEffect, change_text, class_effects
from stages.audit.text_cuts import cut_lines
from stages.audit.variant_counts import variant_counts
from stages.base.errors import problem
from stages.base.params import PARAMS, read_classes, read_section
from stages.base.tables import read_metrics
from stages.dataset.sheets.manifest import MANIFEST, read_manifest
from stages.dataset.sheets.split_folder import DATASET, Labels, read_split, split_sheets
from stages.detector.audit.head_facts import HeadFacts, head_facts, head_lines
from stages.detector.model.checkpoint import load_model
from stages.detector.model.encoders import ENCODERS, encode, known_examples
from stages.detector.model.runtime import start_ultralytics
from stages.detector.prediction.prediction_params import PredictParams
from stages.detector.prediction.tiles.label_overlap import read_tiling
from stages.detector.training.example_vectors import shown_examples
from stages.detector.training.prompt_changes import Embeddings, change_lines, near_lines, near_pairs, prompt_changes
from stages.detector.training.told_prompts import embeddings_for, embeddings_told
from stages.detector.training.training_params import TARGET, TrainParams
from stages.prompts.texts.examples import is_example
from stages.prompts.texts.prompt_file import PROMPTS, Prompts, read_prompts
from stages.ruler.measurement import RULER_SPLIT
from stages.ruler.scores.intervals import units_of
from stages.ruler.validate_params import ValidateParams
from stages.wording.rates import rate

BEST = Path("models/best.pt")
_METRICS = Path("metrics/validate.json")
_MUCH = 0.1  # of F1: less is what a training with other labels moves, too


def audit_lines(root: Path, weights: Path) -> Iterator[str]:
    """Yield what `data/prompts.yaml` does to the checkpoint `weights`, beside what it was told last.

    With the same weights both wordings look at val, and F1 of each class is compared. Raises `UserError` for params,
    prompts, weights or an encoder that cannot be used.
    """
    classes = read_classes(root / PARAMS)
    prompts = read_prompts(classes, root / PROMPTS)
    start_ultralytics()
    model = load_model(weights)
    facts = head_facts(model)
    yield f"{weights}: {', '.join(facts.names)}"
    yield from head_lines(facts, classes)
    yield from cut_lines(prompts, encoder=facts.encoder if facts.kind == "promptable" else None)
    if facts.kind == "promptable" and facts.encoder not in ENCODERS:
        yield f"What texts mean to it is not known here: its encoder is none of {', '.join(ENCODERS)}."
    elif facts.kind == "promptable":
        yield from _promptable(root, weights, model, facts, classes, prompts)


def _promptable(
    root: Path, weights: Path, model: Any, facts: HeadFacts, classes: Sequence[str], prompts: Prompts
) -> Iterator[str]:
    before = embeddings_told(model)
    examples = {**known_examples(model), **_new_examples(root, model, classes, prompts)}
    after = embeddings_for(model, classes, encode(facts.encoder or "", classes, prompts, examples))
    yield from near_lines(near_pairs(after))
    changes = prompt_changes(before=before, after=after, texts_before=facts.texts, texts_after=prompts)
    lines = change_lines(changes)
    if not before:
        yield "It was never told any prompts: there is nothing to compare with."
    elif not lines:
        yield f"{PROMPTS} says what it was told last: nothing changes."
    else:
        yield from lines
        both = [name for name in classes if name in before]
        then, now = ({name: told[name] for name in both} for told in (before, after))
        yield from _measured(root, weights, model, classes, then, now)


def _new_examples(root: Path, model: Any, classes: Sequence[str], prompts: Prompts) -> dict[str, Any]:
    """Return the vectors of boxes that the model was not shown yet, as the target weights see them."""
    known = known_examples(model)
    new = {
        name: kept
        for name, texts in prompts.items()
        if (kept := tuple(text for text in texts if is_example(text) and text not in known))
    }
    imgsz = read_section(TrainParams, "train", root / PARAMS).imgsz
    sheets = read_split("train", root / DATASET) if new else []
    return shown_examples(root / TARGET, new, sheets, classes, imgsz=imgsz)


def _measured(
    root: Path, weights: Path, model: Any, classes: Sequence[str], before: Embeddings, after: Embeddings
) -> Iterator[str]:
    """Yield F1 of each class on val with the prompts before and after, for the classes that have both."""
    if not before:
        return
    sheets = [one for one in split_sheets((RULER_SPLIT,), classes, root / DATASET) if one.labels is not None]
    if not sheets:
        raise problem("prompt_audit.labelled_val", root / DATASET / RULER_SPLIT)
    kept = [classes.index(name) for name in before]
    of_both = [one._replace(labels=_only(one.labels, kept)) for one in sheets]
    params = read_section(ValidateParams, "validate", root / PARAMS)
    counts = variant_counts(
        model,
        of_both,
        [before, after],
        params=read_section(PredictParams, "predict", root / PARAMS),
        weights=weights,
        tiling=read_tiling(classes, root),
        iou=params.iou,
        confidence=operating_confidence(root, params),
        said=RULER_SPLIT,
    )
    groups = {row.image_id: row.group for row in read_manifest(root / DATASET / RULER_SPLIT / MANIFEST)}
    unit = units_of([groups[one.sheet.image_id] for one in sheets])
    effects = class_effects(before=counts[0], now=counts[1], unit=unit, classes=list(before))
    yield f"F1 on val ({len(sheets)} sheets), the same weights with the old prompts and with the new ones:"
    yield from map(effect_line, effects)
    yield from advice_lines(effects)


def _only(labels: Labels | None, kept: Sequence[int]) -> Labels:
    """Return the boxes of the classes `kept`, numbered by their place there."""
    assert labels is not None
    place = {class_id: number for number, class_id in enumerate(kept)}
    rows = [i for i, class_id in enumerate(labels.class_id.tolist()) if class_id in place]
    own = np.array([place[class_id] for class_id in labels.class_id[rows].tolist()], np.int32)
    return Labels(own, labels.xywhn[rows])


def operating_confidence(root: Path, params: ValidateParams) -> float:
    """Return from where a detection counts: as params say, or with `auto` as the last `validate` found."""
    if isinstance(params.confidence, str):
        if not (root / _METRICS).is_file():
            raise problem("prompt_audit.confidence_chosen", _METRICS)
        return float(read_metrics(root / _METRICS)["confidence"])
    return float(params.confidence)


def effect_line(one: ClassEffect) -> str:
    """Return what the new prompts do to a class: F1, then what it comes from, found boxes or false alarms."""
    return (
        f"  {one.class_name}: {rate(one.f1_before)} -> {rate(one.f1_now)} ({change_text(one.f1)}), {one.boxes} boxes; "
        f"precision {change_text(one.precision)}; recall {change_text(one.recall)}; "
        f"false alarms {one.false_before} -> {one.false_now}"
    )


def advice_lines(effects: Sequence[ClassEffect]) -> list[str]:
    """Return what to do where F1 of a class falls by much, and by more than chance; nothing where none does."""
    fallen = [
        one.class_name
        for one in effects
        if one.class_name != ALL and one.f1.value is not None and one.f1.high is not None
        if one.f1.value <= -_MUCH and one.f1.high < 0
    ]
    if not fallen:
        return []
    return [
        f"F1 of {', '.join(fallen)} falls by much: these weights were not trained with the new prompts. The next "
        f"training learns them; where none is to follow, go back to the old ones: git log -p {PROMPTS}"
    ]
