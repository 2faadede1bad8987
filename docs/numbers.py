"""Writes docs/numbers.md: every value of params.yaml, every key of metrics, every column of a table, with its meaning.

    python -m docs.numbers          (or `make docs`)

Names come from the code. What a name means stands beside it: a value of params.yaml in its comment there, a key or a
column in the comment at the line of the code that writes it. Here stands only what many tables share (SHARED), and what
`train` and `predict` import, where another wording would cost a training or a prediction (WORDS).
"""

import ast
import io
import tokenize
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

import annotated_types as bounds
import pandas as pd
import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from stages import analyze, converge, sample
from stages.analysis import analysis_tables
from stages.analysis.summaries import count_table, summary
from stages.base.boxes import BOX
from stages.base.tables import Schema, conform, with_details
from stages.convergence.agreement import Agreement
from stages.convergence.gains import Gain
from stages.convergence.history.history_columns import column_types
from stages.convergence.packet_forecast import PacketForecast
from stages.convergence.regression import PartChange
from stages.convergence.stop_evidence import Answer
from stages.convergence.stop_rules import Verdict
from stages.dataset.sheets.manifest import ManifestRow
from stages.detector.prediction.prediction_params import PredictParams
from stages.detector.training.training_params import TrainParams
from stages.holdout import openings
from stages.intake.demo_values import is_drawn, params_at
from stages.picking import sheet_choice
from stages.picking.packet import FOCUS, PRELABELS
from stages.review.kept.review_params import ReviewParams
from stages.review.ledger import correction_ledger, ledger_files
from stages.ruler import schemas
from stages.ruler.headline import headline
from stages.ruler.losses.fates import FATES
from stages.ruler.measurement import Point, Report, Tables, measure
from stages.ruler.pairing import box_tables
from stages.ruler.statement import Ruler
from stages.ruler.validate_params import ValidateParams

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/numbers.md"
MODELS: dict[str, type[BaseModel]] = {
    "train": TrainParams,
    "predict": PredictParams,
    "validate": ValidateParams,
    "analyze": analyze.AnalyzeParams,
    "converge": converge.ConvergeParams,
    "sample": sample.SampleParams,
    "review": ReviewParams,
}
SHARED = {
    "split": "`train`, `val` or `pool`",
    "image_id": "file name of the sheet",
    "class_id": "from 0, in the order of `classes`",
    "x1": "left side, px of the original image",
    "y1": "upper side",
    "x2": "right side",
    "y2": "lower side",
    "width": "px",
    "height": "px",
    "iou": "overlap of the two boxes, 0 to 1",
    "group": "drawing set or project, empty if it stands for itself",
    "size": "`tiny`, `small`, `medium`, `large`, by area: `analyze.tiny_area` and so on",
    "position": "nearer than `analyze.border` px to two perpendicular borders `corner`, to one `edge`, else `center`",
    "low_contrast": "standard deviation of grey values (0 to 127.5) below `analyze.low_contrast`",
    "unusual_aspect": "width / height is far from the median of the class",
    "overlapping": "IoU above `analyze.overlap_iou` with any detection",
    "reason": "in words",
    "arm": "`picked`; `random`: drawn by chance; `recheck`: its labels look wrong; `repeat`: reviewed before",
    "class_name": "name of the class; where a table also counts all classes together: `all`",
    "object_id": "number of a true box on its sheet, from 0",
    "detection_id": "number of a detection on its sheet, from 0, by falling confidence",
    "confidence": "of the detection, 0 to 1",
    "iteration": "from 0",
    "images": "sheets",
    "boxes": "labelled boxes",
    "f1": "2 tp / (2 tp + fp + fn), 0 to 1",
    "precision": "tp / (tp + fp), 0 to 1",
    "recall": "tp / (tp + fn), 0 to 1",
    "tp": "boxes found. A detection finds at most one box of its own class, from IoU `validate.iou` and confidence "
    "`validate.confidence` on",
    "fp": "false alarms",
    "fn": "boxes missed",
    "ap50": "average precision at IoU 0.50, COCO's definition, over all detections that were saved; 0 to 1",
    "ap50_95": "mean of the average precision at IoU 0.50, 0.55, … 0.95; 0 to 1",
    "train_f1": "F1 on train",
    "ruler": "id of the [ruler](ruler.md#how-a-detection-is-judged) that measured; those of two do not compare",
}
WORDS = {
    **SHARED,
    "map50": "average precision at IoU 0.50, COCO's definition, over all detections that were saved; mean over the "
    "classes that have boxes, 0 to 1",
    "map50_95": "the same as a mean over IoU 0.50, 0.55, … 0.95",
    "f1[class]": "F1 of the class on val",
    "fn[class]": "boxes of the class that were missed on val",
    "train_images": "labelled sheets in train",
    "train_boxes": "boxes in train",
    "pool_images": "sheets in the pool",
    "ruler_statement": "what the ruler's id stands for",
    "verdict": "`go on` or `stop`",
    "rule": "the rule that says stop: `target_f1`, `max_iterations`, `max_minutes`, `plateau`, `overfitting`; "
    "none for `go on`",
    "despite_stop": "why somebody went on in spite of a stop",
    "accepted_regression": "why somebody went on although something was lost; lacks in histories of an earlier version",
    **{f"{when}_{side}": f"`{side}` {when} the review" for when in ("before", "after") for side in BOX},
    **{f"{split}_{rate}": f"`{rate}` on {split}, 0 to 1" for split in openings.SPLITS for rate in openings.RATES},
    # manifest.csv
    "added_iteration": "the iteration that it came with",
    "label_source": "who labelled it: `import`, `oracle`, `person`, `auto` (the model, and nobody looked), `none`",
    "image_sha256": "digest of the image",
    "label_sha256": "digest of its label file, empty where there is none",
    # metrics/train.json and plots/train/results.csv
    "start": "`baseline`, `adopted`, `parent`, `target, carried: …`, or, with `train.start: base`, `base: …`: the "
    "weights that it started from",
    "optimizer": "name of the optimizer",
    "lr": "highest learning rate; in the curve that of the epoch",
    "momentum": "first moment of the optimizer",
    "batch": "sheets per step",
    "imgsz": "px of the longer side of a sheet",
    "trained_tensors": "tensors that got gradients",
    "untouched_tensors": "tensors that were frozen or not reached",
    "epochs_run": "epochs, from 1",
    "best_epoch": "the epoch that is in `models/best.pt`, from 1",
    "resumed": "whether an interrupted training was taken up again",
    "device": "where it ran",
    "encoder": "the text encoder; `null` for YOLO-26",
    "prompts_sha256": "digest of the texts and of the name of their encoder; `null` for YOLO-26",
    "weights_sha256": "digest of the weights' tensors: equal digests are equal detectors",
    "ultralytics": "version",
    "torch": "version",
    "metrics/train.json images": "labelled sheets in train",
    "metrics/train.json boxes": "boxes in train",
    "epoch": "from 1",
    "loss": "sum of the parts of the loss, which stand beside it",
    "slice_map50_95": "mAP50-95 on the slice of train, with `train.select: slice`",
}
TRAINED = (
    "lr", "epochs_run", "start", "optimizer", "momentum", "batch", "imgsz", "trained_tensors", "untouched_tensors",
    "best_epoch", "resumed", "device", "encoder", "prompts_sha256",
    "weights_sha256", "ultralytics", "torch", "images", "boxes",
)  # fmt: skip


