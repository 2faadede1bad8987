"""The ledger on disk: what every review came to, sheet by sheet, and the summary of the last one.

metrics/review_sheets.csv   one row per reviewed sheet of all iterations so far; `advance` adds those of a review
metrics/review.json         the last review, and the comparison of the arms over all
data/review/ledger.csv      box by box; kept with the review in DVC's cache
data/review/repeats.csv     the same of a sheet that was reviewed a second time: the labels of before, and what came now
"""

from collections.abc import Collection, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from stages.base.boxes import BOX
from stages.base.errors import problem
from stages.base.tables import json_text
from stages.picking.packet import Packet
from stages.picking.pool_tables import seen_on
from stages.picking.strategies.earlier_reviews import counted_detections
from stages.review.kept.kept_review import Review, ReviewedBox, ReviewedSheet
from stages.review.ledger.correction_ledger import COLUMNS as LEDGER_COLUMNS
from stages.review.ledger.correction_ledger import OUTCOMES, box_ledger
from stages.review.ledger.ledger_summary import FROM_POOL, UNSEEN, Past, agreements, sheet_rows, summarize

METRICS = Path("metrics/review.json")
REVIEW_SHEETS = Path("metrics/review_sheets.csv")
LEDGER = "ledger.csv"
REPEATS = "repeats.csv"
COLUMNS: dict[str, str] = {
    "iteration": "int64",  # whose packet it was
    "image_id": "str",
    "arm": "str",  # picked, random, recheck, repeat
    "labels_from": "str",  # what its pre-labels were: claims, model
    "source": "str",  # the tool, page, oracle or auto; `cvat and page`: both, one after the other
    "boxes": "int64",  # looked at: before or after the review
    **dict.fromkeys(OUTCOMES, "int64"),
    "errors": "int64",  # boxes that the ruler would count as one
    "seconds": "Float64",  # null where the tool does not say
}


class Ledger(NamedTuple):
    """What a review came to: boxes (COLUMNS of correction_ledger.py), the metrics, and the rows of all reviews.

    `repeats` has the columns of `boxes`: what a first review left beside what a second one did.
    """

    boxes: pd.DataFrame
    metrics: dict[str, Any]
    sheets: pd.DataFrame
    repeats: pd.DataFrame


def ledger_of(
    packet: Packet,
    review: Review,
    *,
    arms: Mapping[str, str],
    before: pd.DataFrame,
    past: Past,
    detections: pd.DataFrame,
    forecast: Mapping[str, Any],
    iou: float,
    labels_before: Mapping[str, Sequence[ReviewedBox]] | None = None,
) -> Ledger:
    """Return the ledger of `review`; `before` are the rows of earlier reviews, `iou` is the ruler's.

    `arms` maps every sheet of the packet to its arm. `past` is what metrics/review.json had of earlier reviews;
    `detections` are those of the model that made the packet, `forecast` is its metrics/sample.json, and `labels_before`
    what an earlier review left on sheets that went out again. Rows of this iteration or a later one in what is earlier
    are of another line, and go.
    """
    boxes = review_boxes(packet, review, iou=iou)
    done = {sheet.image_id: sheet for sheet in review.reviewed}
    listed = pd.DataFrame(
        [
            (packet.iteration, name, arms[name], sheet.labels_from, done[name].source or review.source)
            for sheet in packet.sheets
            for name in [sheet.image_id]
            if name in done
        ],
        columns=["iteration", "image_id", "arm", "labels_from", "source"],
    )
    now = sheet_rows(
        boxes, listed.assign(seconds=listed["image_id"].map({name: sheet.seconds for name, sheet in done.items()}))
    )
    earlier = before[before["iteration"] < packet.iteration]
    sheets = pd.concat([earlier, now.reindex(columns=list(COLUMNS)).astype(COLUMNS)], ignore_index=True)
    sheets = sheets.sort_values(["iteration", "image_id"], ignore_index=True)
    repeats = repeated_boxes(review, labels_before or {}, iou=iou)
    metrics = summarize(
        boxes,
        sheets,
        iteration=packet.iteration,
        source=review.tools,
        packet_sheets=len(packet.sheets),
        iou=iou,
        past=past.before(packet.iteration).after(
            packet.iteration,
            judged=judged_rows(packet, review, detections, arms, iou=iou),
            repeats=agreements(repeats, iou=iou),
        ),
        forecast=forecast,
    )
    return Ledger(boxes, metrics, sheets, repeats)


