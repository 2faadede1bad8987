"""Measures the model: predicts once on train, val and pool, matches, and saves every box that it saw."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from pydantic import Field, ValidationInfo, field_validator

from stages.base.boxes import BOX, Boxes, xywhn_to_xyxy
from stages.base.command import stage_command
from stages.base.errors import problem
from stages.base.params import Strict, read_classes, read_section
from stages.base.tables import conform, write_csv, write_json, write_table
from stages.dataset.sheets.manifest import MANIFEST, read_manifest
from stages.dataset.sheets.split_folder import DATASET, Labels, Sheet, check_names, read_labels, read_split
from stages.detector.prediction.filters import Filters
from stages.firewall.kinship import fingerprints
from stages.firewall.signatures import near_copies
from stages.prompts.texts.prompt_file import read_prompts
from stages.ruler.headline import headline, remarks
from stages.ruler.measurement import RULER_SPLIT, Point, Report, Tables, measure
from stages.ruler.schemas import DETECTIONS, DISCARDED, ERRORS, GROUND_TRUTH, IMAGES, LEDGER, MATCHES
from stages.ruler.size_bounds import SizeBounds
from stages.ruler.statement import MATCHING, NMS_IOU, Ruler, content_digest

if TYPE_CHECKING:
    from stages.detector.prediction.predictor import Discarded, Prediction

SPLITS = ("train", "val", "pool")  # test is opened once, by `yoloop holdout`
WEIGHTS = Path("models/best.pt")
TABLES = Path("data/validate")
METRICS = Path("metrics/validate.json")
PLOTS = Path("plots/validate")
AUTO = "auto"
_SAY_EVERY = 50  # sheets between two lines of progress


class FilterParams(Strict):
    """Section `validate.filters`: limits that a detection must keep, in pixels of the original image; null is off."""

    min_area: float | None = Field(ge=0)  # px²
    max_area: float | None = Field(gt=0)  # px²
    min_side: float | None = Field(ge=0)  # px
    max_aspect: float | None = Field(ge=1)  # longer side / shorter side
    border: float | None = Field(ge=0)  # px

    @property
    def limits(self) -> Filters:
        """The same limits as `predict` takes them."""
        return Filters(**self.model_dump())


class Params(Strict):
    """Section `validate` of params.yaml."""

    imgsz: int = Field(ge=32)  # px
    batch: int = Field(ge=1)
    device: str = Field(pattern=r"^(auto|cpu|mps|\d+)$")
    iou: float = Field(gt=0, le=1)
    confidence: float | str
    confidence_floor: float = Field(ge=0, le=1)
    max_det: int = Field(ge=1)
    filters: FilterParams

    @field_validator("device", mode="before")
    @classmethod
    def _number_of_a_gpu(cls, value: object) -> object:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    @field_validator("confidence", mode="before")
    @classmethod
    def _number_or_auto(cls, value: object) -> object:
        number = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
        if not number and value != AUTO:
            raise ValueError(f"a number from 0 to 1, or {AUTO}")
        return value

    @field_validator("confidence_floor")
    @classmethod
    def _below_confidence(cls, value: float, info: ValidationInfo) -> float:
        point = info.data.get("confidence", 1.0)
        if point != AUTO and value > point:
            raise ValueError(f"at most validate.confidence ({point}): what counts must be saved")
        return value

    @property
    def point(self) -> Point:
        """How a detection is judged."""
        return Point(self.iou, None if self.confidence == AUTO else float(self.confidence), self.confidence_floor)


class Labelled(NamedTuple):
    """A sheet of a split with the boxes that somebody drew on it; `labels` is None where nobody looked."""

    split: str
    sheet: Sheet
    labels: Labels | None
    group: str = ""  # drawing set or project; "": stands for itself
    near_copy: bool = False  # train holds a sheet that looks almost like it


def run() -> None:
    """Predict on train, val and pool, and measure the model against their labels."""
    params, classes = read_section(Params, "validate"), read_classes()
    bounds, prompts = read_section(SizeBounds, "analyze"), read_prompts(classes)
    check_names(classes)
    sheets = read_sheets(classes)
    check_ruler(sheets)
    tables = build_tables(sheets, list(predictions(sheets, params, classes, prompts)))
    report = measure(tables, classes=classes, point=params.point, size_bounds=bounds.areas)
    save(tables, report, ruler_of(params, classes))
    for line in remarks(report):
        print(line, flush=True)


def read_sheets(classes: Sequence[str], root: Path = DATASET, splits: Sequence[str] = SPLITS) -> list[Labelled]:
    """Return all sheets of `splits` with their labels; raise `UserError` for a broken label."""
    found = {split: read_split(split, root) for split in splits}
    groups = {row.image_id: row.group for split in splits for row in read_manifest(root / split / MANIFEST)}
    images = ({one.image_id: one.image for one in found.get(split, [])} for split in (RULER_SPLIT, "train"))
    copies = near_copies(*map(fingerprints, images))
    return [
        Labelled(
            split,
            sheet,
            read_labels(sheet.label, classes) if sheet.labelled else None,
            groups[sheet.image_id],
            split == RULER_SPLIT and sheet.image_id in copies,
        )
        for split, sheets in found.items()
        for sheet in sheets
    ]


def ruler_of(params: Params, classes: Sequence[str], root: Path = DATASET) -> Ruler:
    """Return the statement of how `validate` measures with these params on this val."""
    auto = f"{AUTO}: cross-fitted over val, the highest F1"
    return Ruler(
        iou=params.iou,
        matching=MATCHING,
        confidence=auto if params.confidence == AUTO else float(params.confidence),
        confidence_floor=params.confidence_floor,
        nms_iou=NMS_IOU,
        max_det=params.max_det,
        imgsz=params.imgsz,
        filters=params.filters.limits.active,
        classes=tuple(classes),
        val_sheets=len(read_manifest(root / RULER_SPLIT / MANIFEST)),
        val_content=content_of(RULER_SPLIT, root),
    )


def content_of(split: str, root: Path = DATASET) -> str:
    """Return the digest of the images and labels that the manifest of `split` lists."""
    rows = read_manifest(root / split / MANIFEST)
    return content_digest((row.image_id, row.image_sha256, row.label_sha256) for row in rows)


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
    """Return what is on `sheets` and what was seen there; `predictions` are in the same order.

    Detections are numbered by falling confidence within their sheet, after rounding to what is saved.
    """
    pairs = list(zip(sheets, predictions, strict=True))
    images = [_image_row(one, seen) for one, seen in pairs]
    truth = [_truth_rows(one, one.labels, seen.width, seen.height) for one, seen in pairs if one.labels is not None]
    found = [_rows(one, seen.class_id, seen.xyxy).assign(confidence=seen.confidence) for one, seen in pairs]
    left = [_discarded_rows(one, seen.discarded) for one, seen in pairs]
    return Tables(
        conform(pd.DataFrame(images, columns=list(IMAGES.columns)), IMAGES),
        conform(_numbered(truth, "object_id", list(GROUND_TRUTH.columns)), GROUND_TRUTH),
        conform(
            _numbered([_by_confidence(rows) for rows in found], "detection_id", list(DETECTIONS.columns)),
            DETECTIONS,
        ),
        conform(_numbered(left, "candidate_id", list(DISCARDED.columns)), DISCARDED),
    )


def save(tables: Tables, report: Report, ruler: Ruler, root: Path = Path()) -> None:
    """Write the tables, the metrics and the curves below `root`."""
    folder = root / TABLES
    write_table(report.images, folder / "images.parquet", IMAGES)
    write_table(tables.ground_truth, folder / "ground_truth.parquet", GROUND_TRUTH)
    write_table(tables.detections, folder / "detections.parquet", DETECTIONS)
    write_table(tables.discarded, folder / "discarded.parquet", DISCARDED)
    write_table(report.matches, folder / "matches.parquet", MATCHES)
    write_table(report.ledger, folder / "ledger.parquet", LEDGER)
    write_table(report.errors, folder / "errors.parquet", ERRORS)
    for name in ("scores", "sheets"):
        write_csv(getattr(report, name), folder / f"{name}.csv")
    write_csv(report.fates, folder / "ledger.csv")
    write_csv(report.costs, folder / "errors.csv")
    write_csv(report.pr, root / PLOTS / "pr_curve.csv")
    write_csv(report.f1, root / PLOTS / "f1_curve.csv")
    write_csv(report.confusion, root / PLOTS / "confusion.csv")
    write_json(headline(tables, report, ruler), root / METRICS)


def predictions(
    sheets: Sequence[Labelled], params: Params, classes: Sequence[str], prompts: Mapping[str, str]
) -> Iterator["Prediction"]:
    """Yield the predictions on `sheets` in their order, and say how far we are."""
    from stages.detector.prediction.predictor import Truth, predict

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
        filters=params.filters.limits,
        truth=Truth([one.labels for one in sheets], params.iou),
    )
    totals = Counter(one.split for one in sheets)
    done: Counter[str] = Counter()
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


def _discarded_rows(one: Labelled, seen: "Discarded") -> pd.DataFrame:
    return _rows(one, seen.class_id, seen.xyxy).assign(confidence=seen.confidence, reason=seen.reason)


def _by_confidence(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.sort_values("confidence", ascending=False, kind="stable", ignore_index=True)


def _numbered(parts: Sequence[pd.DataFrame], name: str, columns: list[str]) -> pd.DataFrame:
    """Return the sheets' rows as one table; column `name` numbers them within their sheet, from 0."""
    numbered = [part.assign(**{name: np.arange(len(part))}) for part in parts if len(part)]
    return pd.concat(numbered, ignore_index=True) if numbered else pd.DataFrame(columns=columns)


main = stage_command(
    "validate",
    run,
    reads="models/best.pt, data/dataset/{data.yaml,train,val,pool}, data/prompts.yaml",
    writes="data/validate/*.{parquet,csv}, metrics/validate.json, plots/validate/*.csv",
)

if __name__ == "__main__":
    main()
