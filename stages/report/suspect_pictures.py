"""Makes the pictures of suspects: a part of the sheet with the labels, and the same part with what the model saw."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.base.boxes import BOX
from stages.base.decoding import read_bgr
from stages.dataset.sheets.split_folder import IMAGE_SUFFIXES
from stages.picking.packet_pictures import Picture, surroundings
from stages.report.page_pictures import data_uri
from stages.report.pages.suspects_page import Pair
from stages.ruler.matching.matching import SHEET

_SUSPECT, _AROUND = (40, 40, 220), (200, 120, 30)  # red and blue, as OpenCV orders them


class Boxes(NamedTuple):
    """What is drawn: the labels, and the detections that count."""

    ground_truth: pd.DataFrame
    detections: pd.DataFrame


def make_pairs(suspects: pd.DataFrame, boxes: Boxes, classes: Sequence[str], *, dataset: Path) -> list[Pair]:
    """Return the suspects, rows of SUSPECTS, with their pictures, in their order; each sheet is decoded once."""
    pictures: dict[Any, tuple[str, str]] = {}
    for (split, image_id), rows in suspects.groupby(SHEET, sort=False):
        file = dataset / str(split) / "images" / str(image_id)
        if file.suffix.lower() in IMAGE_SUFFIXES and file.is_file():
            here = Boxes(*(_of(table, str(split), str(image_id)) for table in boxes))
            image = read_bgr(file)
            pictures |= {
                at: _two(image, row, here) for at, row in zip(rows.index, rows.to_dict("records"), strict=True)
            }
    return [
        Pair(row, classes[row["class_id"]], _other(row, classes), *pictures.get(at, (None, None)))
        for at, row in zip(suspects.index, suspects.to_dict("records"), strict=True)
    ]


def _other(row: dict[Any, Any], classes: Sequence[str]) -> str:
    return classes[int(row["class_id"] if pd.isna(row["other_class_id"]) else row["other_class_id"])]


def _two(image: Picture, row: dict[Any, Any], here: Boxes) -> tuple[str, str]:
    """Return the two pictures of one suspect as data URIs."""
    label, seen = (
        here.ground_truth["object_id"] == row["object_id"],
        here.detections["detection_id"] == row["detection_id"],
    )
    label, seen = label.fillna(False).astype(bool), seen.fillna(False).astype(bool)
    spoken = np.vstack([here.ground_truth.loc[label, BOX], here.detections.loc[seen, BOX]]).astype(float)
    window = np.concatenate([spoken[:, :2].min(axis=0), spoken[:, 2:].max(axis=0)])
    return (
        data_uri(_drawn(image, window, here.ground_truth[BOX].to_numpy(float), label.to_numpy())),
        data_uri(_drawn(image, window, here.detections[BOX].to_numpy(float), seen.to_numpy())),
    )


def _drawn(
    image: Picture, window: NDArray[np.float64], boxes: NDArray[np.float64], spoken: NDArray[np.bool_]
) -> Picture:
    """Return what is around `window` with `boxes` (n, 4) in blue, and those that are `spoken` of in red, on top."""
    zoomed = surroundings(image, window)
    for box in boxes[~spoken]:
        zoomed.frame(box, _AROUND)
    for box in boxes[spoken]:
        zoomed.frame(box, _SUSPECT, width=4)
    return zoomed.picture


def _of(table: pd.DataFrame, split: str, image_id: str) -> pd.DataFrame:
    return table[(table["split"] == split) & (table["image_id"] == image_id)]