def judged_rows(
    packet: Packet, review: Review, detections: pd.DataFrame, arms: Mapping[str, str], *, iou: float
) -> list[dict[str, Any]]:
    """Return which of the model's detections on the sheets that somebody reviewed are right, counted.

    Of the pool alone: on a sheet that the model learned from it is surer than it should be.
    """
    looked = [sheet for sheet in _looked_at(review) if arms[sheet.image_id] in FROM_POOL]
    if not looked:
        return []
    place = {name: number for number, name in enumerate(packet.classes)}
    rows = [
        (sheet.image_id, number, place[box.class_name], *box[1:5])
        for sheet in looked
        for number, box in enumerate(sheet.boxes)
    ]
    truth = pd.DataFrame(rows, columns=["image_id", "object_id", "class_id", *BOX]).assign(split="pool")
    names = [sheet.image_id for sheet in looked]
    own = detections[(detections["split"] == "pool") & detections["image_id"].isin(names)]
    return counted_detections(seen_on(own, truth, iou=iou), packet.classes)


def forecast_of_part(
    forecast: Mapping[str, Any], expected: Mapping[str, float], *, returned: Collection[str]
) -> dict[str, Any]:
    """Return what metrics/sample.json expected, of the picked sheets that came back alone.

    `expected` are the errors of each picked sheet. Of a part of the packet that part of the errors is expected, and so
    of both ends of the interval: nearly all of its width is what sheets have in common.
    """
    whole = sum(expected.values())
    part = sum(errors for name, errors in expected.items() if name in returned) / whole if whole else 1.0
    keys = ("expected_errors", "expected_errors_low", "expected_errors_high")
    return {**forecast, **{key: forecast[key] * part for key in keys if forecast.get(key) is not None}}


def repeated_boxes(review: Review, labels_before: Mapping[str, Sequence[ReviewedBox]], *, iou: float) -> pd.DataFrame:
    """Return box by box what two reviews of the same sheets left: of the first (before) and of `review` (after)."""
    looked = {sheet.image_id: sheet.boxes for sheet in _looked_at(review) if sheet.image_id in labels_before}
    first = [
        (name, f"{name} {number}", box.class_name, *box[1:5], None)
        for name in looked
        for number, box in enumerate(labels_before[name], 1)
    ]
    second = [(name, box.class_name, *box[1:5], "") for name, boxes in looked.items() for box in boxes]
    return box_ledger(
        prelabels=pd.DataFrame(first, columns=["image_id", "prelabel_id", "class_name", *BOX, "confidence"]),
        reviewed=pd.DataFrame(second, columns=["image_id", "class_name", *BOX, "prelabel_id"]),
        iou=iou,
    )


def _looked_at(review: Review) -> list[ReviewedSheet]:
    return [sheet for sheet in review.reviewed if (sheet.source or review.source) != UNSEEN]


def review_boxes(packet: Packet, review: Review, *, iou: float) -> pd.DataFrame:
    """Return the ledger of the reviewed sheets of `review`, box by box; no arm is in it."""
    done = [sheet.image_id for sheet in review.reviewed]
    rows = [
        (sheet.image_id, box.class_name, *box[1:5], box.prelabel or "")
        for sheet in review.reviewed
        for box in sheet.boxes
    ]
    reviewed = pd.DataFrame(rows, columns=["image_id", "class_name", *BOX, "prelabel_id"])
    prelabels = packet.prelabels[packet.prelabels["image_id"].isin(done)]
    return box_ledger(prelabels=prelabels, reviewed=reviewed, iou=iou)


def no_review_text() -> str:
    """Return the content of metrics/review.json before the first review: DVC warns where a metrics file lacks."""
    boxes = pd.DataFrame(columns=list(LEDGER_COLUMNS)).astype(LEDGER_COLUMNS)
    none = pd.DataFrame(columns=list(COLUMNS)).astype(COLUMNS)
    return metrics_text(
        summarize(boxes, none, iteration=0, source=None, packet_sheets=0, iou=1.0, past=Past(), forecast={})
    )


def metrics_text(metrics: dict[str, Any]) -> str:
    """Return the content of metrics/review.json."""
    return json_text(metrics)


def review_sheets_text(sheets: pd.DataFrame) -> str:
    """Return the content of metrics/review_sheets.csv."""
    text = StringIO()
    sheets.assign(seconds=sheets["seconds"].round(1)).to_csv(text, index=False, lineterminator="\n")
    return text.getvalue()


def read_review_sheets(file: Path = REVIEW_SHEETS) -> pd.DataFrame:
    """Return the rows of all reviews so far, none where there was no review; raise `UserError` for a damaged file."""
    if not file.is_file():
        return pd.DataFrame(columns=list(COLUMNS)).astype(COLUMNS)
    texts = [name for name, kind in COLUMNS.items() if kind == "str"]
    try:
        frame = pd.read_csv(file, dtype=dict.fromkeys(texts, "str"), keep_default_na=False, na_values={"seconds": ""})
        if list(frame.columns) != list(COLUMNS):
            raise ValueError(f"the columns {', '.join(map(str, frame.columns))}"[:120])
        return frame.astype(COLUMNS)
    except ValueError as error:
        raise problem(
            "ledger_files.columns",
            file,
            columns=", ".join(COLUMNS),
            found=" ".join(str(error).split())[:120],
            review_sheets=REVIEW_SHEETS,
        ) from error
