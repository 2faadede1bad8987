"""Reads what an iteration saw on its pool, and the labels that are held back: what packets would yield."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from stages.base.boxes import BOX, xywhn_to_xyxy
from stages.base.tables import read_metrics, read_table
from stages.dataset.sheets.split_folder import read_labels
from stages.picking.pool_tables import PoolTables, pool_view
from stages.picking.strategies.earlier_reviews import judged_detections
from stages.picking.strategies.pool_view import PoolView
from stages.review.ledger.ledger_files import METRICS
from stages.ruler.pairing.box_tables import DETECTIONS
from stages.ruler.schemas import GROUND_TRUTH, IMAGES
from stages.simulation.outcome.packet_yields import NAMES, mended, packet_yields
from stages.simulation.replay_settings import ReplaySettings

_DRAWS = 200  # of a strategy that leans on luck


def yields_of(left: Path, deal: Path, settings: ReplaySettings, *, packet: int) -> list[dict[str, Any]]:
    """Return a row per strategy, and per plain baseline, of the `packet`-th packet, in the project `left` behind."""
    view, found = pool_and_answers(left, deal, settings)
    return packet_yields(view, found, names=NAMES, wanted=settings.budget, draws=_DRAWS, packet=packet)


def pool_and_answers(left: Path, deal: Path, settings: ReplaySettings) -> tuple[PoolView, pd.DataFrame]:
    """Return what strategies know of the pool of the project `left` behind, and what `mended` says of its sheets."""
    images = read_table(left / "data/validate/images.parquet", IMAGES)
    pool = images[images["split"] == "pool"]
    detections = read_table(left / "data/predict/detections.parquet", DETECTIONS)
    truth = read_table(left / "data/validate/ground_truth.parquet", GROUND_TRUTH)
    tables = PoolTables(detections, np.load(left / "data/predict/features.npy"), truth)
    iou, prelabel = settings.project["validate"]["iou"], settings.project["sample"]["prelabel_confidence"]
    view = pool_view(
        pool,
        tables,
        reviews=[judged_detections(read_metrics(left / METRICS).get("judged", []), settings.classes)],
        classes=len(settings.classes),
        prelabel=prelabel,
        wanted=settings.budget,
        iou=iou,
    )
    held_back = _held_back(pool, deal / "oracle/labels", settings.classes)
    return view, mended(view.sheets, detections, held_back, iou=iou, prelabel=prelabel)


def _held_back(pool: pd.DataFrame, labels: Path, classes: list[str]) -> pd.DataFrame:
    rows = []
    for sheet in pool.to_dict("records"):
        own = read_labels(labels / f"{Path(sheet['image_id']).stem}.txt", classes)
        xyxy = xywhn_to_xyxy(own.xywhn, width=sheet["width"], height=sheet["height"]).tolist()
        rows += [(sheet["image_id"], key, *box) for key, box in zip(own.class_id.tolist(), xyxy, strict=True)]
    return pd.DataFrame(rows, columns=["image_id", "class_id", *BOX])