class Listed(NamedTuple):
    """A file with its names, in their order, and where in the code they are explained."""

    file: str
    lead: str
    names: Iterable[Any]  # `gains.low`: the key `low` below `gains`
    # `stages/converge.py:_metrics`: a name of the module, with all that lies below it in the code; a word before that
    # is the key that these names lie below in the file
    sources: Sequence[str] = ()


def empty(schema: Schema) -> pd.DataFrame:
    """Return a table without a row."""
    return conform(pd.DataFrame(columns=list(schema.columns)), schema)


def measured() -> tuple[Tables, Report]:
    """Return what is measured on sheets that are not there: every key, and no number."""
    every = (schemas.IMAGES, schemas.GROUND_TRUTH, box_tables.DETECTIONS, box_tables.DISCARDED)
    tables = Tables(*map(empty, every))
    point = Point(iou=0.5, confidence=0.5, floor=0.01)
    return tables, measure(tables, classes=["a"], point=point, size_bounds=(500, 2000, 10000))


def below(name: str, keys: Iterable[str]) -> list[str]:
    """Return `keys` as what lies below `name`."""
    return [f"{name}.{key}" for key in keys]


def metrics() -> list[Listed]:
    """Return the files of metrics with their keys."""
    tables, report = measured()
    ruler = Ruler(0.5, "", 0.5, 0.01, 0.7, 300, 640, {}, ("a",), 1, "")
    shown = headline(tables, report, ruler)
    nothing = pd.DataFrame({"rank": [], "arm": [], "kind": [], "image_id": []})
    reviewed = with_details(yaml.safe_load(ledger_files.no_review_text()))
    verdict = [*Verdict._fields, "ruler_changed", "lost", "won", "agreement"]
    since = [*below("regression", ("since", "note")), *below("regression.parts", PartChange._fields)]
    summed = "stages/review/ledger/ledger_summary.py"
    return [
        Listed(
            "metrics/train.json",
            "What the training really used, read back from it. `lr` and `epochs_run` are in DVC's tables.",
            TRAINED,
        ),
        Listed(
            "metrics/validate.json",
            "The model on val. Per class, size and group, and with the interval of each number, it is in "
            "`data/validate/scores.csv`.",
            [*shown, *below("splits", shown["splits"][0]), *below("ruler_statement", ruler.statement())],
            ["stages/ruler/headline.py:headline", "splits stages/ruler/headline.py:_counted",
             "stages/ruler/measurement.py:copies_apart", "ruler_statement stages/ruler/statement.py:Ruler"],
        ),
        Listed(
            "metrics/analyze.json",
            "Counts of boxes of val: misses, false alarms, and what the misses share. `near_miss` and `suspect_labels` "
            "are in DVC's tables. Per split, and by size and place, the misses are in `data/analyze/counts.csv`.",
            summary(empty(analysis_tables.FINDINGS), empty(analysis_tables.SUSPECTS)),
            ["stages/analysis/summaries.py:summary", "stages/analysis/summaries.py:_signs"],
        ),
        Listed(
            "metrics/prompt_suggestions.json",
            "Under `suggestions`, per class with misses. They come from fixed rules; `candidates` are other texts that "
            "were tried with the weights of the iteration.",
            ["class_name", "prompt", "misses", "boxes", "mostly", "confused_with",
             *below("suggestions", ["rule", "change", "why"]),
             *below("candidates", ["number", "rule", "texts", "f1", "recall", "sheets", "boxes", "says"])],
            ["stages/prompts/rewording.py:_reported", "suggestions stages/prompts/rewording.py:Suggestion",
             "candidates stages/audit/wordings.py:_numbered"],
        ),
        Listed(
            "metrics/converge.json",
            "Whether to go on. F1 on val, each from -1 to 1 where it is a difference.",
            [*verdict, *below("gains", Gain._fields), *below("answers", Answer._fields),
             *below("forecast", PacketForecast._fields), *since, "regression.sheets",
             *below("pool_agreement", Agreement._fields)],
            ["stages/convergence/stop_rules.py:Verdict", "gains stages/convergence/gains.py:Gain",
             "answers stages/convergence/stop_evidence.py:Answer",
             "forecast stages/convergence/packet_forecast.py:PacketForecast",
             "regression stages/convergence/regression.py:Regression",
             "regression.parts stages/convergence/regression.py:PartChange",
             "pool_agreement stages/convergence/agreement.py:Agreement", "stages/converge.py:_metrics"],
        ),
        Listed(
            "metrics/converge_sheets.json",
            "For each iteration its number, its ruler, and of every sheet of val `image_id`, `tp`, `fp`, `fn`: paired "
            "gains need them. Carried in as `metrics/history_sheets.json`.",
            [],
        ),
        Listed(
            "metrics/converge_outcomes.json",
            "Of this iteration, per sheet of val: its name, the `object_id` of what was found, and false alarms per "
            "class; and the boxes that it drew on up to 100 sheets of the pool. Carried in as "
            "`metrics/parent_outcomes.json`, with which the next iteration is compared box by box.",
            [],
        ),
        Listed(
            "metrics/sample.json",
            "What goes to review: counts. Which sheets were drawn at random, or were reviewed before, is in "
            "`data/sample/arms.csv`: do not look before the review.",
            {
                **sample.counts(nothing, pool_sheets=0, to_check=pd.Series(dtype=int)),
                **sheet_choice.forecast_metrics("", None),
                **sample.packet_work(sheets=0, boxes=0, errors=0, cost=sample.ReviewCost()),
            },
            [
                *("stages/sample.py:KINDS", "stages/sample.py:counts", "stages/sample.py:packet_work"),
                "stages/picking/sheet_choice.py:forecast_metrics",
            ],
        ),
        Listed(
            "metrics/review.json",
            "What the last review found, written by `yoloop advance`. A box is an error if the ruler would count it as "
            "one. The arms are compared within each iteration, over all reviews so far.",
            [key for key in reviewed if key not in ("prelabels_by_class", "prelabels_by_origin", "arms")]
            + ["prelabels_by_class", "prelabels_by_origin", "arms"],
            [*(f"{summed}:{name}" for name in
               ("_totals", "_gain", "_shown", "_about_boxes", "_over_all", "_unseen", "summarize")),
             "stages/review/ledger/correction_ledger.py:OUTCOMES"],
        ),
    ]  # fmt: skip


