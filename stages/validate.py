"""Measures the model: predicts once on train, val and pool, matches, and saves every box that it saw."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from pydantic import Field, ValidationInfo, field_validator

from stages.core.boxes import BOX, Boxes, xywhn_to_xyxy
from stages.core.curves import confusion, f1_curve, pr_curve
from stages.core.errors import problem
from stages.core.matching import SHEET, outcomes
from stages.core.metrics import split_metrics
from stages.files.command import stage_command
from stages.files.dataset import DATASET, Labels, Sheet, check_names, read_labels, read_split
from stages.files.params import Strict, read_classes, read_section
from stages.files.prompts import read_prompts
from stages.files.schemas import DETECTIONS, GROUND_TRUTH, IMAGES, MATCHES
from stages.files.tables import conform, write_csv, write_json, write_table

if TYPE_CHECKING:
    from stages.yolo.predict import Prediction

SPLITS = ("train", "val", "pool")  # test is opened once, by `yoloop holdout`
WEIGHTS = Path("models/best.pt")
TABLES = Path("data/validate")
METRICS = Path("metrics/validate.json")
PLOTS = Path("plots/validate")
_SAY_EVERY = 50  # sheets between two lines of progress


class Params(Strict):
    """Section `validate` of params.yaml."""

    imgsz: int = Field(ge=32)  # px
    batch: int = Field(ge=1)
    device: str = Field(pattern=r"^(auto|cpu|mps|\d+)$")
    iou: float = Field(gt=0, le=1)
    confidence: float = Field(ge=0, le=1)
    confidence_floor: float = Field(ge=0, le=1)
    max_det: int = Field(ge=1)

    @field_validator("device", mode="before")
    @classmethod
    def _number_of_a_gpu(cls, value: object) -> object:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    @field_validator("confidence_floor")
    @classmethod
    def _below_confidence(cls, value: float, info: ValidationInfo) -> float:
        if value > info.data.get("confidence", 1.0):
            raise ValueError(f"at most validate.confidence ({info.data['confidence']}): what counts must be saved")
        return value


class Labelled(NamedTuple):
    """A sheet of a split with the boxes that somebody drew on it; `labels` is None where nobody looked."""

    split: str
    sheet: Sheet
    labels: Labels | None
    group: str = ""  # drawing set or project; "": stands for itself
    near_copy: bool = False  # train holds a sheet that looks almost like it


class Tables(NamedTuple):
    """What was on the sheets and what the model saw there, with the schemas of stages/files/tables.py."""

    images: pd.DataFrame
    ground_truth: pd.DataFrame
    detections: pd.DataFrame


class Report(NamedTuple):
    """All that follows from `Tables` without looking at a sheet again."""

    matches: pd.DataFrame
    metrics: dict[str, Any]
    pr: pd.DataFrame
    f1: pd.DataFrame
    confusion: pd.DataFrame


def run() -> None:
    """Predict on train, val and pool, and measure the model against their labels."""
    params, classes = read_section(Params, "validate"), read_classes()
    prompts = read_prompts(classes)
    check_names(classes)
    sheets = read_sheets(classes)
    check_ruler(sheets)
    tables = build_tables(sheets, list(_predictions(sheets, params, classes, prompts)))
    report = measure(
        tables, classes=classes, iou=params.iou, confidence=params.confidence, floor=params.confidence_floor
    )
    save(tables, report)
    val = report.metrics["val"]
    print(
        f"val: {val['tp']} found, {val['fn']} missed, {val['fp']} false alarms on {val['images']} sheets",
        flush=True,
    )


def read_sheets(classes: Sequence[str], root: Path = DATASET) -> list[Labelled]:
    """Return all sheets of train, val and pool with their labels; raise `UserError` for a broken label."""
    return [
        Labelled(split, sheet, read_labels(sheet.label, classes) if sheet.labelled else None)
        for split in SPLITS
        for sheet in read_split(split, root)
    ]


def check_ruler(sheets: Sequence[Labelled], root: Path = DATASET) -> None:
    """Raise `UserError` unless val holds at least one box: without it nothing can be measured."""
    val = [one for one in sheets if one.split == "val"]
    labelled = [one.labels for one in val if one.labels is not None]
    if not any(len(labels.class_id) for labels in labelled):
        found = f"{len(val)} sheets, {len(labelled)} with a label file, no box" if val else "no sheet"
        raise problem(
            root / "val",
            expected="labelled sheets to measure on",
            found=found,
            mend="Say which images become val: yoloop data import --help",
        )


def build_tables(sheets: Sequence[Labelled], predictions: Sequence["Prediction"]) -> Tables:
    """Return images, ground truth and detections of `sheets`; `predictions` are in the same order.

    Detections are numbered by falling confidence within their sheet, after rounding to what is saved.
    """
    pairs = list(zip(sheets, predictions, strict=True))
    images = [_image_row(one, seen) for one, seen in pairs]
    truth = [_truth_rows(one, one.labels, seen.width, seen.height) for one, seen in pairs if one.labels is not None]
    found = [_rows(one, seen.class_id, seen.xyxy).assign(confidence=seen.confidence) for one, seen in pairs]
    return Tables(
        conform(pd.DataFrame(images, columns=list(IMAGES.columns)), IMAGES),
        conform(_numbered(truth, "object_id", list(GROUND_TRUTH.columns)), GROUND_TRUTH),
        conform(
            _numbered([_by_confidence(rows) for rows in found], "detection_id", list(DETECTIONS.columns)),
            DETECTIONS,
        ),
    )


def measure(tables: Tables, *, classes: Sequence[str], iou: float, confidence: float, floor: float) -> Report:
    """Return matches, metrics and curves: P, R, F1 and counts at `confidence`, AP with all detections.

    `floor` is the confidence below which nothing was saved. Only labelled sheets are judged.
    """
    names = list(classes)
    judged = _labelled_part(tables)
    matches = outcomes(detections=judged.detections, ground_truth=judged.ground_truth, iou=iou, confidence=confidence)
    val = {"detections": _of(judged.detections, "val"), "ground_truth": _of(judged.ground_truth, "val")}
    return Report(
        matches=conform(matches, MATCHES),
        metrics=_metrics(tables.images, judged, matches, names),
        pr=pr_curve(**val, classes=names, iou=iou),
        f1=f1_curve(**val, classes=names, iou=iou, floor=floor),
        confusion=confusion(**val, classes=names, iou=iou, confidence=confidence),
    )


def save(tables: Tables, report: Report, root: Path = Path()) -> None:
    """Write the four tables, the metrics and the curves below `root`."""
    write_table(tables.images, root / TABLES / "images.parquet", IMAGES)
    write_table(tables.ground_truth, root / TABLES / "ground_truth.parquet", GROUND_TRUTH)
    write_table(tables.detections, root / TABLES / "detections.parquet", DETECTIONS)
    write_table(report.matches, root / TABLES / "matches.parquet", MATCHES)
    write_csv(report.pr, root / PLOTS / "pr_curve.csv")
    write_csv(report.f1, root / PLOTS / "f1_curve.csv")
    write_csv(report.confusion, root / PLOTS / "confusion.csv")
    write_json(report.metrics, root / METRICS)


def _predictions(
    sheets: Sequence[Labelled], params: Params, classes: Sequence[str], prompts: Mapping[str, str]
) -> Iterator["Prediction"]:
    """Yield the predictions on `sheets` in their order, and say how far we are."""
    from stages.yolo.predict import predict

    seen = predict(
        WEIGHTS,
        [one.sheet.image for one in sheets],
        classes=classes,
        prompts=prompts,
        imgsz=params.imgsz,
        batch=params.batch,
        device=params.device,
        confidence_floor=params.confidence_floor,
        max_det=params.max_det,
    )
    totals = {split: sum(one.split == split for one in sheets) for split in SPLITS}
    done = dict.fromkeys(SPLITS, 0)
    for one, prediction in zip(sheets, seen, strict=True):
        done[one.split] += 1
        count, total = done[one.split], totals[one.split]
        if count == total or count % _SAY_EVERY == 0:
            print(f"{one.split}: {count} of {total} sheets", flush=True)
        yield prediction


def _image_row(one: Labelled, seen: "Prediction") -> tuple[Any, ...]:
    """Return a row of IMAGES; from where detections count is decided when the sheet is measured."""
    unknown = float("nan")
    return (
        one.split,
        one.sheet.image_id,
        seen.width,
        seen.height,
        one.labels is not None,
        one.group,
        unknown,
        one.near_copy,
    )


def _truth_rows(one: Labelled, labels: Labels, width: int, height: int) -> pd.DataFrame:
    return _rows(one, labels.class_id, xywhn_to_xyxy(labels.xywhn, width=width, height=height))


def _rows(one: Labelled, class_id: "np.ndarray[Any, Any]", xyxy: Boxes) -> pd.DataFrame:
    """Return boxes of one sheet as rows: split, image_id, class_id, x1, y1, x2, y2."""
    corners = pd.DataFrame(np.asarray(xyxy, dtype=np.float64).reshape(-1, 4), columns=BOX)
    return corners.assign(split=one.split, image_id=one.sheet.image_id, class_id=class_id)


def _by_confidence(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.sort_values("confidence", ascending=False, kind="stable", ignore_index=True)


def _numbered(parts: Sequence[pd.DataFrame], name: str, columns: list[str]) -> pd.DataFrame:
    """Return the sheets' rows as one table; column `name` numbers them within their sheet, from 0."""
    numbered = [part.assign(**{name: np.arange(len(part))}) for part in parts if len(part)]
    return pd.concat(numbered, ignore_index=True) if numbered else pd.DataFrame(columns=columns)


