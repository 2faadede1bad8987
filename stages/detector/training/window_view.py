"""Writes the windows that a detector is trained on as pictures of their own, with labels."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.base.boxes import Boxes, xywhn_to_xyxy, xyxy_to_xywhn
from stages.base.decoding import read_bgr
from stages.base.image_size import image_size
from stages.dataset.sheets.split_folder import Labels, Sheet, label_text, read_labels
from stages.detector.training.training_windows import cut, training_windows

GREY = 114  # what Ultralytics puts beside a sheet: nothing is learned from it


class TrainingPicture(NamedTuple):
    """A picture to train on, and what is on it."""

    pixels: NDArray[np.uint8]  # (h, w, 3), blue green red
    labels: Labels


def write_windows(
    sheets: Sequence[Sheet], folder: Path, classes: Sequence[str], *, side: int, imgsz: int, rng: np.random.Generator
) -> list[Sheet]:
    """Write what there is to learn from `sheets` below `folder`, and return it; sheets are read one after the other.

    Windows are of `side` px; the view of a whole sheet is no larger than `imgsz`, as which the network sees it.
    """
    import cv2

    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True)
    written = []
    for number, sheet in enumerate(sheets):
        labels = read_labels(sheet.label, classes)
        for place, one in enumerate(drawn(read_bgr(sheet.image), labels, side=side, imgsz=imgsz, rng=rng)):
            stem = f"{number:06d}-{place:04d}"  # of sheets, a name may be another's with such an ending
            view = Sheet(folder / "images" / f"{stem}.png", folder / "labels" / f"{stem}.txt")
            view.image.write_bytes(cv2.imencode(".png", one.pixels, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes())
            view.label.write_text(label_text(one.labels.class_id, one.labels.xywhn), encoding="utf-8")
            written.append(view)
    return written


def count_windows(sheets: Sequence[Sheet], classes: Sequence[str], *, side: int, rng: np.random.Generator) -> int:
    """Return how many pictures `write_windows` would write, from headers and labels; with the same `rng` exactly so."""
    count = 0
    for sheet in sheets:
        width, height = image_size(sheet.image) or (0, 0)
        objects = xywhn_to_xyxy(read_labels(sheet.label, classes).xywhn, width=width, height=height)
        count += len(training_windows(objects, width=width, height=height, side=side, rng=rng)) + 1
    return count


def drawn(
    pixels: NDArray[np.uint8], labels: Labels, *, side: int, imgsz: int, rng: np.random.Generator
) -> list[TrainingPicture]:
    """Return the windows of a sheet that are trained on, then the sheet as a whole."""
    height, width = pixels.shape[:2]
    objects = xywhn_to_xyxy(labels.xywhn, width=width, height=height)
    found = []
    for window in training_windows(objects, width=width, height=height, side=side, rng=rng):
        x1, y1, x2, y2 = window
        part = cut(objects, window)
        shown = Labels(labels.class_id[part.shown], xyxy_to_xywhn(part.xyxy, width=x2 - x1, height=y2 - y1))
        found.append(TrainingPicture(hidden(pixels[y1:y2, x1:x2], part.hidden, part.xyxy), shown))
    return [*found, TrainingPicture(_no_larger(pixels, imgsz), labels)]


def hidden(pixels: NDArray[np.uint8], parts: Boxes, shown: Boxes) -> NDArray[np.uint8]:
    """Return a copy in which `parts` are grey, where they lie on nothing that is `shown`; boxes are xyxy px, (n, 4)."""
    covered = np.zeros(pixels.shape[:2], dtype=bool)
    for value, boxes in ((True, parts), (False, shown)):
        for x1, y1, x2, y2 in np.hstack([np.floor(boxes[:, :2]), np.ceil(boxes[:, 2:])]).astype(int):
            covered[y1:y2, x1:x2] = value
    return np.where(covered[..., None], np.uint8(GREY), pixels)


def _no_larger(pixels: NDArray[np.uint8], imgsz: int) -> NDArray[np.uint8]:
    """Return a picture whose longer side is at most `imgsz`, scaled as Ultralytics would."""
    import cv2

    height, width = pixels.shape[:2]
    scale = imgsz / max(height, width)
    if scale >= 1:
        return pixels
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