def small_tables() -> list[Listed]:
    """Return the tables that are text, with their columns."""
    report = measured()[1]
    rows = "stages/ruler/scores/score_rows.py:COLUMNS"
    return [
        Listed(
            "plots/converge/history.csv",
            "A row per iteration, 0 to N. `metrics/history.csv` is the same without the current iteration: it is what "
            "was carried in.",
            column_types(["class"]),
            ["stages/ruler/headline.py:headline"],
        ),
        Listed(
            "plots/converge/packets.csv",
            "A row per iteration: what was expected of its packet, and what was found; empty until it is reviewed.",
            converge.PACKET_COLUMNS,
            ["stages/converge.py:PACKET_COLUMNS"],
        ),
        Listed("plots/converge/classes.csv", "A row per iteration and class.", ["iteration", "class_name", "f1", "fn"]),
        Listed("plots/train/results.csv", "A row per epoch.", ["epoch", "loss", "slice_map50_95", "lr"]),
        Listed(
            "plots/validate/pr_curve.csv", "101 recalls, for `all` and for every class with boxes.", report.pr,
            ["stages/ruler/scores/curves.py:pr_curve"],
        ),
        Listed(
            "plots/validate/f1_curve.csv", "Steps of confidence, for `all` and for every class with boxes.", report.f1,
            ["stages/ruler/scores/curves.py:f1_curve"],
        ),
        Listed(
            "plots/validate/confusion.csv", "A row per box, matched whatever its class.", report.confusion,
            ["stages/ruler/scores/curves.py:confusion"],
        ),
        Listed("data/validate/scores.csv", "Each number with its interval.", report.scores, [rows]),
        Listed(
            "data/validate/sheets.csv", "A row per labelled sheet.", report.sheets, ["stages/ruler/schemas.py:IMAGES"]
        ),
        Listed(
            "data/validate/ledger.csv",
            "Counts of fates, and besides a column per [fate](ruler.md#where-boxes-are-lost); they sum to `boxes`.",
            [name for name in report.fates if name not in FATES],
        ),
        Listed(
            "data/validate/errors.csv", "Per kind of error in [TIDE's terms](ruler.md#errors-in-tides-terms).",
            report.costs, ["stages/ruler/losses/tide.py:error_costs"],
        ),
        Listed(
            "data/analyze/counts.csv", "The misses.",
            count_table(empty(analysis_tables.FINDINGS)), ["stages/analysis/summaries.py:count_table"],
        ),
        Listed(
            "data/sample/candidates.csv", "What might have gone to review.", sample.COLUMNS,
            ["stages/sample.py:COLUMNS", "stages/picking/greedy_choice.py:Weights"],
        ),
        Listed("data/sample/arms.csv", "Per sheet of the packet.", ["image_id", "arm"]),
        Listed(
            "data/sample/packet/prelabels.csv", "Boxes to start from.", PRELABELS,
            ["stages/picking/packet.py:PRELABELS"],
        ),
        Listed("data/sample/packet/focus.csv", "What to look at.", FOCUS, ["stages/picking/packet.py:FOCUS"]),
        Listed(
            "data/review/ledger.csv",
            "A row per box before or after the review. `repeats.csv` beside it has the same of a sheet that was "
            "reviewed a second time: before is what train has of it.",
            correction_ledger.COLUMNS, ["stages/review/ledger/correction_ledger.py:COLUMNS"],
        ),
        Listed(
            "metrics/review_sheets.csv", "A row per reviewed sheet of all iterations so far.", ledger_files.COLUMNS,
            ["stages/review/ledger/ledger_files.py:COLUMNS", "stages/review/ledger/correction_ledger.py:OUTCOMES"],
        ),
        Listed(
            "metrics/holdout.csv", "A row per opening of test.", openings.COLUMNS, ["stages/holdout/openings.py"]
        ),
        Listed(
            "manifest.csv of a split", "The sheets of a split of `data/dataset`.", ManifestRow._fields,
            ["stages/dataset/sheets/manifest.py:ManifestRow"],
        ),
    ]  # fmt: skip


