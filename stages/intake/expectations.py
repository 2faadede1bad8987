"""What params.yaml will do to the boxes, said before anything is trained: what filters cost, how large objects look."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from stages.base.boxes import BOX, xywhn_to_xyxy
from stages.base.params import PARAMS, read_classes, read_section, read_tile
from stages.dataset.sheets.split_folder import DATASET, read_labels, sheets_in
from stages.detector.prediction.filters import Filters, keep
from stages.detector.prediction.prediction_params import PredictParams
from stages.detector.training.training_params import TrainParams
from stages.intake.contract.image_checks import read_headers
from stages.intake.object_scale import (
    scale_sentence,
    scale_table,
    scale_warnings,
    tiny_sentence,
    tiny_table,
    tiny_warnings,
)
from stages.ruler.matching.matching import SHEET
from stages.ruler.scores.metrics import ratios

SPLITS = ("train", "val")


def expectation_lines(root: Path) -> list[str]:
    """Return what filters cost a perfect detector on val, the size of objects in training beside that at prediction,
    how small a tenth of each class is, and a warning where sizes are far apart or too small.

    Images are not decoded. Raises `UserError` for broken params or labels.
    """
    classes = list(read_classes(root / PARAMS))
    wanted = read_section(PredictParams, "predict", root / PARAMS)
    filters, tile = wanted.filters.limits, read_tile(root / PARAMS)
    images, boxes = _tables(root, classes)
    costs = filter_cost(ground_truth=boxes, images=images, filters=filters, classes=classes, names=list(SPLITS))
    sizes = scale_table(
        ground_truth=boxes,
        images=images,
        train_imgsz=read_section(TrainParams, "train", root / PARAMS).imgsz,
        predict_imgsz=wanted.imgsz,
        tile=tile,
        classes=classes,
    )
    tiny = tiny_table(ground_truth=boxes, images=images, imgsz=wanted.imgsz, tile=tile, classes=classes)
    said = [filter_sentence(costs, filters, split="val"), scale_sentence(sizes), tiny_sentence(tiny)]
    warnings = [*scale_warnings(sizes), *tiny_warnings(tiny, imgsz=wanted.imgsz)]
    return [line for line in (*said, *(f"warning: {line}" for line in warnings)) if line]


def filter_cost(
    *, ground_truth: pd.DataFrame, images: pd.DataFrame, filters: Filters, classes: list[str], names: list[str]
) -> pd.DataFrame:
    """Return what `filters` take from a detector that finds every box exactly: split, class_name, boxes, deleted,
    recall, f1.

    A row per split of `names` and class, before them one with class_name "all". Recall and F1, in [0, 1], are those
    that such a detector keeps (its precision is 1); NaN without a box. The tables are GROUND_TRUTH and IMAGES.
    """
    sized = ground_truth.merge(images[[*SHEET, "width", "height"]], on=SHEET, how="left", validate="many_to_one")
    passed = keep(sized[BOX].to_numpy(float), width=sized["width"], height=sized["height"], filters=filters)
    rows = []
    for split in names:
        here = (sized["split"] == split).to_numpy()
        for name, chosen in [("all", here), *((c, here & (sized["class_id"] == i)) for i, c in enumerate(classes))]:
            boxes, kept = int(chosen.sum()), int((chosen & passed).sum())
            reached = ratios(tp=kept, fp=0, fn=boxes - kept)
            rows.append((split, name, boxes, boxes - kept, reached["recall"], reached["f1"]))
    table = pd.DataFrame(rows, columns=["split", "class_name", "boxes", "deleted", "recall", "f1"])
    return table.astype({"recall": "float64", "f1": "float64"})


def filter_sentence(costs: pd.DataFrame, filters: Filters, *, split: str) -> str:
    """Return one line for people: what `filters` cost a perfect detector on `split`; "filters: none" when all are off.

    `costs` is what `filter_cost` returned.
    """
    if not filters.active:
        return "filters: none"
    row = costs[(costs["split"] == split) & (costs["class_name"] == "all")].iloc[0]
    limits = " and ".join(f"{name} {value:g}" for name, value in filters.active.items())
    deletes = "deletes" if len(filters.active) == 1 else "delete"
    if not row["deleted"]:
        return f"filters: {limits} {deletes} none of {row['boxes']} true boxes of {split}"
    return (
        f"filters: {limits} {deletes} {row['deleted']} of {row['boxes']} true boxes of {split}: "
        f"a perfect detector would reach recall {row['recall']:.3f}"
    )


def _tables(root: Path, classes: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the sheets (split, image_id, width, height) and their boxes (and class_id and the corners in px)."""
    images, boxes = [], [pd.DataFrame(columns=["split", "image_id", "class_id", *BOX])]
    sheets = list(_sheets(root))
    for (split, image, label), header in zip(sheets, read_headers([image for _, image, _ in sheets]), strict=True):
        size = header.size
        if size is None:
            continue  # the stage that opens it says what is wrong with it
        width, height = size
        images.append((split, image.name, width, height))
        labels = read_labels(label, classes)
        corners = pd.DataFrame(xywhn_to_xyxy(labels.xywhn, width=width, height=height), columns=BOX)
        boxes.append(corners.assign(split=split, image_id=image.name, class_id=labels.class_id))
    table = pd.concat([part for part in boxes if len(part)] or boxes, ignore_index=True)
    return pd.DataFrame(images, columns=["split", "image_id", "width", "height"]), table


def _sheets(root: Path) -> Iterator[tuple[str, Path, Path]]:
    for split in SPLITS:
        for sheet in sheets_in(root / DATASET / split):
            yield split, sheet.image, sheet.label
