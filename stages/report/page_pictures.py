"""Makes the pictures of a page: small, and inside the page as data URIs."""

import base64
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.analysis.analysis_tables import FINDINGS
from stages.analysis.summaries import spread
from stages.base.boxes import BOX
from stages.base.decoding import read_bgr
from stages.base.tables import read_table
from stages.picking.packet import HEAD, PACKET, read_packet
from stages.picking.packet_pictures import Picture, zoom
from stages.report.pages.iteration_page import Shots
from stages.report.pages.shots import Shot, alarm_shot, miss_shot, packet_shot

# So many pictures of such a size keep a page under 5 MB, however crowded the sheets are.
MOST_MISSES = 24
MOST_ALARMS = 12
MOST_PACKET = 20
SIDE = 288  # px of the longer side
QUALITY = 78  # of the JPEGs: a line of one pixel stays sharp enough


def make_pictures(view: Path, classes: Sequence[str], *, padding: int, lacking: str) -> Shots:
    """Return the shots of misses, false alarms and packet of the iteration that the folder `view` shows.

    `padding` is what is shown around a miss, in px of the sheet; `lacking` is the note for a view without findings. A
    picture whose sheet or crop is not there is None.
    """
    findings_file, folder = view / "data/analyze/findings.parquet", view / PACKET
    if not findings_file.is_file() or not (folder / HEAD).is_file():
        return Shots(note=lacking)
    findings = read_table(findings_file, FINDINGS)
    val = findings[findings["split"] == "val"]
    missed = val[val["outcome"] == "fn"]
    misses = missed.loc[spread(missed, MOST_MISSES)]
    surest = val[val["outcome"] == "fp"].sort_values("confidence", ascending=False, kind="stable")
    sheets = view / "data/dataset/val/images"
    return Shots(
        [miss_shot(row, classes[row["class_id"]], picture) for row, picture in _cut(misses, sheets, padding)],
        [
            alarm_shot(row, classes[row["class_id"]], picture)
            for row, picture in _cut(surest[:MOST_ALARMS], sheets, padding)
        ],
        _packet_shots(folder),
    )


def _packet_shots(folder: Path) -> list[Shot]:
    packet = read_packet(folder, whole=False)
    place = {sheet.image_id: sheet.order for sheet in packet.sheets}
    rows = packet.focus[:MOST_PACKET].to_dict("records")
    return [packet_shot(row, place[row["image_id"]], _from_file(folder / row["crop"])) for row in rows]


def data_uri(image: Picture) -> str:
    """Return an image (height, width, 3), blue green red, as a JPEG of at most SIDE px in a data URI."""
    import cv2

    scale = SIDE / max(image.shape[:2])
    if scale < 1:
        size = (max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return f"data:image/jpeg;base64,{base64.b64encode(data.tobytes()).decode()}"


def _cut(rows: pd.DataFrame, sheets: Path, padding: int) -> Iterator[tuple[dict[Any, Any], str | None]]:
    """Yield each row with a picture of its box; a sheet is decoded once, and let go."""
    pictures: dict[Any, str] = {}
    for image_id, boxes in rows.groupby("image_id", sort=False):
        file = sheets / str(image_id)
        if file.is_file():
            image = read_bgr(file)
            pictures |= {
                at: data_uri(_framed(image, boxes.loc[at, BOX].to_numpy(float), padding)) for at in boxes.index
            }
    for at, row in zip(rows.index, rows.to_dict("records"), strict=True):
        yield row, pictures.get(at)


def _framed(image: Picture, box: NDArray[np.float64], padding: int) -> Picture:
    """Return the box with `padding` px of the sheet around it, enlarged, with its frame."""
    left, top = (max(math.floor(low) - padding, 0) for low in box[:2])
    right, bottom = (max(math.ceil(high) + padding, 0) for high in box[2:])
    part = image[top:bottom, left:right]
    return zoom(part, box - (left, top, left, top)) if part.size else zoom(image, box)  # a box may lie outside


def _from_file(file: Path) -> str | None:
    return data_uri(read_bgr(file)) if file.is_file() else None