def bulk_tables() -> list[Listed]:
    """Return the Parquet tables with their columns."""
    tables = {
        "data/predict/sheets.parquet": (box_tables, "SHEETS", "A row per sheet."),
        "data/predict/detections.parquet": (
            box_tables, "DETECTIONS",
            "A row per box that the network gave, from `predict.confidence_floor` on. Beside it `features.npy` has 64 "
            "numbers for each from confidence 0.01 on, in this order: what the network knows of it, to compare objects "
            "of one model with each other.",
        ),
        "data/predict/discarded.parquet": (
            box_tables, "DISCARDED",
            "What the network proposed near true boxes and a later step dropped, on labelled sheets: what the ledger "
            "is made from.",
        ),
        "data/validate/images.parquet": (schemas, "IMAGES", "A row per sheet."),
        "data/validate/ground_truth.parquet": (schemas, "GROUND_TRUTH", "A row per labelled box."),
        "data/validate/matches.parquet": (
            schemas, "MATCHES",
            "A row per true positive, false positive and false negative, on labelled sheets, at the operating "
            "confidence.",
        ),
        "data/validate/ledger.parquet": (schemas, "LEDGER", "A row per true box of the labelled sheets."),
        "data/validate/errors.parquet": (
            schemas, "ERRORS",
            "A row per error in [TIDE's terms](ruler.md#errors-in-tides-terms), at the operating confidence: one per "
            "false positive, and one per false negative that no such row accounts for.",
        ),
        "data/analyze/findings.parquet": (
            analysis_tables, "FINDINGS",
            "A row per false negative (fn), false positive (fp), and detection on a sheet without labels (unjudged).",
        ),
        "data/analyze/suspects.parquet": (
            analysis_tables, "SUSPECTS",
            "Label or model: a row per false negative and false positive (one for both where they explain each other), "
            "and per found label that looks wrong.",
        ),
    }  # fmt: skip
    return [
        Listed(file, lead, getattr(module, name).columns, [f"{module.__name__.replace('.', '/')}.py:{name}"])
        for file, (module, name, lead) in tables.items()
    ]