def _labelled_part(tables: Tables) -> Tables:
    """Return the tables without the sheets that nobody labelled."""
    images = tables.images[tables.images["labelled"]]
    known = pd.MultiIndex.from_frame(images[SHEET])
    inside = pd.MultiIndex.from_frame(tables.detections[SHEET]).isin(known)
    return Tables(images, tables.ground_truth, tables.detections[inside])


def _metrics(images: pd.DataFrame, judged: Tables, matches: pd.DataFrame, classes: list[str]) -> dict[str, Any]:
    """Return the content of metrics/validate.json."""
    numbers = {
        split: split_metrics(
            images=_of(judged.images, split),
            ground_truth=_of(judged.ground_truth, split),
            detections=_of(judged.detections, split),
            matches=_of(matches, split),
            classes=classes,
        )
        for split in ("val", "train")
    }
    return {
        **{split: total for split, (total, _) in numbers.items()},
        "pool": {"images": len(_of(images, "pool")), "labelled": len(_of(judged.images, "pool"))},
        "per_class": {split: per_class for split, (_, per_class) in numbers.items()},
    }


def _of(frame: pd.DataFrame, split: str) -> pd.DataFrame:
    return frame[frame["split"] == split]


main = stage_command(
    "validate",
    run,
    reads="models/best.pt, data/dataset/{data.yaml,train,val,pool}, data/prompts.yaml",
    writes="data/validate/*.parquet, metrics/validate.json, plots/validate/*.csv",
)

if __name__ == "__main__":
    main()
