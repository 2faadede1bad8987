"""Looks at what the model missed: describes misses and false alarms, crops and draws them, judges prompts."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import ConfigDict, Field

from stages.analysis.analysis_tables import FINDINGS, SUSPECTS
from stages.analysis.figures import Crop, draw_bars, draw_class_bars, draw_crops, draw_heatmap
from stages.analysis.finding_params import FindingParams
from stages.analysis.findings import (
    POSITIONS,
    FindingLimits,
    confusions,
    contrasts,
    describe,
    select,
    usual_aspects,
    with_place,
)
from stages.analysis.summaries import SPLITS, centres, count_table, miss_counts, spread, summary
from stages.analysis.suspicion import suspicion
from stages.analysis.triage import TRUSTED_F1, is_trusted, triage
from stages.base.boxes import BOX
from stages.base.command import stage_command
from stages.base.decoding import read_bgr
from stages.base.errors import problem
from stages.base.params import Strict, read_baseline, read_classes, read_iteration, read_section
from stages.base.tables import read_table, write_csv, write_json, write_metrics, write_table
from stages.dataset.crops import cut, safe_name, save_image, to_grey
from stages.dataset.sheets.split_folder import DATASET, read_split, split_sheets
from stages.detector.prediction.prediction_params import PredictParams
from stages.detector.prediction.sheet_predictions import WEIGHTS
from stages.detector.prediction.tiles.label_overlap import read_tiling
from stages.prompts.rewording import gather, report
from stages.prompts.texts.prompt_file import Prompts, read_prompts
from stages.ruler.matching.matching import SHEET
from stages.ruler.pairing.box_tables import DETECTIONS, PREDICTED
from stages.ruler.schemas import GROUND_TRUTH, IMAGES, MATCHES
from stages.ruler.sizes import SIZES

CROPPED = ("train", "pool")  # val is never mined: its misses are on figures only
TABLES = Path("data/validate")
FINDINGS_FILE = Path("data/analyze/findings.parquet")
SUSPECTS_FILE = Path("data/analyze/suspects.parquet")
COUNTS = Path("data/analyze/counts.csv")
CROPS = Path("data/analyze/crops")
SCRATCH = Path(".scratch/analyze/crops")  # until every sheet has been looked at
PLOTS = Path("plots/analyze")
METRICS = Path("metrics/analyze.json")
_SHOWN = ("near_miss", "suspect_labels")  # in DVC's tables; the file has all
SUGGESTIONS = Path("metrics/prompt_suggestions.json")


class AnalyzeParams(FindingParams):
    """Section `analyze` of params.yaml."""

    model_config = ConfigDict(extra="forbid")

    crop_padding: int = Field(ge=0)  # px
    heatmap_bins: int = Field(ge=1, le=500)
    figure_crops: int = Field(ge=0, le=400)


Params = AnalyzeParams  # as every stage calls them


class RulerIou(Strict):
    """What section `validate` says about a find; its other keys are no business of this stage."""

    model_config = ConfigDict(extra="ignore")

    iou: float


class Seen(NamedTuple):
    """The four tables of `validate`."""

    images: pd.DataFrame
    ground_truth: pd.DataFrame
    detections: pd.DataFrame
    matches: pd.DataFrame


def run() -> None:
    """Describe every miss and false alarm of train, val and pool, judge which of them the labels are to blame for, and
    say what to change in the prompts.
    """
    params, classes = read_section(AnalyzeParams, "analyze"), read_classes()
    prompts = read_prompts(classes)
    iou = read_section(RulerIou, "validate").iou
    seen = read_seen()
    described = find(seen, limits=params.limits(), iou=iou)
    shown = spread(described[(described["split"] == "val") & (described["outcome"] == "fn")], params.figure_crops)
    findings, crops = look(described, seen.images, classes=classes, shown=shown, params=params)
    keep_crops()
    suspects = suspect(seen, classes, iou=iou)
    write_table(findings, FINDINGS_FILE, FINDINGS)
    write_table(suspects, SUSPECTS_FILE, SUSPECTS)
    write_csv(count_table(findings), COUNTS)
    draw(findings, seen, crops, classes=classes, params=params)
    told = read_iteration() > 0 or read_baseline() == "zero-shot"
    suggestions = suggest_prompts(findings, seen.ground_truth, classes, prompts, iou=params.overlap_iou, told=told)
    if told:
        suggestions = try_wordings(suggestions, seen, classes, prompts, params=params, iou=iou)
    write_json({"suggestions": suggestions}, SUGGESTIONS)
    numbers = summary(findings, suspects)
    rest = {key: value for key, value in numbers.items() if key not in _SHOWN}
    write_metrics({key: numbers[key] for key in _SHOWN}, rest, METRICS)
    counts = findings["outcome"].value_counts()
    said = ", ".join(f"{counts.get(key, 0)} {key}" for key in ("fn", "fp", "unjudged"))
    print(f"val, train and pool together: {said}", flush=True)
    if is_trusted(seen.matches):
        print(f"val: {numbers['suspect_labels']} labels look wrong (yoloop suspects)", flush=True)
    else:
        print(f"labels are suspected from F1 {TRUSTED_F1} on val on: below, the model is no evidence", flush=True)


def read_seen(root: Path = TABLES, predicted: Path = PREDICTED) -> Seen:
    """Return what `validate` and `predict` saved."""
    return Seen(
        read_table(root / "images.parquet", IMAGES),
        read_table(root / "ground_truth.parquet", GROUND_TRUTH),
        read_table(predicted / "detections.parquet", DETECTIONS),
        read_table(root / "matches.parquet", MATCHES),
    )


def find(seen: Seen, *, limits: FindingLimits, iou: float) -> pd.DataFrame:
    """Return every finding with all that needs no pixels."""
    rows = select(**seen._asdict())
    usual = usual_aspects(seen.ground_truth[seen.ground_truth["split"] == "train"])
    return describe(rows, images=seen.images, detections=seen.detections, usual=usual, limits=limits, iou=iou)


def suspect(seen: Seen, classes: Sequence[str], *, iou: float) -> pd.DataFrame:
    """Return for every miss and false alarm on labelled sheets whether the label or the model is wrong, and why."""
    rows = triage(**seen._asdict(), iou=iou, trusted=is_trusted(seen.matches))
    return rows.assign(reason=pd.Series([suspicion(row, classes) for row in rows.to_dict("records")], dtype="str"))


def look(
    described: pd.DataFrame, images: pd.DataFrame, *, classes: Sequence[str], shown: pd.Index, params: AnalyzeParams
) -> tuple[pd.DataFrame, list[Crop]]:
    """Open each sheet with findings once: add the contrast, save the crops of misses to scratch, return `shown`."""
    shutil.rmtree(SCRATCH, ignore_errors=True)
    contrast = pd.Series(np.nan, index=described.index)
    crops: dict[Any, Crop] = {}
    for rows, image in _sheets(described, images):
        boxes = rows[BOX].to_numpy(float)
        contrast.loc[rows.index] = contrasts(to_grey(image), boxes)
        for row, box in zip(rows.to_dict("records"), boxes, strict=True):
            if row["outcome"] == "fn" and row["split"] in CROPPED:
                save_image(cut(image, box, padding=params.crop_padding), crop_file(row, classes))
        for label in rows.index.intersection(shown):
            row = described.loc[label]
            crop = cut(image, row[BOX].to_numpy(float), padding=params.crop_padding)
            crops[label] = Crop(f"{classes[row['class_id']]} · {row['size']}", Path(row["image_id"]).stem, crop)
    low = contrast < params.low_contrast
    return described.assign(contrast=contrast.astype("Float64"), low_contrast=low), [crops[label] for label in shown]


def keep_crops() -> None:
    """Put the crops where those of an earlier run were."""
    shutil.rmtree(CROPS, ignore_errors=True)
    if SCRATCH.is_dir():
        CROPS.parent.mkdir(parents=True, exist_ok=True)
        SCRATCH.rename(CROPS)


def crop_file(row: Mapping[Any, Any], classes: Sequence[str]) -> Path:
    """Return where the crop of one miss is put first: <split>/<sheet>__<size>__<class>__<object_id>.jpg."""
    sheet, name = safe_name(Path(row["image_id"]).stem), safe_name(classes[row["class_id"]])
    return SCRATCH / str(row["split"]) / f"{sheet}__{row['size']}__{name}__{row['object_id']}.jpg"


def draw(
    findings: pd.DataFrame, seen: Seen, crops: Sequence[Crop], *, classes: Sequence[str], params: AnalyzeParams
) -> None:
    """Write the five figures."""
    boxes = with_place(seen.ground_truth, images=seen.images, limits=params.limits())
    by_size = miss_counts(findings=findings, boxes=boxes, column="size", categories={name: name for name in SIZES})
    by_position = miss_counts(
        findings=findings, boxes=boxes, column="position", categories={name: name for name in POSITIONS}
    )
    by_class = miss_counts(findings=findings, boxes=boxes, column="class_id", categories=dict(enumerate(classes)))
    draw_bars(by_size, PLOTS / "fn_by_size.png", title="Missed objects by size", categories=SIZES)
    draw_bars(by_position, PLOTS / "fn_by_position.png", title="Missed objects by position", categories=POSITIONS)
    draw_class_bars(by_class, PLOTS / "fn_by_class.png", title="Missed objects by class")
    misses = findings[(findings["outcome"] == "fn") & findings["split"].isin(["val", "pool"])]
    draw_heatmap(
        centres(misses, seen.images),
        PLOTS / "fn_heatmap.png",
        bins=params.heatmap_bins,
        aspect=float((seen.images["width"] / seen.images["height"]).median()),
        title="Where objects are missed (val and pool)",
    )
    total = int((misses["split"] == "val").sum())
    draw_crops(crops, PLOTS / "fn_crops.png", title="Missed objects on val", total=total)


def suggest_prompts(
    findings: pd.DataFrame,
    ground_truth: pd.DataFrame,
    classes: Sequence[str],
    prompts: Prompts,
    *,
    iou: float,
    told: bool,
) -> list[dict[str, Any]]:
    """Return what to change per class with misses on val or pool; train says nothing about words.

    `told` says whether the model was told the prompts: that of iteration 0 is not.
    """
    used = findings[findings["split"].isin(["val", "pool"])]
    evidence = gather(
        findings=used,
        ground_truth=ground_truth[ground_truth["split"].isin(["val", "pool"])],
        confused=confusions(used, iou=iou),
        classes=classes,
        prompts=prompts,
    )
    return report(evidence, prompts, told=told)


def try_wordings(
    suggestions: list[dict[str, Any]],
    seen: Seen,
    classes: Sequence[str],
    prompts: Prompts,
    *,
    params: AnalyzeParams,
    iou: float,
) -> list[dict[str, Any]]:
    """Return the suggestions with other texts, each measured with the weights of this iteration on train and pool."""
    from stages.audit.wordings import TRIED_ON, WordingTrial, with_candidates

    if not suggestions:
        return []
    there = seen.ground_truth[seen.ground_truth["split"].isin(TRIED_ON)]
    truth = with_place(there, images=seen.images, limits=params.limits())
    images = seen.images[seen.images["split"].isin(TRIED_ON)]
    trial = WordingTrial(
        read_section(PredictParams, "predict"),
        WEIGHTS,
        read_tiling(classes),
        iou,
        float(images["confidence"].median()),  # the same on each sheet that is not val's
    )
    groups = dict(zip(images["image_id"], images["group"], strict=True))
    return with_candidates(suggestions, split_sheets(TRIED_ON, classes), truth, groups, prompts, trial)


def _sheets(rows: pd.DataFrame, images: pd.DataFrame) -> Iterator[tuple[pd.DataFrame, NDArray[np.uint8]]]:
    """Yield the rows of every sheet with its image; raise `UserError` for one that has changed since."""
    files = {(split, sheet.image_id): sheet.image for split in SPLITS for sheet in read_split(split)}
    sizes = images.set_index(SHEET)[["height", "width"]].apply(tuple, axis=1).to_dict()
    for (split, image_id), group in rows.groupby(SHEET, sort=True):
        file = files.get((str(split), str(image_id)), DATASET / str(split) / "images" / str(image_id))
        height, width = sizes[split, image_id]
        image = read_bgr(file) if file.is_file() else None
        if image is None or image.shape[:2] != (height, width):
            found = "no file" if image is None else f"{image.shape[1]} × {image.shape[0]} px"
            raise problem("analyze.sheet_px", file, width=width, height=height, found=found)
        yield group, image


main = stage_command("analyze", run)

if __name__ == "__main__":
    main()