def comments(source: str) -> tuple[dict[int, str], set[int]]:
    """Return the comment of every line of a module that has one, and which lines hold nothing else."""
    found = [
        token for token in tokenize.generate_tokens(io.StringIO(source).readline) if token.type == tokenize.COMMENT
    ]
    texts = {token.start[0]: token.string.lstrip("# ") for token in found}
    return texts, {token.start[0] for token in found if token.line.lstrip().startswith("#")}


def at_line(line: int, texts: Mapping[int, str], alone: Iterable[int]) -> str:
    """Return the comment lines right above `line` and the one at its end, as one text."""
    first = line
    while first - 1 in alone:
        first -= 1
    above = " ".join(texts[number] for number in range(first, line))
    return "; ".join(part for part in (above, texts.get(line, "")) if part)


def explained(source: str) -> dict[str, str]:
    """Return the comment at each key, field or listed word of a source, as `Listed` has them."""
    place, _, name = source.partition(":")
    above, _, file = place.rpartition(" ")
    code = (ROOT / file).read_text(encoding="utf-8")
    texts, alone = comments(code)
    tops = [node for node in ast.parse(code).body if not name or name in _names(node)]
    if not tops:
        raise LookupError(source)
    found: dict[str, str] = {}
    for key, line in ((key, line) for top in tops for node in ast.walk(top) for key, line in _keys(node)):
        if text := at_line(line, texts, alone):
            found.setdefault(f"{above}.{key}" if above else key, text)
    return found


