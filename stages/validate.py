"""Measures the model: matches what `predict` saw with the labels, and says what it is worth."""

from collections.abc import Sequence
from pathlib import Path

from stages.base.command import stage_command
from stages.base.params import read_classes, read_section
from stages.base.tables import write_csv, write_json, write_table
from stages.dataset.sheets.manifest import MANIFEST, read_manifest
from stages.dataset.sheets.split_folder import DATASET, check_names, split_sheets
from stages.detector.prediction.prediction_params import NMS_IOU, PredictParams
from stages.detector.prediction.tiles.label_overlap import read_tiling
from stages.detector.prediction.tiles.windows import Tiling
from stages.ruler.headline import headline, remarks
from stages.ruler.labelled_tables import check_ruler, content_of, labelled_tables, seen_on
from stages.ruler.measurement import RULER_SPLIT, Report, Tables, measure
from stages.ruler.schemas import ERRORS, GROUND_TRUTH, IMAGES, LEDGER, MATCHES
from stages.ruler.size_bounds import SizeBounds
from stages.ruler.statement import MATCHING, Ruler
from stages.ruler.validate_params import AUTO, point_of
from stages.ruler.validate_params import ValidateParams as Params

SPLITS = ("train", "val", "pool")  # test is opened once, by `yoloop holdout`
TABLES = Path("data/validate")
METRICS = Path("metrics/validate.json")
PLOTS = Path("plots/validate")


def run() -> None:
    """Measure what `predict` saw on train, val and pool against their labels."""
    params, predict = read_section(Params, "validate"), read_section(PredictParams, "predict")
    classes, bounds = read_classes(), read_section(SizeBounds, "analyze")
    point = point_of(params, predict.confidence_floor)
    check_names(classes)
    sheets = split_sheets(SPLITS, classes)
    check_ruler(sheets)
    tables = labelled_tables(sheets, *seen_on(sheets))
    report = measure(tables, classes=classes, point=point, size_bounds=bounds.areas)
    save(tables, report, ruler_of(params, predict, classes, read_tiling(classes)))
    for line in remarks(report):
        print(line, flush=True)


def ruler_of(
    params: Params, predict: PredictParams, classes: Sequence[str], tiling: Tiling | None, root: Path = DATASET
) -> Ruler:
    """Return the statement of how `validate` measures with these params on this val."""
    auto = f"{AUTO}: cross-fitted over val, the highest F1"
    return Ruler(
        iou=params.iou,
        matching=MATCHING,
        confidence=auto if params.confidence == AUTO else float(params.confidence),
        confidence_floor=predict.confidence_floor,
        nms_iou=NMS_IOU,
        max_det=predict.max_det,
        imgsz=predict.imgsz,
        filters=predict.filters.limits.active,
        classes=tuple(classes),
        val_sheets=len(read_manifest(root / RULER_SPLIT / MANIFEST)),
        val_content=content_of(RULER_SPLIT, root),
        tile=tiling.side if tiling else None,
        overlap=tiling.overlap if tiling else None,
    )


def save(tables: Tables, report: Report, ruler: Ruler, root: Path = Path()) -> None:
    """Write the tables, the metrics and the curves below `root`."""
    folder = root / TABLES
    write_table(report.images, folder / "images.parquet", IMAGES)
    write_table(tables.ground_truth, folder / "ground_truth.parquet", GROUND_TRUTH)
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


main = stage_command("validate", run)

if __name__ == "__main__":
    main()
