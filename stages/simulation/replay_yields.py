"""Reads what iteration 0 saw on the pool, and the labels that are held back, for `--yields`."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from stages.base.boxes import BOX, xywhn_to_xyxy
from stages.base.tables import read_table
from stages.dataset.sheets.split_folder import read_labels
from stages.picking.pool_tables import PoolTables, pool_view
from stages.picking.strategies.strategy_list import SHEET_STRATEGIES
from stages.ruler.pairing.box_tables import DETECTIONS
from stages.ruler.schemas import GROUND_TRUTH, IMAGES
from stages.simulation.outcome.packet_yields import NAMES, mended, packet_yields
from stages.simulation.replay_settings import ReplaySettings

_DRAWS = 200  # of a strategy that leans on luck


def yields_of(start: Path, deal: Path, settings: ReplaySettings) -> list[dict[str, Any]]:
    """Return a row per strategy, and per plain baseline, of its first packet in the project `start`."""
    images = read_table(start / "data/validate/images.parquet", IMAGES)
    pool = images[images["split"] == "pool"]
    detections = read_table(start / "data/predict/detections.parquet", DETECTIONS)
    truth = read_table(start / "data/validate/ground_truth.parquet", GROUND_TRUTH)
    tables = PoolTables(detections, np.load(start / "data/predict/features.npy"), truth)
    iou, prelabel = settings.project["validate"]["iou"], settings.project["sample"]["prelabel_confidence"]
    view = pool_view(
        pool,
        tables,
        reviews=[],
        classes=len(settings.classes),
        prelabel=prelabel,
        wanted=settings.budget,
        iou=iou,
    )
    held_back = _held_back(pool, deal / "oracle/labels", settings.classes)
    found = mended(view.sheets, detections, held_back, iou=iou, prelabel=prelabel)
    asked = [name for name in NAMES if name in settings.strategies or name not in SHEET_STRATEGIES]
    return packet_yields(view, found, names=asked, wanted=settings.budget, draws=_DRAWS, packet=1)


def _held_back(pool: pd.DataFrame, labels: Path, classes: list[str]) -> pd.DataFrame:
    rows = []
    for sheet in pool.to_dict("records"):
        own = read_labels(labels / f"{Path(sheet['image_id']).stem}.txt", classes)
        xyxy = xywhn_to_xyxy(own.xywhn, width=sheet["width"], height=sheet["height"]).tolist()
        rows += [(sheet["image_id"], key, *box) for key, box in zip(own.class_id.tolist(), xyxy, strict=True)]
    return pd.DataFrame(rows, columns=["image_id", "class_id", *BOX])