def _names(node: ast.stmt) -> list[str]:
    """Return the names that a statement of a module defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _keys(node: ast.AST) -> list[tuple[str, int]]:
    """Return the keys, the field or the words that `node` holds, each with its line."""
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return [(node.target.id, node.lineno)]
    parts = node.keys if isinstance(node, ast.Dict) else node.elts if isinstance(node, ast.Tuple | ast.List) else []
    return [(one.value, one.lineno) for one in parts if isinstance(one, ast.Constant) and isinstance(one.value, str)]


def table(listed: Listed, *, short: bool) -> list[str]:
    """Return the section of one file; `short`: of words that many tables share the names alone.

    Raises `LookupError` for a name without a meaning.
    """
    own: dict[str, str] = {}
    for source in listed.sources:
        own = {**explained(source), **own}
    known = {**WORDS, **own}
    every = list(listed.names)
    names = [name for name in every if not short or name in own or name not in SHARED or f"{name}_low" in every]
    shared = ", ".join(f"`{name}`" for name in every if name not in names)
    rows = [
        f"| {', '.join(f'`{one}`' for one in (name, *ends))} | "
        f"{cell(meaning(name, known, listed.file))}{'; with its 95 % interval' * bool(ends)} |"
        for name in names
        if not (name.endswith(("_low", "_high")) and name.rpartition("_")[0] in names)
        for ends in [[one for one in (f"{name}_low", f"{name}_high") if one in names]]
    ]
    head = ["", "| name | meaning |", "| --- | --- |"] if rows else []
    title = f"### {f'`{listed.file}`' if ' ' not in listed.file else listed.file}"
    return [title, "", f"{listed.lead}{f' Shared: {shared}.' * bool(shared)}", *head, *rows, ""]


def meaning(name: str, known: Mapping[str, str], file: str) -> str:
    """Return what `name` means: in this file, by its whole name, or by that below a list."""
    text = known.get(f"{file} {name}") or known.get(name) or known.get(name.rpartition(".")[2])
    if not text:
        raise LookupError(f"{file}: nothing is said of {name}")
    return text


def cell(text: str) -> str:
    """Return `text` as it stands in a cell: no full stop at its end, bars escaped, in the words of the files."""
    text = text.replace("|", "\\|").replace("None", "null").replace('""', "empty")
    return text if text.endswith("..") else text.removesuffix(".")


def parameters() -> list[str]:
    """Return the sections of params.yaml."""
    text = params_at(ROOT) if is_drawn(ROOT) else (ROOT / "params.yaml").read_text(encoding="utf-8")
    lines = text.splitlines()
    node: Any = yaml.compose(text)
    sections = [["### The loop", "", *_head(), *_rows(node, lines, "", None, nested=False), ""]]
    for key, value in node.value:
        if isinstance(value, yaml.MappingNode):
            rows = _rows(value, lines, f"{key.value}.", MODELS[key.value], nested=True)
            sections.append([f"### `{key.value}`", "", *_head(), *rows, ""])
    return [line for section in sections for line in section]


def _head() -> list[str]:
    return ["| value | default | may be | meaning |", "| --- | --- | --- | --- |"]


def _rows(node: Any, lines: Sequence[str], prefix: str, model: type[BaseModel] | None, *, nested: bool) -> list[str]:
    rows = []
    for key, value in node.value:
        inner = isinstance(value, yaml.MappingNode)
        field = model.model_fields[key.value] if model else None
        said = _said(lines, key.start_mark.line)
        if inner and not nested:
            continue
        if said or not inner:
            default = "" if inner else f"`{_text(value)}`"
            rows.append(f"| `{prefix}{key.value}` | {default} | {may_be(field)} | {cell(said) if said else ''} |")
        if inner:
            rows += _rows(value, lines, f"{prefix}{key.value}.", field.annotation if field else None, nested=True)  # type: ignore[arg-type]
    return rows


def _said(lines: Sequence[str], line: int) -> str:
    """Return the comment lines right above line number `line`, from 0, and the one at its end."""
    first = line
    while first and lines[first - 1].lstrip().startswith("#"):
        first -= 1
    above = " ".join(one.strip().lstrip("# ") for one in lines[first:line])
    return "; ".join(part for part in (above, lines[line].partition(" # ")[2]) if part)


def _text(value: Any) -> str:
    return ", ".join(one.value for one in value.value) if isinstance(value, yaml.SequenceNode) else str(value.value)


def may_be(field: FieldInfo | None) -> str:
    """Return which values a field takes, in words; "" where its comment has to say it."""
    if field is None:
        return ""
    kinds = get_args(field.annotation) if get_origin(field.annotation) in (Union, UnionType) else (field.annotation,)
    if get_origin(field.annotation) is Literal:
        return ", ".join(f"`{one}`" for one in get_args(field.annotation))
    if bool in kinds:
        return "`true`, `false`"
    if str in kinds or not {int, float} & set(kinds):
        return ""
    said = [text for one in field.metadata if (text := _bound(one))]
    whole = ["whole"] if int in kinds else []
    return ", ".join([*whole, *said, *(["or `null`"] if NoneType in kinds else [])])


def _bound(one: object) -> str:
    words = {bounds.Ge: "at least", bounds.Gt: "above", bounds.Le: "at most", bounds.Lt: "below"}
    for kind, word in words.items():
        if isinstance(one, kind):
            return f"{word} {getattr(one, kind.__name__.lower())}"
    return f"a multiple of {one.multiple_of}" if isinstance(one, bounds.MultipleOf) else ""


def page() -> str:
    """Return the page."""
    lists = [line for part in metrics() for line in table(part, short=False)]
    tables = [line for part in [*small_tables(), *bulk_tables()] for line in table(part, short=True)]
    words = Listed("Shared names", "What many tables have, with one meaning.", SHARED)
    return "\n".join([
        "# Numbers",
        "",
        "Every value of `params.yaml`, every key of `metrics`, every column of a table. Written by "
        "`python -m docs.numbers`",
        "from the comments that stand beside them; what the numbers mean together is in [the ruler](ruler.md).",
        "",
        "- [Parameters](#parameters)",
        "- [Metrics](#metrics)",
        "- [Tables](#tables)",
        "",
        "## Parameters",
        "",
        "Unknown keys and wrong types are errors with their line. `dvc exp run -S train.epochs=50` tries a value. What "
        "the demo has otherwise is in `demo/params.yaml`.",
        "",
        *parameters(),
        "## Metrics",
        "",
        "Boxes are in pixels of the original image. A number that is undefined, such as precision without any "
        "detection, is `null`,",
        "never 0. What stands at the top of a file is in DVC's tables; the rest is in lists, mostly the list "
        "`details`, which those leave out.",
        "",
        *lists,
        "## Tables",
        "",
        "Floats have six decimals, and rows are sorted by their key, so that equal results are equal bytes. What is "
        "undefined is empty.",
        "",
        *table(words, short=False),
        *tables,
    ]).rstrip() + "\n"  # fmt: skip


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
